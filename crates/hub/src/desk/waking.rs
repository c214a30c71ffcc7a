//! Who speaks by datagrams comes in, and who heard events before that hears them no more; until it
//! leaves.

use super::{Desk, Waking, broken, pace};
use crate::{
    hall::{ClientId, Post},
    model::AccountId,
    protocol::{Code, EventsBy, Refusal},
};

impl Desk {
    /// Has a client be somebody who speaks by datagrams. It hears events there, if it likes, and who
    /// heard them until then does not.
    pub(super) fn wake(&mut self, client: ClientId, waking: Waking) -> Result<(), Refusal> {
        // All who share a room with it are told that it is there, as of AWAY.
        self.may_look_up(waking.account, pace::TO_ALL)?;
        // What is undone, if it is, is nothing of this.
        self.settle();
        let woken = self.be_awake(client, waking);
        self.tell_halls();
        woken
    }

    fn be_awake(&mut self, client: ClientId, waking: Waking) -> Result<(), Refusal> {
        let Waking { account, session, events, from } = waking;
        self.is_somebody(account)?;
        let sessions = self.devices_of(account).map_err(|error| broken(&error))?;
        if !sessions.iter().any(|known| known.name == session) {
            return Err(Refusal::of(Code::SessionRevoked));
        }
        self.has_place(account)?;
        self.clients.insert(client, (account, session));
        if events == EventsBy::Udp {
            self.posts.push(Post::Unseat(from));
            self.moved.insert(client, from);
            self.give_seats(client, account);
        }
        self.arrive(account);
        Ok(())
    }

    /// Who heard events before somebody who is gone did so by datagrams, hears them again, unless it is somebody
    /// else by now.
    pub(super) fn move_back(&mut self, client: ClientId, who: AccountId) {
        let Some(from) = self.moved.remove(&client) else { return };
        let is_moved_again = self.moved.values().any(|other| *other == from);
        if !is_moved_again && self.clients.get(&from).is_some_and(|(own, _)| *own == who) {
            self.give_seats(from, who);
        }
    }
}
