//! A talk with a hub over one connection after the other: who asks, what is asked until it is
//! answered, and what is told, once and in each room's order.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    asking::{Asking, name},
    backoff::Backoff,
    following::{Following, Verdict, where_of},
};
use crate::{
    json,
    model::{Cid, Seq},
    protocol::{
        Answer, Ask, Code, Event, Listed, Page, Place, Proof, Refusal, Request, Resume, Secret,
        Told,
    },
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
        token: Option<String>,
        /// What it is in.
        rooms: Vec<Listed>,
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

/// How much of what is missing is asked for at once.
const PAGE: usize = 200;

/// How long is waited where the hub says "later", and not when.
const LATER: Duration = Duration::from_secs(1);

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
    /// What is written down is done once, whatever connections are lost before its answer comes.
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
            Entrance::Register { user, password } => {
                let (user, password) = (user.clone(), password.clone());
                Ask::Register { user, password, invitation: None, device }
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

    fn hear_event(&mut self, event: Event) {
        match &event {
            Event::Gap(gap) => {
                if let Some(after) = self.following.miss(gap) {
                    self.ask_page(gap.room.clone(), after);
                }
            }
            Event::Lagged { room, last } => {
                let since = self.following.lag(room, *last);
                let resume = Resume::Rooms(vec![(room.clone(), since)]);
                self.ask_own(Own::CatchUp(room.clone()), Ask::Resume(resume));
            }
            Event::Bye(refusal) => {
                self.rest = Duration::from_millis(refusal.retry_ms.unwrap_or(0)).min(REST_MAX);
                self.news.push_back(News::Happened(event));
            }
            _ => {
                let verdict = where_of(&event).map(|at| self.following.hear(at));
                if verdict != Some(Verdict::Known) {
                    self.news.push_back(News::Happened(event));
                }
            }
        }
    }

    fn ask_page(&mut self, room: Place, after: Seq) {
        let ask = Ask::History { room: room.clone(), page: Page::After(after), limit: Some(PAGE) };
        self.ask_own(Own::Fill(room), ask);
    }

    fn hear_answer(&mut self, re: Option<u64>, answer: Result<Answer, Refusal>, now: Instant) {
        let Some(re) = re else {
            // Of what was missed until the login this is the end.
            if let Ok(Answer::Live { cursor }) = answer {
                self.following.resumed(cursor);
            }
            return;
        };
        if let Some(found) = self.own.iter().position(|(id, _)| *id == re) {
            let (_, own) = self.own.swap_remove(found);
            self.hear_own(own, answer);
            return;
        }
        if let Err(refusal) = &answer
            && is_for_later(refusal)
            && self.asking.later(re, now + wait_of(refusal))
        {
            return;
        }
        if let Some(ask) = self.asking.answered(re) {
            self.news.push_back(News::Answered(ask, answer));
        }
    }

    fn hear_own(&mut self, own: Own, answer: Result<Answer, Refusal>) {
        match (own, answer) {
            (Own::LogIn, Ok(Answer::LoggedIn { user, token, cursor, rooms, .. })) => {
                self.enter(token.as_ref(), cursor);
                self.news.push_back(News::Entered { user, token, rooms });
            }
            // Who was in once is patient.
            (Own::LogIn, Err(refusal)) if self.was_in() && is_for_later(&refusal) => {
                self.stand = Stand::PutOff;
                self.rest = wait_of(&refusal);
            }
            (Own::LogIn, answer) => {
                self.stand = Stand::Refused;
                let refusal = answer.err().unwrap_or_else(|| Refusal::of(Code::BadFrame));
                self.news.push_back(News::Refused(refusal));
            }
            (Own::Fill(room), Ok(Answer::Page { events, more })) => {
                let (events, next) = self.following.fill(&room, (events, more));
                self.news.extend(events.into_iter().map(News::Happened));
                if let Some(after) = next {
                    self.ask_page(room, after);
                }
            }
            // Somebody who is in it no more is told no more of it.
            (Own::Fill(room), _) => _ = self.following.fill(&room, (Vec::new(), false)),
            (Own::CatchUp(room), _) => self.following.caught_up(&room),
            (Own::Ping, _) => {}
        }
    }

    fn enter(&mut self, token: Option<&String>, cursor: Seq) {
        self.stand = Stand::In;
        self.backoff.reset();
        if let Some(token) = token {
            self.entrance = Entrance::LogIn(Proof::Token(Secret(token.clone())));
        }
        match self.following.since() {
            Some(_) => self.following.resume(),
            None => self.following.begin(cursor),
        }
    }
}

/// The longest that a hub may ask to wait.
const REST_MAX: Duration = Duration::from_mins(1);

/// Whether the same may come to something later.
fn is_for_later(refusal: &Refusal) -> bool {
    // Who is muted for a while is told so.
    matches!(refusal.code, Code::RateLimited | Code::Unavailable | Code::Shutdown)
}

fn wait_of(refusal: &Refusal) -> Duration {
    refusal.retry_ms.map_or(LATER, Duration::from_millis).min(REST_MAX)
}

/// What something is called that is said once: 128 random bits.
fn draw(random: fn(&mut [u8])) -> Cid {
    let mut drawn = [0; 16];
    random(&mut drawn);
    Cid::new(&format!("{:032x}", u128::from_be_bytes(drawn))).expect("32 digits")
}

#[cfg(test)]
mod tests;
