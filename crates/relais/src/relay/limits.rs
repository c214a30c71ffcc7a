//! `limits = { connect_max, … }` of a relay: how long things may take, and how quick they may be.

use std::time::Duration;

use relais_net::DialLimits;
use relais_relay::{Lasts, Rates};
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Rate, Time},
};

/// The table, word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ idle_max = \"10m\" }`")]
pub(crate) struct Table {
    /// How long until there is a connection with an upstream.
    pub(super) connect_max: Option<Time>,
    /// How long its handshake may take then.
    pub(super) handshake_max: Option<Time>,
    /// How long a caller may take to say which name it wants.
    pub(super) hello_max: Option<Time>,
    /// How long nothing may pass.
    pub(super) idle_max: Option<Time>,
    /// The same once one side has ended.
    pub(super) half_closed_max: Option<Time>,
    /// How long a connection may be open in all.
    pub(super) total_max: Option<Time>,
    /// The most bytes a second of one connection that go to the server.
    pub(super) rate_up: Option<Rate>,
    /// The same that come back.
    pub(super) rate_down: Option<Rate>,
    /// How many senders of datagrams are remembered at once.
    pub(super) senders_max: Option<usize>,
}

/// Every limit, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// How long until there is a connection with an upstream.
    pub(super) connect_max: Time,
    /// How long its handshake may take then.
    pub(super) handshake_max: Time,
    /// How long a caller may take to say which name it wants.
    pub(super) hello_max: Time,
    /// How long nothing may pass.
    pub(super) idle_max: Time,
    /// The same once one side has ended.
    pub(super) half_closed_max: Time,
    /// The same, if it is said: datagrams have another usual time.
    #[serde(skip)]
    pub(super) idle_asked: Option<Time>,
    /// How long a connection may be open in all; `None` for as long as it likes.
    pub(super) total_max: Option<Time>,
    /// The most bytes a second of one connection that go to the server.
    pub(super) rate_up: Option<Rate>,
    /// The same that come back.
    pub(super) rate_down: Option<Rate>,
    /// How many senders of datagrams are remembered at once; `None` for the usual number.
    pub(super) senders_max: Option<usize>,
}

const CONNECT_MAX: Time = Time(Duration::from_secs(5));
const HELLO_MAX: Time = Time(Duration::from_secs(5));
const IDLE_MAX: Time = Time(Duration::from_mins(10));
const HALF_CLOSED_MAX: Time = Time(Duration::from_mins(1));

/// Less, and nobody who is not on this machine would be reached.
const LEAST: Time = Time(Duration::from_millis(10));

/// These are looked at once in a second.
const SECOND: Time = Time(Duration::from_secs(1));

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(self, key: &KeyPath) -> Result<Limits, Vec<Problem>> {
        let Self {
            connect_max,
            handshake_max,
            hello_max,
            idle_max,
            total_max,
            half_closed_max,
            ..
        } = self;
        let mut problems = Vec::new();
        let mut read = |name: &str, asked: Option<Time>, least: Time| {
            let short = asked.filter(|time| *time < least)?;
            let what = format!("`{name}` is too short: {:?}", short.to_string());
            problems.push(key.key(name).wrong(Wrong::expected(what, format!("{least} or more"))));
            None::<()>
        };
        read("connect_max", connect_max, LEAST);
        read("handshake_max", handshake_max, LEAST);
        read("hello_max", hello_max, LEAST);
        read("idle_max", idle_max, SECOND);
        read("half_closed_max", half_closed_max, SECOND);
        read("total_max", total_max, SECOND);
        if self.senders_max == Some(0) {
            let wrong = Wrong::expected("`senders_max` is 0: nobody would be served", "1 or more");
            problems.push(key.key("senders_max").wrong(wrong));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Limits {
            connect_max: connect_max.unwrap_or(CONNECT_MAX),
            handshake_max: handshake_max.unwrap_or(CONNECT_MAX),
            hello_max: hello_max.unwrap_or(HELLO_MAX),
            idle_max: idle_max.unwrap_or(IDLE_MAX),
            half_closed_max: half_closed_max.unwrap_or(HALF_CLOSED_MAX),
            idle_asked: idle_max,
            total_max,
            rate_up: self.rate_up,
            rate_down: self.rate_down,
            senders_max: self.senders_max,
        })
    }
}

impl Limits {
    /// What is the dialer's of them.
    pub(super) fn of_dialing(&self) -> DialLimits {
        let Self { connect_max, handshake_max, .. } = *self;
        DialLimits {
            connect_max: connect_max.0,
            handshake_max: handshake_max.0,
            source: None,
            keepalive: None,
        }
    }

    /// How fast it may go.
    pub(super) fn rates(&self) -> Rates {
        let bytes = |rate: Option<Rate>| rate.map(|rate| rate.0);
        Rates { up: bytes(self.rate_up), down: bytes(self.rate_down) }
    }

    /// What is a connection's of them.
    pub(super) fn of_lasting(&self) -> Lasts {
        Lasts {
            idle_max: self.idle_max.0,
            half_closed_max: self.half_closed_max.0,
            total_max: self.total_max.map(|time| time.0),
        }
    }
}
