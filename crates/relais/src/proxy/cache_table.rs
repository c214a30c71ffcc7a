//! `cache = { default_ttl, memory, object_max, … }`: what is said of answers that are kept.

use std::{path::PathBuf, time::Duration};

use http::HeaderName;
use relais_cache::Settings;
use serde::Deserialize;

use super::{
    cache::Cache,
    cache_choices::{Abandoned, ClientDirectives, SetsCookie},
    cache_rules,
    disk::DiskFolder,
    purge,
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
    pub(super) default_ttl: Option<Time>,
    /// How much is kept.
    pub(super) memory: Option<Size>,
    /// Where what is kept outlives the program.
    pub(super) disk: Option<PathBuf>,
    /// How much is kept there.
    pub(super) disk_max: Option<Size>,
    /// How large an answer may be that is kept.
    pub(super) object_max: Option<Size>,
    /// Which answers that set cookies are kept.
    pub(super) set_cookie: Option<SetsCookie>,
    /// The field that speaks to this cache before all others.
    pub(super) target: Option<String>,
    /// Whether what answers say of caching does not count.
    pub(super) ignore_origin: Option<bool>,
    /// Whether clients may have servers asked.
    pub(super) client_directives: Option<ClientDirectives>,
    /// What is said of some paths.
    #[serde(default)]
    pub(super) rules: Vec<cache_rules::Table>,
    /// How long what says nothing about it is sent stale while it is asked for.
    pub(super) grace: Option<Time>,
    /// How long an answer is fresh that says there is nothing.
    pub(super) negative_ttl: Option<Time>,
    /// How long a client waits for what another asked for.
    pub(super) wait_max: Option<Time>,
    /// How many wait so.
    pub(super) waiting_max: Option<u32>,
    /// What becomes of what nobody waits for any more.
    pub(super) abandoned: Option<Abandoned>,
    /// Who may take answers out with the method `PURGE`.
    pub(super) purge: Option<purge::Table>,
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
        let disk = DiskFolder::plan((self.disk.as_deref(), self.disk_max), base, key);
        let disk = disk.map_err(|found| told(vec![found])).ok().flatten();
        let object_most = object_most(memory, disk.as_ref());
        told(bad_sizes(memory, object_max, (object_most, key)).into_iter().collect());
        told(self.bad_wait(key).into_iter().collect());
        let (rules, purge) = (rules.unwrap_or_default(), purge.unwrap_or_default());
        if !problems.is_empty() {
            return Err(problems);
        }
        let usual = Settings::default();
        let memory = memory.unwrap_or(Size(usual.memory));
        let usual_most = if disk.is_some() { OBJECT_ON_DISK } else { Size(usual.object_max) };
        let object_max = object_max.unwrap_or(usual_most.min(object_most));
        let default_ttl = default_ttl.unwrap_or(Time(usual.default_ttl));
        let waiting_max = u32::try_from(usual.joining.waiting_max).unwrap_or(u32::MAX);
        Ok(Cache {
            default_ttl,
            memory,
            disk,
            object_max,
            set_cookie: set_cookie.unwrap_or_default(),
            target: self.target.as_ref().map(|target| target.to_ascii_lowercase()),
            ignore_origin: ignore_origin.unwrap_or_default(),
            client_directives: self.client_directives.unwrap_or_default(),
            rules,
            grace: self.grace.unwrap_or(Time(usual.grace)),
            negative_ttl: self.negative_ttl,
            wait_max: self.wait_max.unwrap_or(Time(usual.joining.wait_max)),
            waiting_max: self.waiting_max.unwrap_or(waiting_max),
            abandoned: self.abandoned.unwrap_or_default(),
            purge,
        })
    }

    fn bad_wait(&self, key: &KeyPath) -> Option<Problem> {
        let wait_max = self.wait_max.filter(|wait_max| *wait_max < WAIT_MIN)?;
        let what = format!("`wait_max` is too short: {:?}", wait_max.to_string());
        let wrong = Wrong::expected(what, format!("{WAIT_MIN} or more"));
        Some(key.key("wait_max").wrong(wrong))
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

/// No answer that is kept may be larger: what is on disk is there in one piece, beside others.
fn object_most(memory: Option<Size>, disk: Option<&DiskFolder>) -> Size {
    let memory = memory.unwrap_or(Size(Settings::default().memory));
    disk.map_or(memory, |disk| Size(disk.max.0 / 4))
}

fn bad_sizes(
    memory: Option<Size>,
    object_max: Option<Size>,
    (object_most, key): (Size, &KeyPath),
) -> Option<Problem> {
    let memory = memory.unwrap_or(Size(Settings::default().memory));
    if memory < MEMORY_MIN {
        let what = format!("`memory` is too small: {:?}", memory.to_string());
        let wrong = Wrong::expected(what, format!("{MEMORY_MIN} or more"));
        return Some(key.key("memory").wrong(wrong));
    }
    let object_max = object_max?;
    if object_max == Size(0) {
        let wrong = Wrong::expected("with `object_max` of 0B nothing is kept", "a size above that");
        return Some(key.key("object_max").wrong(wrong.hint("`cache = false` keeps nothing, too")));
    }
    if object_max <= object_most {
        return None;
    }
    let most = if object_most == memory { "`memory`" } else { "a quarter of `disk_max`" };
    let what = format!("`object_max` is more than {most}: {:?}", object_max.to_string());
    let wrong = Wrong::expected(what, format!("at most {object_most}"));
    Some(key.key("object_max").wrong(wrong))
}

/// How large an answer may be by default, where there is a disk.
const OBJECT_ON_DISK: Size = Size(1 << 30);

/// Less holds no page with its pictures.
const MEMORY_MIN: Size = Size(1 << 20);

/// It is looked at once a second.
const WAIT_MIN: Time = Time(Duration::from_secs(1));
