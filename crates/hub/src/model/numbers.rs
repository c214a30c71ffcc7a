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

/// An account: the place of the entry that made it. No entry has 0: nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Seq);

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
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
