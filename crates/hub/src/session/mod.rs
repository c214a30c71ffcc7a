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
mod holding;
mod hooking;
mod leaving;
mod lines;
mod link;
mod pacing;
mod registering;
mod secrets;
mod stop;
mod telling;
mod typing;
mod way;
mod web_socket;

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use relais_net::{Alarm, Drain, Fault, Worked};
use relais_tap::By;

use self::{calculating::Sums, lines::Line, pacing::Purse, secrets::Awaited};
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
    shared::Shared,
    words::{Lang, Stand},
};

/// How a connection ended: by whom, and why in a few words.
pub(crate) type End = (By, Cow<'static, str>);

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
    /// The desk is about to say who it is.
    is_entering: bool,
    /// What is to be told next.
    taken: VecDeque<Arc<Spoken>>,
    /// How many requests were not answered yet.
    asked: usize,
    /// Whether any of them asks for much.
    asks: Asks,
    /// How many bytes of lines it said before it was somebody: but for the one by which it came to be that.
    said_unknown: usize,
    purse: Purse,
    /// What is being worked out for it.
    sums: Option<Box<Sums<'h>>>,
    /// How long was worked for it, if anything was worked out.
    worked: Option<Arc<Worked>>,
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
            is_entering: false,
            taken: VecDeque::new(),
            asked: 0,
            asks: Asks::Little,
            said_unknown: 0,
            purse: Purse::default(),
            sums: None,
            worked: None,
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
            // Who is gone is told nothing more.
            _ = self.finish().await;
            self.link.linger(end).await;
        }
        (ended, self.passed.heard, self.passed.said + self.outbox.told_at_once())
    }

    /// In which language a client is spoken to.
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

#[cfg(test)]
mod tests;
