//! A connection, and datagrams beside it: what a talk says and hears goes by these as soon as they come
//! through. What does not fit them goes over the connection.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{
    carriable::fits_datagrams,
    datagrams::{Datagrams, Standing},
    talk::is_for_later,
};
use crate::{
    json::{
        self,
        carried::{left_out, with_body},
    },
    model::Seq,
    protocol::{Answer, Ask, Event, EventsBy, Page, Place, Refusal, Request, Resume, Told},
};

/// Whether datagrams are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// They are, or will be.
    Well,
    /// Something was missed: the connection is to be made anew, and to ask for it.
    Missed,
    /// They do not come through: the connection is to be made anew, without them.
    Not,
}

/// What goes by which way. Knows no sockets.
#[derive(Debug)]
pub struct Both {
    stage: Stage,
    /// Whether the login asks for what was missed, which comes first.
    resumes: bool,
    /// The last number of what is asked here.
    id: u64,
    frames: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    /// What waits for its text: all that was told after it waits, too.
    incomplete: Option<Vec<u8>>,
    refused: Option<Refusal>,
}

/// How far it came.
#[derive(Debug)]
enum Stage {
    /// The hub is told who asks.
    Entering,
    /// All that was missed is being told.
    Resuming,
    /// The hub is asked for a key.
    Asking,
    /// There is one, for a port of the hub.
    Proving(u16, Datagrams),
    /// What the hub says over the connection, it said before.
    Settling(Datagrams),
    /// All goes by datagrams that may.
    Carried(Datagrams),
    /// Nothing does.
    Off,
}

/// What is asked here has numbers that no talk comes to.
const FIRST_ID: u64 = 1 << 60;

impl Default for Both {
    fn default() -> Self {
        Self {
            stage: Stage::Entering,
            resumes: false,
            id: FIRST_ID,
            frames: Vec::new(),
            lines: VecDeque::new(),
            incomplete: None,
            refused: None,
        }
    }
}

impl Both {
    /// Says `frames` of a talk.
    pub fn say(&mut self, frames: &[u8], now: Instant) {
        for line in frames.split_inclusive(|byte| *byte == b'\n') {
            let request = json::read(line, line.len()).ok();
            if let Some(Request { ask: Ask::Login { resume, .. }, .. }) = &request {
                self.resumes = matches!(resume, Some(Resume::Since(_) | Resume::Rooms(_)));
            }
            let is_carried = match (&mut self.stage, &request) {
                (Stage::Carried(datagrams), Some(request)) if fits_datagrams(&request.ask) => {
                    datagrams.ask(request, now)
                }
                _ => false,
            };
            if !is_carried {
                self.frames.extend_from_slice(line);
            }
        }
        self.go_on();
    }

    /// Hears a line of the connection.
    pub fn hear(&mut self, line: Vec<u8>, now: Instant) {
        match json::read_told(&line) {
            Ok(Told::Answer { re: Some(re), answer }) if re > FIRST_ID => {
                self.hear_own(answer, now);
            }
            Ok(told) => {
                self.lines.push_back(line);
                self.note(&told);
            }
            Err(_) => self.lines.push_back(line),
        }
        self.go_on();
    }

    /// Hears a datagram.
    pub fn hear_datagram(&mut self, datagram: &[u8], now: Instant) {
        if let Some(datagrams) = self.datagrams_mut() {
            datagrams.hear(datagram, now);
        }
        self.go_on();
    }

    /// Does what is due. To be called at [`wakes_at`](Self::wakes_at).
    pub fn wake(&mut self, now: Instant) -> Carried {
        match self.datagrams_mut().map(|datagrams| datagrams.wake(now)) {
            Some(Standing::Missed) => Carried::Missed,
            Some(Standing::Dead) => Carried::Not,
            Some(Standing::Well) | None => Carried::Well,
        }
    }

    /// When something is due.
    pub fn wakes_at(&self) -> Option<Instant> {
        self.datagrams().map(Datagrams::wakes_at)
    }

    /// At which port the hub hears datagrams, once that is known.
    pub fn port(&self) -> Option<u16> {
        match &self.stage {
            Stage::Proving(port, _) => Some(*port),
            _ => None,
        }
    }

    /// Takes out what is to be said over the connection.
    pub fn frames(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frames)
    }

    /// Takes out the datagrams that are to be sent.
    pub fn datagrams_to_send(&mut self) -> Vec<Vec<u8>> {
        self.datagrams_mut().map(Datagrams::unsent).unwrap_or_default()
    }

    /// Takes out the next line for the talk.
    pub fn line(&mut self) -> Option<Vec<u8>> {
        self.lines.pop_front()
    }

    /// Takes out why the hub wants no datagrams.
    pub fn refused(&mut self) -> Option<Refusal> {
        self.refused.take()
    }

    fn datagrams(&self) -> Option<&Datagrams> {
        match &self.stage {
            Stage::Proving(_, datagrams)
            | Stage::Settling(datagrams)
            | Stage::Carried(datagrams) => Some(datagrams),
            Stage::Entering | Stage::Resuming | Stage::Asking | Stage::Off => None,
        }
    }

    fn datagrams_mut(&mut self) -> Option<&mut Datagrams> {
        match &mut self.stage {
            Stage::Proving(_, datagrams)
            | Stage::Settling(datagrams)
            | Stage::Carried(datagrams) => Some(datagrams),
            Stage::Entering | Stage::Resuming | Stage::Asking | Stage::Off => None,
        }
    }

    /// What the talk hears may be that it is in, and has heard what it missed.
    fn note(&mut self, told: &Told) {
        let Told::Answer { re, answer } = told else { return };
        let is_in = matches!((&self.stage, answer), (Stage::Entering, Ok(Answer::LoggedIn { .. })));
        if is_in && self.resumes {
            self.stage = Stage::Resuming;
        } else if is_in || (re.is_none() && matches!(self.stage, Stage::Resuming)) {
            self.stage = Stage::Asking;
            self.ask(Ask::Udp { events: EventsBy::Udp });
        }
    }

    fn hear_own(&mut self, answer: Result<Answer, Refusal>, now: Instant) {
        match (std::mem::replace(&mut self.stage, Stage::Off), answer) {
            (Stage::Asking, Ok(Answer::Datagrams(ticket))) => {
                if let Some(datagrams) = Datagrams::new(&ticket, now) {
                    self.stage = Stage::Proving(ticket.port, datagrams);
                }
            }
            (Stage::Asking, Err(refusal)) => self.refused = Some(refusal),
            (Stage::Settling(datagrams), _) => self.stage = Stage::Carried(datagrams),
            (stage, answer) => {
                self.stage = stage;
                match answer {
                    // The text is there: the next connection tells it, and all behind it.
                    Err(refusal) if is_for_later(&refusal) => self.be_told_later(refusal),
                    answer => self.complete(answer.ok()),
                }
            }
        }
    }

    /// Goes on with what datagrams told.
    fn go_on(&mut self) {
        if let Stage::Proving(_, datagrams) = &self.stage
            && datagrams.is_proved()
        {
            // From here on events come by datagrams. Those that came over the connection are heard first:
            // this is answered behind them.
            let stage = std::mem::replace(&mut self.stage, Stage::Off);
            if let Stage::Proving(_, datagrams) = stage {
                self.stage = Stage::Settling(datagrams);
            }
            self.ask(Ask::Sessions);
        }
        while self.incomplete.is_none()
            && let Stage::Carried(datagrams) = &mut self.stage
            && let Some(frame) = datagrams.frame()
        {
            match left_out(&frame) {
                None => self.lines.push_back(frame),
                Some((room, seq)) => self.fetch(frame, room, seq),
            }
        }
    }

    /// Asks for the text that did not fit.
    fn fetch(&mut self, frame: Vec<u8>, room: Place, seq: Seq) {
        self.incomplete = Some(frame);
        self.ask(Ask::History {
            room,
            page: Page::Between(seq, seq),
            limit: Some(1),
            messages: None,
        });
    }

    /// The text that did not fit is there, or is nowhere any more.
    fn complete(&mut self, answer: Option<Answer>) {
        let Some(frame) = self.incomplete.take() else { return };
        let event = match answer {
            Some(Answer::Page { events, .. }) => events.into_iter().next(),
            _ => None,
        };
        let body = match event {
            Some(Event::Message { body, .. }) => body,
            _ => None,
        };
        self.lines.push_back(with_body(&frame, body.as_deref()));
    }

    /// Has the talk hear no more over this connection, and make another.
    fn be_told_later(&mut self, refusal: Refusal) {
        let mut line = Vec::new();
        json::write(&Told::Answer { re: None, answer: Err(refusal) }, &mut line);
        self.lines.push_back(line);
    }

    fn ask(&mut self, ask: Ask) {
        self.id += 1;
        json::write_request(&Request { id: Some(self.id), ask }, &mut self.frames);
    }
}

#[cfg(test)]
mod tests;
