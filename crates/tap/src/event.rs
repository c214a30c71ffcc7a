//! What can be told of a flow.

use std::{borrow::Cow, fmt, time::SystemTime};

use bytes::Bytes;

/// Names one flow for the life of the process. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub(crate) u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the peer that opened the flow.
    ToServer,
    /// Back to it.
    ToClient,
}

/// The two ends of a flow, as texts a person can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Who opened it, e.g. `192.0.2.7:51000`.
    pub client: String,
    /// Who answers, e.g. `tls://origin.example:443`.
    pub server: String,
}

/// Who ended a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Who had opened it.
    Client,
    /// Who answered, or should have.
    Server,
    /// We: a limit, or our own end.
    Relais,
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When, by the clock of whoever reports.
    pub at: SystemTime,
    /// Who ended it.
    pub by: By,
    /// In a few words, e.g. `closed`, `reset`, `idle for 60s`.
    pub why: Cow<'static, str>,
    /// Bytes that went to the server.
    pub to_server: u64,
    /// Bytes that went back.
    pub to_client: u64,
}

/// Something that happened on a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A flow began. The first event of every flow.
    Opened {
        /// The new flow.
        flow: FlowId,
        /// Between whom.
        ends: Ends,
        /// When, by the clock of whoever reports.
        at: SystemTime,
    },
    /// Bytes passed, in the clear (after TLS was taken off, before it is put on again).
    Bytes {
        /// The flow they belong to.
        flow: FlowId,
        /// Which way they went.
        direction: Direction,
        /// The bytes as they passed; may be any cut of the stream.
        bytes: Bytes,
    },
    /// A protocol's own remark: a request line, a cache verdict, a nickname.
    Note {
        /// The flow it is about.
        flow: FlowId,
        /// What was seen, e.g. `relay.upstream` or `cache.verdict`.
        what: &'static str,
        /// The remark.
        text: String,
    },
    /// The flow is over. The last event of every flow.
    Closed {
        /// The flow that ended.
        flow: FlowId,
        /// How, unless whoever reported it was cut off itself.
        ending: Option<Ending>,
    },
    /// This watcher was too slow: that many events are gone for it.
    Missed {
        /// How many events were lost.
        events: u64,
    },
}

impl By {
    /// In one word: `client`, `server` or `relais`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Relais => "relais",
        }
    }
}
