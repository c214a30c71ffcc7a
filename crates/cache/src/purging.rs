//! Purging: what an operator, or a server's word, takes out of the store before its time.

use std::{sync::Arc, time::SystemTime};

use http::HeaderMap;

use crate::{
    cache::Cache,
    disk::{NotDurable, NotPurged, Patience, Ticket},
    key::Key,
    object::Object,
    on_disk::OnDisk,
    purge::{Pattern, Purge, Url},
    searches::Words,
    store::Change,
    stored::Stored,
    tags::{Tag, TagId, TagsOf, by_word, invalidated_groups},
};

/// What was purged.
#[derive(Debug, Default)]
#[must_use]
pub struct Purged {
    /// How many responses there were, each variant one, as far as that is known: of those that are on
    /// disk alone, none is counted.
    pub count: usize,
    tickets: Vec<Ticket>,
}

impl Purged {
    /// Waits until it is on disk that they were. Blocks.
    ///
    /// # Errors
    ///
    /// [`NotDurable`]: they are gone, but may be there again after a crash.
    pub fn wait(self) -> Result<(), NotDurable> {
        self.tickets.into_iter().try_for_each(Ticket::wait)
    }
}

impl Cache {
    /// Purges what `pattern` chooses at `now`, and keeps out what is on its way in.
    ///
    /// *Cost*: of what is found, for a URL or a tag; of all that is in memory, for the others. Blocks no
    /// request for longer than one key takes. On disk, it is found by nobody from here on, and taken
    /// out later.
    ///
    /// # Errors
    ///
    /// [`NotPurged`]: too many purges are under way on the disk. Then it is to be asked for again.
    pub fn purge(
        &self,
        pattern: &Pattern,
        purge: Purge,
        now: SystemTime,
    ) -> Result<Purged, NotPurged> {
        let (own, successors) = (self.purge_own(pattern, purge, now), self.successor());
        let successors = successors.map(|successor| successor.purge(pattern, purge, now));
        let mut all = own?;
        if let Some(Purged { count, tickets }) = successors.transpose()? {
            all.count += count;
            all.tickets.extend(tickets);
        }
        Ok(all)
    }

    fn purge_own(
        &self,
        pattern: &Pattern,
        purge: Purge,
        now: SystemTime,
    ) -> Result<Purged, NotPurged> {
        let Pattern::Url(url) = pattern else { return self.purge_one(pattern, purge, now) };
        let mut all = Purged::default();
        let words = self.searches.words(url.key());
        for url in self.urls_in_doubt(url, &words) {
            let Purged { count, tickets } = self.purge_one(&Pattern::Url(url), purge, now)?;
            all.count += count;
            all.tickets.extend(tickets);
        }
        if let Some(on_disk) = self.store.on_disk() {
            all.tickets.extend(on_disk.purge_searched(url.key(), &words.texts(), purge));
        }
        Ok(all)
    }

    /// Takes out everything stored for the URI of `key`, whatever else keeps it apart: for what counts of
    /// its query, too, where a rule or `No-Vary-Search` says that not all does.
    ///
    /// *Cost*: of what is stored so.
    pub fn forget(&self, key: &Key) {
        let url = Url::from(key.clone());
        let words = self.searches.words(key);
        for url in self.urls_in_doubt(&url, &words) {
            self.store.invalidate(&url);
        }
        if let Some(on_disk) = self.store.on_disk() {
            drop(on_disk.purge_searched(url.key(), &words.texts(), Purge::Hard));
        }
        if let Some(successor) = self.successor() {
            successor.forget(key);
        }
    }

    /// The URLs under which answers to requests for `url` are stored: that itself, and what counts of
    /// its query where a rule or `No-Vary-Search` says that not all does.
    fn urls_of(&self, url: &Url, words: &Words) -> Vec<Url> {
        let ruled = self.settings.key_of(url.key().clone(), &HeaderMap::new(), "");
        let mut urls = vec![url.clone(), Url::from(ruled)];
        let besides = urls.iter().flat_map(|url| words.keys(url.key()));
        let besides: Vec<_> = besides.map(Url::from).collect();
        urls.extend(besides);
        urls.sort_unstable();
        urls.dedup();
        urls
    }

    /// The same, and what is in memory of its path by another word of `No-Vary-Search` than those that
    /// are known: whether that makes a difference to `url`, nobody can tell any more.
    ///
    /// *Cost*: of what is found; nobody looks at what is kept by words that are known.
    fn urls_in_doubt(&self, url: &Url, words: &Words) -> Vec<Url> {
        let mut urls = self.urls_of(url, words);
        let known = words.texts();
        let in_doubt = self.store.words(url.key()).into_iter().filter(|word| !known.contains(word));
        let keys = in_doubt.flat_map(|word| self.store.tagged(by_word(url.key(), &word)));
        urls.extend(keys.map(|key| Url::from((*key).clone())));
        urls.sort_unstable();
        urls.dedup();
        urls
    }

    fn purge_one(
        &self,
        pattern: &Pattern,
        purge: Purge,
        now: SystemTime,
    ) -> Result<Purged, NotPurged> {
        // First: what comes from here on was asked for later, and what came is found below.
        self.store.keep_out(pattern.clone(), purge);
        let on_disk = self.store.on_disk().map(|on_disk| on_disk.purge(pattern, purge));
        if on_disk.is_some() {
            // Who began to read the disk in between, found what it did not know to be purged, and
            // would bring that up when all is over.
            self.store.keep_out(pattern.clone(), purge);
        }
        let count = self.purge_memory(pattern, purge, now);
        Ok(Purged { count, tickets: on_disk.transpose()?.unwrap_or_default() })
    }

    fn purge_memory(&self, pattern: &Pattern, purge: Purge, now: SystemTime) -> usize {
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
        keys.sort_unstable();
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
            let purged = self.purge(&Pattern::Tag(group), Purge::Hard, SystemTime::UNIX_EPOCH);
            if purged.is_err() {
                self.clear();
            }
        }
    }

    /// What is stored that `pattern` chooses, in no order. What comes or goes meanwhile is among it
    /// or not. Blocks, where there is a disk.
    ///
    /// *Cost*: of what is found, for a URL, and for a tag without a disk; else of all that is stored.
    pub fn objects<'c>(&'c self, pattern: &'c Pattern) -> Box<dyn Iterator<Item = Object> + 'c> {
        let in_memory = self.objects_in_memory(pattern);
        match (self.store.on_disk(), pattern) {
            (None, _) => in_memory,
            (Some(_), Pattern::Url(url)) => {
                let urls = self.urls_of(url, &self.searches.words(url.key())).into_iter();
                Box::new(in_memory.chain(urls.flat_map(|url| self.variants_on_disk(url.key()))))
            }
            (Some(_), _) => Box::new(in_memory.chain(self.objects_on_disk(pattern))),
        }
    }

    /// The same of what is in memory alone; without a word to the disk.
    pub fn objects_in_memory<'c>(
        &'c self,
        pattern: &'c Pattern,
    ) -> Box<dyn Iterator<Item = Object> + 'c> {
        let of_key = |key: Key, variants: &[Arc<Stored>]| {
            // What is looked for by URLs is found by no other.
            let is_chosen = |stored: &&Arc<Stored>| {
                matches!(pattern, Pattern::Url(_)) || pattern.chooses(&key, stored.tag_ids())
            };
            let chosen = variants.iter().filter(is_chosen).cloned();
            chosen.map(|stored| Object::in_memory(key.clone(), stored)).collect::<Vec<_>>()
        };
        let (mut keys, tagged): (Vec<Key>, Vec<TagId>) = match pattern {
            Pattern::Url(url) => {
                let urls = self.urls_of(url, &self.searches.words(url.key())).into_iter();
                let keys = urls.map(|url| url.key().clone());
                keys.map(|key| (key.clone(), Tag::apart(key.as_str()).id())).unzip()
            }
            Pattern::Tag(tag) => (Vec::new(), tag.ids().to_vec()),
            Pattern::All | Pattern::Prefix(_) | Pattern::Glob(_) => {
                return Box::new(self.store.iter().flat_map(move |(key, all)| of_key(key, &all)));
            }
        };
        let tagged = tagged.into_iter().flat_map(|id| self.store.tagged(id));
        keys.extend(tagged.map(|key| (*key).clone()));
        keys.sort_unstable();
        keys.dedup();
        Box::new(keys.into_iter().flat_map(move |key| {
            let variants = self.store.variants(&key);
            of_key(key, &variants)
        }))
    }

    /// What is on disk alone under `key`.
    fn variants_on_disk(&self, key: &Key) -> Vec<Object> {
        let Some(on_disk) = self.store.on_disk() else { return Vec::new() };
        let found = on_disk.find((key, &[]), &self.room, Patience::Waits).unwrap_or_default();
        let found = found.into_iter().filter(|stored| !self.is_in_memory(key, stored));
        found
            .map(|stored| Object::on_disk(key.clone(), Arc::clone(&stored), stored.bytes()))
            .collect()
    }

    /// What is on disk alone that `pattern` chooses.
    fn objects_on_disk<'c>(&'c self, pattern: &'c Pattern) -> impl Iterator<Item = Object> + 'c {
        let is_chosen = |object: &Object| {
            let Object { key, stored, .. } = object;
            let tags = || TagsOf::read(&stored.headers()).ids(key);
            let tags = if matches!(pattern, Pattern::Tag(_)) { tags() } else { Vec::new() };
            pattern.chooses(key, &tags) && !self.is_in_memory(key, stored)
        };
        self.store.on_disk().into_iter().flat_map(OnDisk::objects).filter(is_chosen)
    }

    fn is_in_memory(&self, key: &Key, stored: &Stored) -> bool {
        self.store.alike(key, stored.selecting()).is_some()
    }

    /// How many tags what is stored in memory has, each once.
    ///
    /// *Cost*: of all tags of all answers.
    pub fn tags(&self) -> usize {
        self.store.tags()
    }
}
