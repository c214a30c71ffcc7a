//! Every way in which an upstream may read a path and a query.

use std::borrow::Cow;

use super::fold::{decode, fold};

/// Whether every upstream reads a path and a query alike, but for what folding makes the same: they
/// have nothing to decode, and the path nothing to resolve and no parameters.
pub(super) fn is_plain(path_and_query: &str) -> bool {
    let bytes = path_and_query.as_bytes();
    let path = &bytes[..memchr::memchr(b'?', bytes).unwrap_or(bytes.len())];
    let is_resolved = |slash: usize| matches!(path.get(slash + 1), Some(b'/' | b'\\' | b'.'));
    path.first() == Some(&b'/')
        && bytes.is_ascii()
        && memchr::memchr(b'%', bytes).is_none()
        && memchr::memchr(b';', path).is_none()
        && !memchr::memchr2_iter(b'/', b'\\', path).any(is_resolved)
}

/// How often encodings are decoded: once, as all do, and once more, as those do that stand behind
/// another which has done so.
const DECODINGS: usize = 2;

/// Every way in which an upstream may read `path_and_query`, folded: decoded once or twice, with its
/// path as it is or resolved, before it was decoded or after, and with its segments' parameters or
/// without them. No two are the same.
///
/// *Cost*: one for a path without dots, slashes in a row and `;`, two if it is encoded twice; at most
/// 32 for one made for it, none longer than what was sent.
pub(super) fn looks(path_and_query: &str) -> Vec<Vec<u8>> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    // Decoded so many times as its place says.
    let mut paths = vec![path.as_bytes().to_vec()];
    let mut query = query.map(|query| query.as_bytes().to_vec());
    let mut looks = Vec::with_capacity(1);
    for times in 1..=DECODINGS {
        let encoded = &paths[times - 1];
        if times > 1 && !(is_encoded(encoded) || query.as_deref().is_some_and(is_encoded)) {
            break;
        }
        paths.push(decode(encoded));
        query = query.map(|query| decode(&query));
        let asked = query.as_deref().map(fold);
        for path in readings(&paths) {
            let look = join(path, asked.as_deref());
            if !looks.contains(&look) {
                looks.push(look);
            }
        }
    }
    looks
}

fn is_encoded(bytes: &[u8]) -> bool {
    memchr::memchr(b'%', bytes).is_some()
}

/// The last of `paths`, each of which is the one before decoded, as it is and resolved, folded.
fn readings(paths: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let Some(last) = paths.last() else { return Vec::new() };
    let read = rooted(fold(last));
    let is_plain = |two: &[u8]| two[0] != b'/' || !matches!(two[1], b'/' | b'.');
    if read.windows(2).all(is_plain) && !read.contains(&b';') {
        return vec![read];
    }
    let mut readings = vec![read];
    for (path, times) in paths.iter().zip((0..paths.len()).rev()) {
        let is_again = times > 0 && path == last;
        if is_again {
            continue;
        }
        readings.extend(resolved(path, times));
        if path.contains(&b';') {
            readings.extend(resolved(&without_parameters(path), times));
        }
    }
    readings
}

/// Every way in which `path` may be resolved, and its segments decoded so many `times` more.
fn resolved(path: &[u8], times: usize) -> [Vec<u8>; 3] {
    let kept = resolve(path, times, Slashes::Kept);
    [merge(&kept), kept, resolve(path, times, Slashes::Merged)]
}

/// `path` without what stands behind a `;` in each segment (RFC 3986 §3.3), as servers of Java have it:
/// they take `..;a` for `..`.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    let mut is_parameter = false;
    let is_name = |byte: &u8| {
        is_parameter = match byte {
            b'/' | b'\\' => false,
            b';' => true,
            _ => is_parameter,
        };
        !is_parameter
    };
    path.iter().copied().filter(is_name).collect()
}

/// What has no slash at its beginning is read as if it had.
fn rooted(mut path: Vec<u8>) -> Vec<u8> {
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path
}

fn join(mut path: Vec<u8>, query: Option<&[u8]>) -> Vec<u8> {
    if let Some(query) = query {
        path.push(b'?');
        path.extend(query);
    }
    path
}

/// What becomes of slashes in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slashes {
    /// Nothing is a name as others are, which `..` takes away (RFC 3986 §5.2.4).
    Kept,
    /// They are one.
    Merged,
}

/// `path` without `.` and `..` (RFC 3986 §5.2.4), folded. It is split first, and its segments are
/// decoded so many `times` more.
fn resolve(path: &[u8], times: usize, slashes: Slashes) -> Vec<u8> {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let path = if path.first().is_some_and(is_slash) { &path[1..] } else { path };
    let mut resolved = Vec::with_capacity(path.len() + 1);
    // Where each segment begins that is left.
    let mut starts = Vec::new();
    let mut segments = path.split(is_slash).peekable();
    while let Some(segment) = segments.next() {
        let name = decode_often(segment, times);
        let is_name = match &*name {
            b"." => false,
            b".." => {
                resolved.truncate(starts.pop().unwrap_or(0));
                false
            }
            b"" => slashes == Slashes::Kept,
            _ => true,
        };
        if is_name {
            starts.push(resolved.len());
            resolved.push(b'/');
            resolved.extend_from_slice(&name);
        } else if segments.peek().is_none() {
            resolved.push(b'/');
        }
    }
    rooted(fold(&resolved))
}

fn decode_often(bytes: &[u8], times: usize) -> Cow<'_, [u8]> {
    let mut decoded = Cow::Borrowed(bytes);
    for _ in 0..times {
        if !is_encoded(&decoded) {
            break;
        }
        decoded = Cow::Owned(decode(&decoded));
    }
    decoded
}

/// `path` with one slash for slashes in a row.
fn merge(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|next, before| (*before, *next) == (b'/', b'/'));
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_path_is_read_in_one_way() {
        for plain in ["/", "/a/b.c?d=//e/../f;g", "/A+b~!/", "/a.b/c..d?", "/a\\b"] {
            assert!(is_plain(plain), "{plain}");
            assert_eq!(looks(plain), [fold(plain.as_bytes())], "{plain}");
        }
        for other in
            ["", "*", "a", "?a", "/%61", "/?%61", "//a", "/a/./b", "/a\\/b", "/é", "/?é", "/a;b"]
        {
            assert!(!is_plain(other), "{other}");
        }
    }

    #[test]
    fn other_paths_are_read_in_more() {
        check("/%61?%62+c", &["/a?b c"]);
        check("/%2561?%2562", &["/%61?%62", "/a?b"]);
        check("/a/../b", &["/a/../b", "/b"]);
        check("/a/%2e%2e/b", &["/a/../b", "/b"]);
        check("/a/.%252e\\b", &["/a/.%2e/b", "/a/../b", "/b"]);
        check("//a///b//", &["//a///b//", "/a/b/"]);
        check("/..", &["/..", "/"]);
        check("/a/.", &["/a/.", "/a/"]);
        check("/a/..", &["/a/..", "/"]);
        check("/a%2fb%3f?c", &["/a/b??c"]);
        check("/a//../b", &["/a//../b", "/a/b", "/b"]);
        check("/a%2fb/../c", &["/a/b/../c", "/c", "/a/c"]);
        check("/a%252f../c", &["/a%2f../c", "/a/../c", "/c"]);
        check("/a\\b%5c..\\c", &["/a/b/../c", "/a/c"]);
        check("?a", &["/?a"]);
        check("*", &["/*"]);
        check("/100%/.a", &["/100%/.a"]);
    }

    #[test]
    fn parameters_of_segments_are_read_as_names_and_left_out() {
        check("/a;b/c?d;e", &["/a;b/c?d;e", "/a/c?d;e"]);
        check("/a/..;b/c", &["/a/..;b/c", "/c"]);
        check("/a/%2e%2e;/c", &["/a/..;/c", "/c"]);
        check("/a/..%3bb/c", &["/a/..;b/c", "/c"]);
        check("/;/c", &["/;/c", "/c", "//c"]);
        check("/a;b\\c", &["/a;b/c", "/a/c"]);
        // Cut before it is decoded, or after.
        check("/a;b%2fc/d", &["/a;b/c/d", "/a/d", "/a/c/d"]);
    }

    #[track_caller]
    fn check(path_and_query: &str, expect: &[&str]) {
        let looks = looks(path_and_query);
        let looks: Vec<_> = looks.iter().map(|look| String::from_utf8_lossy(look)).collect();
        assert_eq!(looks, expect, "for {path_and_query:?}");
    }

    proptest! {
        #[test]
        fn no_text_has_more_than_so_many_looks(text: String, path in "[/.%2e35bBaEfF;\\\\+?]{0,24}") {
            for text in [text, path] {
                let looks = looks(&text);
                prop_assert!((1..=32).contains(&looks.len()));
                prop_assert!(looks.iter().all(|look| look.len() <= 2 * text.len() + 1));
                if is_plain(&text) {
                    prop_assert_eq!(looks, vec![fold(text.as_bytes())]);
                }
            }
        }
    }
}
