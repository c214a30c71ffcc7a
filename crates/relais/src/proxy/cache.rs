//! `cache = { default_ttl, memory, object_max, … }`: answers that are kept for who asks next, and
//! fetched once for all who ask at once.

use std::{fmt, path::PathBuf, time::Duration};

use http::HeaderName;
use relais_cache::{Joining, SetCookie, Settings};
use serde::{Deserialize, Serialize};

use super::{
    cache_rules::{self, Ruled, origin},
    disk::DiskFolder,
    purge::{self, Purge},
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    measure::said_bytes,
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

/// What becomes of a fetch whose clients have all left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Abandoned {
    /// It ends.
    #[default]
    End,
    /// It goes on, and is kept.
    Finish,
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

/// Whether what clients say of caching counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientDirectives {
    /// It does.
    #[default]
    Honoured,
    /// It does not, but for `no-store` and `only-if-cached`: nobody has a server asked by a reload.
    Ignored,
}

/// Answers that are kept, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// How long an answer is fresh that does not say.
    pub(crate) default_ttl: Time,
    /// How many bytes are kept.
    pub(crate) memory: Size,
    /// Where what is kept outlives us; `None` if it does not.
    pub(crate) disk: Option<DiskFolder>,
    /// How many an answer may have that is kept.
    pub(crate) object_max: Size,
    /// Which answers that set cookies are kept.
    pub(crate) set_cookie: SetsCookie,
    /// The field that speaks to this cache before all others, if there is one.
    pub(crate) target: Option<String>,
    /// Whether what answers say of caching does not count.
    pub(crate) ignore_origin: bool,
    /// Whether what clients say of caching counts.
    pub(crate) client_directives: ClientDirectives,
    /// What is said of some paths; the first that fits counts.
    pub(crate) rules: Vec<Ruled>,
    /// How long what says nothing about it is sent stale while it is asked for.
    pub(crate) grace: Time,
    /// How long an answer is fresh that says there is nothing, and not how long.
    pub(crate) negative_ttl: Option<Time>,
    /// How long a client waits for what another asked for.
    pub(crate) wait_max: Time,
    /// How many wait so.
    pub(crate) waiting_max: u32,
    /// What becomes of what nobody waits for any more.
    pub(crate) abandoned: Abandoned,
    /// Who may take answers out with the method `PURGE`; `None` for nobody.
    pub(crate) purge: Option<Purge>,
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

impl Cache {
    /// Whether what one has stored may be answered by the other.
    pub(super) fn keeps_alike(&self, other: &Self) -> bool {
        // Who may purge has no part in it, nor how much there may be on disk.
        let own = |cache: &Self| {
            let disk = cache.disk.clone().map(|disk| disk.path);
            (Self { purge: None, disk: None, ..cache.clone() }, disk)
        };
        own(self) == own(other)
    }

    /// What of it decides whether something is stored, and for whom: not how much, nor for how long.
    pub(super) fn judges_by(&self) -> impl fmt::Debug + use<'_> {
        let Self {
            set_cookie,
            target,
            ignore_origin,
            rules,
            // How long, how much and where; and who waits how long for it.
            default_ttl: _,
            memory: _,
            disk: _,
            object_max: _,
            grace: _,
            negative_ttl: _,
            wait_max: _,
            waiting_max: _,
            abandoned: _,
            // Whom it is answered to, and who may take it out.
            client_directives: _,
            purge: _,
        } = self;
        (set_cookie, target, ignore_origin, rules)
    }

    /// What a cache is told.
    pub(super) fn settings(&self) -> Settings {
        let Self { default_ttl: Time(default_ttl), memory, object_max, .. } = *self;
        let usual = Settings::default();
        let own = self.target.iter().map(|name| name.parse().expect("a name, read before"));
        Settings {
            memory: memory.0,
            object_max: object_max.0,
            filling_max: usual.filling_max.min(FILLING_MIN + memory.0 / 8),
            default_ttl,
            grace: self.grace.0,
            negative_ttl: self.negative_ttl.map(|Time(ttl)| ttl),
            joining: self.joining(&usual.joining),
            targets: own.chain(usual.targets).collect(),
            origin: origin(self.ignore_origin),
            client_directives: match self.client_directives {
                ClientDirectives::Honoured => relais_cache::ClientDirectives::Honoured,
                ClientDirectives::Ignored => relais_cache::ClientDirectives::Ignored,
            },
            rules: self.rules.iter().map(Ruled::rule).collect(),
            set_cookie: match self.set_cookie {
                SetsCookie::Never => SetCookie::Refused,
                SetsCookie::Shared => SetCookie::SharedOnly,
                SetsCookie::Explicit => SetCookie::Explicit,
            },
            ..usual
        }
    }

    /// What is to be told if this machine has less memory than is to be used.
    pub(super) fn shortage(&self) -> Option<String> {
        let system = rustix::system::sysinfo();
        let machine = system.totalram.saturating_mul(u64::from(system.mem_unit));
        (self.memory.0 > machine).then(|| {
            let (memory, machine) = (self.memory, said_bytes(machine));
            format!("{memory} is more than the {machine} that this machine has")
        })
    }

    fn joining(&self, usual: &Joining) -> Joining {
        let Self { wait_max: Time(wait_max), waiting_max, abandoned, .. } = *self;
        let abandoned = match abandoned {
            Abandoned::End => relais_cache::Abandoned::Ended,
            Abandoned::Finish => relais_cache::Abandoned::Finished,
        };
        let waiting_max = usize::try_from(waiting_max).unwrap_or(usize::MAX);
        Joining { wait_max, waiting_max, abandoned, ..usual.clone() }
    }
}

/// Some answers can come at once, however small the memory is.
const FILLING_MIN: u64 = 8 << 20;

/// How large an answer may be by default, where there is a disk.
const OBJECT_ON_DISK: Size = Size(1 << 30);

/// Less holds no page with its pictures.
const MEMORY_MIN: Size = Size(1 << 20);

/// It is looked at once a second.
const WAIT_MIN: Time = Time(Duration::from_secs(1));

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { default_ttl, memory, disk, object_max, ignore_origin, rules, purge, .. } = self;
        let what = if *ignore_origin { "whatever they say" } else { "if they do not say" };
        write!(f, "{memory} of memory, ")?;
        disk.as_ref().map_or(Ok(()), |disk| write!(f, "{disk}, "))?;
        write!(f, "answers of {object_max} at most, {default_ttl} {what}")?;
        self.fmt_choices(f)?;
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        match &rules[..] {
            [] => (),
            [rule] => write!(f, ", rule {rule}")?,
            rules => write!(f, ", rules {}", rules.join("; "))?,
        }
        purge.as_ref().map_or(Ok(()), |purge| write!(f, ", {purge}"))
    }
}

impl Cache {
    /// Prints what was chosen otherwise than usual.
    fn fmt_choices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set_cookie, target, grace, negative_ttl, client_directives, .. } = self;
        if grace.0 > Duration::ZERO {
            write!(f, ", stale for {grace} more while they are asked for")?;
        }
        if let Some(ttl) = negative_ttl {
            write!(f, ", errors {ttl} if they do not say")?;
        }
        match set_cookie {
            SetsCookie::Never => f.write_str(", none that set cookies")?,
            SetsCookie::Shared => (),
            SetsCookie::Explicit => {
                f.write_str(", those with cookies that say for how long, too")?;
            }
        }
        if *client_directives == ClientDirectives::Ignored {
            f.write_str(", whatever clients say of caching")?;
        }
        target.as_ref().map_or(Ok(()), |target| write!(f, ", told by {target}"))
    }
}
