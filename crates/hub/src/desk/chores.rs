//! What who runs the hub has done: the same rules of names, the same log, nobody's leave to ask. The hub signs
//! it: no account did it.

use tokio::sync::oneshot;

use super::{Admission, Chore, Desk, Outcome, broken, devices::Ender, sessions::no_session};
use crate::{
    model::{AccountId, Act, Deed, Role, RoomId},
    protocol::{Code, Refusal},
    rules::may_be_kept,
    store::Invitation,
};

/// The most invitations that there are, of use or not.
const INVITATIONS_MAX: u64 = 10_000;

impl Desk {
    /// Does something, and says so once it is committed.
    pub(super) fn run_chore(
        &mut self,
        chore: Chore,
        done: oneshot::Sender<Result<Outcome, Refusal>>,
    ) {
        let is_sound = self.sound().map_err(|error| broken(&error));
        match is_sound.and_then(|()| self.chore(chore)) {
            Ok(outcome) => self.ran.push((done, outcome)),
            // Who does not wait needs not know.
            Err(refusal) => _ = done.send(Err(refusal)),
        }
    }

    fn chore(&mut self, chore: Chore) -> Result<Outcome, Refusal> {
        match chore {
            Chore::FindUser { user } => self.user(&user).map(Outcome::User),
            Chore::Present => Ok(Outcome::Present(self.online.keys().copied().collect())),
            Chore::FindRoom { room } => self.room(&room).map(Outcome::Room),
            Chore::AddUser { name, phc } => {
                self.make_account((name, phc), Admission::Anybody).map(Outcome::User)
            }
            Chore::Repassword { user, phc } => {
                let who = self.user(&user)?;
                self.repassword(who, &phc).map(|_| Outcome::Done)
            }
            Chore::DeleteUser { user, said } => {
                let who = self.user(&user)?;
                self.unregister((AccountId::HUB, who), said)?;
                self.dismiss(who);
                Ok(Outcome::Done)
            }
            Chore::Administer { user, on } => self.administer(&user, on),
            Chore::Token { user, device } => {
                let who = self.user(&user)?;
                self.keep(who, device).map(|()| Outcome::Done)
            }
            Chore::Revoke { who, session } => self.revoke(who, &session),
            chore => self.chore_of_rooms(chore),
        }
    }

    fn chore_of_rooms(&mut self, chore: Chore) -> Result<Outcome, Refusal> {
        match chore {
            Chore::DeleteRoom { room } => {
                let room = self.room(&room)?;
                self.write_down(Deed::Delete { room })
            }
            Chore::Retain { room, days } => {
                let room = self.room(&room)?;
                may_be_kept(days)?;
                self.write_down(Deed::In { room, act: Act::Retain { days } })
            }
            Chore::Own { room, user } => self.own(&room, &user),
            Chore::Invite { invitation, room } => self.invite((invitation, room)),
            Chore::RevokeInvitation { name } => {
                self.begin()?;
                let revoked = self.store.revoke_invitation(&name);
                if self.whole(revoked)? {
                    return Ok(Outcome::Done);
                }
                let why = format!("no invitation is called {name:?}");
                Err(Refusal::of(Code::BadField).field("invitation").why(why))
            }
            _ => Ok(Outcome::Done),
        }
    }

    /// Who is called so.
    fn user(&self, name: &str) -> Result<AccountId, Refusal> {
        self.judge(AccountId::default()).person(name)
    }

    /// The room that is called so.
    fn room(&self, name: &str) -> Result<RoomId, Refusal> {
        let why = || format!("no room is called {name:?}");
        let found = self.state.room_named(name);
        found.ok_or_else(|| Refusal::of(Code::NoSuchRoom).field("room").why(why()))
    }

    /// Writes down what the hub does.
    pub(super) fn write_down(&mut self, deed: Deed) -> Result<Outcome, Refusal> {
        self.put_down(AccountId::HUB, None, deed).map(|_| Outcome::Done)
    }

    fn administer(&mut self, user: &str, on: bool) -> Result<Outcome, Refusal> {
        let who = self.user(user)?;
        match (self.state.is_admin(who), on) {
            (true, true) => return Ok(Outcome::Done),
            (false, false) => {
                let name = &self.state.account(who).name;
                let why = format!("{name:?} does not administer the hub");
                return Err(Refusal::of(Code::BadField).field("user").why(why));
            }
            _ => {}
        }
        if !on && self.state.admins().eq([who]) {
            let why = "the only administrator: another one is to be made first";
            return Err(Refusal::of(Code::Forbidden).why(why));
        }
        self.write_down(Deed::Administer { who, on })
    }

    /// Makes somebody an owner of a room, who may not have been in it.
    fn own(&mut self, room: &str, user: &str) -> Result<Outcome, Refusal> {
        let (room, who) = (self.room(room)?, self.user(user)?);
        if self.state.room(room).banned.contains_key(&who) {
            self.write_down(Deed::In { room, act: Act::Unban { who } })?;
        }
        if !self.state.room(room).members.contains_key(&who) {
            self.put_down(who, None, Deed::In { room, act: Act::Join })?;
        }
        self.write_down(Deed::In { room, act: Act::Role { who, role: Role::Owner } })
    }

    fn invite(
        &mut self,
        (invitation, room): (Invitation, Option<String>),
    ) -> Result<Outcome, Refusal> {
        if self.state.admins().next().is_none() {
            let why = "nobody has an account yet: the first is made by `relais hub user add`";
            return Err(Refusal::of(Code::Forbidden).why(why));
        }
        if self.store.invitations().map_err(|error| broken(&error))? >= INVITATIONS_MAX {
            let why = format!("there are {INVITATIONS_MAX} invitations: revoke some first");
            return Err(Refusal::of(Code::TooMany).why(why));
        }
        let room = room.map(|room| self.room(&room)).transpose()?;
        self.begin()?;
        let (since, added) = (self.now(), Invitation { room, ..invitation });
        let until = added.until.map(|after| crate::model::Millis(since.0 + after.0));
        let added = self.store.add_invitation(&Invitation { since, until, ..added });
        self.whole(added).map(|()| Outcome::Done)
    }

    fn revoke(&mut self, who: AccountId, session: &str) -> Result<Outcome, Refusal> {
        let kept = self.devices_of(who).map_err(|error| broken(&error))?;
        if !kept.iter().any(|kept| kept.name == session) {
            return Err(no_session(session));
        }
        self.end_devices(who, &[session.to_owned()], Ender::Keeper(self.ran.len()))?;
        let is_it = |(account, own): &(AccountId, String)| *account == who && own == session;
        self.send_away(is_it, "by who runs the hub");
        Ok(Outcome::Done)
    }
}
