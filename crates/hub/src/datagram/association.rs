//! The hub's side of somebody who speaks by datagrams: bytes and the time come in, and what is to be
//! sent, done or dropped comes out.

use std::{net::SocketAddr, time::Duration};

use relais_net::sealing::{KEY_BYTES, Signing, is_same};
use relais_wire::datagram::Sid;
use tokio::time::Instant;

use super::{
    channel::{Channel, Dropped, Form, Side},
    delivery::Delivery,
    fitting::{fitted, written},
    remembered::{Before, Cut, Remembered},
};
use crate::{
    json::carried::{Echo, NUMBERED_BYTES_MAX, Said, numbered, re_of, read_said, write_challenge},
    protocol::{Ask, Code, Page, Refusal, Request, Told},
};

/// Somebody who speaks by datagrams, as the hub knows it.
#[derive(Debug)]
pub(crate) struct Association {
    form: Form,
    channel: Channel,
    delivery: Delivery,
    remembered: Remembered,
    /// Draws what is to be said back from where somebody may be.
    echoes: Signing,
    since: Instant,
    /// Where the client is; nobody knows before it proved it.
    address: Option<SocketAddr>,
    heard_at: Instant,
}

/// What comes of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is to be answered by this, no longer than itself.
    Challenged(Vec<u8>),
    /// The client is where it came from; it asked as this number.
    Proved(Option<u64>),
    /// This is to be done.
    Asked(Vec<u8>),
    /// This is to be told, by [`Association::tell`]: an answer without its line end.
    Answered(Vec<u8>),
    /// What was told is confirmed, or nothing is to be done.
    Noted,
}

/// How long what was drawn for an address is good: at least so long, and at most twice.
const ECHO_MAX: Duration = Duration::from_secs(30);

impl Association {
    /// One that begins at `now`; `key` is what the client was told.
    pub(crate) fn new((sid, form): (Sid, Form), key: &[u8; KEY_BYTES], now: Instant) -> Self {
        let purpose = b"relais-chat/1 echo";
        Self {
            form,
            channel: Channel::new(sid, key, (form, Side::Hub)),
            delivery: Delivery::default(),
            remembered: Remembered::default(),
            echoes: Signing::new(&relais_net::sealing::derive(key, &sid, purpose)),
            since: now,
            address: None,
            heard_at: now,
        }
    }

    /// Where the client is, if it proved it.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// When something true was heard last from where the client is.
    pub(crate) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// Whether what is told now has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.delivery.is_full()
    }

    /// When something is due.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.delivery.wakes_at()
    }

    /// What is to be sent again at `now`.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.delivery.due(now)
    }

    /// The client is gone: nothing is sent before it proves anew where it is.
    pub(crate) fn sleep(&mut self) {
        self.address = None;
        self.delivery.give_up();
        self.remembered.give_up();
    }

    /// The datagram that tells `frame`, an answer or an event without its line end, as far as it fits.
    pub(crate) fn tell(&mut self, frame: &[u8], now: Instant) -> Vec<u8> {
        let re = re_of(frame);
        let cut = re.map_or(Cut::Back, |re| self.remembered.cut(re));
        let bytes_max = self.form.frame_bytes_max() - NUMBERED_BYTES_MAX;
        let frame = fitted(frame, bytes_max, cut);
        if let Some(re) = re {
            self.remembered.answered(re, &frame);
        }
        let numbered = numbered(&frame, self.delivery.next(), self.delivery.hole());
        let datagram = self.channel.say(&numbered);
        self.delivery.sent(datagram.clone(), now);
        datagram
    }

    /// Hears `datagram`, which says that it is from `from`.
    ///
    /// # Errors
    ///
    /// What it is dropped for.
    pub(crate) fn hear(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> Result<Heard, Dropped> {
        let frame = self.channel.hear(datagram)?;
        let said = read_said(&frame, frame.len());
        if self.address != Some(from) {
            return self.hear_stranger((said, datagram.len()), from, now);
        }
        self.heard_at = now;
        match said {
            Said::Confirm { upto, also } => {
                self.delivery.confirmed(upto, &also);
                Ok(Heard::Noted)
            }
            Said::Prove { id, .. } => Ok(Heard::Proved(id)),
            Said::Bad(re, refusal) => Ok(refused(re, refusal)),
            Said::Ask(request) => self.hear_request(&request, frame),
        }
    }

    /// Hears who has the key, and may be anywhere.
    fn hear_stranger(
        &mut self,
        (said, bytes): (Said, usize),
        from: SocketAddr,
        now: Instant,
    ) -> Result<Heard, Dropped> {
        let period = self.period(now);
        let echoes = [period, period.saturating_sub(1)].map(|period| self.echo(from, period));
        if let Said::Prove { id, echo: Some(echo) } = said
            && echoes.iter().any(|own| is_same(own, &echo))
        {
            (self.address, self.heard_at) = (Some(from), now);
            return Ok(Heard::Proved(id));
        }
        let mut frame = Vec::new();
        write_challenge(&echoes[0], &mut frame);
        let challenge = self.channel.say(&frame);
        if challenge.len() > bytes { Err(Dropped::Short) } else { Ok(Heard::Challenged(challenge)) }
    }

    fn hear_request(&mut self, request: &Request, frame: Vec<u8>) -> Result<Heard, Dropped> {
        let Request { id, ask } = request;
        let Some(id) = *id else {
            return Ok(refused(None, Refusal::of(Code::MissingField).field("id")));
        };
        if ask.is_for_connections() {
            let why = "over a connection alone";
            return Ok(refused(Some(id), Refusal::of(Code::Forbidden).why(why)));
        }
        match self.remembered.ask(id, cut_of(ask)) {
            Before::New => {
                if let Ask::Resume(_) = ask {
                    self.delivery.resumed();
                }
                Ok(Heard::Asked(frame))
            }
            Before::UnderWay => Ok(Heard::Noted),
            Before::Answered(answer) => Ok(Heard::Answered(answer)),
            Before::Unknown => Err(Dropped::Busy),
        }
    }

    fn period(&self, now: Instant) -> u64 {
        (now - self.since).as_secs() / ECHO_MAX.as_secs()
    }

    /// What is to be said back from `address`: nothing is remembered of whom it was sent to.
    fn echo(&self, address: SocketAddr, period: u64) -> Echo {
        let drawn = self.echoes.sign(format!("{address} {period}").as_bytes());
        *drawn.first_chunk().expect("32 bytes")
    }
}

fn refused(re: Option<u64>, refusal: Refusal) -> Heard {
    Heard::Answered(written(&Told::Answer { re, answer: Err(refusal) }))
}

/// What is left out of a page that does not fit.
fn cut_of(ask: &Ask) -> Cut {
    match ask {
        Ask::History { page: Page::Latest | Page::Before(_), .. } => Cut::Front,
        _ => Cut::Back,
    }
}

#[cfg(test)]
mod tests;
