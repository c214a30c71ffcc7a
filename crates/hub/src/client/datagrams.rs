//! A client's side of what datagrams carry: what it asks until it is answered, and what it is told,
//! once and in its order.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use relais_net::sealing::KEY_BYTES;
use relais_wire::datagram::read_hex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{
    datagram::{Channel, Dropped, Form, Side},
    json::{
        self,
        carried::{Brought, Echo, Hole, re_of, read_carried, with_re, write_confirm, write_prove},
    },
    protocol::{Request, Ticket},
};

/// After how long something is asked again; each time after twice as long.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How often it is.
const AGAIN_MAX: u32 = 5;

/// How long what was heard may be unconfirmed.
const CONFIRMED_AFTER: Duration = Duration::from_millis(200);

/// How much of it.
const UNCONFIRMED_MAX: usize = 16;

/// How much may be heard before what comes before it.
const EARLY_MAX: usize = 256;

/// How much of that a confirmation tells of.
const ALSO_MAX: usize = 64;

/// How long is waited for what is missing: the hub tells it again before that, or not at all.
const MISSING_MAX: Duration = Duration::from_secs(4);

/// After how long a silence of ours the hub is told that we are there.
const THERE_EVERY: Duration = Duration::from_secs(30);

/// As long as a challenge, which is no longer than what it answers.
const PAD: &str = "                                                                ";

/// Whether datagrams come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They do.
    Well,
    /// Something that was told did not: what was missed is to be asked for.
    Missed,
    /// They do not.
    Dead,
}

/// The client's side of an association.
#[derive(Debug)]
pub(super) struct Datagrams {
    channel: Channel,
    frame_bytes_max: usize,
    /// The last number that a request had.
    id: u64,
    asked: Vec<Asked>,
    /// The number of what is heard next.
    next: u64,
    /// What was heard before what comes before it. At most [`EARLY_MAX`].
    early: BTreeMap<u64, Vec<u8>>,
    /// Since when something is missing.
    missing_since: Option<Instant>,
    unconfirmed: usize,
    confirms_at: Option<Instant>,
    said_at: Instant,
    standing: Standing,
    is_proved: bool,
    unsent: Vec<Vec<u8>>,
    frames: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct Asked {
    id: u64,
    whose: Whose,
    frame: Vec<u8>,
    times: u32,
    due: Instant,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The talk, which asked as this number.
    Talk(u64),
    Proof,
    Sign,
}

impl Datagrams {
    /// What `ticket` is for; `None` if it is for nothing that is known.
    pub(super) fn new(ticket: &Ticket, now: Instant) -> Option<Self> {
        let form =
            [Form::Sealed, Form::Readable].into_iter().find(|it| it.name() == ticket.form)?;
        let key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(read_hex(ticket.key.0.as_bytes())?);
        let sid = read_hex(ticket.sid.as_bytes())?;
        let mut datagrams = Self {
            channel: Channel::new(sid, &key, (form, Side::Client)),
            frame_bytes_max: form.frame_bytes_max(),
            id: 0,
            asked: Vec::new(),
            next: 1,
            early: BTreeMap::new(),
            missing_since: None,
            unconfirmed: 0,
            confirms_at: None,
            said_at: now,
            standing: Standing::Well,
            is_proved: false,
            unsent: Vec::new(),
            frames: VecDeque::new(),
        };
        datagrams.prove(None, now);
        Some(datagrams)
    }

    /// Whether the hub knows where we are.
    pub(super) fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// Asks for something. Whether it fits.
    pub(super) fn ask(&mut self, request: &Request, now: Instant) -> bool {
        let Some(re) = request.id else { return false };
        let mut frame = Vec::new();
        let request = Request { id: Some(self.id + 1), ask: request.ask.clone() };
        json::write_request(&request, &mut frame);
        frame.pop();
        if frame.len() > self.frame_bytes_max {
            return false;
        }
        self.push((Whose::Talk(re), frame), now);
        true
    }

    /// Shows where we are, if it is known what is to be said for that; else asks for it.
    fn prove(&mut self, echo: Option<&Echo>, now: Instant) {
        self.asked.retain(|asked| asked.whose != Whose::Proof);
        let mut frame = Vec::new();
        let id = self.id + 1;
        if let Some(echo) = echo {
            write_prove(id, echo, &mut frame);
        } else {
            let prove =
                format!("{{\"cmd\":\"PROVE\",\"id\":{id},\"echo\":\"\",\"pad\":\"{PAD}\"}}");
            frame.extend_from_slice(prove.as_bytes());
        }
        self.push((Whose::Proof, frame), now);
    }

    fn push(&mut self, (whose, frame): (Whose, Vec<u8>), now: Instant) {
        self.id += 1;
        self.say(&frame, now);
        let due = now + AGAIN_AFTER;
        self.asked.push(Asked { id: self.id, whose, frame, times: 0, due });
    }

    fn say(&mut self, frame: &[u8], now: Instant) {
        self.said_at = now;
        self.unsent.push(self.channel.say(frame));
    }

    /// Hears a datagram. What is not the hub's is left out.
    pub(super) fn hear(&mut self, datagram: &[u8], now: Instant) {
        let frame = match self.channel.hear(datagram) {
            Ok(frame) => frame,
            Err(Dropped::Replayed) => return self.confirm_soon(now),
            Err(_) => return,
        };
        match read_carried(&frame) {
            Some(Brought::Challenge(echo)) => self.prove(Some(&echo), now),
            Some(Brought::Frame { number, hole, frame }) => {
                self.confirm_soon(now);
                let has_room = number == self.next || self.early.len() < EARLY_MAX;
                if number >= self.next && has_room {
                    self.early.insert(number, frame);
                }
                self.put_in_order(now);
                if hole == Hole::Open && number > self.next {
                    self.standing = Standing::Missed;
                }
            }
            None => {}
        }
    }

    fn put_in_order(&mut self, now: Instant) {
        let next = self.next;
        while let Some(frame) = self.early.remove(&self.next) {
            self.next += 1;
            self.take(frame);
        }
        if self.early.is_empty() {
            self.missing_since = None;
        } else if self.next > next || self.missing_since.is_none() {
            self.missing_since = Some(now);
        }
    }

    /// Takes what is next in its order: an answer to somebody, or what happened.
    fn take(&mut self, frame: Vec<u8>) {
        let Some(re) = re_of(&frame) else {
            // What was refused without a number nobody asked for.
            if frame.starts_with(b"{\"ev\":") {
                self.frames.push_back(frame);
            }
            return;
        };
        let Some(at) = self.asked.iter().position(|asked| asked.id == re) else { return };
        match self.asked.swap_remove(at).whose {
            Whose::Talk(re) => self.frames.push_back(with_re(&frame, re)),
            Whose::Proof => self.is_proved = true,
            Whose::Sign => {}
        }
    }

    fn confirm_soon(&mut self, now: Instant) {
        self.unconfirmed += 1;
        self.confirms_at.get_or_insert(now + CONFIRMED_AFTER);
        if self.unconfirmed >= UNCONFIRMED_MAX {
            self.confirm(now);
        }
    }

    fn confirm(&mut self, now: Instant) {
        (self.unconfirmed, self.confirms_at) = (0, None);
        let also: Vec<u64> = self.early.keys().copied().take(ALSO_MAX).collect();
        let mut frame = Vec::new();
        write_confirm(self.next - 1, &also, &mut frame);
        self.say(&frame, now);
    }

    /// Does what is due.
    pub(super) fn wake(&mut self, now: Instant) -> Standing {
        if self.confirms_at.is_some_and(|at| at <= now) {
            self.confirm(now);
        }
        if self.missing_since.is_some_and(|since| now >= since + MISSING_MAX) {
            self.standing = Standing::Missed;
        }
        let mut again = Vec::new();
        for asked in self.asked.iter_mut().filter(|asked| asked.due <= now) {
            asked.times += 1;
            asked.due = now + AGAIN_AFTER * (1 << asked.times.min(AGAIN_MAX - 1));
            if asked.times > AGAIN_MAX {
                self.standing = Standing::Dead;
            }
            again.push(asked.frame.clone());
        }
        for frame in again {
            self.say(&frame, now);
        }
        if now >= self.said_at + THERE_EVERY {
            let id = self.id + 1;
            let frame = format!("{{\"cmd\":\"PING\",\"id\":{id},\"pad\":\"{PAD}\"}}");
            self.push((Whose::Sign, frame.into_bytes()), now);
        }
        self.standing
    }

    /// When something is due.
    pub(super) fn wakes_at(&self) -> Instant {
        let again = self.asked.iter().map(|asked| asked.due);
        let missing = self.missing_since.map(|since| since + MISSING_MAX);
        let others = [self.confirms_at, missing, Some(self.said_at + THERE_EVERY)];
        again.chain(others.into_iter().flatten()).min().expect("a sign now and then")
    }

    /// Takes out what is to be sent.
    pub(super) fn unsent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.unsent)
    }

    /// Takes out the next frame of the hub.
    pub(super) fn frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }
}

#[cfg(test)]
mod tests;
