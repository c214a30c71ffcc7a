//! Under what a response is stored: the URI it was asked for by ([RFC 9111 §2]).
//!
//! [RFC 9111 §2]: https://www.rfc-editor.org/rfc/rfc9111#section-2

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

use relais_wire::host::{BadHost, is_in_one_spelling, parse_host, usual_port};

use crate::reference::{Reference, resolve};

/// A URI that is asked for with GET: what is stored, is stored under one.
///
/// *Shape*: `scheme://host[:port]/path[?query]`. The host is in lower case, and the port is left out
/// where it is the scheme's own. Path and query are byte for byte as they were asked for: to many a
/// server, `/%7Ea` is not `/~a`, nor `/a/../b` the same as `/b`, whatever RFC 3986 says. User
/// information and fragments have no part in it. HEAD is answered by what GET has stored.
///
/// Behind it may stand what else an answer may depend on, and keys that differ in that are
/// [apart](Self::apart).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `scheme://authority/...`: after the third slash comes the path. Then what keeps it apart.
    text: String,
    /// Where that begins: `uri_len <= text.len()`.
    uri_len: usize,
}

impl Key {
    /// The key of a request: the scheme it came by, whom it asks (`Host`, or the URI's authority),
    /// and the path and query of its target.
    ///
    /// *Cost*: one allocation.
    ///
    /// # Errors
    ///
    /// [`BadHost`] if `authority` is none.
    pub fn of(scheme: &str, authority: &str, path_and_query: &str) -> Result<Self, BadHost> {
        let target = path_and_query.split('#').next().unwrap_or_default();
        let len = scheme.len() + authority.len() + ":///".len() + target.len();
        let mut text = String::with_capacity(len);
        text.push_str(scheme);
        text.make_ascii_lowercase();
        let usual_port = usual_port(text.as_bytes());
        text.push_str("://");
        // As most are.
        if is_in_one_spelling(authority, usual_port) {
            text.push_str(authority);
        } else {
            let host = authority.rsplit_once('@').map_or(authority, |(_user, host)| host);
            parse_host(host.as_bytes())?.print(usual_port, &mut text);
        }
        if !target.starts_with('/') {
            text.push('/');
        }
        text.push_str(target);
        Ok(Self::of_uri(text))
    }

    fn of_uri(text: String) -> Self {
        Self { uri_len: text.len(), text }
    }

    /// The key of the same URI for requests that say this besides, and which may be answered
    /// otherwise for it. The same key for nothing.
    #[must_use]
    pub fn apart(mut self, by: &str) -> Self {
        self.text.truncate(self.uri_len);
        self.text.push_str(by);
        self
    }

    /// The same key with what `counted` makes of its path and query. What kept it apart is gone.
    pub(crate) fn with_target(self, counted: impl FnOnce(&str) -> Cow<'_, str>) -> Self {
        match counted(self.path_and_query()) {
            Cow::Borrowed(target) if target.len() == self.path_and_query().len() => self,
            target => Self::of_uri([self.origin(), &*target].concat()),
        }
    }

    /// All of it, and how many bytes of that are the URI.
    pub(crate) fn text(&self) -> (&str, usize) {
        (&self.text, self.uri_len)
    }

    /// One of [these](Self::text); `None` if they do not go together.
    pub(crate) fn of_text(text: String, uri_len: usize) -> Option<Self> {
        text.is_char_boundary(uri_len).then_some(Self { text, uri_len })
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.text[..self.uri_len]
    }

    /// What keeps it apart from others of the same URI; empty if nothing does.
    pub fn apart_by(&self) -> &str {
        &self.text[self.uri_len..]
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Its scheme, host and port: `http://a:8080`.
    pub fn origin(&self) -> &str {
        &self.as_str()[..self.origin_len()]
    }

    /// Its path and query.
    pub fn path_and_query(&self) -> &str {
        &self.as_str()[self.origin_len()..]
    }

    /// The key that `reference` means beside this one, as in `Location`, if its origin is the same
    /// ([RFC 3986 §5.2]). What keeps this one apart keeps that one, too.
    ///
    /// [RFC 3986 §5.2]: https://www.rfc-editor.org/rfc/rfc3986#section-5.2
    pub fn beside(&self, reference: &str) -> Option<Self> {
        let key = match resolve(self.path_and_query(), reference) {
            Reference::Path(target) => Self::of_uri([self.origin(), &target].concat()),
            Reference::Absolute { scheme, authority, target } => {
                let scheme = scheme.unwrap_or(self.as_str().split(':').next().unwrap_or_default());
                Self::of(scheme, authority, &target).ok()?
            }
        };
        (key.origin() == self.origin()).then(|| key.apart(self.apart_by()))
    }

    fn origin_len(&self) -> usize {
        let uri = self.as_str();
        let authority = uri.find("://").map_or(0, |at| at + 3);
        uri[authority..].find('/').map_or(uri.len(), |at| authority + at)
    }
}

impl Hash for Key {
    /// Those that differ only in where the URI ends are few: their hash is the same.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.text.as_bytes());
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}", self.as_str())?;
        if !self.apart_by().is_empty() {
            write!(f, " apart by {:?}", self.apart_by())?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_lower_case_and_usual_ports_left_out() {
        check(("http", "Example.COM", "/A?b=C"), "http://example.com/A?b=C");
        check(("HTTP", "a:80", "/"), "http://a/");
        check(("https", "a:443", "/"), "https://a/");
        check(("https", "a:80", "/"), "https://a:80/");
        check(("http", "a:", "/"), "http://a/");
        check(("http", "[::1]:8080", "/x"), "http://[::1]:8080/x");
    }

    #[test]
    fn targets_are_as_they_came() {
        for target in ["/", "/%7Ea", "/a/../b", "//a//b", "/a?", "/a?x=%2f&y", "/?http://b/"] {
            check(("http", "a", target), &format!("http://a{target}"));
        }
        check(("http", "a", ""), "http://a/");
        check(("http", "a", "?b"), "http://a/?b");
    }

    #[test]
    fn user_information_and_fragments_have_no_part() {
        check(("http", "user:pass@a", "/"), "http://a/");
        check(("http", "a@b@c", "/"), "http://c/");
        check(("http", "a", "/b#c"), "http://a/b");
    }

    #[test]
    fn what_is_no_host_has_no_key() {
        for authority in ["", ":80", "a b", "a/b", "a:99999", "a\0"] {
            assert!(Key::of("http", authority, "/").is_err(), "for {authority:?}");
        }
    }

    #[test]
    fn different_things_have_different_keys() {
        let keys = [
            Key::of("http", "a", "/"),
            Key::of("https", "a", "/"),
            Key::of("http", "b", "/"),
            Key::of("http", "a:81", "/"),
            Key::of("http", "a", "/?"),
            Key::of("http", "a", "/a"),
            Key::of("http", "a.", "/"),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[at + 1..].iter().all(|other| other != one), "{one:?}");
        }
    }

    #[test]
    fn keys_of_one_uri_are_apart_by_what_is_said_besides() {
        let key = Key::of("http", "a", "/b/c").unwrap();
        assert_eq!(key.clone().apart(""), key);
        let apart = key.clone().apart("d");
        assert_ne!(apart, key);
        assert_ne!(apart, Key::of("http", "a", "/b/cd").unwrap());
        assert_eq!((apart.as_str(), apart.path_and_query()), ("http://a/b/c", "/b/c"));
        assert_eq!(apart.clone().apart("e"), key.clone().apart("e"));
        let beside = Key::of("http", "a", "/b/x").unwrap().apart("d");
        assert_eq!(apart.beside("x"), Some(beside.clone()));
        assert_eq!(apart.beside("http://a/b/x"), Some(beside));
        assert_eq!(
            format!("{key:?} {apart:?}"),
            "Key(http://a/b/c) Key(http://a/b/c apart by \"d\")"
        );
    }

    #[test]
    fn references_are_followed_on_the_same_origin() {
        check_beside("/x", Some("http://a:81/x"));
        check_beside("x", Some("http://a:81/b/x"));
        check_beside("", Some("http://a:81/b/c?d"));
        check_beside("//A:81/x", Some("http://a:81/x"));
        check_beside("HTTP://a:81", Some("http://a:81/"));
        check_beside("http://a:81?x", Some("http://a:81/?x"));
        check_beside("http://a/x", None);
        check_beside("https://a:81/x", None);
        check_beside("//b/x", None);
        check_beside("mailto:a@b", None);
    }

    proptest! {
        #[test]
        fn nothing_panics(authority in "\\PC*", target in "\\PC*", reference in "\\PC*") {
            let _ = Key::of("http", &authority, &target);
            let key = Key::of("http", "a", &target).unwrap();
            prop_assert_eq!(key.origin(), "http://a");
            key.beside(&reference);
        }
    }

    #[track_caller]
    fn check((scheme, authority, target): (&str, &str, &str), expect: &str) {
        assert_eq!(Key::of(scheme, authority, target).unwrap().as_str(), expect);
    }

    #[track_caller]
    fn check_beside(reference: &str, expect: Option<&str>) {
        let key = Key::of("http", "a:81", "/b/c?d").unwrap();
        let beside = key.beside(reference);
        assert_eq!(beside.as_ref().map(Key::as_str), expect, "for {reference:?}");
    }
}
