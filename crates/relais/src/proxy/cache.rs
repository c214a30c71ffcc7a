//! `cache = { default_ttl, memory, object_max }`: answers that are kept for who asks next.

use std::fmt;

use clap::Args;
use relais_cache::Settings;
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Size, Time},
};

/// The table, word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ memory = \"256MiB\" }`")]
pub(crate) struct Table {
    /// How long an answer is fresh that does not say.
    default_ttl: Option<Time>,
    /// How much is kept.
    memory: Option<Size>,
    /// How large an answer may be that is kept.
    object_max: Option<Size>,
}

/// The flags that say the same.
#[derive(Clone, Copy, Debug, Args)]
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
}

/// Answers that are kept, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// How long an answer is fresh that does not say.
    pub(crate) default_ttl: Time,
    /// How many bytes are kept.
    pub(crate) memory: Size,
    /// How many an answer may have that is kept.
    pub(crate) object_max: Size,
}

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let Self { cache, cache_ttl, cache_memory, cache_object_max } = self;
        let table =
            Table { default_ttl: cache_ttl, memory: cache_memory, object_max: cache_object_max };
        cache.then_some(table)
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, key: &KeyPath) -> Result<Cache, Problem> {
        let Self { default_ttl, memory, object_max } = *self;
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
        Ok(Cache { default_ttl, memory, object_max })
    }
}

impl Cache {
    /// What a cache is told.
    pub(super) fn settings(&self) -> Settings {
        let Self { default_ttl: Time(default_ttl), memory, object_max } = *self;
        let usual = Settings::default();
        let filling_max = usual.filling_max.min(memory.0);
        let (memory, object_max) = (memory.0, object_max.0);
        Settings { memory, object_max, filling_max, default_ttl, ..usual }
    }
}

/// Less holds no page with its pictures.
const MEMORY_MIN: Size = Size(1 << 20);

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { default_ttl, memory, object_max } = self;
        write!(
            f,
            "{memory} of memory, answers of {object_max} at most, {default_ttl} if they do not say"
        )
    }
}
