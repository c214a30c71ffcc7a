//! What is said here of answers to some paths, beside or in the place of what their origin says.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    time::Duration,
};

use http::{HeaderMap, HeaderName, header::USER_AGENT};

use crate::key::Key;
use parameter::{Parameter, decoded};
pub(crate) use path::meant_by;

mod cookies;
pub(crate) mod parameter;
mod path;

/// What is said of the answers to some paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What the path begins with, up to a slash or its end: `/api` is for `/api` and `/api/a`, not
    /// for `/apis`; `/` is for all. Compared decoded and resolved.
    pub path: String,
    /// Whether they are stored at all.
    pub storing: Storing,
    /// How long they are fresh if they do not say; the usual if there is none.
    pub ttl: Option<Duration>,
    /// Whether what they say counts; the usual if there is none.
    pub origin: Option<Origin>,
    /// What tells them apart besides their URI.
    pub parts: KeyParts,
}

/// Whether anything is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storing {
    /// What may be.
    #[default]
    Usual,
    /// Nothing, and nothing is answered from the store.
    Bypassed,
}

/// Whether what an origin says about caching counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It does.
    #[default]
    Heard,
    /// It does not: neither directives, targeted or not, nor `Expires`. What is stored is fresh for as
    /// long as is said here. That overrules `private` and `no-store`, too: it is for origins that
    /// say so of everything, and for paths of which one knows better.
    Ignored,
}

/// What tells answers apart, besides scheme, host and path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyParts {
    /// Which parameters of the query.
    pub query: Query,
    /// The values of these fields of the request.
    pub headers: Vec<HeaderName>,
    /// The values of these cookies.
    pub cookies: Vec<String>,
    /// To which of these classes the client belongs.
    pub devices: Vec<Device>,
}

/// Which parameters of a query tell answers apart. The others are sent upstream all the same: they
/// have to be such as change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// All of it, as it is written.
    #[default]
    All,
    /// Those of these names alone.
    Kept(Vec<Name>),
    /// All but those of these names.
    Dropped(Vec<Name>),
}

/// The name of a parameter, or with a `*` at its end how it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

/// A class of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is called.
    pub name: String,
    /// One of these is in `User-Agent`, in any case.
    pub words: Vec<String>,
}

/// The first of the `rules` that is for `key`.
///
/// One that bypasses need be for one meaning of its path alone; any other is for all of them. A path
/// that may mean anything has the first rule that bypasses, if any does.
pub(crate) fn rule_of<'r>(rules: &'r [Rule], key: &Key) -> Option<&'r Rule> {
    if rules.is_empty() {
        return None;
    }
    let Some(meant) = meant_by(key) else { return rules.iter().find(|rule| rule.bypasses()) };
    let mut first = meant.paths().filter_map(|path| rules.iter().find(|rule| rule.is_for(path)));
    let for_all = || rules.iter().find(|rule| meant.paths().all(|path| rule.is_for(path)));
    first.find(|rule| rule.bypasses()).or_else(for_all)
}

impl Rule {
    fn bypasses(&self) -> bool {
        self.storing == Storing::Bypassed
    }

    fn is_for(&self, path: &[u8]) -> bool {
        let prefix = self.path.trim_matches('/').as_bytes();
        path.strip_prefix(prefix)
            .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
    }
}

impl KeyParts {
    /// The same target with what counts of its query.
    pub(crate) fn target<'t>(&self, target: &'t str) -> Cow<'t, str> {
        let Some((path, query)) = target.split_once('?') else { return target.into() };
        let counts = |written: &&str| {
            let parameter = Parameter(written);
            let is_in = |names: &[Name], name: &[u8]| names.iter().any(|known| known.is(name));
            match &self.query {
                Query::All => true,
                Query::Kept(names) => {
                    parameter.is_read_twice() || parameter.known_by(|name| is_in(names, name))
                }
                Query::Dropped(names) => parameter.is_several() || !is_in(names, &parameter.name()),
            }
        };
        if self.query == Query::All {
            return target.into();
        }
        let counted: Vec<_> = query.split('&').filter(counts).collect();
        if counted.is_empty() {
            path.into()
        } else {
            format!("{path}?{}", counted.join("&")).into()
        }
    }

    /// What else counts of a request with these `headers`: a line for each part, which no value of a
    /// field has in it.
    pub(crate) fn apart(&self, headers: &HeaderMap) -> String {
        let mut by = String::new();
        let mut add = |part: fmt::Arguments<'_>| {
            write!(by, "\n{part}").expect("a string takes everything");
        };
        for name in &self.headers {
            for value in headers.get_all(name) {
                add(format_args!("field {name}: {}", value.as_bytes().escape_ascii()));
            }
        }
        if let Some(device) = self.device(headers) {
            add(format_args!("device: {}", device.name));
        }
        cookies::tell_apart(&self.cookies, headers, &mut by);
        by
    }

    /// The first class that the client belongs to.
    fn device(&self, headers: &HeaderMap) -> Option<&Device> {
        if self.devices.is_empty() {
            return None;
        }
        let agent = headers.get(USER_AGENT)?.as_bytes().to_ascii_lowercase();
        let has = |word: &String| {
            let word = word.to_ascii_lowercase();
            !word.is_empty() && agent.windows(word.len()).any(|part| part == word.as_bytes())
        };
        self.devices.iter().find(|device| device.words.iter().any(has))
    }
}

impl Name {
    /// Whether it is that of a parameter, which is decoded.
    fn is(&self, name: &[u8]) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => name.starts_with(&decoded(start.as_bytes())),
            None => *name == *decoded(self.0.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn the_first_rule_whose_path_fits_counts() {
        let rules = ["/a/b", "/a", "/private"].map(|path| Rule {
            path: path.to_owned(),
            storing: if path == "/private" { Storing::Bypassed } else { Storing::Usual },
            ttl: None,
            origin: None,
            parts: KeyParts::default(),
        });
        let check = |target: &str, expect: Option<&str>| {
            let key = Key::of("http", "h", target).unwrap();
            let found = rule_of(&rules, &key).map(|rule| &*rule.path);
            assert_eq!(found, expect, "for {target:?}");
        };
        check("/a/b", Some("/a/b"));
        check("/a/b/c?d", Some("/a/b"));
        check("/a/bc", Some("/a"));
        check("/a?/a/b", Some("/a"));
        check("/ab", None);
        check("/", None);
        // However it is spelled.
        check("/%61/./x/../b", Some("/a/b"));
        check("/x/../private/y", Some("/private"));
        check("/a%2f..%2fprivate", Some("/private"));
        check("/a/..%252fb", Some("/private"));
        check("/a/..;/b", Some("/private"));
        check("/a/.;x/b", Some("/private"));
        check("/a/b;..", Some("/a"));
        check("/a/...;/b", Some("/a"));
        // What forbids counts for whatever it may mean, what permits only if it is for all of that.
        for path in ["/private;x.css", "/private;/x", "/;x/private", "/private%3bx", "/a/..%20/b"] {
            check(path, Some("/private"));
        }
        check("/a/b;x", Some("/a"));
        check("/a;/b", None);
        check("/a;x", None);
    }

    #[test]
    fn parameters_count_or_do_not() {
        let names = |names: &[&str]| names.iter().map(|name| Name((*name).to_owned())).collect();
        let check = |query: Query, target: &str, expect: &str| {
            let parts = KeyParts { query, ..KeyParts::default() };
            assert_eq!(parts.target(target), expect, "for {target:?}");
        };
        let dropped = Query::Dropped(names(&["utm_*", "fbclid"]));
        check(dropped.clone(), "/?a=1&utm_source=x&b&fbclid=2&utm_", "/?a=1&b");
        check(dropped.clone(), "/?utm_x=1", "/");
        check(dropped.clone(), "/?", "/?");
        check(dropped, "/utm_x", "/utm_x");
        let kept = Query::Kept(names(&["id"]));
        check(kept.clone(), "/?a=1&id=2&id=3&idx=4", "/?id=2&id=3");
        check(kept.clone(), "/?a", "/");
        check(Query::Kept(Vec::new()), "/?a=1", "/");
        check(Query::All, "/?b&a&&", "/?b&a&&");
    }

    #[test]
    fn parameters_count_however_they_are_spelled() {
        let names = |names: &[&str]| names.iter().map(|name| Name((*name).to_owned())).collect();
        let check = |query: &Query, target: &str, expect: &str| {
            let parts = KeyParts { query: query.clone(), ..KeyParts::default() };
            assert_eq!(parts.target(target), expect, "for {target:?}");
        };
        let kept = Query::Kept(names(&["id", "a%5bb]"]));
        for target in ["/?i%64=6", "/?id=1&%69d=8", "/?+id=1", "/?id[]=1", "/?i%2564=1"] {
            check(&kept, target, target);
        }
        check(&kept, "/?x=1&%u0069d=1&%78=2", "/?%u0069d=1");
        check(&kept, "/?a%5Bb%5D=1&a[c]=2&c[d]=3", "/?a%5Bb%5D=1");
        // Some servers take a semicolon for an ampersand.
        check(&kept, "/?x=1;id=2&y", "/?x=1;id=2");
        let dropped = Query::Dropped(names(&["utm_*"]));
        check(&dropped, "/?id=1&utm_a=x;id=2&utm%5fb=3", "/?id=1&utm_a=x;id=2");
    }

    #[test]
    fn fields_cookies_and_devices_tell_apart() {
        let device =
            |name: &str, word: &str| Device { name: name.to_owned(), words: vec![word.to_owned()] };
        let parts = KeyParts {
            query: Query::All,
            headers: vec![HeaderName::from_static("x-country")],
            cookies: vec!["lang".to_owned()],
            devices: vec![device("tablet", "iPad"), device("mobile", "Mobile")],
        };
        let check = |lines: &str, expect: &str| {
            assert_eq!(parts.apart(&fields(lines)), expect, "for {lines:?}");
        };
        check("", "");
        check("x-country: at\nx-city: w", "\nfield x-country: at");
        check("cookie: a=b; lang=de;langs=x", "\ncookie lang: de");
        check("cookie: lang=a\ncookie: lang=b", "\ncookie lang: a\ncookie lang: b");
        check("cookie: a=1, lang=b\nuser-agent: iPad", "\ndevice: tablet\ncookies: a=1, lang=b");
        check("user-agent: Some iPad Mobile", "\ndevice: tablet");
        check("user-agent: some MOBILE thing", "\ndevice: mobile");
        check("user-agent: desk", "");
    }
}
