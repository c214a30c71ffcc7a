//! A talk with a hub over one connection after the other: who asks, what is asked until it is
//! answered, and what is told, once and in each room's order.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    asking::{Asking, name},
    backoff::Backoff,
    following::Following,
};
use crate::{
    json,
    model::{Cid, Wishes},
    protocol::{Answer, Ask, Event, Listed, Place, Proof, Refusal, Request, Resume, Secret, Told},
};

/// How somebody comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// As who has an account.
    LogIn(Proof),
    /// As who makes one.
    Register {
        /// What it is to be called.
        user: String,
        /// Its password.
        password: Secret,
        /// Where only who was invited may.
        invitation: Option<Secret>,
    },
}

/// What comes of a talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The hub knows who asks: at first, and after every lost connection.
    Entered {
        /// Who.
        user: String,
        /// What logs this device in from here on; told at its first login alone.
        token: Option<Secret>,
        /// What it is in.
        rooms: Vec<Listed>,
        /// What it wants to notice.
        wishes: Wishes,
    },
    /// The hub does not let who asks in. Nothing else comes of the talk.
    Refused(Refusal),
    /// Something happened.
    Happened(Event),
    /// What was asked is answered.
    Answered(Ask, Result<Answer, Refusal>),
    /// The connection was lost before this was answered, and it is not asked again: nobody knows
    /// whether it was done.
    Unsure(Ask),
}

/// Whether a connection is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// It is.
    Alive,
    /// It is not: the hub says nothing, or not now. To be [lost](Talk::lost).
    Dead,
}

/// A talk. What it is told makes [frames](Self::frames) to send and [news](Self::news).
#[derive(Debug)]
pub struct Talk {
    entrance: Entrance,
    device: String,
    random: fn(&mut [u8]),
    stand: Stand,
    following: Following,
    asking: Asking,
    backoff: Backoff,
    /// What the hub calls this device's session, once it is in.
    session: Option<String>,
    /// What the talk itself asked on this connection.
    own: Vec<(u64, Own)>,
    /// The last number that a request had.
    id: u64,
    heard_at: Option<Instant>,
    /// What the hub asked to wait when it ended the connection.
    rest: Duration,
    frames: Vec<u8>,
    news: VecDeque<News>,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// There is no connection.
    Away,
    /// The hub was told who asks.
    Entering,
    /// It knows.
    In,
    /// It says "later".
    PutOff,
    /// It does not want to.
    Refused,
}

/// What a talk asks of its own.
#[derive(Debug)]
enum Own {
    LogIn,
    /// What is missing of a room.
    Fill(Place),
    /// To be told of a room again.
    CatchUp(Place),
    Ping,
}

/// After how long a silence the hub is asked whether it is there. It asks for less than its own 150 s.
const PING_AFTER: Duration = Duration::from_secs(45);

/// After how long a silence it is not.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// How long a hub may take to say who we are.
const ENTERED_WITHIN: Duration = Duration::from_secs(20);

impl Talk {
    /// A talk of who comes in by `entrance`, on a device that is called `device`. `random` fills bytes
    /// with what nobody can guess: what is said is called by it.
    pub fn new(entrance: Entrance, device: impl Into<String>, random: fn(&mut [u8])) -> Self {
        Self {
            entrance,
            device: device.into(),
            random,
            stand: Stand::Away,
            following: Following::default(),
            asking: Asking::default(),
            backoff: Backoff::default(),
            session: None,
            own: Vec::new(),
            id: 0,
            heard_at: None,
            rest: Duration::ZERO,
            frames: Vec::new(),
            news: VecDeque::new(),
        }
    }

    /// Asks for something, now or once there is a connection. Its answer is news.
    ///
    /// What is said is written down once, whatever connections are lost before its answer comes; of what twice
    /// would be too often it is told then that nobody knows ([`News::Unsure`]).
    pub fn ask(&mut self, mut ask: Ask, now: Instant) {
        let random = self.random;
        name(&mut ask, || draw(random));
        self.asking.push(ask);
        self.go_on(now);
    }

    /// There is a connection.
    pub fn connected(&mut self, now: Instant) {
        self.stand = Stand::Entering;
        self.heard_at = Some(now);
        let device = Some(self.device.clone());
        let ask = match &self.entrance {
            Entrance::Register { user, password, invitation } => {
                let (user, password) = (user.clone(), password.clone());
                Ask::Register { user, password, invitation: invitation.clone(), device }
            }
            Entrance::LogIn(proof) => {
                let resume = self.following.since().map(Resume::Since);
                Ask::Login { proof: proof.clone(), device, resume }
            }
        };
        self.ask_own(Own::LogIn, ask);
    }

    /// There is none any more, or none came to be. Gives when the next is to be tried.
    pub fn lost(&mut self, now: Instant) -> Instant {
        if self.stand != Stand::Refused {
            self.stand = Stand::Away;
        }
        self.frames.clear();
        self.own.clear();
        self.heard_at = None;
        self.news.extend(self.asking.lost().map(News::Unsure));
        let mut drawn = [0];
        (self.random)(&mut drawn);
        now + self.backoff.next(drawn[0]).max(std::mem::take(&mut self.rest))
    }

    /// Hears a line of the hub. What is no frame, or of a later version, is left out.
    pub fn hear(&mut self, line: &[u8], now: Instant) {
        if self.stand == Stand::PutOff {
            // What comes behind a "later" is not the next: the next connection tells all of it in order.
            return;
        }
        self.heard_at = Some(now);
        match json::read_told(line) {
            Ok(Told::Event(event)) => self.hear_event(event),
            Ok(Told::Answer { re, answer }) => self.hear_answer(re, answer, now),
            Err(_) => {}
        }
        self.go_on(now);
    }

    /// Does what is due. To be called at [`wakes_at`](Self::wakes_at).
    pub fn wake(&mut self, now: Instant) -> Pulse {
        self.go_on(now);
        if self.silence_ends().is_some_and(|end| now >= end) {
            return Pulse::Dead;
        }
        if self.pings_at().is_some_and(|at| now >= at) {
            self.ask_own(Own::Ping, Ask::Ping { t: None });
        }
        Pulse::Alive
    }

    /// When something is due, if nothing happens before; `None` without a connection.
    pub fn wakes_at(&self) -> Option<Instant> {
        let later = self.asking.wakes_at().filter(|_| self.stand == Stand::In);
        [self.silence_ends(), self.pings_at(), later].into_iter().flatten().min()
    }

    /// When the connection is of no use any more.
    fn silence_ends(&self) -> Option<Instant> {
        let silence_max = match self.stand {
            Stand::Entering => ENTERED_WITHIN,
            Stand::In => SILENCE_MAX,
            Stand::PutOff => Duration::ZERO,
            Stand::Away | Stand::Refused => return None,
        };
        self.heard_at.map(|at| at + silence_max)
    }

    fn pings_at(&self) -> Option<Instant> {
        let is_asked = self.own.iter().any(|(_, own)| matches!(own, Own::Ping));
        let may_ask = self.stand == Stand::In && !is_asked;
        self.heard_at.filter(|_| may_ask).map(|at| at + PING_AFTER)
    }

    /// Takes out what is to be sent: whole frames.
    pub fn frames(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frames)
    }

    /// Takes out the next of what came of it.
    pub fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Whether the hub ever knew who asks.
    pub fn was_in(&self) -> bool {
        self.following.since().is_some()
    }

    /// How much of what was asked is not answered yet.
    pub fn unanswered(&self) -> usize {
        self.asking.len()
    }

    /// Asks what may be asked now.
    fn go_on(&mut self, now: Instant) {
        if self.stand == Stand::In
            && let Some(request) = self.asking.next(self.id + 1, now)
        {
            self.id += 1;
            json::write_request(&request, &mut self.frames);
        }
    }

    fn ask_own(&mut self, own: Own, ask: Ask) {
        self.id += 1;
        self.own.push((self.id, own));
        json::write_request(&Request { id: Some(self.id), ask }, &mut self.frames);
    }
}

/// What something is called that is said once: 128 random bits.
fn draw(random: fn(&mut [u8])) -> Cid {
    let mut drawn = [0; 16];
    random(&mut drawn);
    Cid::new(&format!("{:032x}", u128::from_be_bytes(drawn))).expect("32 digits")
}

mod hearing;

pub(super) use hearing::is_for_later;

#[cfg(test)]
mod tests;
