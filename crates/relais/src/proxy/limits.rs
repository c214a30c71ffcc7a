//! `limits = { connect_max, … }` of a proxy: how long an upstream may take.

use std::time::Duration;

use relais_http::upstream;
use serde::{Deserialize, Serializer};

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
    /// How long from a request to the head of its answer.
    pub(crate) head_max: Option<Time>,
    /// How long an answer's body may be without a byte.
    pub(crate) stall_max: Option<Time>,
    /// How long a connection is kept for the next request.
    pub(crate) idle_max: Option<Time>,
}

/// How long an upstream may take, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long until there is a connection.
    pub connect_max: Duration,
    /// And from then on.
    pub upstream: upstream::Limits,
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(self, key: &KeyPath) -> Result<Limits, Vec<Problem>> {
        let Self { connect_max, head_max, stall_max, idle_max } = self;
        let usual = upstream::Limits::default();
        let mut problems = Vec::new();
        let mut read = |name: &str, asked: Option<Time>, usual: Duration| {
            let Some(Time(time)) = asked else { return usual };
            let least = if name == "connect_max" { CONNECT_MIN } else { OTHERS_MIN };
            if time < least {
                let what = format!("`{name}` is too short: {:?}", Time(time).to_string());
                let wrong = Wrong::expected(what, format!("{} or more", Time(least)));
                problems.push(key.key(name).wrong(wrong));
            }
            time
        };
        let limits = Limits {
            connect_max: read("connect_max", connect_max, CONNECT_MAX),
            upstream: upstream::Limits {
                head_max: read("head_max", head_max, usual.head_max),
                stall_max: read("stall_max", stall_max, usual.stall_max),
                idle_max: read("idle_max", idle_max, usual.idle_max),
                ..usual
            },
        };
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }
}

/// A server that is not there by then will not be.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Less, and no server that is not on this machine would be reached.
const CONNECT_MIN: Duration = Duration::from_millis(10);

/// These are looked at once in two seconds.
const OTHERS_MIN: Duration = Duration::from_secs(1);

/// In the words of the table.
pub(super) fn spelled<S: Serializer>(limits: &Limits, serializer: S) -> Result<S::Ok, S::Error> {
    let Limits { connect_max, upstream } = limits;
    let upstream::Limits { head: _, head_max, stall_max, idle_max, idle_links_max: _ } = upstream;
    let times = [
        ("connect_max", connect_max),
        ("head_max", head_max),
        ("stall_max", stall_max),
        ("idle_max", idle_max),
    ];
    serializer.collect_map(times.map(|(key, time)| (key, Time(*time).to_string())))
}
