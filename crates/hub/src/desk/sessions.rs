//! By what accounts are known: passwords, and the devices that are logged in. All that is written here is part
//! of the group.

use super::{Desk, NewDevice, broken, hooks};
use crate::{
    hall::ClientId,
    model::AccountId,
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Event, Refusal, Secret, Told},
    store::Session,
};

impl Desk {
    /// The session of a token that hashes to this, if it was not ended meanwhile.
    pub(super) fn session(&self, hash: &TokenHash) -> Result<Session, Refusal> {
        let session = self.store.session(&hash.0).map_err(|error| broken(&error))?;
        session.ok_or_else(|| Refusal::of(Code::TokenExpired))
    }

    /// Notes that a session is used now.
    pub(super) fn seen(&mut self, hash: &TokenHash) {
        let now = self.now();
        if self.begin().is_ok() {
            // No more than when it was seen: what cannot be written now is at the next login.
            _ = self.store.seen(&hash.0, now);
        }
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

    /// Gives an account another password.
    pub(super) fn repassword(&mut self, who: AccountId, phc: &Secret) -> Result<Answer, Refusal> {
        self.is_somebody(who)?;
        self.begin().map_err(|error| broken(&error))?;
        let kept = self.store.set_password(who, &phc.0);
        self.whole(kept).map(|()| Answer::Done)
    }

    /// Keeps what a device is to be known by. Where an account has as many as may be, the one that was seen
    /// longest ago makes room, of those that are not connected.
    pub(super) fn keep(&mut self, account: AccountId, device: NewDevice) -> Result<(), Refusal> {
        self.make_room(account)?;
        self.keep_session(account, device)
    }

    /// The same of a hook, which makes no room.
    pub(super) fn keep_session(
        &mut self,
        account: AccountId,
        device: NewDevice,
    ) -> Result<(), Refusal> {
        let NewDevice { name: device, session: name, hash, .. } = device;
        let now = self.now();
        self.add(&Session { hash: hash.0, name, account, device, since: now, seen: now })
    }

    /// The same of a device of which all is known.
    pub(super) fn keep_device(&mut self, session: &Session) -> Result<(), Refusal> {
        self.make_room(session.account)?;
        self.add(session)
    }

    fn add(&mut self, session: &Session) -> Result<(), Refusal> {
        self.begin().map_err(|error| broken(&error))?;
        let kept = self.store.add_session(session);
        self.whole(kept)
    }

    fn make_room(&mut self, account: AccountId) -> Result<(), Refusal> {
        self.begin().map_err(|error| broken(&error))?;
        let kept = self.store.sessions(account);
        let mut kept = self.whole(kept)?;
        kept.retain(|session| !hooks::is_hook(session));
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

    /// Has devices be nobody again.
    pub(super) fn log_out(
        &mut self,
        (client, by): (ClientId, AccountId),
        ask: &Ask,
    ) -> Result<Answer, Refusal> {
        let session = match ask {
            Ask::Revoke { session } => Some(session),
            _ => None,
        };
        let is_own = |session| self.clients.get(&client).is_some_and(|(_, own)| own == session);
        // Who logs out itself is not kept from it: it has to log in before it can again.
        if session.is_some_and(|session| !is_own(session)) {
            self.may_write(by)?;
        }
        self.begin().map_err(|error| broken(&error))?;
        let ended = match session {
            Some(session) => self.store.end_session(by, session).map(|_| ()),
            None => self.store.end_all(by).map(|_| ()),
        };
        self.whole(ended)?;
        let is_ended = |(who, own): &(AccountId, String)| {
            *who == by && session.is_none_or(|session| session == own)
        };
        let ended = self.clients.iter().filter(|(_, client)| is_ended(client));
        let ended: Vec<_> = ended.map(|(client, _)| *client).filter(|one| *one != client).collect();
        for client in ended {
            self.tell(client, Told::Event(Event::Bye(Refusal::of(Code::SessionRevoked))));
            self.dismiss_later(client);
        }
        Ok(Answer::Done)
    }
}
