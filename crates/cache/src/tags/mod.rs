//! Names that servers give to what they answer, so that all of one name can be purged at once.

mod index;
mod words;

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use http::{HeaderMap, HeaderName, HeaderValue};
use relais_wire::list;

use crate::{
    directives::read_strings,
    key::Key,
    searches::{path, word_of},
};

pub(crate) use self::index::{TagIndex, Tagged, weight};

/// The fields that servers tag their answers with.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");

/// What the answer to a change tells to be invalidated ([RFC 9875 §3]).
///
/// [RFC 9875 §3]: https://www.rfc-editor.org/rfc/rfc9875#section-3
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// An answer with more tags than this has those beyond under one: whatever tag is purged, it is
/// purged, too.
pub(crate) const TAGS_MAX: usize = 1000;

/// A tag, as what is stored is found by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    id: TagId,
    lasting: LastingName,
}

/// A tag's name, as it means the same to another process: what is on disk has it.
pub(crate) type LastingName = Box<[u8]>;

/// Fields that would name tags name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no tag in them: expected `Surrogate-Key: a b`, `Cache-Tag: a, b` or `Cache-Groups: \"a\"`"
)]
pub struct NoTags;

/// A hash of a tag: keyed by a random number, so that no server can choose one like another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TagId(u64);

/// What is hashed of a tag.
#[derive(Hash)]
enum Name<'n> {
    /// Of `Surrogate-Key` or `Cache-Tag`, in lower case.
    Named(&'n [u8]),
    /// Of `Cache-Groups`: an origin's own.
    Group { origin: &'n str, name: &'n [u8] },
    /// Of our own: all keys of a URI that are kept apart.
    Apart { uri: &'n str },
    /// Of our own: all keys of a path that are kept by this word of `No-Vary-Search`. On disk, by any.
    Searched { path: &'n str, word: &'n str },
    /// Of our own: there were too many.
    TooMany,
}

/// The tag of all keys of the path of `key` that are kept by this word of `No-Vary-Search`.
pub(crate) fn by_word(key: &Key, word: &str) -> TagId {
    Name::Searched { path: path(key), word }.id()
}

/// The name on disk of that of those that are kept by any.
pub(crate) fn by_any_word(key: &Key) -> LastingName {
    Name::Searched { path: path(key), word: "" }.lasting()
}

impl<'n> Name<'n> {
    /// Those of our own.
    fn of_key(key: &'n Key) -> impl Iterator<Item = Self> {
        let apart = (!key.apart_by().is_empty()).then(|| Self::Apart { uri: key.as_str() });
        let searched = word_of(key).map(|word| Self::Searched { path: path(key), word });
        apart.into_iter().chain(searched)
    }

    fn id(&self) -> TagId {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        TagId(HASHER.hash_one(self))
    }

    fn lasting(&self) -> LastingName {
        let parts = match self {
            Self::Named(name) => [&b"named "[..], name, b"", b""],
            // No origin has a space.
            Self::Group { origin, name } => [b"group ", origin.as_bytes(), b" ", name],
            Self::Apart { uri } => [b"apart ", uri.as_bytes(), b"", b""],
            Self::Searched { path, word: _ } => [b"searched ", path.as_bytes(), b"", b""],
            Self::TooMany => [&b"too many"[..], b"", b"", b""],
        };
        parts.concat().into()
    }

    fn tag(&self) -> Tag {
        Tag { id: self.id(), lasting: self.lasting() }
    }
}

impl Tag {
    /// One of `Surrogate-Key` or `Cache-Tag`. Capitals make no difference: one vendor takes them for
    /// the same, the other does not, and what is purged without need is only fetched again.
    pub fn named(name: &str) -> Self {
        Name::Named(name.to_ascii_lowercase().as_bytes()).tag()
    }

    /// One of `Cache-Groups`, of this origin: `http://a:8080`. Capitals count ([RFC 9875 §2.1]).
    ///
    /// [RFC 9875 §2.1]: https://www.rfc-editor.org/rfc/rfc9875#section-2.1
    pub fn group(origin: &str, name: &str) -> Self {
        Self::group_of(origin, name.as_bytes())
    }

    fn group_of(origin: &str, name: &[u8]) -> Self {
        Name::Group { origin, name }.tag()
    }

    /// Those that `headers` name as an answer's would, groups of this origin; none if they have no
    /// such fields. Of very many, the first.
    ///
    /// # Errors
    ///
    /// [`NoTags`] if they have, and there is none in them.
    pub fn read(headers: &HeaderMap, origin: &str) -> Result<Vec<Self>, NoTags> {
        let TagsOf { named, groups } = TagsOf::read(headers);
        let named = named.iter().map(|name| Name::Named(name).tag());
        let groups = groups.iter().map(|name| Self::group_of(origin, name));
        let tags: Vec<_> = named.chain(groups).take(TAGS_MAX).collect();
        let has_fields =
            [SURROGATE_KEY, CACHE_TAG, CACHE_GROUPS].iter().any(|name| headers.contains_key(name));
        if tags.is_empty() && has_fields { Err(NoTags) } else { Ok(tags) }
    }

    /// All keys of `uri` that are kept apart.
    pub(crate) fn apart(uri: &str) -> Self {
        Name::Apart { uri }.tag()
    }

    /// Under what is found what has it.
    pub(crate) fn ids(&self) -> [TagId; 2] {
        [self.id, Name::TooMany.id()]
    }

    pub(crate) fn id(&self) -> TagId {
        self.id
    }

    /// Under what is found on disk what has it.
    pub(crate) fn lasting(&self) -> [LastingName; 2] {
        [self.lasting.clone(), Name::TooMany.lasting()]
    }

    /// Its name on disk.
    pub(crate) fn name(&self) -> &[u8] {
        &self.lasting
    }
}

/// The tags in the fields of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagsOf {
    /// In lower case.
    named: Vec<Vec<u8>>,
    groups: Vec<Vec<u8>>,
}

impl TagsOf {
    /// Reads them: words of `Surrogate-Key`, members of `Cache-Tag`, and strings of `Cache-Groups`
    /// ([RFC 9875 §2]), which is ignored if it is no list of strings.
    ///
    /// *Cost*: three look-ups for an answer without.
    ///
    /// [RFC 9875 §2]: https://www.rfc-editor.org/rfc/rfc9875#section-2
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let lines = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let is_space = |byte: &u8| b" \t".contains(byte);
        let words = lines(SURROGATE_KEY).flat_map(|line| line.split(is_space));
        let members = lines(CACHE_TAG).flat_map(|line| list::parts(line, b','));
        let named = words.chain(members).filter(|name| !name.is_empty());
        Self {
            named: named.map(<[u8]>::to_ascii_lowercase).collect(),
            groups: strings(headers, &CACHE_GROUPS),
        }
    }

    /// How many there are, those that are there twice included.
    pub(crate) fn len(&self) -> usize {
        (self.named.len() + self.groups.len()).min(TAGS_MAX + 1)
    }

    /// Under what an answer with them is found that is stored under `key`, each once.
    pub(crate) fn ids(&self, key: &Key) -> Vec<TagId> {
        let mut ids: Vec<_> = self.names(key, TAGS_MAX).iter().map(Name::id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The same on disk, at most so many.
    pub(crate) fn lasting(&self, key: &Key, max: usize) -> Vec<LastingName> {
        self.names(key, max.saturating_sub(3)).iter().map(Name::lasting).collect()
    }

    /// Their names, of which `max` are told apart, and what stands for others.
    fn names<'t>(&'t self, key: &'t Key, max: usize) -> Vec<Name<'t>> {
        let origin = key.origin();
        let named = self.named.iter().map(|name| Name::Named(name));
        let groups = self.groups.iter().map(|name| Name::Group { origin, name });
        let mut all: Vec<_> = named.chain(groups).collect();
        if all.len() > max {
            all.truncate(max);
            all.push(Name::TooMany);
        }
        all.extend(Name::of_key(key));
        all
    }
}

/// The groups that the answer to a change of something at `origin` tells to be invalidated.
pub(crate) fn invalidated_groups(headers: &HeaderMap, origin: &str) -> Vec<Tag> {
    let groups = strings(headers, &CACHE_GROUP_INVALIDATION);
    groups.iter().take(TAGS_MAX).map(|name| Tag::group_of(origin, name)).collect()
}

/// The strings in the fields called `name`; none if they are no list of strings.
fn strings(headers: &HeaderMap, name: &HeaderName) -> Vec<Vec<u8>> {
    if !headers.contains_key(name) {
        return Vec::new();
    }
    let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    read_strings(&lines.join(&b", "[..])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn tags_are_read_as_their_vendors_have_them() {
        check("", "", "");
        check("surrogate-key: a  B\tc", "a b c", "");
        check("surrogate-key: a,b", "a,b", "");
        check("surrogate-key: a\nsurrogate-key: b", "a b", "");
        check("cache-tag: a, B ,,c d", "a b c d", "");
        check("cache-tag: a\nsurrogate-key: a", "a a", "");
        check("cache-groups: \"a\", \"B c\";x=1", "", "a B c");
        check("cache-groups: \"a\"\ncache-groups: \"b\"", "", "a b");
        for broken in ["a", "\"a\", b", "\"a", "1", "(\"a\")", "\"a\",", "\"a\" \"b\""] {
            check(&format!("cache-groups: {broken}"), "", "");
        }
    }

    #[test]
    fn what_has_too_many_tags_is_found_by_any() {
        let many: Vec<_> = (0..=TAGS_MAX).map(|at| format!("t{at}")).collect();
        let headers = fields(&format!("surrogate-key: {}", many.join(" ")));
        let key = Key::of("http", "a", "/").unwrap();
        let ids = TagsOf::read(&headers).ids(&key);
        assert_eq!((ids.len(), TagsOf::read(&headers).len()), (TAGS_MAX + 1, TAGS_MAX + 1));
        for tag in ["t0", "t1000", "another"] {
            assert!(Tag::named(tag).ids().iter().any(|id| ids.contains(id)), "{tag}");
        }
    }

    #[test]
    fn groups_are_of_their_origin() {
        let groups =
            |origin| invalidated_groups(&fields("cache-group-invalidation: \"g\""), origin);
        assert_eq!(groups("http://a"), [Tag::group("http://a", "g")]);
        assert_ne!(groups("http://a"), groups("http://a:81"));
        assert_ne!(Tag::group("http://a", "g"), Tag::named("g"));
    }

    #[track_caller]
    fn check(lines: &str, named: &str, groups: &str) {
        let TagsOf { named: found, groups: in_groups } = TagsOf::read(&fields(lines));
        let text = |tags: Vec<Vec<u8>>| String::from_utf8(tags.join(&b" "[..])).unwrap();
        assert_eq!(
            (text(found).as_str(), text(in_groups).as_str()),
            (named, groups),
            "for {lines}"
        );
    }
}
