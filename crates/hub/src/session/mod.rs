//! One client's connection: what it asks goes to the desk, and what it is told comes from its
//! outbox.

mod asking;
mod by_datagrams;
mod calculating;
mod carrier;
mod certificates;
mod entering;
mod heard;
mod helping;
mod hooking;
mod leaving;
mod lines;
mod link;
mod pacing;
mod secrets;
mod stop;
mod telling;
mod typing;
mod way;
mod web_socket;

use std::{
    borrow::Cow, collections::VecDeque, future::poll_fn, io, ops::ControlFlow, pin::pin, sync::Arc,
    time::Duration,
};

use relais_net::{Alarm, Drain, Fault, Side};
use relais_tap::By;
use tokio::time::timeout;

use self::{
    calculating::Sums, heard::Heard, lines::Line, pacing::Purse, secrets::Awaited, stop::Stop,
};
pub(crate) use self::{
    carrier::{Carrier, send},
    certificates::shown,
    entering::new_password,
    link::Link,
    way::Way,
};
use crate::{
    counts::Doorway,
    hall::{ClientId, Hall},
    model::{AccountId, Seq},
    outbox::{Outbox, Spoken},
    protocol::{Code, Refusal},
    shared::{NoValue, Shared},
    words::{Lang, Phrase, Stand},
};

/// How a connection ended: by whom, and why in a few words.
pub(crate) type End = (By, Cow<'static, str>);

/// How long a caller may say nothing before it is greeted as a person.
const GREETED_AFTER: Duration = Duration::from_millis(700);

/// A client.
#[derive(Debug)]
pub(crate) struct Session<'h> {
    hub: &'h Shared,
    link: Link,
    way: Way,
    hall: Arc<Hall>,
    client: ClientId,
    outbox: Arc<Outbox>,
    dialect: Dialect,
    by: Doorway,
    who: Option<Somebody>,
    /// What is to be told next.
    taken: VecDeque<Arc<Spoken>>,
    /// How many requests were not answered yet.
    asked: usize,
    /// Whether any of them asks for much.
    asks: Asks,
    /// How many bytes it said before it was somebody.
    said_unknown: usize,
    purse: Purse,
    /// What is being worked out for it.
    sums: Option<Box<Sums<'h>>>,
    silence: Alarm,
    /// It says nothing more.
    has_ended: bool,
    /// It said goodbye, under this number: it is answered when all else is.
    goodbye: Option<Goodbye>,
    /// It was told that this is the end.
    end: Option<End>,
    passed: Passed,
}

/// How much passed. What it was is told to no tap: there are passwords and tokens in it.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) heard: u64,
    pub(crate) said: u64,
}

/// Who a client is.
#[derive(Debug)]
struct Somebody {
    account: AccountId,
    user: String,
    session: String,
}

/// How a client speaks.
#[derive(Debug)]
enum Dialect {
    /// It said nothing yet.
    Unknown,
    /// In frames.
    Json { lang: Lang },
    /// In lines, as people type them.
    Words(Box<Typing>),
}

/// Somebody who types.
#[derive(Default)]
struct Typing {
    lang: Lang,
    /// Where what is typed goes.
    here: Stand,
    /// The last of it behind which nothing was left out of what was shown, or read before.
    shown: Option<Seq>,
    /// Whether others said some of that since the hub was told how far it is read.
    has_read: bool,
    /// Whose next line is a password, and for what.
    secret: Option<Awaited>,
    /// The begin of what was typed last, if it asked for something.
    typed: Option<Box<str>>,
}

/// The last word of a client.
#[derive(Clone, Copy, Debug)]
struct Goodbye {
    re: Option<u64>,
}

/// How long what a client waits for is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Little,
    /// There are pages or lists in it.
    Much,
}

/// What there is to do next.
enum Step {
    /// The client said something, or all that it says.
    Heard(Heard),
    /// Something is to be told.
    Told,
    /// What was worked out came to this.
    Value(Result<String, NoValue>),
    /// Nothing came for too long.
    Silence,
    /// We were told to stop.
    Stop,
}

impl<'h> Session<'h> {
    pub(crate) fn new(hub: &'h Shared, hall: Arc<Hall>, link: Link, way: Way) -> Box<Self> {
        let outbox = Outbox::on(link.wire(), hub.limits.waiting_bytes_max);
        let client = hall.enter(Arc::clone(&outbox));
        let mut silence = Alarm::default();
        silence.set(hub.limits.unknown_max);
        let dialect = match &link {
            Link::Lines(..) => Dialect::Unknown,
            // Programs alone speak over one.
            Link::WebSocket(_) | Link::Datagrams(_) => Dialect::Json { lang: hub.lang },
        };
        let by = link.doorway(way);
        hub.counts.come(by);
        Box::new(Self {
            hub,
            link,
            way,
            hall,
            client,
            outbox,
            dialect,
            by,
            who: None,
            taken: VecDeque::new(),
            asked: 0,
            asks: Asks::Little,
            said_unknown: 0,
            purse: Purse::default(),
            sums: None,
            silence,
            has_ended: false,
            goodbye: None,
            end: None,
            passed: Passed::default(),
        })
    }

    /// Serves the client to its end. Gives how many bytes it said, and was told. Boxed: a future has room
    /// twice for what is moved into it.
    pub(crate) async fn serve(
        mut self: Box<Self>,
        drain: &Drain,
    ) -> (Result<End, Fault>, u64, u64) {
        let ended = self.hold(drain).await;
        if let Ok(end) = &ended {
            self.link.linger(end).await;
        }
        (ended, self.passed.heard, self.passed.said + self.outbox.told_at_once())
    }

    async fn hold(&mut self, drain: &Drain) -> Result<End, Fault> {
        let word = pin!(drain.requested());
        let mut ending = Stop::new(drain, word);
        if let Link::Datagrams(_) = self.link {
            // Boxed for the size of every connection's task.
            self.end = Box::pin(self.come_back()).await;
        }
        Box::pin(self.greet(&mut ending)).await?;
        loop {
            self.speak().await?;
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            self.know_dialect();
            if self.says_too_much() {
                let why = "this much is for who has logged in";
                Box::pin(self.tell_end(Refusal::of(Code::FrameTooBig).why(why))).await?;
                return Ok((By::Relais, "said too much before it logged in".into()));
            }
            while self.goodbye.is_none() && self.asked < self.asked_max() {
                let Some(line) = self.link.next() else { break };
                // Boxed, as all is below that is seldom waited for: each connection's task has room for what
                // is not.
                if let ControlFlow::Break(end) = Box::pin(self.hear(line)).await {
                    self.speak().await?;
                    return Ok(end);
                }
            }
            if !self.taken.is_empty() {
                continue;
            }
            if self.has_ended && self.asked == 0 {
                if let Some(Goodbye { re }) = self.goodbye {
                    return Box::pin(self.say_goodbye(re)).await;
                }
                return Ok((By::Client, "closed".into()));
            }
            match self.step(&mut ending).await? {
                // What it asked is answered yet.
                Step::Heard(Heard::End) => self.has_ended = true,
                Step::Heard(Heard::Over(end)) => return Ok(end),
                Step::Heard(Heard::Bytes(_)) | Step::Told => {}
                Step::Value(value) => self.tell_value(value),
                Step::Silence => {
                    Box::pin(self.tell_end(Refusal::of(Code::NotLoggedIn))).await?;
                    return Ok((By::Relais, "silent for too long".into()));
                }
                Step::Stop => {
                    Box::pin(self.tell_end(Refusal::of(Code::Shutdown).retry_ms(RETRY_MS))).await?;
                    return Ok((By::Relais, "told to stop".into()));
                }
            }
        }
    }

    /// Waits for the first word; who waits for ours is greeted as a person, and may be a program yet.
    async fn greet(&mut self, ending: &mut Stop<'_>) -> Result<(), Fault> {
        let Dialect::Unknown = self.dialect else { return Ok(()) };
        match timeout(GREETED_AFTER, self.step(ending)).await {
            Ok(step) => step.map(|_| ()),
            Err(_) => self.send(Phrase::Greeting.line(self.hub.lang).as_bytes()).await,
        }
    }

    /// The first byte of all tells how the client speaks.
    fn know_dialect(&mut self) {
        let (Dialect::Unknown, Some(first)) = (&self.dialect, self.link.first_byte()) else {
            return;
        };
        let lang = self.hub.lang;
        self.dialect = match first {
            b'{' => Dialect::Json { lang },
            _ => Dialect::Words(Box::new(Typing { lang, ..Typing::default() })),
        };
    }

    /// Waits for something to do.
    async fn step(&mut self, ending: &mut Stop<'_>) -> Result<Step, Fault> {
        // Who has asked as much as may be waits for answers first.
        let may_read = !self.has_ended && self.asked < self.asked_max();
        let as_it_is = matches!(self.dialect, Dialect::Json { .. });
        let Self { link, outbox, taken, silence, sums, .. } = self;
        if as_it_is {
            outbox.lend();
        }
        let step = tokio::select! {
            heard = poll_fn(|cx| link.poll_hear(cx)), if may_read => Step::Heard(heard.map_err(hearing)?),
            () = poll_fn(|cx| outbox.poll_take(cx, taken)) => Step::Told,
            value = poll_fn(|cx| calculating::poll(sums, cx)) => Step::Value(value),
            () = poll_fn(|cx| silence.poll(cx)) => Step::Silence,
            () = poll_fn(|cx| ending.poll(cx)) => Step::Stop,
        };
        outbox.have_back();
        if let Step::Heard(Heard::Bytes(bytes)) = step {
            self.passed.heard += bytes as u64;
            if self.who.is_none() {
                self.said_unknown += bytes;
            }
        }
        Ok(step)
    }

    /// How much may be asked before it is answered. What is typed next may depend on it: where it goes.
    /// Who asks for pages and reads none is not to have the hub hold many.
    fn asked_max(&self) -> usize {
        match (&self.dialect, self.asks) {
            (Dialect::Words(_), _) => 1,
            (_, Asks::Little) => self.hub.limits.asked_max,
            (_, Asks::Much) => self.hub.limits.asked_long_max,
        }
    }

    fn says_too_much(&self) -> bool {
        self.who.is_none() && self.said_unknown > self.hub.limits.unknown_bytes_max
    }

    /// What a client is called.
    fn lang(&self) -> Lang {
        match &self.dialect {
            Dialect::Json { lang } => *lang,
            Dialect::Words(typing) => typing.lang,
            Dialect::Unknown => self.hub.lang,
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.hall.leave(self.client.key);
        self.be_nobody();
        self.hub.counts.go(self.by);
    }
}

/// When a client may come again that we end.
const RETRY_MS: u64 = 1500;

fn hearing(error: io::Error) -> Fault {
    Fault::new(Side::Client, "hearing a client", error)
}

#[cfg(test)]
mod tests;
