//! What was purged and is still being taken out: a list that lookups are held against.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

use super::record::Front;
use crate::glob;

/// What to purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Everything.
    All,
    /// All variants of a key.
    Key(Bytes),
    /// The one variant of a key that has this selection.
    Variant {
        /// The key.
        key: Bytes,
        /// The selection.
        selection: Bytes,
    },
    /// Keys that begin so.
    Prefix(Bytes),
    /// Keys that are wholly as this says, in which each `*` stands for any bytes or none.
    Glob(Bytes),
    /// Objects with this tag: see [`Disk::tag`](super::Disk::tag).
    Tag(u64),
}

/// How to purge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// It stays, and is stale.
    Soft,
    /// It is gone.
    Hard,
}

/// What is purged, keys by their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    All,
    Key(u64),
    /// One variant of a key.
    Variant(u64, u32),
    Tag(u64),
    Prefix(Bytes),
    Glob(Bytes),
}

impl What {
    /// The key whose objects it is about, and which of its variants; `None` for all of them.
    pub(super) fn key(&self) -> Option<(u64, Option<u32>)> {
        match self {
            Self::Key(hash) => Some((*hash, None)),
            Self::Variant(hash, variant) => Some((*hash, Some(*variant))),
            Self::All | Self::Tag(_) | Self::Prefix(_) | Self::Glob(_) => None,
        }
    }
}

/// A purge that was asked for: it is about all that was before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ban {
    pub seq: u64,
    pub what: What,
    pub manner: Purge,
}

/// What purges say of a record. The worse counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Good,
    Stale,
    Gone,
}

/// The purges that count, for as long as there may be objects that they are about: the sweep takes
/// those out, and then the purge.
#[derive(Debug)]
pub(super) struct Purges {
    /// How many there are, to be asked first: mostly none, and then nothing is locked.
    count: AtomicUsize,
    /// How often some were forgotten, as they were done.
    epoch: AtomicU64,
    lists: RwLock<Lists>,
    name_of: fn(&[u8]) -> &[u8],
}

#[derive(Debug, Default)]
struct Lists {
    all: Latest,
    /// By key and variant; `None` for all variants.
    keys: HashMap<(u64, Option<u32>), Latest>,
    tags: HashMap<u64, Latest>,
    patterns: Vec<Ban>,
}

/// The newest of each manner; 0 for none.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    soft: u64,
    hard: u64,
}

/// No more patterns are held at once, as each lookup looks at all of them.
pub(super) const PATTERNS_MAX: usize = 1024;
/// Nor more tags.
pub(super) const TAGS_PURGED_MAX: usize = 100_000;
/// No longer pattern is taken.
pub(super) const PATTERN_BYTES_MAX: usize = 4096;

impl Latest {
    fn add(&mut self, seq: u64, manner: Purge) {
        match manner {
            Purge::Soft => self.soft = self.soft.max(seq),
            Purge::Hard => self.hard = self.hard.max(seq),
        }
    }

    fn verdict(self, seq: u64) -> Verdict {
        if seq < self.hard {
            Verdict::Gone
        } else if seq < self.soft {
            Verdict::Stale
        } else {
            Verdict::Good
        }
    }

    /// Forgets what is not newer than `upto`. Whether anything is left.
    fn forget(&mut self, upto: u64) -> bool {
        for seq in [&mut self.soft, &mut self.hard] {
            if *seq <= upto {
                *seq = 0;
            }
        }
        self.soft != 0 || self.hard != 0
    }

    fn bans(self, what: &What) -> impl Iterator<Item = Ban> {
        let both = [(self.soft, Purge::Soft), (self.hard, Purge::Hard)];
        let held = both.into_iter().filter(|(seq, _)| *seq != 0);
        held.map(move |(seq, manner)| Ban { seq, what: what.clone(), manner })
    }
}

impl Purges {
    pub(super) fn new(name_of: fn(&[u8]) -> &[u8]) -> Self {
        Self {
            count: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            lists: RwLock::default(),
            name_of,
        }
    }

    /// Adds one. From here on no lookup finds what it is about.
    pub(super) fn add(&self, ban: Ban) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let Ban { seq, manner, .. } = ban;
        match ban.what {
            What::All => lists.all.add(seq, manner),
            What::Key(hash) => lists.keys.entry((hash, None)).or_default().add(seq, manner),
            What::Variant(hash, variant) => {
                lists.keys.entry((hash, Some(variant))).or_default().add(seq, manner);
            }
            What::Tag(hash) => lists.tags.entry(hash).or_default().add(seq, manner),
            What::Prefix(_) | What::Glob(_) => lists.patterns.push(ban),
        }
        self.count.store(lists.count(), Ordering::Release);
    }

    /// Whether lookups are spared something by a sweep: a few tags cost them nothing.
    pub(super) fn want_a_sweep(&self) -> bool {
        const TAGS_LOOKED_UP: usize = 256;
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let has_all = lists.all.soft != 0 || lists.all.hard != 0;
        has_all || !lists.patterns.is_empty() || lists.tags.len() > TAGS_LOOKED_UP
    }

    /// Whether lookups are held against any.
    pub(super) fn are_held(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Which state of the list this is. Who looks an object up in the index before, and asks for a
    /// verdict after, has to look again if it is another: a purge that was done meanwhile is not in
    /// the verdict.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Whether there is room for one more of this.
    pub(super) fn has_room(&self, what: &What) -> bool {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        match what {
            What::All | What::Key(_) | What::Variant(..) => true,
            What::Tag(_) => lists.tags.len() < TAGS_PURGED_MAX,
            What::Prefix(_) | What::Glob(_) => lists.patterns.len() < PATTERNS_MAX,
        }
    }

    /// What they say of a record.
    pub(super) fn verdict(&self, front: &Front) -> Verdict {
        if !self.are_held() {
            return Verdict::Good;
        }
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let seq = front.header.seq;
        let mut verdict = lists.all.verdict(seq);
        if !lists.keys.is_empty() {
            let (hash, variant) = (front.header.key_hash, front.header.variant);
            for latest in [None, Some(variant)].iter().filter_map(|of| lists.keys.get(&(hash, *of)))
            {
                verdict = verdict.max(latest.verdict(seq));
            }
        }
        if !lists.tags.is_empty() {
            let latest = front.tags().filter_map(|tag| lists.tags.get(&tag));
            verdict = latest.fold(verdict, |verdict, latest| verdict.max(latest.verdict(seq)));
        }
        if !lists.patterns.is_empty() {
            let key = front.key();
            verdict = verdict.max(lists.patterns_verdict((self.name_of)(&key), seq));
        }
        verdict
    }

    /// Forgets that a key was removed, or a variant of it, unless it was again after `seq`: nothing
    /// older is found.
    pub(super) fn forget_key(&self, key: (u64, Option<u32>), seq: u64) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if lists.keys.get_mut(&key).is_some_and(|latest| !latest.forget(seq)) {
            lists.keys.remove(&key);
        }
        self.epoch.fetch_add(1, Ordering::Release);
        self.count.store(lists.count(), Ordering::Release);
    }

    /// The same of all keys, when everything was removed.
    pub(super) fn forget_keys(&self, seq: u64) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.keys.retain(|_, latest| latest.forget(seq));
        self.epoch.fetch_add(1, Ordering::Release);
        self.count.store(lists.count(), Ordering::Release);
    }

    /// Forgets all up to `upto`, but removals of keys: nothing is left that they are about.
    pub(super) fn forget(&self, upto: u64) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.all.forget(upto);
        lists.tags.retain(|_, latest| latest.forget(upto));
        lists.patterns.retain(|ban| ban.seq > upto);
        self.epoch.fetch_add(1, Ordering::Release);
        self.count.store(lists.count(), Ordering::Release);
    }

    /// All that count, but removals of keys: these are done before they are acknowledged.
    pub(super) fn list(&self) -> Vec<Ban> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let mut bans = lists.patterns.clone();
        bans.extend(lists.all.bans(&What::All));
        for (tag, latest) in &lists.tags {
            bans.extend(latest.bans(&What::Tag(*tag)));
        }
        bans
    }
}

impl Lists {
    fn count(&self) -> usize {
        let all = usize::from(self.all.soft != 0) + usize::from(self.all.hard != 0);
        all + self.keys.len() + self.tags.len() + self.patterns.len()
    }

    fn patterns_verdict(&self, name: &[u8], seq: u64) -> Verdict {
        let newer = self.patterns.iter().filter(|ban| seq < ban.seq);
        let matching = newer.filter(|ban| match &ban.what {
            What::Prefix(prefix) => name.starts_with(prefix),
            What::Glob(pattern) => glob::matches(pattern, name),
            What::All | What::Key(_) | What::Variant(..) | What::Tag(_) => false,
        });
        let verdicts = matching.map(|ban| match ban.manner {
            Purge::Soft => Verdict::Stale,
            Purge::Hard => Verdict::Gone,
        });
        verdicts.max().unwrap_or(Verdict::Good)
    }
}
