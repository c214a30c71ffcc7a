//! Purging: what an operator, or a server's word, takes out of the store before its time.

use std::{sync::Arc, time::SystemTime};

use http::HeaderMap;

use crate::{
    cache::Cache,
    key::Key,
    purge::{Pattern, Purge, Url},
    store::Change,
    stored::Stored,
    tags::{Tag, TagId, invalidated_groups},
};

/// Something that is stored.
#[derive(Clone, Debug)]
pub struct Object {
    /// Under what.
    pub key: Key,
    /// The response.
    pub stored: Arc<Stored>,
}

impl Cache {
    /// Purges what `pattern` chooses at `now`, and keeps out what is on its way in. Gives how many
    /// responses there were, each variant one.
    ///
    /// *Cost*: of what is found, for a URL or a tag; of all that is stored, for the others. Blocks no
    /// request for longer than one key takes.
    pub fn purge(&self, pattern: &Pattern, purge: Purge, now: SystemTime) -> usize {
        match pattern {
            Pattern::Url(url) => {
                let patterns = self.urls_of(url).into_iter().map(Pattern::Url);
                patterns.map(|pattern| self.purge_one(&pattern, purge, now)).sum()
            }
            _ => self.purge_one(pattern, purge, now),
        }
    }

    /// The URLs under which answers to requests for `url` are stored: that itself, and what counts of
    /// its query where a rule or `No-Vary-Search` says that not all does.
    fn urls_of(&self, url: &Url) -> Vec<Url> {
        let ruled = self.settings.key_of(url.key().clone(), &HeaderMap::new(), "");
        let mut urls = vec![url.clone(), Url::from(ruled)];
        let besides = urls.iter().flat_map(|url| self.searches.keys_besides(url.key()));
        let besides: Vec<_> = besides.map(Url::from).collect();
        urls.extend(besides);
        urls.sort_unstable_by(|one, other| one.key().as_str().cmp(other.key().as_str()));
        urls.dedup();
        urls
    }

    fn purge_one(&self, pattern: &Pattern, purge: Purge, now: SystemTime) -> usize {
        // First: what comes from here on was asked for later, and what came is found below.
        self.store.keep_out(pattern.clone(), purge);
        match pattern {
            Pattern::Url(url) => {
                let apart = self.store.tagged(Tag::apart(url.key().as_str()).id());
                let keys = apart.iter().map(|key| &**key).chain([url.key()]);
                self.purge_keys(keys, (pattern, purge), now)
            }
            Pattern::Tag(tag) => {
                let found: Vec<_> = tag.ids().map(|id: TagId| self.store.tagged(id)).concat();
                self.purge_keys(found.iter().map(|key| &**key), (pattern, purge), now)
            }
            Pattern::All | Pattern::Prefix(_) | Pattern::Glob(_) => {
                let keys = self.store.iter().filter(|(key, _)| pattern.chooses(key, &[]));
                keys.map(|(key, _)| self.purge_keys([&key], (pattern, purge), now)).sum()
            }
        }
    }

    fn purge_keys<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k Key>,
        (pattern, purge): (&Pattern, Purge),
        now: SystemTime,
    ) -> usize {
        let change = |key: &Key, stored: &Arc<Stored>| match purge {
            _ if !pattern.chooses(key, stored.tag_ids()) => Change::None,
            Purge::Hard => Change::Out,
            Purge::Soft => Change::To(Arc::new(stored.expired(now, &self.settings))),
        };
        let mut keys: Vec<&Key> = keys.into_iter().collect();
        // An answer of many variants is found once for each.
        keys.sort_unstable_by_key(|key| (key.as_str(), key.apart_by()));
        keys.dedup();
        keys.into_iter().map(|key| self.store.change(key, |stored| change(key, stored))).sum()
    }

    /// Takes out what is of the groups that the answer to a change of `key` names, on the same
    /// origin ([RFC 9875 §3]). [`take`](Self::take) does so by itself.
    ///
    /// [RFC 9875 §3]: https://www.rfc-editor.org/rfc/rfc9875#section-3
    pub(crate) fn invalidate_groups(&self, key: &Key, headers: &HeaderMap) {
        for group in invalidated_groups(headers, key.origin()) {
            // The time does not matter to what is gone.
            self.purge(&Pattern::Tag(group), Purge::Hard, SystemTime::UNIX_EPOCH);
        }
    }

    /// What is stored that `pattern` chooses, in no order. What comes or goes meanwhile is among it
    /// or not.
    ///
    /// *Cost*: of what is found, for a URL or a tag; else of all that is stored.
    pub fn objects<'c>(&'c self, pattern: &'c Pattern) -> Box<dyn Iterator<Item = Object> + 'c> {
        let of_key = |key: Key, variants: &[Arc<Stored>]| {
            let object = |stored: &Arc<Stored>| {
                // What is looked for by URLs is found by no other.
                let is_chosen =
                    matches!(pattern, Pattern::Url(_)) || pattern.chooses(&key, stored.tag_ids());
                is_chosen.then(|| Object { key: key.clone(), stored: Arc::clone(stored) })
            };
            variants.iter().filter_map(object).collect::<Vec<_>>()
        };
        let (mut keys, tagged): (Vec<Key>, Vec<TagId>) = match pattern {
            Pattern::Url(url) => {
                let keys = self.urls_of(url).into_iter().map(|url| url.key().clone());
                keys.map(|key| (key.clone(), Tag::apart(key.as_str()).id())).unzip()
            }
            Pattern::Tag(tag) => (Vec::new(), tag.ids().to_vec()),
            Pattern::All | Pattern::Prefix(_) | Pattern::Glob(_) => {
                return Box::new(self.store.iter().flat_map(move |(key, all)| of_key(key, &all)));
            }
        };
        let tagged = tagged.into_iter().flat_map(|id| self.store.tagged(id));
        keys.extend(tagged.map(|key| (*key).clone()));
        keys.sort_unstable_by(|one, other| {
            (one.as_str(), one.apart_by()).cmp(&(other.as_str(), other.apart_by()))
        });
        keys.dedup();
        Box::new(keys.into_iter().flat_map(move |key| {
            let variants = self.store.variants(&key);
            of_key(key, &variants)
        }))
    }

    /// How many tags what is stored has, all in all.
    pub fn tags(&self) -> usize {
        self.store.tags()
    }
}
