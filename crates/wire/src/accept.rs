//! What a client would rather have: `Accept-Encoding` and `Accept` ([RFC 9110 §12.5]).
//!
//! Weights (`q=0.8`) are thousandths here: 0 is "not at all", 1000 is "best". Elements that are
//! malformed are passed over, since a preference is no reason to refuse a request.
//!
//! [RFC 9110 §12.5]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5

use crate::class::is_token;
use crate::list::{self, trim};

/// How a body may be coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `zstd` (RFC 8878)
    Zstd,
    /// `br` (RFC 7932)
    Br,
    /// `gzip`, also called `x-gzip` (RFC 1952)
    Gzip,
    /// Not coded at all.
    Identity,
}

impl Coding {
    /// The name, as `Content-Encoding` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Br => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let named = |coding: &Self| coding.as_str().as_bytes().eq_ignore_ascii_case(name);
        let alias = name.eq_ignore_ascii_case(b"x-gzip").then_some(Self::Gzip);
        [Self::Zstd, Self::Br, Self::Gzip, Self::Identity].into_iter().find(named).or(alias)
    }
}

/// How welcome each coding is, in thousandths; 0 is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codings {
    /// For [`Coding::Zstd`].
    pub zstd: u16,
    /// For [`Coding::Br`].
    pub br: u16,
    /// For [`Coding::Gzip`].
    pub gzip: u16,
    /// For [`Coding::Identity`].
    pub identity: u16,
}

impl Codings {
    /// How welcome `coding` is.
    pub fn quality(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Zstd => self.zstd,
            Coding::Br => self.br,
            Coding::Gzip => self.gzip,
            Coding::Identity => self.identity,
        }
    }

    /// The most welcome of `offered`, and of equals the first; `None` if none is acceptable.
    pub fn best(&self, offered: &[Coding]) -> Option<Coding> {
        let mut best = None;
        let mut best_quality = 0;
        for &coding in offered {
            if self.quality(coding) > best_quality {
                best = Some(coding);
                best_quality = self.quality(coding);
            }
        }
        best
    }
}

/// Reads the value of an `Accept-Encoding` field.
///
/// *Shape*: `br, gzip;q=0.8, *;q=0`. If a coding is named twice, the last counts. `*` is every
/// coding not named. `identity`, when neither named nor meant by `*`, is acceptable, but less than
/// all that is named.
///
/// Without a field, or with an empty one, only `identity` is acceptable: the RFC would allow every
/// coding, but who does not ask for one mostly cannot undo it.
pub fn codings(value: Option<&[u8]>) -> Codings {
    let mut named = [None; 4];
    let mut others = None;
    for element in list::parts(value.unwrap_or_default(), b',') {
        let mut parts = list::parts(element, b';');
        let name = parts.next().unwrap_or_default();
        let weight = parts.next().map_or(Some(1000), quality);
        let (Some(weight), None) = (weight, parts.next()) else { continue };
        match Coding::parse(name) {
            Some(coding) => named[coding as usize] = Some(weight),
            None if name == b"*" => others = Some(weight),
            None => {}
        }
    }
    let [zstd, br, gzip, identity] = named.map(|weight| weight.or(others));
    Codings {
        zstd: zstd.unwrap_or(0),
        br: br.unwrap_or(0),
        gzip: gzip.unwrap_or(0),
        identity: identity.unwrap_or(1),
    }
}

/// How welcome `kind/subtype` is, by the value of an `Accept` field: 0 to 1000.
///
/// The most specific range that matches counts, whatever the others say: `text/html` before
/// `text/html;level=1` before `text/*` before `*/*`; of equals the last. Parameters are not
/// compared, for there is no variant here that differs by them. Without a field, or with one that
/// has no well-formed element, everything is welcome.
pub fn media_quality(accept: Option<&[u8]>, kind: &str, subtype: &str) -> u16 {
    let mut found = None;
    let mut told = false;
    for element in list::parts(accept.unwrap_or_default(), b',') {
        let Some(range) = MediaRange::parse(element) else { continue };
        told = true;
        let Some(closeness) = range.closeness(kind, subtype) else { continue };
        if found.is_none_or(|(closest, _)| closest <= closeness) {
            found = Some((closeness, range.quality));
        }
    }
    match found {
        Some((_, quality)) => quality,
        None if told => 0,
        None => 1000,
    }
}

/// Whether JSON is more welcome than HTML: so for programs that ask for it; not for browsers, and
/// not for who takes anything, like `curl` left to itself.
pub fn prefers_json(accept: Option<&[u8]>) -> bool {
    media_quality(accept, "application", "json") > media_quality(accept, "text", "html")
}

struct MediaRange<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    with_parameters: bool,
    quality: u16,
}

impl<'a> MediaRange<'a> {
    fn parse(element: &'a [u8]) -> Option<Self> {
        let mut parts = list::parts(element, b';');
        let name = parts.next()?;
        let slash = name.iter().position(|&byte| byte == b'/')?;
        let (kind, subtype) = (&name[..slash], &name[slash + 1..]);
        let tokens = [kind, subtype].iter().all(|name| is_token(name));
        if !tokens || (kind == b"*" && subtype != b"*") {
            return None;
        }
        let mut range = Self { kind, subtype, with_parameters: false, quality: 1000 };
        for parameter in parts {
            if matches!(parameter, [b'q' | b'Q', b'=', ..]) {
                range.quality = quality(parameter)?;
                // What follows the weight is none of the type's parameters.
                break;
            }
            range.with_parameters = true;
        }
        Some(range)
    }

    /// How closely the range describes a type that it matches.
    fn closeness(&self, kind: &str, subtype: &str) -> Option<u8> {
        if self.kind == b"*" {
            return Some(0);
        }
        if !self.kind.eq_ignore_ascii_case(kind.as_bytes()) {
            return None;
        }
        if self.subtype == b"*" {
            return Some(1);
        }
        let same = self.subtype.eq_ignore_ascii_case(subtype.as_bytes());
        same.then_some(if self.with_parameters { 2 } else { 3 })
    }
}

/// Reads `q=0.8` ([RFC 9110 §12.4.2]): at most three decimals, at most 1.
///
/// [RFC 9110 §12.4.2]: https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2
fn quality(weight: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), decimals @ ..] = trim(weight) else {
        return None;
    };
    let decimals = match decimals {
        [] => &[][..],
        [b'.', decimals @ ..] if decimals.len() <= 3 => decimals,
        _ => return None,
    };
    let mut quality = u16::from(whole - b'0') * 1000;
    for (digit, unit) in decimals.iter().zip([100, 10, 1]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        quality += u16::from(digit - b'0') * unit;
    }
    (quality <= 1000).then_some(quality)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Coding; 4] = [Coding::Zstd, Coding::Br, Coding::Gzip, Coding::Identity];

    #[test]
    fn codings_are_weighed() {
        // zstd, br, gzip, identity
        check("gzip", [0, 0, 1000, 1]);
        check("gzip, deflate, br, zstd", [1000, 1000, 1000, 1]);
        check("GZip;Q=0.5", [0, 0, 500, 1]);
        check("x-gzip", [0, 0, 1000, 1]);
        check("br ; q=0.25,\tgzip;q=0.125", [0, 250, 125, 1]);
        check("identity;q=0.5", [0, 0, 0, 500]);
        check("gzip;q=1, gzip;q=0", [0, 0, 0, 1]);
    }

    #[test]
    fn a_star_is_what_is_not_named() {
        check("*", [1000; 4]);
        check("*;q=0", [0; 4]);
        check("gzip, *;q=0", [0, 0, 1000, 0]);
        check("*;q=0.5, br", [500, 1000, 500, 500]);
        check("identity;q=0", [0; 4]);
        check("gzip, identity;q=0", [0, 0, 1000, 0]);
        check("*;q=0, identity", [0, 0, 0, 1000]);
    }

    #[test]
    fn malformed_codings_are_passed_over() {
        for element in [
            "",
            ",",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.0001",
            "gzip;q=",
            "gzip;q=.5",
            "gzip;q=-1",
            "gzip;q=0,5;",
            "gzip;q=1;x=2",
            "gzip;x=1",
            "gz ip",
            "gzip q=1",
            "gzip;q=0.x",
            "gzip; q = 1",
            "\"gzip\"",
            "gzip;q=00",
        ] {
            let value = format!("{element}, br;q=0.9");
            check(&value, [0, 900, 0, 1]);
        }
    }

    #[test]
    fn the_best_coding_is_the_first_of_equals() {
        let best = |value: &str, offered: &[Coding]| codings(Some(value.as_bytes())).best(offered);
        assert_eq!(best("gzip, br, zstd", &ALL), Some(Coding::Zstd));
        assert_eq!(best("gzip, br", &ALL), Some(Coding::Br));
        assert_eq!(best("gzip, br;q=0.9", &ALL), Some(Coding::Gzip));
        assert_eq!(best("gzip;q=0.001", &ALL), Some(Coding::Gzip));
        assert_eq!(best("deflate", &ALL), Some(Coding::Identity));
        assert_eq!(best("*;q=0", &ALL), None);
        assert_eq!(best("br", &[Coding::Gzip]), None);
        assert_eq!(best("*", &[]), None);
        assert_eq!(codings(None).best(&ALL), Some(Coding::Identity));
        assert_eq!(codings(Some(b"")).best(&ALL), Some(Coding::Identity));
    }

    #[test]
    fn the_most_specific_media_range_counts() {
        check_html("text/html", 1000);
        check_html("TEXT/Html;q=0.5", 500);
        check_html("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", 700);
        check_html("text/html;q=0, */*", 0);
        check_html("text/*;q=0.2, */*;q=0.9", 200);
        check_html("*/*;q=0.1", 100);
        check_html("application/json", 0);
        check_html("text/plain, image/*", 0);
        check_html("text/html;level=1;q=0.9, text/html;q=0.3", 300);
        check_html("text/html;charset=utf-8;q=0.9", 900);
        check_html("text/html;x=\"a,b;q=0\";q=0.4, */*;q=0", 400);
        check_html("text/html;q=0.4;ext=1", 400);
    }

    #[test]
    fn malformed_media_ranges_are_passed_over() {
        check_html("", 1000);
        check_html("text", 1000);
        check_html("*/html", 1000);
        check_html("text/, /html, a b/c", 1000);
        check_html("text/html;q=x, */*;q=0.2", 200);
        assert_eq!(media_quality(None, "text", "html"), 1000);
    }

    #[test]
    fn programs_prefer_json_and_browsers_do_not() {
        let prefers = |accept: &str| prefers_json(Some(accept.as_bytes()));
        assert!(prefers("application/json"));
        assert!(prefers("application/json, text/html;q=0.9"));
        assert!(prefers("application/json, */*;q=0.5"));
        assert!(!prefers("*/*"));
        assert!(!prefers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!prefers_json(None));
    }

    proptest! {
        #[test]
        fn weights_read_back(weight in 0..=1000_u16) {
            let text = format!("q={}.{:03}", weight / 1000, weight % 1000);
            prop_assert_eq!(quality(text.as_bytes()), Some(weight));
        }

        #[test]
        fn nothing_panics(value: Vec<u8>, text in "[brgzip*;q=01., /a\"\\\\]{0,40}") {
            for value in [&value, text.as_bytes()] {
                let codings = codings(Some(value));
                prop_assert!(ALL.iter().all(|&coding| codings.quality(coding) <= 1000));
                prop_assert!(media_quality(Some(value), "a", "b") <= 1000);
            }
        }
    }

    #[track_caller]
    fn check(value: &str, expect: [u16; 4]) {
        let [zstd, br, gzip, identity] = expect;
        let expect = Codings { zstd, br, gzip, identity };
        assert_eq!(codings(Some(value.as_bytes())), expect, "for {value:?}");
    }

    #[track_caller]
    fn check_html(accept: &str, expect: u16) {
        let got = media_quality(Some(accept.as_bytes()), "text", "html");
        assert_eq!(got, expect, "for {accept:?}");
    }
}
