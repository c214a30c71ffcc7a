//! Which parts of a query make no difference, by the word of who answers: `No-Vary-Search`.
//!
//! Source: draft-ietf-httpbis-no-vary-search.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue};
use quick_cache::sync;

use crate::{
    directives::{Member, read_members},
    key::Key,
    rules::parameter::Parameter,
};

/// What was said of the queries of paths: of so many at most, those that were asked for last.
#[derive(Debug)]
pub(crate) struct Searches {
    /// By scheme, host and path, and what keeps keys apart besides.
    said: sync::Cache<String, Arc<NoVary>>,
    /// Whether anything ever was: few servers say so, and no hit is to pay for it.
    is_any: AtomicBool,
}

const PATHS_MAX: usize = 1024;

/// What is known to have been said of a path.
#[derive(Debug)]
pub(crate) struct Words(Vec<Arc<NoVary>>);

impl Words {
    /// Under what answers to requests for `key` are stored by each, without what keeps them apart.
    pub(crate) fn keys(&self, key: &Key) -> impl Iterator<Item = Key> {
        self.0.iter().map(|said| said.key_of(key).apart(""))
    }

    /// As keys have them.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(|said| said.text()).collect()
    }
}

/// What makes no difference in a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NoVary {
    order: Order,
    parameters: Parameters,
}

/// Whether the order of parameters with other names makes a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Counts,
    Ignored,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parameters {
    /// These make none.
    But(Vec<Vec<u8>>),
    /// Only these make one.
    Only(Vec<Vec<u8>>),
}

impl Default for Parameters {
    fn default() -> Self {
        Self::But(Vec::new())
    }
}

const NO_VARY_SEARCH: HeaderName = HeaderName::from_static("no-vary-search");

/// A word of more bytes is not listened to: each request for the path is held against it.
const WORD_BYTES_MAX: usize = 1024;

impl NoVary {
    /// Reads it from a response's `headers`; what is malformed says nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(NO_VARY_SEARCH).iter().map(HeaderValue::as_bytes);
        let field = lines.next().filter(|field| field.len() <= WORD_BYTES_MAX)?;
        if lines.next().is_some() {
            return None;
        }
        let mut said = Self::default();
        let mut except = None;
        for (name, value) in read_members(field)? {
            match (name, value) {
                (b"key-order", Member::Boolean(true)) => said.order = Order::Ignored,
                (b"params", Member::Boolean(true)) => {
                    said.parameters = Parameters::Only(Vec::new());
                }
                (b"params", Member::Strings(names)) => said.parameters = Parameters::But(names),
                (b"except", Member::Strings(names)) => except = Some(names),
                (b"key-order" | b"params", Member::Boolean(false)) => (),
                (b"key-order" | b"params" | b"except", _) => return None,
                _ => (),
            }
        }
        match (&mut said.parameters, except) {
            (Parameters::Only(names), Some(except)) => *names = except,
            // It is an exception to nothing.
            (Parameters::But(_), Some(_)) => return None,
            (_, None) => (),
        }
        (said != Self::default()).then_some(said)
    }

    /// What counts of `target`, which has a query.
    fn counted(&self, target: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let counts = |written: &&str| {
            let name = written.split('=').next().unwrap_or_default();
            let is_in = |names: &[Vec<u8>]| names.iter().any(|known| known == name.as_bytes());
            // Some servers find others in it.
            let is_several = Parameter(written).is_several();
            match &self.parameters {
                Parameters::But(names) => is_several || !is_in(names),
                // What is encoded may be any name.
                Parameters::Only(names) => is_several || is_in(names) || name.contains(['%', '+']),
            }
        };
        let mut parameters: Vec<_> =
            query.split('&').filter(|parameter| !parameter.is_empty()).filter(counts).collect();
        // What some find in others has an order, too.
        let is_sorted = self.order == Order::Ignored && !query.contains(';');
        if is_sorted {
            parameters.sort_by_key(|written| Parameter(written).name());
        }
        if parameters.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", parameters.join("&"))
        }
    }
}

impl Searches {
    pub(crate) fn new() -> Self {
        Self { said: sync::Cache::new(PATHS_MAX), is_any: AtomicBool::new(false) }
    }

    /// The key under which the answer to a request for `key` is stored.
    ///
    /// *Cost*: nothing while nobody said anything; else a look-up, and a new key where one did.
    pub(crate) fn key_of<'k>(&self, key: &'k Key) -> Cow<'k, Key> {
        if !self.is_any.load(Ordering::Relaxed) {
            return Cow::Borrowed(key);
        }
        match self.said.get(&place(key)) {
            Some(said) => Cow::Owned(said.key_of(key)),
            None => Cow::Borrowed(key),
        }
    }

    /// What was said of the path of `key`: to whomever, if some requests are apart from others.
    ///
    /// *Cost*: nothing while nobody said anything; else of all paths of which anything was said.
    pub(crate) fn words(&self, key: &Key) -> Words {
        if !self.is_any.load(Ordering::Relaxed) {
            return Words(Vec::new());
        }
        let path = path(key);
        // What keeps keys apart begins with a line end, which no path has.
        let is_of_path = |place: &str| {
            place.strip_prefix(path).is_some_and(|by| by.is_empty() || by.starts_with('\n'))
        };
        let said = self.said.iter().filter(|(place, _)| is_of_path(place));
        Words(said.map(|(_, said)| said).collect())
    }

    /// Learns what was said of the path of `key`, and forgets what was said before.
    pub(crate) fn learn(&self, key: &Key, said: Option<NoVary>) {
        match said {
            Some(said) => {
                let place = place(key);
                let is_known = self.said.get(&place).is_some_and(|known| *known == said);
                if !is_known {
                    self.said.insert(place, Arc::new(said));
                    self.is_any.store(true, Ordering::Relaxed);
                }
            }
            None if !self.is_any.load(Ordering::Relaxed) => (),
            None => _ = self.said.remove(&place(key)),
        }
    }
}

impl NoVary {
    /// The same key for all requests that make no difference. What was stored by another word is
    /// under other keys.
    fn key_of(&self, key: &Key) -> Key {
        let by = [key.apart_by(), WORD, &self.text()].concat();
        let counted = self.counted(key.path_and_query());
        key.clone().with_target(|_| Cow::Owned(counted)).apart(&by)
    }

    /// What its keys have of it.
    fn text(&self) -> String {
        format!("{self:?}")
    }
}

/// Before the word by which a key is kept, at the end of what keeps it apart. Nobody else says a line
/// that begins so.
const WORD: &str = "\nno-vary-search: ";

/// The word by which `key` is kept, if it is by one.
pub(crate) fn word_of(key: &Key) -> Option<&str> {
    key.apart_by().rsplit_once(WORD).map(|(_, word)| word)
}

fn place(key: &Key) -> String {
    [path(key), key.apart_by()].concat()
}

/// Its URI up to its query.
pub(crate) fn path(key: &Key) -> &str {
    key.as_str().split('?').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn what_makes_no_difference_is_left_out() {
        check("params=(\"a\" \"b\")", "/?a=1&c=2&b&a=3", "/?c=2");
        check("params=(\"a\")", "/?a=1", "/");
        check("params=(\"a\")", "/?%61=1", "/?%61=1");
        check("params", "/?a=1&b", "/");
        check("params, except=(\"id\")", "/?a=1&id=2&b&id=3", "/?id=2&id=3");
        check("params, except=(\"id\")", "/?%69d=2&a=1", "/?%69d=2");
        check("key-order", "/?b=1&a=2&b=0", "/?a=2&b=1&b=0");
        check("key-order, params=(\"b\")", "/?c&b&a", "/?a&c");
        check("params=(\"a\"), other=7", "/?a&b", "/?b");
        // However names are written, the order of those that are the same counts.
        check("key-order", "/?b&a=2&%61=1", "/?a=2&%61=1&b");
    }

    #[test]
    fn what_some_servers_take_for_two_parameters_counts() {
        check("params=(\"a\")", "/?a=1&a=2;id=3", "/?a=2;id=3");
        check("params, except=(\"id\")", "/?id=1&x=2;id=3&y", "/?id=1&x=2;id=3");
        check("key-order", "/?b=1;a=1&a=2", "/?b=1;a=1&a=2");
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for field in [
            "",
            "params=(a)",
            "params=(1)",
            "params=\"a\"",
            "params=?0",
            "params=()",
            "key-order=?0",
            "except=(\"a\")",
            "params=(\"b\"), except=(\"a\")",
            "params=(\"a\"",
            "key-order=1",
            "params, except=\"a\"",
        ] {
            assert_eq!(NoVary::of(&fields(&format!("no-vary-search: {field}"))), None, "{field:?}");
        }
        let two = "no-vary-search: params\nno-vary-search: key-order";
        assert_eq!(NoVary::of(&fields(two)), None);
        let long = format!("no-vary-search: params=(\"{}\")", "x".repeat(WORD_BYTES_MAX));
        assert_eq!(NoVary::of(&fields(&long)), None);
    }

    #[test]
    fn paths_have_an_end() {
        let searches = Searches::new();
        for at in 0..10 * PATHS_MAX {
            let key = Key::of("http", "a", &format!("/{at}?b")).unwrap();
            searches.learn(&key, NoVary::of(&fields("no-vary-search: params")));
        }
        assert!(searches.said.len() <= PATHS_MAX);
    }

    #[track_caller]
    fn check(field: &str, target: &str, expect: &str) {
        let said = NoVary::of(&fields(&format!("no-vary-search: {field}"))).unwrap();
        assert_eq!(said.counted(target), expect, "for {field:?} and {target:?}");
    }
}
