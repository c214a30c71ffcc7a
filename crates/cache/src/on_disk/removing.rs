//! What is taken out of the disk, as it is of memory.

use bytes::Bytes;

use super::{OnDisk, record};
use crate::{
    disk::{self, NotPurged, Ticket},
    key::Key,
    purge::{Pattern, Purge},
    stored::Stored,
    tags::{Tag, by_any_word},
};

impl OnDisk {
    /// Takes out all that is stored under `key`, and under those that are apart from it.
    ///
    /// *Cost*: of what is stored.
    pub(crate) fn forget(&self, key: &Key) {
        let apart = Tag::apart(key.as_str());
        let key = self.print_key(key);
        if self.disk.may_have(&key) {
            drop(self.disk.remove(&key));
        }
        drop(self.purge_family(apart.name(), (&[], disk::Purge::Hard)));
    }

    /// Purges what is stored of the path of `key` by what `No-Vary-Search` said of it, but by one of
    /// these `words`.
    ///
    /// *Cost*: of what is found; nobody looks at what is kept by these.
    pub(crate) fn purge_searched(&self, key: &Key, words: &[String], purge: Purge) -> Vec<Ticket> {
        let words: Vec<_> = words.iter().map(|word| record::name_by_word(key, word)).collect();
        self.purge_family(&by_any_word(key), (&words, how(purge)))
    }

    fn purge_family(&self, name: &[u8], (others, how): (&[Vec<u8>], disk::Purge)) -> Vec<Ticket> {
        let purged = self.disk.purge_family(name, others, how);
        // There is no room for one more purge but for that of everything.
        purged.unwrap_or_else(|_too_many| vec![self.disk.clear()])
    }

    /// Takes out what is stored under `key` for the same requests as `stored`, and no other variant.
    pub(crate) fn forget_variant(&self, key: &Key, stored: &Stored) {
        let (key, selection) = self.print_variant(key, stored);
        if self.disk.may_have_variant(&key, &selection) {
            drop(self.disk.remove_variant(&key, &selection));
        }
    }

    /// Purges what `pattern` chooses. What is on disk when a ticket says so, is so for good.
    ///
    /// # Errors
    ///
    /// [`NotPurged`]: then not all of it is.
    pub(crate) fn purge(&self, pattern: &Pattern, purge: Purge) -> Result<Vec<Ticket>, NotPurged> {
        let patterns = match pattern {
            Pattern::All => vec![disk::Pattern::All],
            Pattern::Url(url) => {
                let apart = &Tag::apart(url.key().as_str()).lasting()[0];
                let key = self.print_key(url.key()).into();
                vec![disk::Pattern::Key(key), disk::Pattern::Tag(self.disk.tag(apart))]
            }
            Pattern::Prefix(prefix) => vec![disk::Pattern::Prefix(text(prefix.as_str()))],
            Pattern::Glob(glob) => vec![disk::Pattern::Glob(text(glob.as_str()))],
            Pattern::Tag(tag) => {
                let tags = tag.lasting();
                tags.iter().map(|name| disk::Pattern::Tag(self.disk.tag(name))).collect()
            }
        };
        let how = how(purge);
        patterns.into_iter().map(|pattern| self.disk.purge(pattern, how)).collect()
    }

    /// Takes out everything.
    pub(crate) fn clear(&self) {
        drop(self.disk.clear());
    }
}

fn how(purge: Purge) -> disk::Purge {
    match purge {
        Purge::Hard => disk::Purge::Hard,
        Purge::Soft => disk::Purge::Soft,
    }
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
