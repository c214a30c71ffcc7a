//! `cache = { default_ttl, memory, object_max, … }`: answers that are kept for who asks next.

use std::fmt;

use clap::Args;
use http::HeaderName;
use relais_cache::{SetCookie, Settings};
use serde::{Deserialize, Serialize};

use super::{
    cache_rules::{self, Ruled, origin},
    purge::{self, Purge},
};
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
    /// Which answers that set cookies are kept.
    set_cookie: Option<SetsCookie>,
    /// The field that speaks to this cache before all others.
    target: Option<String>,
    /// Whether what answers say of caching does not count.
    ignore_origin: Option<bool>,
    /// What is said of some paths.
    #[serde(default)]
    rules: Vec<cache_rules::Table>,
    /// Who may take answers out with the method `PURGE`.
    purge: Option<purge::Table>,
}

/// Which answers that set cookies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetsCookie {
    /// None.
    Never,
    /// Those that speak of shared caches.
    #[default]
    Shared,
    /// All that say how long they are fresh.
    Explicit,
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
    /// Which answers that set cookies are kept.
    pub(crate) set_cookie: SetsCookie,
    /// The field that speaks to this cache before all others, if there is one.
    pub(crate) target: Option<String>,
    /// Whether what answers say of caching does not count.
    pub(crate) ignore_origin: bool,
    /// What is said of some paths; the first that fits counts.
    pub(crate) rules: Vec<Ruled>,
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
            ..Table::default()
        };
        cache.then_some(table)
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, base: &Base, key: &KeyPath) -> Result<Cache, Vec<Problem>> {
        let Self { default_ttl, memory, object_max, set_cookie, ignore_origin, .. } = *self;
        let mut problems = Vec::new();
        let mut told = |found: Vec<Problem>| problems.extend(found);
        let rules = cache_rules::plan_all(&self.rules, &key.key("rules")).map_err(&mut told);
        let purge = self.purge.as_ref().map(|purge| purge.plan(base, &key.key("purge")));
        let purge = purge.transpose().map_err(|found| told(vec![found]));
        told(self.bad_target(key).into_iter().collect());
        told(bad_sizes(memory, object_max, key).into_iter().collect());
        let (rules, purge) = (rules.unwrap_or_default(), purge.unwrap_or_default());
        if !problems.is_empty() {
            return Err(problems);
        }
        let usual = Settings::default();
        let memory = memory.unwrap_or(Size(usual.memory));
        let object_max = object_max.unwrap_or(Size(usual.object_max).min(memory));
        let default_ttl = default_ttl.unwrap_or(Time(usual.default_ttl));
        Ok(Cache {
            default_ttl,
            memory,
            object_max,
            set_cookie: set_cookie.unwrap_or_default(),
            target: self.target.as_ref().map(|target| target.to_ascii_lowercase()),
            ignore_origin: ignore_origin.unwrap_or_default(),
            rules,
            purge,
        })
    }

    fn bad_target(&self, key: &KeyPath) -> Option<Problem> {
        let target = self.target.as_ref()?;
        let is_another = target.eq_ignore_ascii_case("cache-control");
        if target.parse::<HeaderName>().is_ok() && !is_another {
            return None;
        }
        let expected = "the name of a field of its own, e.g. \"relais-cache-control\"";
        Some(key.key("target").wrong(Wrong::expected(format!("bad target {target:?}"), expected)))
    }
}

fn bad_sizes(memory: Option<Size>, object_max: Option<Size>, key: &KeyPath) -> Option<Problem> {
    let memory = memory.unwrap_or(Size(Settings::default().memory));
    if memory < MEMORY_MIN {
        let what = format!("`memory` is too small: {:?}", memory.to_string());
        let wrong = Wrong::expected(what, format!("{MEMORY_MIN} or more"));
        return Some(key.key("memory").wrong(wrong));
    }
    let object_max = object_max.filter(|object_max| *object_max > memory)?;
    let what = format!("`object_max` is more than `memory`: {:?}", object_max.to_string());
    let wrong = Wrong::expected(what, format!("at most {memory}"));
    Some(key.key("object_max").wrong(wrong))
}

impl Cache {
    /// Whether what one has stored may be answered by the other.
    pub(super) fn keeps_alike(&self, other: &Self) -> bool {
        // Who may purge has no part in it.
        let kept = |cache: &Self| Self { purge: None, ..cache.clone() };
        kept(self) == kept(other)
    }

    /// What a cache is told.
    pub(super) fn settings(&self) -> Settings {
        let Self { default_ttl: Time(default_ttl), memory, object_max, .. } = *self;
        let usual = Settings::default();
        let own = self.target.iter().map(|name| name.parse().expect("a name, read before"));
        Settings {
            memory: memory.0,
            object_max: object_max.0,
            recording_max: usual.recording_max.min(memory.0),
            default_ttl,
            targets: own.chain(usual.targets).collect(),
            origin: origin(self.ignore_origin),
            rules: self.rules.iter().map(Ruled::rule).collect(),
            set_cookie: match self.set_cookie {
                SetsCookie::Never => SetCookie::Refused,
                SetsCookie::Shared => SetCookie::SharedOnly,
                SetsCookie::Explicit => SetCookie::Explicit,
            },
            ..usual
        }
    }
}

/// Less holds no page with its pictures.
const MEMORY_MIN: Size = Size(1 << 20);

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { default_ttl, memory, object_max, ignore_origin, rules, purge, .. } = self;
        let what = if *ignore_origin { "whatever they say" } else { "if they do not say" };
        write!(f, "{memory} of memory, answers of {object_max} at most, {default_ttl} {what}")?;
        match rules.len() {
            0 => (),
            1 => f.write_str(", a rule for some paths")?,
            count => write!(f, ", {count} rules for some paths")?,
        }
        purge.as_ref().map_or(Ok(()), |purge| write!(f, ", {purge}"))
    }
}
