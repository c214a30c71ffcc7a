//! `Cache-Control`, as written by people ([RFC 9111 §5.2]).
//!
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

use std::{borrow::Cow, time::Duration};

use relais_wire::list;

use super::{Directives, Flag, SECONDS_MAX, field_names, flag, parse_seconds};

/// No directive's name is longer.
const NAME_BYTES_MAX: usize = 32;

/// Reads the values of all `Cache-Control` fields of a message.
///
/// Names are in any case; an argument may be quoted or not. Of a directive that comes twice the
/// first counts. What cannot be read is read as the strictest thing it could be: `max-age=x` is
/// `max-age=0`, `no-cache=""` is `no-cache`, and `public=x` is nothing.
pub(crate) fn read_cache_control<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Directives {
    let mut directives = Directives::default();
    for part in values.into_iter().flat_map(|value| list::parts(value, b',')) {
        let equals = part.iter().position(|&byte| byte == b'=');
        let (name, argument) = match equals {
            Some(at) => (&part[..at], Argument::of(&part[at + 1..])),
            None => (part, Argument::None),
        };
        // `max-age =60` is meant as a directive, but is not one.
        let bare = list::trim(name);
        let argument = if bare.len() == name.len() { argument } else { Argument::Malformed };
        let mut lower = [0; NAME_BYTES_MAX];
        let Some(lower) = lower.get_mut(..bare.len()) else { continue };
        lower.copy_from_slice(bare);
        lower.make_ascii_lowercase();
        add(&mut directives, lower, &argument);
    }
    directives
}

enum Argument<'a> {
    None,
    /// Without the quotes, if it had any.
    Text(Cow<'a, [u8]>),
    Malformed,
}

impl<'a> Argument<'a> {
    fn of(text: &'a [u8]) -> Self {
        let Some(quoted) = text.strip_prefix(b"\"") else {
            let is_token = !text.is_empty() && !text.iter().any(|byte| b" \t\"".contains(byte));
            return if is_token { Self::Text(text.into()) } else { Self::Malformed };
        };
        let Some(quoted) = quoted.strip_suffix(b"\"") else { return Self::Malformed };
        let mut bytes = quoted.iter();
        let mut plain = Vec::with_capacity(quoted.len());
        while let Some(&byte) = bytes.next() {
            match byte {
                b'"' => return Self::Malformed,
                b'\\' => plain.extend(bytes.next()),
                _ => plain.push(byte),
            }
        }
        Self::Text(plain.into())
    }
}

fn add(directives: &mut Directives, name: &[u8], argument: &Argument<'_>) {
    if let Some(flag) = flag(name) {
        return add_flag(directives, flag, argument);
    }
    let Some(place) = directives.number(name) else { return };
    let number = match argument {
        Argument::Text(text) => parse_seconds(text),
        Argument::None | Argument::Malformed => None,
    };
    let strictest = match (name, argument) {
        (b"max-age" | b"s-maxage", _) => Some(Duration::ZERO),
        (b"max-stale", Argument::None) | (b"min-fresh", _) => Some(SECONDS_MAX),
        _ => None,
    };
    *place = place.or(number).or(strictest);
}

fn add_flag(directives: &mut Directives, flag: Flag, argument: &Argument<'_>) {
    match (flag, argument) {
        (Flag::NoCache | Flag::Private, Argument::Text(names)) => match field_names(names) {
            Some(names) => directives.withheld.extend(names),
            None => directives.add(flag),
        },
        // These allow something: what is not understood does not.
        (
            Flag::Public | Flag::MustUnderstand | Flag::Immutable,
            Argument::Text(_) | Argument::Malformed,
        ) => (),
        _ => directives.add(flag),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directives_are_read_in_any_case() {
        check("max-age=60", "max-age=60");
        check("MaX-aGe=60, PUBLIC", "public max-age=60");
        check("foobar, max-age=60,,x=y", "max-age=60");
        check("no-store,private", "no-store private");
        check(
            "must-revalidate, proxy-revalidate, must-understand, immutable, only-if-cached",
            "must-revalidate proxy-revalidate must-understand immutable only-if-cached",
        );
        check("stale-while-revalidate=1, stale-if-error=2", "swr=1 sie=2");
        check("min-fresh=3, max-stale=4", "max-stale=4 min-fresh=3");
        check("max-stale", "max-stale=2147483648");
        check("", "");
    }

    #[test]
    fn numbers_are_quoted_or_not_and_have_an_end() {
        check("max-age=\"60\"", "max-age=60");
        check("max-age=\"6\\0\"", "max-age=60");
        check("max-age=0060", "max-age=60");
        check("max-age=2147483649", "max-age=2147483648");
        check("max-age=99999999999999999999999999", "max-age=2147483648");
    }

    #[test]
    fn numbers_that_are_none_are_stale() {
        for text in [
            "max-age",
            "max-age=",
            "max-age=x",
            "max-age=-1",
            "max-age=1.0",
            "max-age=1.5",
            "max-age='60'",
            "max-age =60",
            "max-age= 60",
            "max-age=60x",
            "max-age=+60",
            "max-age=\"60",
            "max-age=6\"0\"",
            "max-age=6 0",
        ] {
            check(text, "max-age=0");
        }
        check("s-maxage=x", "s-maxage=0");
        check("max-stale=x, stale-if-error=x, stale-while-revalidate", "");
        check("min-fresh=x", "min-fresh=2147483648");
    }

    #[test]
    fn the_first_of_two_counts() {
        check("max-age=60, max-age=1", "max-age=60");
        check("max-age=1, max-age=60", "max-age=1");
        check("max-age=x, max-age=60", "max-age=0");
        check("max-age=1\nmax-age=60", "max-age=1");
    }

    #[test]
    fn what_is_quoted_is_no_directive() {
        check("ext=\"max-age=60, no-store\", max-age=1", "max-age=1");
        check("max-age=1, ext=\"max-age=60\"", "max-age=1");
        check("ext=\"\\\", no-store\"", "");
    }

    #[test]
    fn fields_may_be_named() {
        check("no-cache=\"A, b\"", "withheld=a,b");
        check("private=set-cookie", "withheld=set-cookie");
        check("private=\"a\", private", "private withheld=a");
        check("no-cache=\"\"", "no-cache");
        check("no-cache=\"a b\"", "no-cache");
        check("private=\"a", "private");
    }

    #[test]
    fn what_is_odd_forbids_and_never_allows() {
        check("no-store=x", "no-store");
        check("must-revalidate=0", "must-revalidate");
        check("public=x", "");
        check("must-understand=\"\"", "");
        check("no-store =x", "no-store");
        check("no-store-at-all-and-a-very-long-name-indeed", "");
    }

    proptest! {
        #[test]
        fn nothing_panics(value: Vec<u8>, text in "[-a-z=\", 0-9\\\\]{0,60}") {
            read_cache_control([&value[..], text.as_bytes()]);
        }
    }

    #[track_caller]
    fn check(lines: &str, expect: &str) {
        let read = read_cache_control(lines.split('\n').map(str::as_bytes));
        assert_eq!(super::super::tests::text(&read), expect, "for {lines:?}");
    }
}
