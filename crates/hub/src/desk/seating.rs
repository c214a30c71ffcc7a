//! Who comes in, and who leaves.

use super::{
    Admission, Desk, Entered, Entrance, NewDevice, Order, Proof, broken, certificates,
    order::{Asked, Found},
    pace,
};
use crate::{
    hall::{ClientId, Post},
    model::{AccountId, RoomId},
    proof::TokenHash,
    protocol::{Answer, Code, Refusal, Secret},
    store::{Session, Stays},
};

/// Somebody who is let in.
struct Admitted {
    account: AccountId,
    /// What its session is called.
    session: String,
    /// What it shows next time, if that is new.
    token: Option<Secret>,
    stays: Stays,
}

impl Desk {
    /// Tells who somebody is who wants to log in. Of what is committed alone: what is undone was never.
    pub(super) fn look_up(&mut self, look: Order) {
        let sound = self.sound().map_err(|error| broken(&error));
        match look {
            Order::Find { name, found } => _ = found.send(sound.and_then(|()| self.find(&name))),
            Order::Hooked { hash, found } => {
                _ = found.send(sound.and_then(|()| self.hooked(&hash)));
            }
            _ => {}
        }
    }

    /// Has a client leave that hung up, or is nobody any more, even if nothing else of the group is done.
    pub(super) fn see_off(&mut self, client: ClientId) {
        let first = self.posts.len();
        self.leave(client);
        self.certain.push(first..self.posts.len());
    }

    /// Has a client that is sent away leave once that is committed: if it is not, it stays who it is.
    pub(super) fn dismiss_later(&mut self, client: ClientId) {
        if let Some((_, session)) = self.clients.get(&client) {
            self.dismissed.push((client, session.clone()));
        }
    }

    /// Has those leave who were sent away, but who is somebody anew.
    pub(super) fn dismiss_all(&mut self) {
        for (client, session) in std::mem::take(&mut self.dismissed) {
            if self.clients.get(&client).is_some_and(|(_, own)| *own == session) {
                self.leave(client);
            }
        }
    }

    /// Who is called `name`, and what its password is held against.
    fn find(&self, name: &str) -> Found<(AccountId, String)> {
        let who = self.state.account_named(name);
        // Read for nobody, too: a disk that fails tells nothing of who has an account.
        let phc = self.store.password(who.unwrap_or(AccountId::HUB));
        Ok(who.zip(phc.map_err(|error| broken(&error))?))
    }

    /// Makes an account, and has its client be it.
    pub(super) fn register(
        &mut self,
        asked: Asked,
        (name, phc): (String, Secret),
        admission: Admission,
        device: NewDevice,
    ) -> Result<(Entered, Option<Answer>), Refusal> {
        // The first one keeps the hub.
        if self.state.admins().next().is_some() {
            crate::name::judge_claim(&name).map_err(|why| crate::text::no_name(&why))?;
        }
        let account = self.make_account((name, phc.clone()), admission)?;
        let proof = Proof::Password { account, phc: phc.0.clone(), device };
        self.enter(asked, Entrance { proof, resume: None })
    }

    /// Has a client be somebody. Its answer is told later, if it was missing something.
    pub(super) fn enter(
        &mut self,
        (client, re): Asked,
        Entrance { proof, resume }: Entrance,
    ) -> Result<(Entered, Option<Answer>), Refusal> {
        let Admitted { account: who, session, token, stays } = self.admitted(proof)?;
        self.clients.insert(client, (who, session.clone()));
        if stays == Stays::WhileConnected {
            self.devices.pass(client);
        }
        let mut rooms = self.seat(client, who);
        self.leave_out_old_talks(&mut rooms);
        let (user, cursor) = (self.state.account(who).name.clone(), self.state.last);
        let entered = Entered { account: who, user: user.clone(), session: session.clone() };
        let wishes = self.wishes(who);
        let listing = |rooms| Answer::LoggedIn { user, session, token, cursor, rooms, wishes };
        let answer = self.list((client, re), who, &rooms, listing);
        if let Some(resume) = resume {
            // In which rooms it is, its list says: what it is not in is not resumed.
            let rooms = self.rooms_to_resume(who, &resume).into_iter().flatten().collect();
            self.resume((client, None), who, (rooms, resume.furthest()));
        }
        Ok((entered, answer))
    }

    /// Who shows `proof`.
    fn admitted(&mut self, proof: Proof) -> Result<Admitted, Refusal> {
        let expired = || Refusal::of(Code::TokenExpired);
        match proof {
            Proof::Token(hash) => self.known(&hash, self.session(&hash, expired)?),
            Proof::Certificate(hash) => {
                self.known(&hash, self.session(&hash, certificates::unknown)?)
            }
            Proof::Password { account, phc, device } => {
                self.is_password(account, &phc)?;
                self.has_place(account)?;
                let (session, stays) = (device.session.clone(), device.stays);
                let token = (stays == Stays::UntilEnded).then(|| device.token.clone());
                self.keep(account, device)?;
                Ok(Admitted { account, session, token, stays })
            }
        }
    }

    /// Who comes in as the device of `session`, which is kept under this hash.
    fn known(&mut self, hash: &TokenHash, session: Session) -> Result<Admitted, Refusal> {
        // All its rooms are listed, and all who share one are told that it is there.
        self.may_look_up(session.account, pace::TO_ALL)?;
        self.has_place(session.account)?;
        self.seen(hash);
        let Session { account, name: session, stays, .. } = session;
        Ok(Admitted { account, session, token: None, stays })
    }

    /// Whether an account may ask now for what counts for so many lookups.
    pub(super) fn may_look_up(&mut self, who: AccountId, cost: u64) -> Result<(), Refusal> {
        let now = self.now();
        let waits = self.lookups.may(who, (now, cost));
        waits.map_err(|ms| Refusal::of(Code::RateLimited).retry_ms(ms))
    }

    /// Whether one more may be connected as `who`.
    pub(super) fn has_place(&self, who: AccountId) -> Result<(), Refusal> {
        if self.online.get(&who).is_some_and(|&many| many >= self.limits.sessions_an_account_max) {
            return Err(Refusal::of(Code::TooMany).why("as many devices are connected as may be"));
        }
        Ok(())
    }

    /// Has a client be told of what its account is in, from here on. Gives that.
    fn seat(&mut self, client: ClientId, who: AccountId) -> Vec<RoomId> {
        let rooms = self.give_seats(client, who);
        self.arrive(who);
        rooms
    }

    pub(super) fn give_seats(&mut self, client: ClientId, who: AccountId) -> Vec<RoomId> {
        let mut rooms: Vec<_> = self.state.account(who).rooms.iter().copied().collect();
        rooms.sort_unstable();
        self.posts.push(Post::Seat {
            who: client,
            account: who,
            rooms: rooms.clone(),
            upto: self.state.last,
        });
        rooms
    }

    /// Somebody has one client more.
    pub(super) fn arrive(&mut self, who: AccountId) {
        let online = self.online.entry(who).or_default();
        *online += 1;
        if *online == 1 {
            self.show(who, "online", None);
        }
    }

    /// A client is gone.
    pub(super) fn leave(&mut self, client: ClientId) {
        // Twice, of who was sent away.
        let Some(who) = self.forget_client(client) else { return };
        // What it asked before is not told to who it may be next.
        let mut dropped = self.reader.forget(client, who);
        dropped.extend(self.jobs.extract_if(.., |job| job.client == client));
        for job in dropped {
            self.refuse(&job, Refusal::of(Code::NotLoggedIn));
        }
        self.posts.push(Post::Unseat(client));
        self.move_back(client, who);
        if !self.online.contains_key(&who) {
            self.away.remove(&who);
            self.show(who, "offline", None);
        }
    }

    /// Takes a client out of those who are somebody. Gives who it was.
    pub(super) fn forget_client(&mut self, client: ClientId) -> Option<AccountId> {
        let session = self.clients.remove(&client)?;
        let who = session.0;
        self.devices.have_passed(client, session);
        if let Some(online) = self.online.get_mut(&who) {
            *online -= 1;
            if *online == 0 {
                self.online.remove(&who);
            }
        }
        Some(who)
    }
}
