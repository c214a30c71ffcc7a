//! `cache = { default_ttl, memory, object_max }`: answers that are kept for who asks next.

use std::fmt;

use clap::Args;
use relais_cache::Settings;
use serde::{Deserialize, Serialize};

use super::purge::{self, Purge};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Size, Time},
};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ memory = \"256MiB\" }`")]
pub(crate) struct Table {
    /// How long an answer is fresh that does not say.
    default_ttl: Option<Time>,
    /// How much is kept.
    memory: Option<Size>,
    /// How large an answer may be that is kept.
    object_max: Option<Size>,
    /// Who may take answers out with the method `PURGE`.
    purge: Option<purge::Table>,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Cache")]
pub(crate) struct Flags {
    /// Keep answers in memory for who asks next, as far as they may be
    #[arg(long)]
    cache: bool,
    /// How long an answer is fresh that says nothing, not even when it was changed [default: 1m]
    #[arg(long, value_name = "TIME", requires = "cache")]
    cache_ttl: Option<Time>,
    /// How much is kept [default: 256MiB]
    #[arg(long, value_name = "SIZE", requires = "cache")]
    cache_memory: Option<Size>,
    /// How large an answer may be that is kept [default: 8MiB]
    #[arg(long, value_name = "SIZE", requires = "cache")]
    cache_object_max: Option<Size>,
    #[command(flatten)]
    purge: purge::Flags,
}

/// Answers that are kept, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// How long an answer is fresh that does not say.
    pub(crate) default_ttl: Time,
    /// How many bytes are kept.
    pub(crate) memory: Size,
    /// How many an answer may have that is kept.
    pub(crate) object_max: Size,
    /// Who may take answers out with the method `PURGE`; `None` for nobody.
    pub(crate) purge: Option<Purge>,
}

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let Self { cache, cache_ttl, cache_memory, cache_object_max, purge } = self;
        let table = Table {
            default_ttl: cache_ttl,
            memory: cache_memory,
            object_max: cache_object_max,
            purge: purge.table(),
        };
        cache.then_some(table)
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, base: &Base, key: &KeyPath) -> Result<Cache, Problem> {
        let Self { default_ttl, memory, object_max, ref purge } = *self;
        let purge = purge.as_ref().map(|purge| purge.plan(base, &key.key("purge"))).transpose()?;
        let usual = Settings::default();
        let memory = memory.unwrap_or(Size(usual.memory));
        if memory < MEMORY_MIN {
            let what = format!("`memory` is too small: {:?}", memory.to_string());
            let wrong = Wrong::expected(what, format!("{MEMORY_MIN} or more"));
            return Err(key.key("memory").wrong(wrong));
        }
        if let Some(object_max) = object_max.filter(|object_max| *object_max > memory) {
            let what = format!("`object_max` is more than `memory`: {:?}", object_max.to_string());
            let wrong = Wrong::expected(what, format!("at most {memory}"));
            return Err(key.key("object_max").wrong(wrong));
        }
        let object_max = object_max.unwrap_or(Size(usual.object_max).min(memory));
        let default_ttl = default_ttl.unwrap_or(Time(usual.default_ttl));
        Ok(Cache { default_ttl, memory, object_max, purge })
    }
}

impl Cache {
    /// Whether what one has stored may be answered by the other.
    pub(super) fn keeps_alike(&self, other: &Self) -> bool {
        // Who may purge has no part in it.
        let Self { default_ttl, memory, object_max, purge: _ } = self;
        (default_ttl, memory, object_max) == (&other.default_ttl, &other.memory, &other.object_max)
    }

    /// What a cache is told.
    pub(super) fn settings(&self) -> Settings {
        let Self { default_ttl: Time(default_ttl), memory, object_max, purge: _ } = *self;
        let usual = Settings::default();
        let recording_max = usual.recording_max.min(memory.0);
        let (memory, object_max) = (memory.0, object_max.0);
        Settings { memory, object_max, recording_max, default_ttl, ..usual }
    }
}

/// Less holds no page with its pictures.
const MEMORY_MIN: Size = Size(1 << 20);

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { default_ttl, memory, object_max, purge } = self;
        write!(
            f,
            "{memory} of memory, answers of {object_max} at most, {default_ttl} if they do not say"
        )?;
        purge.as_ref().map_or(Ok(()), |purge| write!(f, ", {purge}"))
    }
}
