//! Accounts made, invited or not, and deleted.

use super::{Admission, Desk, Shown};
use crate::{
    hall::{ClientId, Key},
    model::{AccountId, Act, Deed, RoomId, Said},
    proof::TokenHash,
    protocol::{Answer, Code, Event, Refusal, Secret, Told},
    store::Invitation,
    words::DELETED,
};

impl Desk {
    /// Makes an account. All of it is part of one group, as is that its invitation was used.
    pub(super) fn make_account(
        &mut self,
        (name, phc): (String, Secret),
        admission: Admission,
    ) -> Result<AccountId, Refusal> {
        // First: who is refused for anything else is no guesser.
        let invitation = match admission {
            Admission::Anybody => None,
            Admission::Invited(hash) => Some(self.invitation(&hash)?),
        };
        self.is_free(&name)?;
        // Of its own first entry it is the place.
        let who = AccountId(self.next());
        self.put_down(who, None, Deed::Register { name })?;
        let kept = self.store.set_password(who, &phc.0);
        self.whole(kept)?;
        if let Some(Invitation { hash, room, .. }) = invitation {
            let used = self.store.use_invitation(&hash);
            self.whole(used)?;
            if let Some(room) = room {
                self.let_in(who, room)?;
            }
        }
        Ok(who)
    }

    fn is_free(&self, name: &str) -> Result<(), Refusal> {
        let Some(like) = self.state.account_like(name) else { return Ok(()) };
        let is_same = self.state.account_named(name) == Some(like);
        let was_same = |gone: &crate::model::Gone| crate::name::is_same(&gone.name, name);
        let was_same = self.state.account(like).gone.as_ref().is_some_and(was_same);
        let code = if is_same || was_same { Code::AccountExists } else { Code::NameConfusable };
        Err(Refusal::of(code).field("user"))
    }

    /// The invitation that hashes to this, if somebody may come by it now.
    fn invitation(&self, hash: &TokenHash) -> Result<Invitation, Refusal> {
        let no = |why| Err(Refusal::of(Code::RegistrationClosed).field("invitation").why(why));
        if self.state.admins().next().is_none() {
            // Who administers is for who runs the hub to say.
            return no("the first account is made by who runs the hub");
        }
        let found = self.store.invitation(&hash.0).map_err(|error| super::broken(&error))?;
        let Some(found) = found else { return no("there is no such invitation") };
        if found.until.is_some_and(|until| until <= self.now()) {
            return no("the invitation has expired");
        }
        if found.uses == 0 { no("the invitation is used up") } else { Ok(found) }
    }

    /// Has somebody be in a room, unless it is full.
    fn let_in(&mut self, who: AccountId, room: RoomId) -> Result<(), Refusal> {
        let is_there = self.state.has_room(room);
        if is_there && self.state.room(room).members.len() < self.limits.members_max {
            self.put_down(who, None, Deed::In { room, act: Act::Join })?;
        }
        Ok(())
    }

    /// Deletes an account, if the password that was shown is its own yet.
    pub(super) fn unregister_itself(
        &mut self,
        shown: &Shown,
        said: Said,
    ) -> Result<Answer, Refusal> {
        let who = shown.account;
        self.is_password(who, &shown.phc.0)?;
        self.unregister((who, who), said)
    }

    /// Deletes an account, on behalf of `by`. Who is connected as it is yet to be [dismissed](Self::dismiss).
    ///
    /// # Errors
    ///
    /// [`Code::Forbidden`] of the only one who administers, where others have accounts.
    pub(super) fn unregister(
        &mut self,
        (by, who): (AccountId, AccountId),
        said: Said,
    ) -> Result<Answer, Refusal> {
        self.is_somebody(who)?;
        self.may_go(who)?;
        let mut rooms: Vec<_> = self.state.account(who).rooms.iter().copied().collect();
        rooms.sort_unstable();
        for room in rooms {
            if self.state.room(room).dialogue.is_some() {
                let end = Act::DialogueEnd { word: None };
                self.put_down(who, None, Deed::In { room, act: end })?;
            }
            self.put_down(who, None, Deed::In { room, act: Act::Part })?;
        }
        self.put_down(by, None, Deed::Unregister { who, said })?;
        Ok(Answer::Done)
    }

    fn may_go(&self, who: AccountId) -> Result<(), Refusal> {
        let is_only = self.state.admins().eq([who]);
        let mut others = self.state.everybody().filter(|(id, _)| *id != who);
        if is_only && others.any(|(_, account)| account.gone.is_none()) {
            let why = "the only administrator: another one is to be made first";
            return Err(Refusal::of(Code::Forbidden).why(why));
        }
        Ok(())
    }

    /// Whether `who` is an account that was not deleted since it was asked for.
    pub(super) fn is_somebody(&self, who: AccountId) -> Result<(), Refusal> {
        let is_somebody = self.state.has_account(who);
        if is_somebody { Ok(()) } else { Err(Refusal::of(Code::SessionRevoked).why(DELETED)) }
    }

    /// Whether a client is `who` yet: what it asked before it was logged out may come behind that. Who leaves
    /// something to be done is no client any more.
    pub(super) fn is_yet(&self, client: ClientId, who: AccountId) -> Result<(), Refusal> {
        self.is_somebody(who)?;
        let is_out = |session: &String| {
            let is_own = |(one, own): &(ClientId, String)| *one == client && own == session;
            self.dismissed.iter().any(is_own)
        };
        let is_yet = match self.clients.get(&client) {
            Some((own, session)) => *own == who && !is_out(session),
            None => client.key == Key::NOBODY,
        };
        if is_yet { Ok(()) } else { Err(Refusal::of(Code::SessionRevoked)) }
    }

    /// Ends the connections of an account, if it was deleted.
    pub(super) fn dismiss(&mut self, who: AccountId) {
        if self.is_somebody(who).is_err() {
            self.send_away(|(account, _)| *account == who, DELETED);
        }
    }

    /// Ends the connections of those whose account and session are so.
    pub(super) fn send_away(
        &mut self,
        is_so: impl Fn(&(AccountId, String)) -> bool,
        why: &'static str,
    ) {
        let clients = self.clients.iter().filter(|(_, client)| is_so(client));
        let clients: Vec<ClientId> = clients.map(|(client, _)| *client).collect();
        for client in clients {
            let bye = Refusal::of(Code::SessionRevoked).why(why);
            self.tell(client, Told::Event(Event::Bye(bye)));
            self.dismiss_later(client);
        }
    }
}
