//! Nothing done of what was asked, where it cannot be written: the state as the store has it, and all told.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Desk, RETRY_MS, broken,
    devices::{Ender, yet_to_be_written},
};
use crate::{
    counts::Fresh,
    protocol::{Refusal, Told},
    store::Broken,
};

/// What the state is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ground {
    /// It is what is committed, and what is written now.
    #[default]
    Sound,
    /// It has what was undone: nothing is judged by it.
    Undone,
}

/// How many times as long as all was read anew nothing more is written, where the disk took nothing: who only
/// reads would wait for that again and again.
const RESTS: u32 = 10;

/// How long nothing is at least: as long as who was refused is told to wait.
const RETRY: Duration = Duration::from_millis(RETRY_MS);

impl Desk {
    /// Nothing of what was asked since the last commit was done: all who asked are told.
    pub(super) fn undo(&mut self, error: &Broken) {
        let what = "the hub's store takes nothing; what was asked is refused";
        self.trouble.tell((what, error), self.now());
        self.trouble.undid();
        self.store.roll_back();
        self.upkeep.undo();
        self.is_writing = false;
        self.fresh = Fresh::default();
        self.keep_certain_posts();
        self.jobs.clear();
        let enders = self.cut_off();
        // Who was to be sent away stays, but who is logged out.
        let Self { dismissed, clients, devices, .. } = self;
        dismissed.retain(|(client, _)| clients.get(client).is_some_and(|own| devices.is_over(own)));
        for (client, ..) in std::mem::take(&mut self.entered) {
            self.forget_client(client);
        }
        self.refuse_all(|by| {
            let refusal = broken(error);
            if enders.contains(&by) { yet_to_be_written(refusal) } else { refusal }
        });
        self.certain.push(0..self.posts.len());
        self.ground = Ground::Undone;
        let began = Instant::now();
        if let Err(error) = self.sound() {
            self.trouble
                .tell(("the hub's store cannot be read; all is refused", &error), self.now());
        }
        if error.is_of_disk() {
            self.trouble.rest(broken(error), RETRY.max(began.elapsed() * RESTS));
        }
    }

    /// Tells all who asked that nothing was done of it, and why.
    fn refuse_all(&mut self, refusal: impl Fn(Ender) -> Refusal) {
        for (at, (client, re)) in std::mem::take(&mut self.asked).into_iter().enumerate() {
            let answer = Err(refusal(Ender::Client(client, at)));
            self.tell(client, Told::Answer { re, answer });
        }
        for (at, (done, _)) in self.ran.drain(..).enumerate() {
            // Who does not wait needs not know.
            _ = done.send(Err(refusal(Ender::Keeper(at))));
        }
    }

    /// Posts nothing of the group but what is so anyway: that clients left, and what was undone before.
    fn keep_certain_posts(&mut self) {
        let certain = std::mem::take(&mut self.certain);
        let posts = std::mem::take(&mut self.posts).into_iter().enumerate();
        let is_certain = |at: usize| certain.iter().any(|posts| posts.contains(&at));
        self.posts = posts.filter(|(at, _)| is_certain(*at)).map(|(_, post)| post).collect();
    }

    /// Sees that the state is what the store has.
    ///
    /// *Cost*: where something was undone and could not be read since, reads accounts, rooms and memberships.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then it is not, and nothing is to be judged by it.
    pub(super) fn sound(&mut self) -> Result<(), Broken> {
        if self.ground == Ground::Undone {
            let state = self.store.reload()?;
            self.names.learn(&state);
            self.state = state;
            self.ground = Ground::Sound;
        }
        Ok(())
    }
}
