//! What is to be written down of devices, and is not yet: when they were seen, which waits for a time when
//! nobody does; that those are gone which last while they are connected; and that others were logged out, where
//! the disk took nothing. It holds from the first.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use super::{Desk, clock::is_due};
use crate::{
    hall::ClientId,
    model::{AccountId, Millis},
    proof::TokenHash,
    protocol::{Code, Event, Refusal, Told},
    store::{Broken, Session, Store},
};

/// What is owed to the store.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// When those were seen last that were since it was written.
    seen: HashMap<[u8; 32], Millis>,
    /// Which are logged out, as part of the group.
    ending: Vec<Ending>,
    /// Which are logged out, and in the store yet: no more than there are.
    ended: BTreeSet<(AccountId, String)>,
    /// Whose session lasts while it is connected.
    passing: HashSet<ClientId>,
    /// Which of those sessions are gone, and in the store yet: as many as were connected at once, unless the disk
    /// takes nothing, where nobody comes by another.
    passed: BTreeSet<(AccountId, String)>,
    /// When some of it was written last, or tried to be.
    tried_at: Millis,
}

/// A session that ends.
#[derive(Debug)]
struct Ending {
    who: AccountId,
    name: String,
    by: Ender,
}

/// Who has a session end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ender {
    /// A client does, whose is this one of what was asked since the last commit.
    Client(ClientId, usize),
    /// Who runs the hub does, and what will be this one of what it had done.
    Keeper(usize),
}

/// How long it may take until it is written when a device was seen, and when that is tried again.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// Of how many devices at once.
const WRITTEN_AT_ONCE: usize = 256;

/// The most of which it is remembered. Of more it stays as it was.
const SEEN_MAX: usize = 16_384;

impl Devices {
    /// What is owed at a start: those that last while they are connected are gone, and known by nothing else
    /// where their process had no time to write that.
    ///
    /// # Errors
    ///
    /// [`Broken`], if the store cannot be read. What cannot be written is tried again later.
    pub(crate) fn after(store: &mut Store) -> Result<Self, Broken> {
        let passed = store.passing()?.into_iter().collect();
        let mut devices = Self { passed, ..Self::default() };
        // Else whoever looks at the store without asking the desk would see them.
        _ = devices.write(store);
        Ok(devices)
    }

    /// How long orders are waited for before some of it is to be written.
    pub(super) fn patience(&self) -> Duration {
        if self.is_even() { Duration::MAX } else { WRITTEN_EVERY }
    }

    fn is_even(&self) -> bool {
        self.seen.is_empty() && self.ended.is_empty() && self.passed.is_empty()
    }

    /// Notes that the session of a client lasts while that is connected.
    pub(super) fn pass(&mut self, client: ClientId) {
        self.passing.insert(client);
    }

    /// Notes that a client is gone, and with it its session, if that lasted so.
    pub(super) fn have_passed(&mut self, client: ClientId, session: (AccountId, String)) {
        if self.passing.remove(&client) {
            self.passed.insert(session);
        }
    }

    /// Notes that a device was seen.
    fn note(&mut self, hash: [u8; 32], now: Millis) {
        if self.seen.len() < SEEN_MAX || self.seen.contains_key(&hash) {
            self.seen.insert(hash, now);
        }
    }

    /// `session` as it is once all is written; `None`, if it is over.
    fn of(&self, mut session: Session) -> Option<Session> {
        if let Some(at) = self.seen.get(&session.hash) {
            session.seen = session.seen.max(*at);
        }
        if self.ended.is_empty() && self.passed.is_empty() {
            return Some(session);
        }
        (!self.is_over(&(session.account, session.name.clone()))).then_some(session)
    }

    /// Whether a session is over, though that is not written yet.
    pub(super) fn is_over(&self, session: &(AccountId, String)) -> bool {
        self.ended.contains(session) || self.passed.contains(session)
    }

    /// Whether somebody is logged out here, and not in the store.
    pub(super) fn holds_out(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Writes down some of it, if there is any.
    fn write(&mut self, store: &mut Store) -> Result<(), Broken> {
        if self.is_even() {
            return Ok(());
        }
        let written = store.begin().and_then(|()| self.write_some(store));
        if written.is_err() {
            store.roll_back();
        }
        written
    }

    fn write_some(&mut self, store: &mut Store) -> Result<(), Broken> {
        for (who, name) in self.ended.iter().chain(&self.passed) {
            store.end_session(*who, name)?;
        }
        let some: Vec<_> =
            self.seen.iter().take(WRITTEN_AT_ONCE).map(|(h, at)| (*h, *at)).collect();
        for (hash, at) in &some {
            store.seen(hash, *at)?;
        }
        store.commit()?;
        self.ended.clear();
        self.passed.clear();
        for (hash, _) in some {
            self.seen.remove(&hash);
        }
        Ok(())
    }
}

impl Desk {
    /// Notes that a session is used now. It is written later: who shows a token is let in though the disk
    /// takes nothing.
    pub(super) fn seen(&mut self, hash: &TokenHash) {
        let now = self.now();
        self.devices.note(hash.0, now);
    }

    /// The session of a token that hashes to this, if it was not ended meanwhile.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(super) fn device(&self, hash: &TokenHash) -> Result<Option<Session>, Broken> {
        Ok(self.store.session(&hash.0)?.and_then(|session| self.devices.of(session)))
    }

    /// Whether the store has the session of a token that hashes to this, ended or not.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(super) fn is_kept(&self, hash: &TokenHash) -> Result<bool, Broken> {
        Ok(self.store.session(&hash.0)?.is_some())
    }

    /// All sessions of an account that were not ended, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(super) fn devices_of(&self, who: AccountId) -> Result<Vec<Session>, Broken> {
        let sessions = self.store.sessions(who)?.into_iter();
        Ok(sessions.filter_map(|session| self.devices.of(session)).collect())
    }

    /// Ends sessions of an account, as part of the group. They are over even if that cannot be written.
    pub(super) fn end_devices(
        &mut self,
        who: AccountId,
        names: &[String],
        by: Ender,
    ) -> Result<(), Refusal> {
        let ending = names.iter().map(|name| Ending { who, name: name.clone(), by });
        self.devices.ending.extend(ending);
        if let Err(refusal) = self.begin() {
            // What else is asked is not undone: nothing was begun.
            self.cut_off();
            return Err(if names.is_empty() { refusal } else { yet_to_be_written(refusal) });
        }
        let ended = names.iter().try_for_each(|name| self.store.end_session(who, name).map(drop));
        self.whole(ended).map_err(yet_to_be_written)
    }

    /// All that was asked is written: so is which sessions are over.
    pub(super) fn have_ended(&mut self) {
        self.devices.ending.clear();
    }

    /// Sends away who is connected by sessions that are over, though that could not be written. It is
    /// written once it can be. Gives who had them end.
    pub(super) fn cut_off(&mut self) -> Vec<Ender> {
        let mut enders = Vec::new();
        for Ending { who, name, by } in std::mem::take(&mut self.devices.ending) {
            enders.push(by);
            let is_own = |one: &ClientId| matches!(by, Ender::Client(own, _) if own == *one);
            let session = (who, name);
            let are = self.clients.iter().filter(|(_, known)| **known == session);
            let are = are.map(|(client, _)| *client).filter(|client| !is_own(client));
            for client in are.collect::<Vec<_>>() {
                let first = self.posts.len();
                self.tell(client, Told::Event(Event::Bye(Refusal::of(Code::SessionRevoked))));
                self.certain.push(first..self.posts.len());
                self.dismiss_later(client);
            }
            self.devices.ended.insert(session);
        }
        enders
    }

    /// Writes down some of what is owed, if it is time for that.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then it is owed yet.
    pub(super) fn write_devices(&mut self, now: Millis) -> Result<(), Broken> {
        let is_due = is_due((self.devices.tried_at, now), WRITTEN_EVERY);
        if self.devices.is_even() || !is_due {
            return Ok(());
        }
        self.devices.tried_at = now;
        self.write_devices_now()
    }

    /// The same, whenever it is.
    pub(super) fn write_devices_now(&mut self) -> Result<(), Broken> {
        self.devices.write(&mut self.store)
    }
}

/// What who logged a device out is told where that could not be written.
pub(super) fn yet_to_be_written(refusal: Refusal) -> Refusal {
    refusal
        .why("who was to be logged out is, while the hub runs; for good once that can be written")
}
