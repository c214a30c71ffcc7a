//! Answers that are kept for who asks next, and fetched once for all who ask at once, resolved.

use std::{fmt, time::Duration};

use relais_cache::{Joining, SetCookie, Settings};
use serde::Serialize;

use super::{
    cache_choices::{Abandoned, ClientDirectives, SetsCookie},
    cache_rules::{Ruled, origin},
    disk::DiskFolder,
    purge::Purge,
};
use crate::{
    measure::said_bytes,
    spelling::{Size, Time},
};

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
