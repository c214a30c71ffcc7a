//! `limits = { connect_max, … }` of a proxy: how long an upstream may take, and how much it is given.

use std::time::Duration;

use relais_http::upstream;
use relais_net::DialLimits;
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::Time,
};

/// The table, word for word.
#[expect(clippy::struct_field_names, reason = "they are named as in `[limits]`")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ head_max = \"30s\" }`")]
pub(crate) struct Table {
    /// How long until there is a connection.
    pub(crate) connect_max: Option<Time>,
    /// How long a handshake may take then.
    pub(crate) handshake_max: Option<Time>,
    /// How long from a request to the head of its answer.
    pub(crate) head_max: Option<Time>,
    /// How long an answer's body may be without a byte.
    pub(crate) stall_max: Option<Time>,
    /// How long an answer may take in all.
    pub(crate) total_max: Option<Time>,
    /// How long a connection is kept for the next request.
    pub(crate) idle_max: Option<Time>,
    /// How many requests it is given at once.
    pub(crate) in_flight_max: Option<u32>,
    /// How many more wait.
    pub(crate) queue_max: Option<u32>,
    /// How long.
    pub(crate) queue_wait_max: Option<Time>,
}

/// Every limit, resolved.
#[expect(clippy::struct_field_names, reason = "they are named as in `[limits]`")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// How long until there is a connection.
    pub(crate) connect_max: Time,
    /// How long a handshake may take then.
    pub(crate) handshake_max: Time,
    /// How long from a request to the head of its answer.
    pub(crate) head_max: Time,
    /// How long an answer's body may be without a byte.
    pub(crate) stall_max: Time,
    /// How long an answer may take in all; `None` for as long as it likes.
    pub(crate) total_max: Option<Time>,
    /// How long a connection is kept for the next request.
    pub(crate) idle_max: Time,
    /// How many requests it is given at once; `None` for any number.
    pub(crate) in_flight_max: Option<u32>,
    /// How many more wait.
    pub(crate) queue_max: u32,
    /// How long.
    pub(crate) queue_wait_max: Time,
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(self, key: &KeyPath) -> Result<Limits, Vec<Problem>> {
        let Self { connect_max, handshake_max, head_max, stall_max, idle_max, .. } = self;
        let usual = upstream::Limits::default();
        let mut problems = Vec::new();
        let mut read = |name: &str, asked: Option<Time>, usual: Duration| {
            let Some(time) = asked else { return Time(usual) };
            let least = if name == "connect_max" { CONNECT_MIN } else { OTHERS_MIN };
            if time < least {
                let what = format!("`{name}` is too short: {:?}", time.to_string());
                let wrong = Wrong::expected(what, format!("{least} or more"));
                problems.push(key.key(name).wrong(wrong));
            }
            time
        };
        let limits = Limits {
            connect_max: read("connect_max", connect_max, CONNECT_MAX),
            handshake_max: read("handshake_max", handshake_max, CONNECT_MAX),
            head_max: read("head_max", head_max, usual.head_max),
            stall_max: read("stall_max", stall_max, usual.stall_max),
            total_max: self.total_max.map(|time| read("total_max", Some(time), time.0)),
            idle_max: read("idle_max", idle_max, usual.idle_max),
            in_flight_max: self.in_flight_max,
            queue_max: self.queue_max.unwrap_or(u32::try_from(usual.queue_max).unwrap_or(u32::MAX)),
            queue_wait_max: read("queue_wait_max", self.queue_wait_max, usual.queue_wait_max),
        };
        if self.in_flight_max == Some(0) {
            let wrong =
                Wrong::expected("nothing may be asked: 0".to_owned(), "1 or more".to_owned());
            problems.push(key.key("in_flight_max").wrong(wrong));
        }
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }
}

/// A server that takes longer to be reached is not there.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Less, and no server that is not on this machine would be reached.
const CONNECT_MIN: Time = Time(Duration::from_millis(10));

/// These are looked at once in two seconds.
const OTHERS_MIN: Time = Time(Duration::from_secs(1));

impl Limits {
    /// What is the dialer's of them.
    pub(super) fn of_dialing(&self) -> DialLimits {
        let Self { connect_max: Time(connect_max), handshake_max: Time(handshake_max), .. } = *self;
        DialLimits { connect_max, handshake_max, source: None, keepalive: None }
    }

    /// What is an upstream's of them.
    pub(super) fn of_asking(&self) -> upstream::Limits {
        let Self { head_max, stall_max, idle_max, queue_wait_max, .. } = *self;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        upstream::Limits {
            head_max: head_max.0,
            stall_max: stall_max.0,
            total_max: self.total_max.map(|time| time.0),
            idle_max: idle_max.0,
            in_flight_max: self.in_flight_max.map(count),
            queue_max: count(self.queue_max),
            queue_wait_max: queue_wait_max.0,
            ..upstream::Limits::default()
        }
    }
}
