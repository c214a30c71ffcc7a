//! Entries written, committed, and told of; or nothing of it.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::error;

use super::{Desk, broken};
use crate::{
    archive::Job,
    hall::{Haste, Post},
    model::{AccountId, Cid, Deed, Entry, GONE, Millis, Said, Seq},
    protocol::{Refusal, Told},
    saying,
    store::Broken,
};

impl Desk {
    /// Writes one entry, and posts it.
    pub(super) fn put_down(
        &mut self,
        by: AccountId,
        cid: Option<Cid>,
        deed: Deed,
    ) -> Result<Seq, Refusal> {
        let entry = Entry { seq: self.next(), at: self.now(), by, cid, deed };
        let prev = match entry.deed {
            Deed::In { room, .. } | Deed::Delete { room } => self.state.room(room).last,
            _ => Seq::default(),
        };
        self.begin()?;
        // Of a room that is deleted nothing is known after.
        let is_end = matches!(entry.deed, Deed::Delete { .. });
        let end = is_end.then(|| saying::post(&self.state, &entry, prev)).flatten();
        let invitation = saying::invitation(&self.state, &entry, prev);
        self.state.apply(&entry);
        self.last_at = entry.at;
        self.name(&entry);
        let written = self.store.write(&entry, &self.state);
        self.whole(written)?;
        self.upkeep.wrote(&entry);
        self.note(&entry);
        self.posts.extend(if is_end { end } else { saying::post(&self.state, &entry, prev) });
        self.posts.extend(invitation);
        self.posts.extend(saying::turns(&self.state, &entry));
        Ok(entry.seq)
    }

    /// What was done as part of the group; if it was not, nothing of the group is.
    pub(super) fn whole<T>(&mut self, done: Result<T, Broken>) -> Result<T, Refusal> {
        done.map_err(|error| {
            self.undo(&error);
            broken(&error)
        })
    }

    /// Has those who read elsewhere know what accounts are called.
    fn name(&self, entry: &Entry) {
        match &entry.deed {
            Deed::Register { name } => self.names.add(entry.by, name),
            Deed::Unregister { who, said } => {
                self.names.add(*who, GONE);
                if *said == Said::Goes {
                    self.names.silence(*who);
                }
            }
            _ => {}
        }
    }

    /// Begins a group, unless one has begun.
    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        if self.is_writing {
            return Ok(());
        }
        self.trouble.may_write(Instant::now())?;
        self.sound().map_err(|error| broken(&error))?;
        if let Err(error) = self.store.begin() {
            let what = "the hub's store cannot be written to now; what is to be written is refused";
            self.trouble.tell((what, &error), self.now());
            return Err(broken(&error));
        }
        self.is_writing = true;
        Ok(())
    }

    /// Commits what was written, and tells of it.
    pub(super) fn settle(&mut self) {
        if self.is_writing {
            self.index_along();
            self.is_writing = false;
            match self.commit() {
                Ok(()) => {
                    self.trouble.end();
                    self.have_ended();
                }
                Err(error) => self.undo(&error),
            }
        }
        self.asked.clear();
        self.dismiss_all();
        self.tell_halls();
        self.ran.drain(..).for_each(|(done, outcome)| _ = done.send(Ok(outcome)));
        for (_, entered, who) in self.entered.drain(..) {
            // A client that is gone says so, too.
            _ = entered.send(Ok(who));
        }
        for look in std::mem::take(&mut self.looks) {
            self.look_up(look);
        }
        // Behind what holds back other events for them.
        for job in std::mem::take(&mut self.jobs) {
            if let Err(refused) = self.reader.read(job) {
                let (job, refusal) = *refused;
                self.refuse(&job, refusal);
            }
        }
        self.tell_halls();
    }

    /// Brings all that was written into the store's one file, as far as the disk takes that.
    pub(super) fn close(&mut self) {
        self.store.be_patient();
        match self.write_devices_now() {
            Err(error) if self.devices.holds_out() => {
                error!(%error, "who was logged out last may come in again, once the hub is back");
            }
            // Of the others it is known no worse than before when they were seen.
            Ok(()) | Err(_) => {}
        }
        if let Err(error) = self.store.checkpoint() {
            error!(%error, "what was said last is in a file beside the hub's store");
        }
    }

    /// Tells a client that what it wanted is not read.
    pub(super) fn refuse(&mut self, job: &Job, refusal: Refusal) {
        self.tell(job.client, Told::Answer { re: job.re, answer: Err(refusal) });
        if job.query.holds() {
            self.posts.push(Post::Release(job.client));
        }
    }

    /// Tells all clients what was posted. What is said alone, and nothing is asked behind it, is told at once.
    pub(super) fn tell_halls(&mut self) {
        self.certain.clear();
        if self.posts.is_empty() {
            return;
        }
        let mut rooms = self.posts.iter_mut().filter_map(|post| match post {
            Post::Room(post) => Some(post),
            _ => None,
        });
        if let (Some(only), None) = (rooms.next(), rooms.next())
            && self.counts.ordered() <= self.done
        {
            only.haste = Haste::AtOnce;
        }
        let group = Arc::new(std::mem::take(&mut self.posts));
        // A hall that is gone has no clients.
        self.halls.iter().for_each(|hall| _ = hall.send(Arc::clone(&group)));
    }

    pub(super) fn next(&self) -> Seq {
        Seq(self.state.last.0 + 1)
    }

    /// What time it is.
    pub(super) fn now(&self) -> Millis {
        self.time.now(Millis::of((self.clock)()), Instant::now())
    }
}
