//! Cache directives: what messages tell caches ([RFC 9111 §5.2]).
//!
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

mod cache_control;
mod control;
mod dictionary;
mod targeted;

use std::time::Duration;

use http::HeaderName;

pub(crate) use self::{
    cache_control::read_cache_control,
    control::{Control, ControlSource},
    dictionary::{Value as Member, read_dictionary as read_members, read_strings},
    targeted::read_targeted,
};

/// A directive that is there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `no-store`
    NoStore = 1,
    /// `no-cache`, of the whole response.
    NoCache = 1 << 1,
    /// `private`, of the whole response.
    Private = 1 << 2,
    /// `public`
    Public = 1 << 3,
    /// `must-revalidate`
    MustRevalidate = 1 << 4,
    /// `proxy-revalidate`
    ProxyRevalidate = 1 << 5,
    /// `must-understand`
    MustUnderstand = 1 << 6,
    /// `immutable` (RFC 8246): something for the clients' caches, kept for `explain`.
    Immutable = 1 << 7,
    /// `only-if-cached`
    OnlyIfCached = 1 << 8,
}

/// What the directives of a message say. Requests and responses share one set of names; each has
/// some that mean nothing in the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    flags: u16,
    /// `max-age`. Zero if its value is no number: invalid freshness is staleness
    /// ([RFC 9111 §4.2.1]).
    ///
    /// [RFC 9111 §4.2.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1
    pub max_age: Option<Duration>,
    /// `s-maxage`; see `max_age`.
    pub s_maxage: Option<Duration>,
    /// `max-stale`; the longest there is if it is given without a value.
    pub max_stale: Option<Duration>,
    /// `min-fresh`
    pub min_fresh: Option<Duration>,
    /// `stale-while-revalidate` (RFC 5861)
    pub stale_while_revalidate: Option<Duration>,
    /// `stale-if-error` (RFC 5861)
    pub stale_if_error: Option<Duration>,
    /// The fields that `no-cache="…"` and `private="…"` name: those are not kept.
    pub withheld: Vec<HeaderName>,
}

impl Directives {
    /// Whether `flag` is there.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u16 != 0
    }

    pub(crate) fn add(&mut self, flag: Flag) {
        self.flags |= flag as u16;
    }

    /// Where the number of the directive called `name` goes; `None` if it has none.
    ///
    /// `name` is in lower case.
    fn number(&mut self, name: &[u8]) -> Option<&mut Option<Duration>> {
        match name {
            b"max-age" => Some(&mut self.max_age),
            b"s-maxage" => Some(&mut self.s_maxage),
            b"max-stale" => Some(&mut self.max_stale),
            b"min-fresh" => Some(&mut self.min_fresh),
            b"stale-while-revalidate" => Some(&mut self.stale_while_revalidate),
            b"stale-if-error" => Some(&mut self.stale_if_error),
            _ => None,
        }
    }
}

/// The flag called `name`, which is in lower case.
fn flag(name: &[u8]) -> Option<Flag> {
    Some(match name {
        b"no-store" => Flag::NoStore,
        b"no-cache" => Flag::NoCache,
        b"private" => Flag::Private,
        b"public" => Flag::Public,
        b"must-revalidate" => Flag::MustRevalidate,
        b"proxy-revalidate" => Flag::ProxyRevalidate,
        b"must-understand" => Flag::MustUnderstand,
        b"immutable" => Flag::Immutable,
        b"only-if-cached" => Flag::OnlyIfCached,
        _ => return None,
    })
}

/// The names in `list`, as `no-cache="…"` has them; `None` if it holds no name, or something else.
fn field_names(list: &[u8]) -> Option<Vec<HeaderName>> {
    let names: Vec<_> = relais_wire::list::parts(list, b',')
        .map(HeaderName::from_bytes)
        .collect::<Result<_, _>>()
        .ok()?;
    (!names.is_empty()).then_some(names)
}

/// The longest time that is told from longer ones ([RFC 9111 §1.2.2]).
///
/// [RFC 9111 §1.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2
pub(crate) const SECONDS_MAX: Duration = Duration::from_secs(1 << 31);

/// Reads a number of seconds; what is more than [`SECONDS_MAX`] becomes that. `None` if there is
/// anything but digits, or nothing.
pub(crate) fn parse_seconds(digits: &[u8]) -> Option<Duration> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append =
        |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(Duration::from_secs(digits.iter().fold(0, append)).min(SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `directives` as a line of words, for tables.
    pub(super) fn text(directives: &Directives) -> String {
        const FLAGS: &[(Flag, &str)] = &[
            (Flag::NoStore, "no-store"),
            (Flag::NoCache, "no-cache"),
            (Flag::Private, "private"),
            (Flag::Public, "public"),
            (Flag::MustRevalidate, "must-revalidate"),
            (Flag::ProxyRevalidate, "proxy-revalidate"),
            (Flag::MustUnderstand, "must-understand"),
            (Flag::Immutable, "immutable"),
            (Flag::OnlyIfCached, "only-if-cached"),
        ];
        let flags = FLAGS.iter().filter(|(flag, _)| directives.has(*flag));
        let mut words: Vec<_> = flags.map(|(_, name)| (*name).to_owned()).collect();
        let numbers = [
            ("max-age", directives.max_age),
            ("s-maxage", directives.s_maxage),
            ("max-stale", directives.max_stale),
            ("min-fresh", directives.min_fresh),
            ("swr", directives.stale_while_revalidate),
            ("sie", directives.stale_if_error),
        ];
        for (name, number) in numbers {
            words.extend(number.map(|number| format!("{name}={}", number.as_secs())));
        }
        if !directives.withheld.is_empty() {
            let names: Vec<_> = directives.withheld.iter().map(HeaderName::as_str).collect();
            words.push(format!("withheld={}", names.join(",")));
        }
        words.join(" ")
    }
}
