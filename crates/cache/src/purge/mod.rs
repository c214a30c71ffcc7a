//! Which of what is stored is meant: by its URL, the beginning of it, a pattern, or a tag.

mod glob;
mod recent;

use http::uri::Uri;

use crate::{
    key::Key,
    tags::{Tag, TagId},
};

pub use self::glob::Glob;
pub(crate) use self::recent::Recent;

/// What is chosen of all that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Everything.
    All,
    /// What is stored for this URL: all variants, and all keys that are [apart](Key::apart).
    Url(Url),
    /// What is stored for URLs that begin so.
    Prefix(Text),
    /// What is stored for URLs that look so.
    Glob(Glob),
    /// What its server has tagged so.
    Tag(Tag),
}

/// A URL as keys have it. Reading one does to it what [`Key::of`] does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url(Key);

/// A text to compare URLs with: not empty, and of [`PATTERN_BYTES_MAX`] at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

/// How what was chosen is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// It is gone.
    Hard,
    /// It is stale from now on: it has to be asked about, and may be sent before that only where what
    /// is stale may be (RFC 5861, and the settings).
    Soft,
}

/// The longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// There is nothing.
    #[error("an empty pattern: expected the beginning of a URL, e.g. \"http://example.org/img/\"")]
    Empty,
    /// There is too much.
    #[error("a pattern of {0} bytes: expected {PATTERN_BYTES_MAX} at most")]
    TooLong(usize),
    /// It is no URL.
    #[error("bad URL {0:?}: expected a whole one, e.g. \"http://example.org/page?id=1\"")]
    Url(String),
}

impl Pattern {
    /// Whether what has this `key` and these `tags` is chosen.
    ///
    /// *Cost*: linear in the URL and the pattern together.
    pub(crate) fn chooses(&self, key: &Key, tags: &[TagId]) -> bool {
        match self {
            Self::All => true,
            Self::Url(Url(url)) => key.as_str() == url.as_str(),
            Self::Prefix(Text(prefix)) => key.as_str().starts_with(prefix),
            Self::Glob(glob) => glob.matches(key.as_str()),
            Self::Tag(tag) => tag.ids().iter().any(|id| tags.contains(id)),
        }
    }

    /// How many bytes of memory it has.
    fn weight(&self) -> usize {
        let text = match self {
            Self::All | Self::Tag(_) => 0,
            Self::Url(Url(url)) => url.len(),
            Self::Prefix(Text(text)) => text.len(),
            Self::Glob(glob) => glob.as_str().len(),
        };
        size_of::<Self>() + text
    }
}

impl Url {
    /// Its key, with nothing that keeps it apart.
    pub fn key(&self) -> &Key {
        &self.0
    }
}

impl From<Key> for Url {
    fn from(key: Key) -> Self {
        Self(key.apart(""))
    }
}

impl std::str::FromStr for Url {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let text = within_limits(text)?;
        let bad = || BadPattern::Url(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad());
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let scheme = uri.scheme_str().unwrap_or_default();
        Key::of(scheme, authority.as_str(), target).map(Self).map_err(|_| bad())
    }
}

impl Text {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Text {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        within_limits(text).map(|text| Self(text.to_owned()))
    }
}

fn within_limits(text: &str) -> Result<&str, BadPattern> {
    match text.len() {
        0 => Err(BadPattern::Empty),
        len if len > PATTERN_BYTES_MAX => Err(BadPattern::TooLong(len)),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::TagsOf;

    #[test]
    fn urls_are_read_as_keys_are() {
        check_url("http://A:80/x?y#z", Ok("http://a/x?y"));
        check_url("https://a:8443", Ok("https://a:8443/"));
        check_url("http://u:p@a/%7E", Ok("http://a/%7E"));
        let bad = |text: &str| {
            format!("bad URL {text:?}: expected a whole one, e.g. \"http://example.org/page?id=1\"")
        };
        for text in ["a", "/a", "a/b", "ftp://a/", "http:///a", "http://a b/"] {
            check_url(text, Err(&bad(text)));
        }
        check_url(&"x".repeat(4097), Err("a pattern of 4097 bytes: expected 4096 at most"));
        let empty =
            "an empty pattern: expected the beginning of a URL, e.g. \"http://example.org/img/\"";
        check_url("", Err(empty));
        assert_eq!("".parse::<Text>().unwrap_err().to_string(), empty);
        assert_eq!("".parse::<Glob>().unwrap_err().to_string(), empty);
    }

    #[test]
    fn what_is_meant_is_chosen() {
        check(&Pattern::All, true);
        check(&Pattern::Url("http://a/x?y".parse().unwrap()), true);
        check(&Pattern::Url("http://a/x".parse().unwrap()), false);
        check(&Pattern::Prefix("http://a/".parse().unwrap()), true);
        check(&Pattern::Prefix("http://b/".parse().unwrap()), false);
        check(&Pattern::Glob("*/x*".parse().unwrap()), true);
        check(&Pattern::Glob("*/z*".parse().unwrap()), false);
        check(&Pattern::Tag(Tag::named("News")), true);
        check(&Pattern::Tag(Tag::named("sport")), false);
        check(&Pattern::Tag(Tag::group("http://a", "g")), true);
        check(&Pattern::Tag(Tag::group("http://b", "g")), false);
        check(&Pattern::Tag(Tag::group("http://a", "G")), false);
    }

    #[track_caller]
    fn check(pattern: &Pattern, expect: bool) {
        let key = Key::of("http", "a", "/x?y").unwrap().apart("\nhost: b");
        let headers = crate::tests::fields("surrogate-key: other NEWS\ncache-groups: \"g\"");
        let tags = TagsOf::read(&headers).ids(&key);
        assert_eq!(pattern.chooses(&key, &tags), expect, "for {pattern:?}");
    }

    #[track_caller]
    fn check_url(text: &str, expect: Result<&str, &str>) {
        let read = text.parse::<Url>().map_err(|error| error.to_string());
        let read = read.as_ref().map(|url| url.key().as_str()).map_err(String::as_str);
        assert_eq!(read, expect);
    }
}
