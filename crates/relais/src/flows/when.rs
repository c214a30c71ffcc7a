//! Points in time on the command line.

use std::{
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use relais_wire::timestamp::parse_timestamp;

use crate::spelling::Time;

/// A point in time: `10m` ago, or at `2026-01-31T13:55:36Z`. Without a zone it is UTC, and a day is
/// its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// So long before now.
    Ago(Duration),
    /// Then.
    At(SystemTime),
}

/// Why a text is not a [`When`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected how long ago, e.g. \"10m\", or when, e.g. \"2026-01-31 13:55:36\", in UTC")]
pub(super) struct BadWhen;

impl When {
    /// What it means at `now`.
    pub(super) fn seen_at(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(UNIX_EPOCH),
            Self::At(time) => time,
        }
    }
}

impl FromStr for When {
    type Err = BadWhen;

    fn from_str(text: &str) -> Result<Self, BadWhen> {
        let ago = text.parse().map(|Time(ago)| Self::Ago(ago));
        // As the table has it, and as people have it.
        let said = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
        let at = || said.iter().find_map(|text| parse_timestamp(text)).map(Self::At);
        ago.ok().or_else(at).ok_or(BadWhen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_from_now_or_as_they_are() {
        let now = UNIX_EPOCH + Duration::from_secs(100_000);
        let check = |text: &str, expect: Option<u64>| {
            let time = text.parse::<When>().ok().map(|when| when.seen_at(now));
            let expect = expect.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(time, expect, "{text:?}");
        };
        check("10m", Some(99_400));
        check("2h", Some(92_800));
        check("1d", Some(13_600));
        check("1970-01-02T00:00:00Z", Some(86_400));
        check("1970-01-02T02:00:00+02:00", Some(86_400));
        check("1970-01-02 00:00:01", Some(86_401));
        check("1970-01-02T00:00:01", Some(86_401));
        check("1970-01-02", Some(86_400));
        check("1970-01", None);
        check("1970-02-30", None);
        check("yesterday", None);
        check("", None);
    }
}
