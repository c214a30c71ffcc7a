//! What a path means to servers: some read more in it than a URI says.

use std::borrow::Cow;

use relais_wire::target::file_path;

use super::parameter::decoded;
use crate::key::Key;

/// What the path of a key may mean, decoded and resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meant<'k> {
    /// All of it.
    path: Cow<'k, [u8]>,
    /// The same without what is behind a `;` in each name, where there is one: Tomcat, Jetty and
    /// Spring know `/a;b/c` by `/a/c`.
    cut: Option<Vec<u8>>,
}

/// The path of `key`; `None` if servers may resolve it in more than one way.
pub(crate) fn meant_by(key: &Key) -> Option<Meant<'_>> {
    let written = key.path_and_query().split('?').next().unwrap_or_default().as_bytes();
    let path = file_path(written).ok()?.path;
    if is_read_twice(&path) {
        return None;
    }
    if !written.iter().any(|byte| b";%".contains(byte)) {
        return Some(Meant { path, cut: None });
    }
    let written = decoded(written);
    if !written.contains(&b';') {
        return Some(Meant { path, cut: None });
    }
    // How far `..` leads up depends on whether `/;x/` has a name.
    if written.split(|&byte| byte == b'/').any(|name| name == b"..") {
        return None;
    }
    let cut = Some(cut(&path));
    Some(Meant { path, cut })
}

impl Meant<'_> {
    /// Each path that it may be; the first is the one that URIs are read by.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.path).chain(self.cut.as_deref())
    }
}

/// `path` without what is behind a `;` in each name, and without names that are empty then.
fn cut(path: &[u8]) -> Vec<u8> {
    let before = |name: &'_ [u8]| name.iter().position(|&byte| byte == b';').unwrap_or(name.len());
    let names = path.split(|&byte| byte == b'/').map(|name| &name[..before(name)]);
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(&b'/')
}

/// Whether a path that was resolved may be resolved further: by servers that decode it once more,
/// that take what is behind a `;` off each name and so find `..` in `/a/..;/b`, or that take for a
/// dot or a slash what looks like one, or was once a way to write it.
fn is_read_twice(path: &[u8]) -> bool {
    path.contains(&b'%')
        || is_overlong(path)
        || String::from_utf8_lossy(path).split(is_slash).any(is_dots)
}

/// Whether a character is written with more bytes than it needs ([RFC 3629 §3]): `%c0%af` for a
/// slash.
///
/// [RFC 3629 §3]: https://www.rfc-editor.org/rfc/rfc3629#section-3
fn is_overlong(path: &[u8]) -> bool {
    path.windows(2).any(|bytes| {
        matches!(bytes, [0xc0 | 0xc1, 0x80..0xc0] | [0xe0, 0x80..0xa0] | [0xf0, 0x80..0x90])
    })
}

/// A slash of either kind, or what is made into one where text is normalised: fullwidth ones, those
/// of fractions and divisions.
fn is_slash(character: char) -> bool {
    matches!(character, '/' | '\\' | '\u{ff0f}' | '\u{ff3c}' | '\u{2044}' | '\u{2215}')
}

/// A dot, or what is made into one or two of them.
fn is_dot(character: char) -> bool {
    matches!(character, '.' | '\u{ff0e}' | '\u{2024}' | '\u{2025}')
}

/// Whether a name is `.` or `..` to those who take spaces off it, or all from a `;`, `?` or `#`.
fn is_dots(name: &str) -> bool {
    let name = name.trim_start();
    let rest = name.trim_start_matches(is_dot);
    let dots = name[..name.len() - rest.len()].chars().count();
    let is_end = |character: char| {
        character.is_whitespace() || matches!(character, ';' | '\u{ff1b}' | '?' | '#')
    };
    (1..=2).contains(&dots) && rest.chars().next().is_none_or(is_end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_decoded_and_resolved() {
        check("/a/%62/../c?d", "a/c");
        check("//a/./b/", "a/b");
        check("/", "");
        check("/caf%c3%a9/%ef%bc%8f", "caf\u{e9}/\u{ff0f}");
        check("/a/.b/...c/d..", "a/.b/...c/d..");
    }

    #[test]
    fn parameters_of_a_path_are_cut_off_by_some() {
        check("/a;b", "a;b | a");
        check("/a%3Bb/c;d;e", "a;b/c;d;e | a/c");
        check("/;x/a", ";x/a | a");
        check("/a;/b", "a;/b | a/b");
        check("/;", "; | ");
        check("/a?b;c", "a");
    }

    #[test]
    fn what_may_lead_elsewhere_means_nothing_for_sure() {
        for path in [
            "/a/..%2fb",
            "/a/..%252fb",
            "/a/..;/b",
            "/a/.;x/b",
            "/a;/../b",
            "/a/;/../../b",
            "/a%3b/x/%2e%2e/b",
            "/a/..%c0%afb",
            "/a%c0%afb",
            "/a/%c0%ae%c0%ae/b",
            "/a/%e0%80%ae%e0%80%ae/b",
            "/a/%f0%80%80%ae/b",
            "/a/..%ef%bc%8fb",
            "/a/..%e2%88%95b",
            "/a/%ef%bc%8e%ef%bc%8e/b",
            "/a/%e2%80%a5/b",
            "/a/..%20/b",
            "/a/%20../b",
            "/a/..%e3%80%80/b",
            "/a/..%09/b",
            "/a/..%5cb",
            "/a/..%3fb",
            "/a/..%23/b",
            "/a/..%00/b",
        ] {
            let key = Key::of("http", "h", path).unwrap();
            assert_eq!(meant_by(&key), None, "for {path:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(path in "[/.;%a-f0-9?\u{ff0f}\u{ff0e} ]{0,24}") {
            let key = Key::of("http", "h", &path).unwrap();
            if let Some(meant) = meant_by(&key) {
                prop_assert!(meant.paths().all(|path| !path.starts_with(b"/")));
            }
        }
    }

    #[track_caller]
    fn check(path: &str, expect: &str) {
        let key = Key::of("http", "h", path).unwrap();
        let meant = meant_by(&key).unwrap();
        let paths: Vec<_> = meant.paths().map(String::from_utf8_lossy).collect();
        assert_eq!(paths.join(" | "), expect, "for {path:?}");
    }
}
