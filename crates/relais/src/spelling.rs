//! How values are spelled in the configuration and on the command line.

use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

use relais_http::{HostPattern, ParseHostPatternError};
use relais_net::{Network, ParseNetworkError};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

mod endpoint;
mod field;
mod origin;
mod pace;

pub(crate) use endpoint::{BareEndpoint, HttpEndpoint, go_together, together};
pub(crate) use field::Field;
pub(crate) use origin::strange_origin;
pub(crate) use pace::{Delay, Rate, Share};

/// A length of time: `250ms`, `10s`, `5m`, `1h`, `7d`; on the command line a bare number is of seconds,
/// as other programs take it. A file is read by people later: there the unit has to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Duration);

/// A number of bytes: `512`, `64KiB`, `10MiB`, `1GiB`; `64k`, `10M`, `1G` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Size(pub(crate) u64);

/// A name that a caller may ask for, without a port, or `*.name` for every name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(pub(crate) HostPattern);

/// Addresses that begin alike: `192.0.2.0/24`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses(pub(crate) Network);

/// `true`, or a table that says how; `false` is as if nothing were said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Switch<T> {
    /// Nothing is asked for.
    #[default]
    Off,
    /// It is asked for like this.
    On(T),
}

/// Why a text is not a [`Time`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad time {0:?}: expected seconds, or a number and ms, s, m, h or d, e.g. \"10s\"")]
pub(crate) struct BadTime(String);

/// The same in a file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad time {0:?}: expected a number and ms, s, m, h or d, e.g. \"10s\"")]
struct BadTimeOfFile(String);

/// Why a text is not a [`Size`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad size {0:?}: expected a number and B, KiB, MiB, GiB or TiB, e.g. \"64KiB\"")]
pub(crate) struct BadSize(String);

impl FromStr for Time {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime(text.to_owned());
        let (number, unit) = number_and_unit(text).ok_or_else(bad)?;
        let millis_each = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        number.checked_mul(millis_each).map(Duration::from_millis).map(Self).ok_or_else(bad)
    }
}

/// A [`Time`] with its unit.
struct TimeOfFile(Time);

impl FromStr for TimeOfFile {
    type Err = BadTimeOfFile;

    fn from_str(text: &str) -> Result<Self, BadTimeOfFile> {
        let bad = || BadTimeOfFile(text.to_owned());
        if text.ends_with(|last: char| last.is_ascii_digit()) {
            return Err(bad());
        }
        text.parse().map(Self).map_err(|_: BadTime| bad())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TimeOfFile::deserialize(deserializer).map(|TimeOfFile(time)| time)
    }
}

impl FromStr for Size {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        let bad = || BadSize(text.to_owned());
        let (number, unit) = number_and_unit(text).ok_or_else(bad)?;
        let shift = match unit {
            "" | "B" => 0,
            "KiB" | "k" | "K" => 10,
            "MiB" | "M" => 20,
            "GiB" | "G" => 30,
            "TiB" | "T" => 40,
            _ => return Err(bad()),
        };
        number.checked_mul(1 << shift).map(Self).ok_or_else(bad)
    }
}

/// Takes `64 KiB` or `64KiB` apart.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start_matches(' ')))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis {
            0 => f.write_str("0s"),
            _ if millis.is_multiple_of(3_600_000) => write!(f, "{}h", millis / 3_600_000),
            _ if millis.is_multiple_of(60_000) => write!(f, "{}m", millis / 60_000),
            _ if millis.is_multiple_of(1_000) => write!(f, "{}s", millis / 1_000),
            _ => write!(f, "{millis}ms"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
            .into_iter()
            .find(|(shift, _)| self.0 != 0 && self.0.is_multiple_of(1 << shift))
            .map_or((self.0, "B"), |(shift, unit)| (self.0 >> shift, unit));
        write!(f, "{number}{unit}")
    }
}

impl FromStr for HostName {
    type Err = ParseHostPatternError;

    fn from_str(text: &str) -> Result<Self, ParseHostPatternError> {
        text.parse().map(Self)
    }
}

impl FromStr for Addresses {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        text.parse().map(Self)
    }
}

/// Written as it is read.
macro_rules! write_as_string {
    ($($type:ty),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

write_as_string!(Time, Size, Addresses);

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Read from a string, inside serde's visitor: only there does an error know its place in a list.
macro_rules! read_from_string {
    ($($type:ty: $expected:literal),*) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::spelling::Text::expecting($expected))
            }
        }
    )*};
}

read_from_string!(
    TimeOfFile: "a time, e.g. \"10s\"",
    BareEndpoint: "an endpoint, e.g. \"tcp://127.0.0.1:6666\"",
    HttpEndpoint: "an endpoint, e.g. \"http://127.0.0.1:8080\"",
    HostName: "a host, e.g. \"example.org\"",
    Addresses: "addresses, e.g. \"192.0.2.0/24\""
);

pub(crate) use read_from_string;
use write_as_string;

/// Visits a string.
pub(crate) struct Text<T> {
    expected: &'static str,
    read: PhantomData<T>,
}

impl<T> Text<T> {
    /// Visits one that is `expected` to be this.
    pub(crate) fn expecting(expected: &'static str) -> Self {
        Self { expected, read: PhantomData }
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;

        impl Visitor<'_> for SizeVisitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, e.g. \"64KiB\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Size, E> {
                u64::try_from(number).map(Size).map_err(|_| E::custom(BadSize(number.to_string())))
            }
        }

        deserializer.deserialize_any(SizeVisitor)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SwitchVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for SwitchVisitor<T> {
            type Value = Switch<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or a table that says how")
            }

            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Switch<T>, E> {
                Ok(if is_on { Switch::On(T::default()) } else { Switch::Off })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Switch::On)
            }
        }

        deserializer.deserialize_any(SwitchVisitor(PhantomData))
    }
}

impl<T> Switch<T> {
    /// How it is asked for, if it is.
    pub(crate) fn as_option(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(how) => Some(how),
        }
    }
}

impl<T> From<Option<T>> for Switch<T> {
    fn from(how: Option<T>) -> Self {
        how.map_or(Self::Off, Self::On)
    }
}

/// Reads one value or a list of them.
///
/// serde's own untagged enums would forget which value of the list is wrong.
pub(crate) fn one_or_more<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: fmt::Display>,
{
    struct OneOrMore<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + FromStr<Err: fmt::Display>> Visitor<'de> for OneOrMore<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or a list of strings")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            text.parse().map(|value| vec![value]).map_err(E::custom)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }

    deserializer.deserialize_any(OneOrMore(PhantomData))
}

/// The same of who means something by it: an empty list is no way to leave it out.
pub(crate) fn one_at_least<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: fmt::Display>,
{
    let list = one_or_more(deserializer)?;
    if list.is_empty() {
        return Err(de::Error::custom("an empty list: expected one or more"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_print_as_they_are_written() {
        for text in ["250ms", "10s", "5m", "1h", "0s", "90s"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        for text in ["512B", "64KiB", "10MiB", "1GiB", "0B"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("64 KiB".parse::<Size>(), Ok(Size(65_536)));
        for (text, expect) in [("1k", 1 << 10), ("1K", 1 << 10), ("2M", 2 << 20), ("1G", 1 << 30)] {
            assert_eq!(text.parse::<Size>(), Ok(Size(expect)));
        }
        assert_eq!("10".parse::<Time>().unwrap().to_string(), "10s");
        assert_eq!("10".parse::<TimeOfFile>().map(|_| ()), Err(BadTimeOfFile("10".to_owned())));
    }

    #[test]
    fn what_is_no_time_and_no_size_is_refused() {
        for text in ["", "s", "10 weeks", "-1s", "1.5s", "99999999999999999999s"] {
            assert_eq!(text.parse::<Time>(), Err(BadTime(text.to_owned())));
        }
        let told = "5x".parse::<Time>().unwrap_err().to_string();
        assert!(told.contains("expected seconds, or a number and ms, s, m, h or d"), "{told}");
        for text in ["", "KiB", "64KB", "64m", "k", "-1", "99999999999GiB"] {
            assert_eq!(text.parse::<Size>(), Err(BadSize(text.to_owned())));
        }
    }
}
