//! What a stored response may be used for, read once when it is stored.

use std::time::{Duration, SystemTime};

use crate::{
    age::{Times, current_age, initial_age},
    directives::{Control, Directives, Flag},
    freshness::{Head, Lifetime, lifetime},
    settings::Settings,
};

/// What a stored response may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it was asked for and came, or was last confirmed.
    pub times: Times,
    /// How old it was when it came.
    pub initial_age: Duration,
    /// For how long it is fresh.
    pub lifetime: Lifetime,
    /// When its origin has to be asked.
    pub ask: Ask,
    /// For how long after that it may be sent while it is asked for again (RFC 5861).
    pub stale_while_revalidate: Duration,
    /// And for how long when that fails, and no longer (RFC 5861); `None` if that is not said.
    pub stale_if_error: Option<Duration>,
}

/// When the origin of a stored response has to be asked before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Always: `no-cache`.
    Always,
    /// Whenever it is stale, whatever clients say and happens: `must-revalidate`,
    /// `proxy-revalidate`, `s-maxage`.
    WhenStale,
    /// When it is stale, if nobody allows to send it so.
    Unexcused,
}

impl Terms {
    /// Reads the terms of a response.
    pub(crate) fn of(head: Head<'_>, times: Times, control: &Control, settings: &Settings) -> Self {
        let directives = &control.directives;
        Self {
            times,
            initial_age: initial_age(head.headers, times, settings.clock_skew),
            lifetime: lifetime(head, control, settings),
            ask: Ask::of(directives),
            stale_while_revalidate: directives.stale_while_revalidate.unwrap_or(settings.grace),
            stale_if_error: directives.stale_if_error,
        }
    }

    /// How old the response is `now`; `None` if the clock was set back since.
    pub fn age(&self, now: SystemTime, settings: &Settings) -> Option<Duration> {
        current_age(self.initial_age, self.times.received, now, settings.clock_skew)
    }

    /// Whether there will be any moment at which it is sent and its origin was not asked.
    pub fn can_be_sent_unasked(&self) -> bool {
        let will_be_fresh = self.initial_age < self.lifetime.duration;
        let if_error = self.stale_if_error.unwrap_or_default();
        let has_window = self.stale_while_revalidate.max(if_error) > Duration::ZERO;
        match self.ask {
            Ask::Always => false,
            Ask::WhenStale => will_be_fresh,
            Ask::Unexcused => will_be_fresh || has_window,
        }
    }
}

impl Ask {
    fn of(directives: &Directives) -> Self {
        let when_stale = directives.has(Flag::MustRevalidate)
            || directives.has(Flag::ProxyRevalidate)
            || directives.s_maxage.is_some();
        if directives.has(Flag::NoCache) {
            Self::Always
        } else if when_stale {
            Self::WhenStale
        } else {
            Self::Unexcused
        }
    }
}
