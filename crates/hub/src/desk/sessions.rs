//! By what accounts are known: passwords, and the devices that are logged in. All that is written here is part
//! of the group.

use super::{Desk, NewDevice, Shown, broken, devices::Ender, hooks};
use crate::{
    hall::ClientId,
    model::AccountId,
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Event, Refusal, Secret, Told},
    store::{Session, Stays},
};

impl Desk {
    /// The session of a token that hashes to this, or of a certificate with this fingerprint, if it was not
    /// ended meanwhile; else it is refused so.
    pub(super) fn session(
        &self,
        hash: &TokenHash,
        unknown: impl FnOnce() -> Refusal,
    ) -> Result<Session, Refusal> {
        self.device(hash).map_err(|error| broken(&error))?.ok_or_else(unknown)
    }

    /// Whether the password of an account is still held against `phc`.
    pub(super) fn is_password(&self, who: AccountId, phc: &str) -> Result<(), Refusal> {
        let kept = self.store.password(who).map_err(|error| broken(&error))?;
        // It may have been deleted meanwhile.
        if self.state.has_account(who) && kept.as_deref() == Some(phc) {
            return Ok(());
        }
        Err(Refusal::of(Code::BadCredentials))
    }

    /// Gives an account another password, if the one that was shown is its own yet: of two changes at once
    /// the second showed what the first one changed.
    pub(super) fn change_password(
        &mut self,
        shown: &Shown,
        phc: &Secret,
    ) -> Result<Answer, Refusal> {
        self.is_password(shown.account, &shown.phc.0)?;
        self.repassword(shown.account, phc)
    }

    /// Gives an account another password.
    pub(super) fn repassword(&mut self, who: AccountId, phc: &Secret) -> Result<Answer, Refusal> {
        self.is_somebody(who)?;
        self.begin()?;
        let kept = self.store.set_password(who, &phc.0);
        self.whole(kept).map(|()| Answer::Done)
    }

    /// Keeps what a device is to be known by. Where an account has as many as may be, the one that was seen
    /// longest ago makes room, of those that are not connected.
    pub(super) fn keep(&mut self, account: AccountId, device: NewDevice) -> Result<(), Refusal> {
        let NewDevice { name: device, session: name, hash, stays, token: _ } = device;
        let (hash, since) = (hash.0, self.now());
        let (seen, room) = (since, None);
        self.keep_device(&Session { hash, name, account, device, since, seen, room, stays })
    }

    /// The same of a device of which all is known. Where it lasts while it is connected, how many may be
    /// connected is its limit, and none makes room for it.
    pub(super) fn keep_device(&mut self, session: &Session) -> Result<(), Refusal> {
        if session.stays == Stays::UntilEnded {
            self.make_room(session.account)?;
        }
        self.add(session)
    }

    /// The same of a hook, which makes no room.
    pub(super) fn add(&mut self, session: &Session) -> Result<(), Refusal> {
        self.begin()?;
        let kept = self.store.add_session(session);
        self.whole(kept)
    }

    fn make_room(&mut self, account: AccountId) -> Result<(), Refusal> {
        self.begin()?;
        let kept = self.devices_of(account);
        let mut kept = self.whole(kept)?;
        kept.retain(|session| !hooks::is_hook(session) && session.stays == Stays::UntilEnded);
        if kept.len() < self.limits.devices_an_account_max {
            return Ok(());
        }
        let is_there =
            |name: &String| self.clients.values().any(|(who, own)| *who == account && own == name);
        let idle = kept.into_iter().filter(|session| !is_there(&session.name));
        if let Some(oldest) = idle.min_by_key(|session| session.seen) {
            let ended = self.store.end_session(account, &oldest.name);
            self.whole(ended)?;
        }
        Ok(())
    }

    /// Has devices be nobody again: at once, whatever the disk takes. Another than the own one has to be
    /// there: who names it wrongly would think that a device is out which is not.
    pub(super) fn log_out(
        &mut self,
        client: ClientId,
        by: AccountId,
        ask: &Ask,
    ) -> Result<Answer, Refusal> {
        let session = match ask {
            Ask::Revoke { session } => Some(session),
            _ => None,
        };
        let own = self.clients.get(&client).map(|(_, own)| own);
        let other = session.filter(|session| own != Some(session));
        // Who logs out itself is not kept from it: it has to log in before it can again.
        if other.is_some() {
            self.may_write(by)?;
        }
        let kept = self.devices_of(by).map_err(|error| broken(&error))?;
        let is_meant = |name: &String| session.is_none_or(|session| session == name);
        let names: Vec<_> = kept.into_iter().map(|kept| kept.name).filter(is_meant).collect();
        if let Some(other) = other.filter(|_| names.is_empty()) {
            return Err(no_session(other));
        }
        // What is judged now was asked last.
        let asked = Ender::Client(client, self.asked.len().saturating_sub(1));
        self.end_devices(by, &names, asked)?;
        self.turn_out(client, |(who, own)| *who == by && is_meant(own));
        Ok(Answer::Done)
    }

    /// Ends the connections of those whose account and session are so, but for that of `client`.
    fn turn_out(&mut self, client: ClientId, are_so: impl Fn(&(AccountId, String)) -> bool) {
        let others = self.clients.iter().filter(|(other, own)| **other != client && are_so(own));
        for other in others.map(|(other, _)| *other).collect::<Vec<_>>() {
            self.tell(other, Told::Event(Event::Bye(Refusal::of(Code::SessionRevoked))));
            self.dismiss_later(other);
        }
    }
}

/// What who names a session is told that is none.
pub(super) fn no_session(name: &str) -> Refusal {
    let why = format!("no session is called {name:?}");
    Refusal::of(Code::BadField).field("session").why(why)
}
