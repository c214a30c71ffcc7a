//! `balance` and `health`: which of several upstreams is asked, and which is passed over.

use std::{fmt, time::Duration};

use http::uri::PathAndQuery;
use relais_http::upstream::{self, Check};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::Time,
};

/// Which of several upstreams is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// Of two the less busy one: with fewer requests, or connections, under way.
    #[default]
    Least,
    /// Each in turn.
    Round,
    /// The same for the same client.
    Source,
}

/// `health`, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ path = \"/healthz\" }`")]
pub(crate) struct Table {
    /// What upstreams are asked for.
    pub(super) path: String,
    /// How often.
    pub(super) every: Option<Time>,
    /// How long the answer may take.
    pub(super) answer_max: Option<Time>,
}

/// How upstreams are asked whether they are well, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What they are asked for.
    #[serde(serialize_with = "text")]
    pub path: PathAndQuery,
    /// How often.
    pub(crate) every: Time,
    /// How long the answer may take.
    pub(crate) answer_max: Time,
}

/// How often it is asked if nothing is said, and how long the answer may take at most then.
const EVERY: Time = Time(Duration::from_secs(5));

/// More often would be a load of its own.
const EVERY_MIN: Time = Time(Duration::from_secs(1));

/// Less, and none that is not on this machine would be well.
const ANSWER_MIN: Time = Time(Duration::from_millis(10));

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, key: &KeyPath) -> Result<Health, Vec<Problem>> {
        let Self { path, every, answer_max } = self;
        let mut problems = Vec::new();
        let mut read = |name: &str, asked: Option<Time>, usual: Time, least: Time| {
            let Some(time) = asked else { return usual };
            if time < least {
                let what = format!("`{name}` is too short: {:?}", time.to_string());
                let wrong = Wrong::expected(what, format!("{least} or more"));
                problems.push(key.key(name).wrong(wrong));
            }
            time
        };
        let every = read("every", *every, EVERY, EVERY_MIN);
        let answer_max = read("answer_max", *answer_max, every.min(EVERY), ANSWER_MIN);
        match path.parse::<PathAndQuery>() {
            Ok(path) if self.path.starts_with('/') && problems.is_empty() => {
                return Ok(Health { path, every, answer_max });
            }
            Ok(_) if path.starts_with('/') => (),
            _ => {
                let what = format!("bad path {path:?}");
                let wrong = Wrong::expected(what, "one that begins with a slash");
                problems.push(key.key("path").wrong(wrong));
            }
        }
        Err(problems)
    }
}

impl Health {
    /// What asks.
    pub(super) fn check(&self) -> Check {
        let Self { path, every: Time(every), answer_max: Time(answer_max) } = self.clone();
        Check { path, every, answer_max }
    }
}

impl From<Balance> for upstream::Balance {
    fn from(balance: Balance) -> Self {
        match balance {
            Balance::Least => Self::Least,
            Balance::Round => Self::Round,
            Balance::Source => Self::Source,
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Least => "the less busy",
            Self::Round => "in turn",
            Self::Source => "by client",
        })
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, every, answer_max: _ } = self;
        write!(f, "{path} asked for every {every}")
    }
}

fn text<S: Serializer>(path: &PathAndQuery, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}
