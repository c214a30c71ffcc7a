//! Places in the log, what is known by them, and times.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use relais_wire::calendar::Moment;

/// A place in the log. The first entry has 1; each has more than the one before, but not always one
/// more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// An account: the place of the entry that made it. No entry has 0: that is nobody's, and in the log the
/// [hub](AccountId::HUB)'s own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Seq);

impl AccountId {
    /// Who signs what who runs the hub has done, and what the hub does by itself. No account.
    pub const HUB: Self = Self(Seq(0));
}

/// A room, or what two say to each other: the place of the entry that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub Seq);

/// A time of day. *Unit*: milliseconds since 1970, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// What `time` is; the first of all, if it is before 1970.
    pub fn of(time: SystemTime) -> Self {
        Self(0).later(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// The second that it is in, of the calendar.
    pub fn moment(self) -> Moment {
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.0));
        Moment::of(time.unwrap_or(SystemTime::UNIX_EPOCH))
    }

    /// The time that much later, as far as can be counted.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self(u64::try_from(by.as_millis()).map_or(u64::MAX, |by| self.0.saturating_add(by)))
    }

    /// The time that much earlier; the first of all, if it is before 1970.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(u64::try_from(by.as_millis()).map_or(0, |by| self.0.saturating_sub(by)))
    }

    /// How long ago `then` was; `None`, if it is yet to come: the clock was ahead, or is behind.
    pub fn since(self, then: Self) -> Option<Duration> {
        self.0.checked_sub(then.0).map(Duration::from_millis)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_later_and_earlier_as_far_as_can_be_counted() {
        let second = Duration::from_secs(1);
        assert_eq!([7000, 999].map(|ms| Millis(ms).earlier(second)), [Millis(6000), Millis(0)]);
        assert_eq!(Millis(7).earlier(Duration::MAX), Millis(0));
        assert_eq!(Millis(u64::MAX - 7).later(second), Millis(u64::MAX));
    }

    #[test]
    fn nothing_is_known_of_how_long_ago_what_is_yet_to_come_was() {
        let since = |now, then| Millis(now).since(Millis(then));
        assert_eq!(since(1007, 7), Some(Duration::from_secs(1)));
        assert_eq!(since(7, 7), Some(Duration::ZERO));
        assert_eq!(since(7, 8), None);
    }
}
