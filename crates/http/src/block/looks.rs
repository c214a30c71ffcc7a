//! Every way in which an upstream may read a path and a query.

use super::fold::{decode, fold, fold_byte};

/// Whether every upstream reads a path and a query alike, but for what folding makes the same: they
/// have nothing to decode, and the path nothing to resolve.
pub(super) fn is_plain(path_and_query: &str) -> bool {
    let bytes = path_and_query.as_bytes();
    let path_len = memchr::memchr(b'?', bytes).unwrap_or(bytes.len());
    let (path, query) = bytes.split_at(path_len);
    let mut before = 0;
    for &byte in path {
        let byte = fold_byte(byte);
        if byte == b'%' || !byte.is_ascii() || before == b'/' && matches!(byte, b'/' | b'.') {
            return false;
        }
        before = byte;
    }
    path.first() == Some(&b'/') && query.is_ascii() && memchr::memchr(b'%', query).is_none()
}

/// How often encodings are decoded: once, as all do, and once more, as those do that stand behind
/// another which has done so.
const DECODINGS: usize = 2;

/// Every way in which an upstream may read `path_and_query`, folded: decoded once or twice, with its
/// path as it is or resolved. No two are the same.
///
/// *Cost*: at most four of them, none longer than what was sent.
pub(super) fn looks(path_and_query: &str) -> Vec<Vec<u8>> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let mut path = decode(path.as_bytes());
    let mut query = query.map(|query| decode(query.as_bytes()));
    let mut looks = Vec::with_capacity(1);
    for again in (0..DECODINGS).rev() {
        let (read, asked) = (rooted(fold(&path)), query.as_deref().map(fold));
        let resolved = resolve(&read);
        for path in [Some(read), resolved].into_iter().flatten() {
            let look = join(path, asked.as_deref());
            if !looks.contains(&look) {
                looks.push(look);
            }
        }
        let is_encoded = |bytes: &[u8]| memchr::memchr(b'%', bytes).is_some();
        if again == 0 || !(is_encoded(&path) || query.as_deref().is_some_and(is_encoded)) {
            break;
        }
        (path, query) = (decode(&path), query.map(|query| decode(&query)));
    }
    looks
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

/// `path` without `.` and `..`, and with one slash for slashes in a row (RFC 3986 §5.2.4, and what
/// servers do besides). `None` if it has none of these.
fn resolve(path: &[u8]) -> Option<Vec<u8>> {
    let is_plain = |two: &[u8]| two[0] != b'/' || !matches!(two[1], b'/' | b'.');
    if path.windows(2).all(is_plain) {
        return None;
    }
    let mut resolved = Vec::with_capacity(path.len() + 1);
    let mut segments = path.split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_folder = match segment {
            b"" | b"." => true,
            b".." => {
                let parent = resolved.iter().rposition(|&byte| byte == b'/');
                resolved.truncate(parent.unwrap_or(0));
                true
            }
            name => {
                resolved.push(b'/');
                resolved.extend(name);
                false
            }
        };
        if is_folder && segments.peek().is_none() {
            resolved.push(b'/');
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_path_is_read_in_one_way() {
        for plain in ["/", "/a/b.c?d=//e/../f", "/A+b~!/", "/a.b/c..d?", "/a\\b"] {
            assert!(is_plain(plain), "{plain}");
            assert_eq!(looks(plain), [fold(plain.as_bytes())], "{plain}");
        }
        for other in ["", "*", "a", "?a", "/%61", "/?%61", "//a", "/a/./b", "/a\\/b", "/é", "/?é"]
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
        check("?a", &["/?a"]);
        check("*", &["/*"]);
        check("/100%/.a", &["/100%/.a"]);
    }

    #[track_caller]
    fn check(path_and_query: &str, expect: &[&str]) {
        let looks = looks(path_and_query);
        let looks: Vec<_> = looks.iter().map(|look| String::from_utf8_lossy(look)).collect();
        assert_eq!(looks, expect, "for {path_and_query:?}");
    }

    proptest! {
        #[test]
        fn no_text_has_more_than_four_looks(text: String, path in "[/.%2eaEfF\\\\+?]{0,24}") {
            for text in [text, path] {
                let looks = looks(&text);
                prop_assert!((1..=4).contains(&looks.len()));
                prop_assert!(looks.iter().all(|look| look.len() <= 2 * text.len() + 1));
                if is_plain(&text) {
                    prop_assert_eq!(looks, vec![fold(text.as_bytes())]);
                }
            }
        }
    }
}
