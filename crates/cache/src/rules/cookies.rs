//! The cookies of a request, as far as they tell answers apart ([RFC 6265 §4.2.1]).
//!
//! [RFC 6265 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1

use std::fmt::Write;

use http::{HeaderMap, HeaderValue, header::COOKIE};
use relais_wire::list::trim;

/// Appends to `by` a line for each cookie of these `names` that `headers` have.
///
/// Servers do not agree on a line that is no list of cookies, as `a=1, b=2` or `a="; b=2`: each may
/// find one there that others do not. All of it counts, then.
pub(super) fn tell_apart(names: &[String], headers: &HeaderMap, by: &mut String) {
    if names.is_empty() {
        return;
    }
    let lines = || headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    for name in names {
        for value in lines().filter(|line| is_plain(line)).flat_map(pairs).filter_map(|pair| {
            let (found, value) = pair?;
            (found == name.as_bytes()).then_some(value)
        }) {
            add(by, format_args!("cookie {name}: {}", value.escape_ascii()));
        }
    }
    for line in lines().filter(|line| !is_plain(line)) {
        add(by, format_args!("cookies: {}", line.escape_ascii()));
    }
}

fn add(by: &mut String, part: std::fmt::Arguments<'_>) {
    write!(by, "\n{part}").expect("a string takes everything");
}

/// What stands between its semicolons, and is not empty: names and values, or `None` for what is no
/// pair.
fn pairs(line: &[u8]) -> impl Iterator<Item = Option<(&[u8], &[u8])>> {
    let parts = line.split(|&byte| byte == b';').map(trim).filter(|part| !part.is_empty());
    parts.map(|part| {
        let at = part.iter().position(|&byte| byte == b'=')?;
        Some((trim(&part[..at]), trim(&part[at + 1..])))
    })
}

/// Whether every server finds the same cookies in `line`.
fn is_plain(line: &[u8]) -> bool {
    pairs(line).all(|pair| pair.is_some_and(|(name, value)| is_token(name) && is_value(value)))
}

fn is_token(name: &[u8]) -> bool {
    let is_part = |&byte: &u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    !name.is_empty() && name.iter().all(is_part)
}

fn is_value(value: &[u8]) -> bool {
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let is_octet = |&byte: &u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    quoted.unwrap_or(value).iter().all(is_octet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::fields;

    #[test]
    fn cookies_count_by_their_names() {
        check("a=b; lang=de;langs=x", "\ncookie lang: de");
        check("lang=a; lang=b", "\ncookie lang: a\ncookie lang: b");
        check("lang=", "\ncookie lang: ");
        check("lang=a=b", "\ncookie lang: a=b");
        check(
            "lang=\"de\"",
            r#"
cookie lang: \"de\""#,
        );
        check("$Version=1; lang=de", "\ncookie lang: de");
        check("LANG=de; a=1;", "");
        check("", "");
    }

    #[test]
    fn spaces_around_names_and_values_do_not_count() {
        check("lang =de", "\ncookie lang: de");
        check("a=1;lang\t= de ;b=2", "\ncookie lang: de");
    }

    #[test]
    fn all_of_a_line_counts_that_is_no_list_of_cookies() {
        for line in [
            "a=1, lang=de",
            "a=1 lang=de",
            r#""lang"=de"#,
            r#"a="; lang=de; ""#,
            "lang",
            "=lang",
            "a=1; lang; b=2",
            "{a}=1; lang=de",
            r"a=1; b=\x",
        ] {
            let expect = format!("\ncookies: {}", line.as_bytes().escape_ascii());
            check(line, &expect);
        }
        let mut by = String::new();
        let two = fields("cookie: lang=de\ncookie: a, lang=fr");
        tell_apart(&["lang".to_owned()], &two, &mut by);
        assert_eq!(by, "\ncookie lang: de\ncookies: a, lang=fr");
    }

    #[test]
    fn nothing_counts_where_no_name_was_given() {
        let mut by = String::new();
        tell_apart(&[], &fields("cookie: a, b"), &mut by);
        assert_eq!(by, "");
    }

    proptest! {
        #[test]
        fn nothing_panics(line: Vec<u8>) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let headers = HeaderMap::from_iter([(COOKIE, value)]);
                tell_apart(&["a".to_owned()], &headers, &mut String::new());
            }
        }
    }

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let mut by = String::new();
        tell_apart(&["lang".to_owned()], &fields(&format!("cookie: {line}")), &mut by);
        assert_eq!(by, expect, "for {line:?}");
    }
}
