//! Which file a path means, and paths in links ([RFC 3986 §2.1, §5.2.4]).
//!
//! Whoever opens files still has to keep below its root by itself: a name here may be a symbolic
//! link there. This module keeps out what is wrong before any file system is asked.
//!
//! [RFC 3986 §2.1, §5.2.4]: https://www.rfc-editor.org/rfc/rfc3986#section-2.1

use std::borrow::Cow;
use std::fmt;

use crate::class::{PATH, UNRESERVED};

/// Why a path means no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// It does not start with a slash.
    #[error("path without a leading slash")]
    NotAbsolute,
    /// Its `..` lead out.
    #[error("path goes above the root")]
    AboveRoot,
    /// A byte that is no part of a name, encoded or not: NUL, a control, a backslash; or `?` or
    /// `#`, not encoded.
    #[error("{:?} in a path: expected a name", char::from(*.0))]
    Byte(u8),
    /// A slash or backslash, encoded: for some it separates, for others it does not.
    #[error("encoded separator in a path")]
    EncodedSeparator,
    /// A `%` without two hexadecimal digits.
    #[error("bad percent-encoding in a path: expected % and two hexadecimal digits")]
    Escape,
}

/// Where a file is, below a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath<'a> {
    /// Names with one slash between them, decoded; none of them empty, `.` or `..`. Empty for the
    /// root itself.
    pub path: Cow<'a, [u8]>,
    /// Whether a folder is meant: the path ended in a slash, in `.` or in `..`.
    pub directory: bool,
    /// Whether a name starts with a dot. `.well-known` in the first place (RFC 8615) does not
    /// count.
    pub dotted: bool,
}

/// Makes a path below a root of the path of a URI (what is before its `?`).
///
/// Percent-encodings are decoded, once; then `.` and `..` are resolved and slashes in a row
/// become one. So `/a/%2e%2e//b%20c` is `b c`.
///
/// *Cost*: a path without `%`, names that start with a dot, and empty names is borrowed; any other
/// costs one allocation, not longer than the path.
///
/// # Errors
///
/// [`BadPath`] for what no honest link holds.
pub fn file_path(raw_path: &[u8]) -> Result<FilePath<'_>, BadPath> {
    let Some(relative) = raw_path.strip_prefix(b"/") else { return Err(BadPath::NotAbsolute) };
    if !plain(raw_path) {
        return resolve(relative);
    }
    let (path, directory) = match relative.strip_suffix(b"/") {
        Some(path) => (path, true),
        None => (relative, relative.is_empty()),
    };
    Ok(FilePath { path: Cow::Borrowed(path), directory, dotted: false })
}

/// Prints one name percent-encoded, for a link or `Location`.
///
/// All but letters, digits and `-._~` is encoded, so the text is safe in HTML and never read as a
/// scheme, too.
pub fn encode_segment(name: &[u8]) -> impl fmt::Display + '_ {
    Encoded { bytes: name, slashes_stay: false }
}

/// Prints names with slashes between them (a [`FilePath::path`]) percent-encoded.
///
/// In a `Location`, put one slash before it: what has two at the start is another host's.
pub fn encode_path(path: &[u8]) -> impl fmt::Display + '_ {
    Encoded { bytes: path, slashes_stay: true }
}

/// Whether a path says what it means: nothing to decode, to resolve, to join or to refuse.
fn plain(raw_path: &[u8]) -> bool {
    let mut before = 0;
    for &byte in raw_path {
        if !PATH.has(byte) || (before == b'/' && matches!(byte, b'/' | b'.')) {
            return false;
        }
        before = byte;
    }
    true
}

/// Decodes and resolves `relative`, name by name.
fn resolve(relative: &[u8]) -> Result<FilePath<'static>, BadPath> {
    let mut path = Vec::with_capacity(relative.len());
    let mut directory = true;
    for raw in relative.split(|&byte| byte == b'/') {
        let parent = path.len();
        if parent > 0 {
            path.push(b'/');
        }
        let start = path.len();
        decode(raw, &mut path)?;
        directory = false;
        match &path[start..] {
            b"" | b"." => {
                path.truncate(parent);
                directory = true;
            }
            b".." if parent == 0 => return Err(BadPath::AboveRoot),
            b".." => {
                path.truncate(parent);
                let grandparent = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                path.truncate(grandparent);
                directory = true;
            }
            _ => {}
        }
    }
    let dotted = is_dotted(&path);
    Ok(FilePath { path: Cow::Owned(path), directory, dotted })
}

/// Appends the name that `raw` encodes to `path`.
fn decode(raw: &[u8], path: &mut Vec<u8>) -> Result<(), BadPath> {
    let mut rest = raw;
    while let [first, after @ ..] = rest {
        let (byte, after) = if *first == b'%' { decode_escape(after)? } else { (*first, after) };
        let encoded = *first == b'%';
        if encoded && matches!(byte, b'/' | b'\\') {
            return Err(BadPath::EncodedSeparator);
        }
        let named = PATH.has(byte) || (encoded && matches!(byte, b'?' | b'#' | b'%'));
        if !named {
            return Err(BadPath::Byte(byte));
        }
        path.push(byte);
        rest = after;
    }
    Ok(())
}

/// Reads the two digits after a `%`; gives what follows them, too.
fn decode_escape(digits: &[u8]) -> Result<(u8, &[u8]), BadPath> {
    let [high, low, rest @ ..] = digits else { return Err(BadPath::Escape) };
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(BadPath::Escape);
    let byte = digit(*high)? * 16 + digit(*low)?;
    Ok((u8::try_from(byte).expect("two hexadecimal digits"), rest))
}

/// Whether a name in `path` starts with a dot, see [`FilePath::dotted`].
pub fn is_dotted(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/')
        .enumerate()
        .any(|(at, name)| name.starts_with(b".") && !(at == 0 && name == b".well-known"))
}

#[derive(Clone, Copy)]
struct Encoded<'a> {
    bytes: &'a [u8],
    slashes_stay: bool,
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.bytes;
        while let [first, after @ ..] = rest {
            let plain = UNRESERVED.count(rest);
            if plain > 0 {
                f.write_str(std::str::from_utf8(&rest[..plain]).expect("unreserved is ASCII"))?;
                rest = &rest[plain..];
                continue;
            }
            if *first == b'/' && self.slashes_stay {
                f.write_str("/")?;
            } else {
                write!(f, "%{first:02X}")?;
            }
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_paths_are_borrowed() {
        check("/", "\"\" directory");
        check("/a", "\"a\"");
        check("/a/b.c", "\"a/b.c\"");
        check("/a/b/", "\"a/b\" directory");
        check("/a b~!", "\"a b~!\"");
        check("/ä", r#""\xc3\xa4""#);
        assert!(matches!(file_path(b"/a/b.c/").unwrap().path, Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_decoded_once() {
        check("/%61", "\"a\"");
        check("/a%20b", "\"a b\"");
        check("/%2561", "\"%61\"");
        check("/%252e%252e/a", "\"%2e%2e/a\"");
        check("/%252Fa", "\"%2Fa\"");
        check("/a%3Fb%23", "\"a?b#\"");
        check("/%C3%a4%ff", r#""\xc3\xa4\xff""#);
    }

    #[test]
    fn dots_are_resolved_and_slashes_joined() {
        check("/.", "\"\" directory");
        check("/./a", "\"a\"");
        check("/a/.", "\"a\" directory");
        check("/a/..", "\"\" directory");
        check("/a/../b", "\"b\"");
        check("/a/b/../../c", "\"c\"");
        check("/a/b/..", "\"a\" directory");
        check("/a/%2e%2E/b", "\"b\"");
        check("/a/.%2e/b", "\"b\"");
        check("//a", "\"a\"");
        check("//", "\"\" directory");
        check("/a//b", "\"a/b\"");
        check("/a//", "\"a\" directory");
        check("/a//../b", "\"b\"");
        check("/a/b/c/../d", "\"a/b/d\"");
    }

    #[test]
    fn nothing_goes_above_the_root() {
        for path in
            ["/..", "/../", "/../a", "/a/../..", "/a/../../a", "/%2e%2e", "/./../a", "//../a"]
        {
            check(path, "path goes above the root");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        check("", "path without a leading slash");
        check("a", "path without a leading slash");
        check("*", "path without a leading slash");
        check("http://a/", "path without a leading slash");
        check("/a%2Fb", "encoded separator in a path");
        check("/a%2fb", "encoded separator in a path");
        check("/..%2f..%2fa", "encoded separator in a path");
        check("/a%5Cb", "encoded separator in a path");
        check("/a\\b", "'\\\\' in a path: expected a name");
        check("/..\\a", "'\\\\' in a path: expected a name");
        check("/%00", "'\\0' in a path: expected a name");
        check("/a\0b", "'\\0' in a path: expected a name");
        check("/%0a", "'\\n' in a path: expected a name");
        check("/%7f", "'\\u{7f}' in a path: expected a name");
        check("/a\tb", "'\\t' in a path: expected a name");
        check("/a?b", "'?' in a path: expected a name");
        check("/a#b", "'#' in a path: expected a name");
        for path in ["/%", "/%4", "/%zz", "/%4/", "/%+1", "/%u0041", "/%%41"] {
            check(path, "bad percent-encoding in a path: expected % and two hexadecimal digits");
        }
    }

    #[test]
    fn dotted_names_are_told() {
        check("/.git/config", "\".git/config\" dotted");
        check("/a/.b", "\"a/.b\" dotted");
        check("/%2egit", "\".git\" dotted");
        check("/...", "\"...\" dotted");
        check("/.well-known/a", "\".well-known/a\"");
        check("/.well-known/.a", "\".well-known/.a\" dotted");
        check("/a/.well-known", "\"a/.well-known\" dotted");
        check("/a/../.git", "\".git\" dotted");
        check("/.git/../a", "\"a\"");
        check("/a./b.", "\"a./b.\"");
    }

    #[test]
    fn links_are_encoded() {
        let segment = |name: &str| encode_segment(name.as_bytes()).to_string();
        assert_eq!(segment("a-b_c.d~9"), "a-b_c.d~9");
        assert_eq!(segment("a b"), "a%20b");
        assert_eq!(segment("<\"&'>"), "%3C%22%26%27%3E");
        assert_eq!(segment("javascript:x"), "javascript%3Ax");
        assert_eq!(segment("a/b%?#"), "a%2Fb%25%3F%23");
        assert_eq!(segment("ä"), "%C3%A4");
        assert_eq!(segment(""), "");
        assert_eq!(encode_path(b"a b/c?/").to_string(), "a%20b/c%3F/");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(name: Vec<u8>) {
            let safe = |byte: &u8| PATH.has(*byte) && *byte != b'/' || b"?#%".contains(byte);
            let name: Vec<u8> = name.into_iter().filter(safe).collect();
            prop_assume!(!name.is_empty() && name != b"." && name != b"..");
            let link = format!("/{}", encode_segment(&name));
            let path = file_path(link.as_bytes()).unwrap();
            prop_assert_eq!(&*path.path, &name[..]);
            prop_assert!(!path.directory);
        }

        #[test]
        fn nothing_panics_or_leads_out(raw: Vec<u8>, text in "(/|/|[.]|%2[eEfF5]|%5c|a|%){0,24}") {
            for raw in [&raw, text.as_bytes()] {
                let Ok(path) = file_path(raw) else { continue };
                prop_assert!(!path.path.contains(&0));
                if !path.path.is_empty() {
                    let names = path.path.split(|&byte| byte == b'/');
                    for name in names {
                        prop_assert!(!matches!(name, b"" | b"." | b".."), "{:?}", path);
                    }
                }
                let again = format!("/{}", encode_path(&path.path));
                prop_assert_eq!(&file_path(again.as_bytes()).unwrap().path, &path.path);
            }
        }
    }

    #[track_caller]
    fn check(raw_path: &str, expect: &str) {
        let got = match file_path(raw_path.as_bytes()) {
            Err(bad) => bad.to_string(),
            Ok(FilePath { path, directory, dotted }) => {
                let directory = if directory { " directory" } else { "" };
                let dotted = if dotted { " dotted" } else { "" };
                format!("\"{}\"{directory}{dotted}", path.escape_ascii())
            }
        };
        assert_eq!(got, expect, "for {raw_path:?}");
    }
}
