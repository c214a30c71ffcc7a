//! What who runs a hub has done: what there is, it [looks up](Hub::ledger) beside the hub; what changes, the
//! desk does, in its turn. The answer comes once it is committed.

use std::{collections::HashSet, time::Duration};

use tokio::sync::oneshot;

use crate::{
    counts::Counted,
    desk::{Chore, NewDevice, Order, Outcome},
    hub::Hub,
    model::{AccountId, Millis, RoomId, Said},
    name,
    proof::{self, Token},
    protocol::{Code, Refusal, Secret},
    session::new_password,
    store::{Broken, Invitation, Ledger, Size, Stays},
    text,
};

/// What is told once, and what it is called after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// What it is called.
    pub name: String,
    /// What is shown, to be let in.
    pub secret: Secret,
}

/// For how many, and how long, an invitation is, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many may come by it.
    pub uses: u32,
    /// For how long; for good without.
    pub lasts: Option<Duration>,
    /// In which room who comes is from the first.
    pub room: Option<String>,
}

impl Hub {
    /// Reads what there is, beside who writes.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn ledger(&self) -> Result<Ledger, Broken> {
        Ledger::open(&self.file)
    }

    /// What it counted since it was opened.
    pub fn counted(&self) -> Counted {
        let passwords = &self.shared.passwords;
        self.shared.counts.read((passwords.hashed(), passwords.hashing()))
    }

    /// Reads how much there is in its store, beside who writes.
    ///
    /// *Cost*: looks at all accounts and rooms.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn size(&self) -> Result<Size, Broken> {
        self.ledger()?.size(&self.file)
    }

    /// Who is called so, however it is spelled.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchUser`]
    pub async fn find_user(&self, user: &str) -> Result<AccountId, Refusal> {
        match self.run(Chore::FindUser { user: user.to_owned() }).await? {
            Outcome::User(who) => Ok(who),
            _ => Err(Refusal::of(Code::Internal)),
        }
    }

    /// The room that is called so, with its `#`, however it is spelled.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`]
    pub async fn find_room(&self, room: &str) -> Result<RoomId, Refusal> {
        match self.run(Chore::FindRoom { room: room.to_owned() }).await? {
            Outcome::Room(room) => Ok(room),
            _ => Err(Refusal::of(Code::Internal)),
        }
    }

    /// Who is connected now. *Cost*: a pass over them.
    ///
    /// # Errors
    ///
    /// If the hub ends.
    pub async fn present(&self) -> Result<HashSet<AccountId>, Refusal> {
        match self.run(Chore::Present).await? {
            Outcome::Present(present) => Ok(present),
            _ => Err(Refusal::of(Code::Internal)),
        }
    }

    /// Makes an account, whoever may have one. The first one administers.
    ///
    /// # Errors
    ///
    /// What is wrong with the name, or the password.
    pub async fn add_user(&self, user: &str, password: &Secret) -> Result<(), Refusal> {
        let name = name::account_name(user).map_err(|why| text::no_name(&why))?;
        let phc = self.hash(password, &name).await?;
        self.run(Chore::AddUser { name, phc }).await.map(drop)
    }

    /// Gives an account another password. Its devices stay logged in.
    ///
    /// # Errors
    ///
    /// What is wrong with the password; [`Code::NoSuchUser`].
    pub async fn set_password(&self, user: &str, password: &Secret) -> Result<(), Refusal> {
        self.find_user(user).await?;
        let phc = self.hash(password, user).await?;
        self.run(Chore::Repassword { user: user.to_owned(), phc }).await.map(drop)
    }

    async fn hash(&self, password: &Secret, user: &str) -> Result<Secret, Refusal> {
        let password = new_password(password, user, "password")?;
        let busy = |_: proof::Busy| Refusal::of(Code::RateLimited).why("many log in just now");
        self.shared.passwords.hash(password).await.map(Secret).map_err(busy)
    }

    /// Deletes an account: who is connected as it is sent away.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchUser`]; [`Code::Forbidden`] of the only administrator among others.
    pub async fn delete_user(&self, user: &str, said: Said) -> Result<(), Refusal> {
        self.run(Chore::DeleteUser { user: user.to_owned(), said }).await.map(drop)
    }

    /// Has an account administer the hub, or do so no more.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchUser`]; [`Code::Forbidden`] where nobody would administer; [`Code::BadField`] of who did
    /// not, and is to do so no more.
    pub async fn administer(&self, user: &str, on: bool) -> Result<(), Refusal> {
        self.run(Chore::Administer { user: user.to_owned(), on }).await.map(drop)
    }

    /// Makes a token that logs in as an account.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchUser`], and what is wrong with what the device is called.
    pub async fn make_token(&self, user: &str, device: &str) -> Result<Drawn, Refusal> {
        let device = text::device(device, &self.shared.limits)?;
        let Token { text: secret, hash } = Token::draw(self.shared.random);
        let (name, token, stays) = (hash.session(), secret.clone(), Stays::UntilEnded);
        let device = NewDevice { name: device, session: name.clone(), token, hash, stays };
        self.run(Chore::Token { user: user.to_owned(), device }).await?;
        Ok(Drawn { name, secret })
    }

    /// Has a device of an account be nobody again, and ends its connections.
    ///
    /// # Errors
    ///
    /// [`Code::BadField`], if it has no such session.
    pub async fn revoke(&self, who: AccountId, session: &str) -> Result<(), Refusal> {
        self.run(Chore::Revoke { who, session: session.to_owned() }).await.map(drop)
    }

    /// Deletes a room, and all that was said in it.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`]
    pub async fn delete_room(&self, room: &str) -> Result<(), Refusal> {
        self.run(Chore::DeleteRoom { room: room.to_owned() }).await.map(drop)
    }

    /// Has a room keep what is said for so many days; for good without.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`]
    pub async fn retain(&self, room: &str, days: Option<u32>) -> Result<(), Refusal> {
        self.run(Chore::Retain { room: room.to_owned(), days }).await.map(drop)
    }

    /// Makes somebody an owner of a room, and a member, if it is none.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`], [`Code::NoSuchUser`]
    pub async fn own(&self, room: &str, user: &str) -> Result<(), Refusal> {
        let (room, user) = (room.to_owned(), user.to_owned());
        self.run(Chore::Own { room, user }).await.map(drop)
    }

    /// Makes an invitation.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`]; [`Code::Forbidden`] where nobody has an account yet.
    pub async fn invite(&self, terms: Terms) -> Result<Drawn, Refusal> {
        let Terms { uses, lasts, room } = terms;
        let Token { text: secret, hash } = Token::invitation(self.shared.random);
        let name = hash.invited();
        let ms = |lasts: Duration| u64::try_from(lasts.as_millis()).unwrap_or(LASTS_MS_MAX);
        let until = lasts.map(|lasts| Millis(ms(lasts).min(LASTS_MS_MAX)));
        let (hash, since) = (hash.0, Millis::default());
        let invitation = Invitation { hash, name: name.clone(), since, until, uses, room: None };
        self.run(Chore::Invite { invitation, room }).await?;
        Ok(Drawn { name, secret })
    }

    /// Has nobody come by an invitation any more.
    ///
    /// # Errors
    ///
    /// [`Code::BadField`], if there is none of this name.
    pub async fn revoke_invitation(&self, name: &str) -> Result<(), Refusal> {
        self.run(Chore::RevokeInvitation { name: name.to_owned() }).await.map(drop)
    }

    async fn run(&self, chore: Chore) -> Result<Outcome, Refusal> {
        let (done, outcome) = oneshot::channel();
        self.shared.order(Order::Run { chore, done })?;
        outcome.await.map_err(|_| Refusal::of(Code::Shutdown))?
    }
}

/// A thousand years: what is longer is for good.
const LASTS_MS_MAX: u64 = 1000 * 365 * 24 * 3600 * 1000;
