//! The cache as a whole: asked before upstream is, and told what upstream answered.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use http::{Method, StatusCode};
use relais_wire::exchange::Cached;

use crate::{
    cache_status::{CacheStatus, Forward, Kept, Source},
    counts::{Counted, Counters, Counts},
    disk::{Disk, Patience, WouldBlock},
    fetch::Fetch,
    fill::{Crowd, Reader, Waiter},
    hit::Hit,
    key::Key,
    on_disk::OnDisk,
    request::{Content, Request, Switch},
    reuse::{Failure, NoStandIn, Reuse, WhyAsk, WhyStale, judge_failure, judge_reuse},
    room::Room,
    rules::{Storing, rule_of},
    searches::Searches,
    settings::Settings,
    store::{Found, Store},
    stored::{Revalidation, Stored},
    terms::Terms,
};

/// A cache. Cloning it gives another handle of the same one; it may be used from many threads.
///
/// For each request [`look`](Self::look) says whether it is answered at once. If upstream has to be
/// asked, [`take`](Self::take) is told the head of what it answers, or [`fail`](Self::fail) that it
/// does not.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Arc<Store>,
    pub(crate) room: Arc<Room>,
    pub(crate) searches: Arc<Searches>,
    pub(crate) crowd: Crowd,
    pub(crate) counters: Arc<Counters>,
    /// Who is asked in its place, if somebody is: see [`retire`](Self::retire).
    pub(crate) successor: Arc<OnceLock<Self>>,
}

/// What a cache has for a request.
#[derive(Debug)]
pub enum Lookup {
    /// An answer: send it.
    Hit(Hit),
    /// An answer that is stale and may be sent all the same, while upstream is asked: send it, and
    /// do what the [`Fetch`] says. It is `None` if somebody else does.
    Stale(Hit, Option<Box<Fetch>>),
    /// Nothing that may be sent without asking upstream.
    Ask(Box<Fetch>),
    /// The same, but somebody asks already: wait for that, and then
    /// [`resume`](Cache::resume).
    Join(Box<Waiter>),
    /// Somebody asked, and this is what comes: send it. The body is the reader's.
    Shared(Hit, Box<Reader>),
    /// Nothing that is in memory; but the disk may have it: [`bring_up`](Cache::bring_up) that, and
    /// [`look`](Cache::look) then; or [`look_past_disk`](Cache::look_past_disk), if that takes too
    /// long. Only [`look_above`](Cache::look_above) says so.
    Below,
    /// Others asked for it again and again in vain while this client waited: this is what the last
    /// of them was told.
    Failed(Forward, StatusCode),
    /// Somebody asks already, and too many wait for such: 503.
    Crowded(Forward),
    /// The same, but the client wants nobody to be asked: 504 ([RFC 9111 §5.2.1.7]).
    ///
    /// [RFC 9111 §5.2.1.7]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.7
    OnlyIfCached,
}

/// What there is for a request, before anything is done about it.
pub(crate) enum Judged {
    Send(Hit),
    /// It is stale: upstream has to be asked about it meanwhile.
    SendAndAsk(Hit),
    /// Upstream, for a reason; and about what is stored, if something is.
    Ask(Forward, Option<Arc<Stored>>),
}

impl Cache {
    /// An empty cache, in memory alone.
    pub fn new(settings: Settings) -> Self {
        Self::over(settings, None)
    }

    /// A cache that has what `disk` has of the same whom, which was opened with
    /// [`disk_settings`](crate::disk_settings). `of_whom` says what answers depend on that no key says:
    /// whose they are, and what is done to them.
    pub fn with_disk(settings: Settings, disk: Arc<Disk>, of_whom: &str) -> Self {
        Self::over(settings, Some(OnDisk::new(disk, of_whom)))
    }

    fn over(settings: Settings, on_disk: Option<OnDisk>) -> Self {
        Self {
            store: Arc::new(Store::new(&settings, on_disk)),
            room: Arc::new(Room::of(settings.memory.saturating_add(settings.filling_max))),
            searches: Arc::new(Searches::new()),
            counters: Arc::new(Counters::new()),
            successor: Arc::default(),
            crowd: Crowd::at_most(settings.joining.waiting_max),
            settings: Arc::new(settings),
        }
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Finds the answer to the request `asked` for `key` that may be sent at once, and for which
    /// nobody has to be asked. It begins nothing: it may be called before [`look`](Self::look), or
    /// instead of it, as often as one likes. It counts as asked for, in memory and, once a minute, in
    /// the index of the disk.
    ///
    /// *Cost*: one look-up under a shared lock. It allocates where rules or `No-Vary-Search` make
    /// another text of the key, and when the disk's index is told.
    pub fn find(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Option<Hit> {
        let key = self.searches.key_of(key);
        let hit = match self.judge(&key, asked, now) {
            Judged::Send(hit) => Some(hit),
            Judged::SendAndAsk(hit) => (!Revalidation::is_due(hit.stored(), now)).then_some(hit),
            Judged::Ask(..) => None,
        };
        hit.inspect(|hit| self.store.note_sent(&key, hit.stored(), now))
    }

    /// The disk below, if there is one.
    pub fn disk(&self) -> Option<&Arc<Disk>> {
        self.store.on_disk().map(OnDisk::disk)
    }

    /// Whether what the request `asked` for `key` wants is not in memory, and may be on disk: then
    /// [`bring_up`](Self::bring_up) is to be called before [`look`](Self::look).
    ///
    /// *Cost*: two look-ups, if there is a disk.
    pub fn may_be_below(&self, key: &Key, asked: &Request<'_>) -> bool {
        matches!(*asked.method, Method::GET | Method::HEAD)
            && self.store.may_be_below(&self.searches.key_of(key), asked)
    }

    /// Brings what the disk has for `key` to memory; bodies that have a file of their own stay there.
    ///
    /// *Cost*: a read of the disk for each variant.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`], if `patience` is [`None`](Patience::None) and the system has to read it first.
    pub fn bring_up(&self, key: &Key, patience: Patience) -> Result<(), WouldBlock> {
        let key = &*self.searches.key_of(key);
        let was_empty = self.store.variants(key).is_empty();
        self.store.bring_up(key, &self.room, patience)?;
        if was_empty && !self.store.variants(key).is_empty() {
            self.counters.count(Counted::BroughtUp);
        }
        Ok(())
    }

    /// Counts an answer to a client. Whoever answers says so, once for each request.
    pub fn count(&self, answered: Cached) {
        self.counters.count(Counted::Answered(answered));
    }

    /// How often requests were answered in which way.
    pub fn counts(&self) -> Counts {
        self.counters.all()
    }

    /// Forgets what is `stored` for `key`, whose [file](Stored::file) cannot be read.
    pub fn lose(&self, key: &Key, stored: &Arc<Stored>) {
        self.store.lose(&self.searches.key_of(key), stored);
    }

    /// What there is for the request `asked` for `key`, and whether it may be sent.
    pub(crate) fn judge(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Judged {
        if !matches!(*asked.method, Method::GET | Method::HEAD) {
            return Judged::Ask(Forward::Method, None);
        }
        if rule_of(&self.settings.rules, key).is_some_and(|rule| rule.storing == Storing::Bypassed)
        {
            return Judged::Ask(Forward::Bypassed, None);
        }
        if asked.content == Content::Some {
            return Judged::Ask(Forward::Content, None);
        }
        if asked.switch == Switch::Wanted {
            return Judged::Ask(Forward::Upgrade, None);
        }
        let stored = match self.store.find(key, asked) {
            Found::Nothing => return Judged::Ask(Forward::Unknown, None),
            Found::OtherVariants => return Judged::Ask(Forward::OtherVariants, None),
            Found::Variant(stored) => stored,
        };
        let (age, excuse) = match judge_reuse(asked, stored.terms(), now, &self.settings) {
            Reuse::Fresh { age } => (age, None),
            Reuse::Stale { age, excuse } => (age, Some(excuse)),
            Reuse::Ask(why) => return Judged::Ask(Forward::Ask(why), Some(stored)),
        };
        match (hit(stored, asked, (age, excuse), now), excuse) {
            (Ok(hit), Some(WhyStale::WhileRevalidate)) => Judged::SendAndAsk(hit),
            (Ok(hit), _) => Judged::Send(hit),
            (Err(parts), _) => Judged::Ask(Forward::Ask(WhyAsk::Incomplete), Some(parts)),
        }
    }

    /// `asked`, with what is said of requests for `key`.
    pub(crate) fn ruled<'r>(&'r self, key: &Key, asked: &'r Request<'_>) -> Cow<'r, Request<'r>> {
        match rule_of(&self.settings.rules, key) {
            Some(rule) => Cow::Owned(Request { rule: Some(rule), ..asked.clone() }),
            None => Cow::Borrowed(asked),
        }
    }

    /// What to send in the place of an answer that `fetch` did not get: upstream cannot be
    /// reached, or did not get through with a head.
    ///
    /// # Errors
    ///
    /// [`NoStandIn`], if there is nothing, or nothing that may be sent.
    pub fn fail(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        now: SystemTime,
    ) -> Result<Hit, NoStandIn> {
        self.stand_in(fetch, asked, Failure::Unreachable, now)
    }

    /// What may be sent for a `failure`.
    pub(crate) fn stand_in(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        failure: Failure,
        now: SystemTime,
    ) -> Result<Hit, NoStandIn> {
        // First what most answers are decided by: the next takes a lock.
        if !failure.is_error() {
            return Err(NoStandIn::NoError);
        }
        let stored = fetch.stored().ok_or(NoStandIn::NothingStored)?;
        let is_purged = self.store.was_purged((fetch.key(), fetch.since()), stored);
        if is_purged || self.store.was_invalidated(fetch.key(), fetch.since()) {
            return Err(NoStandIn::Invalidated);
        }
        let when = (now, &*self.settings);
        let (age, excuse) = judge_failure(asked, stored.terms(), failure, when)?;
        let hit = hit(Arc::clone(stored), asked, (age, Some(excuse)), now);
        hit.map_err(|_parts| NoStandIn::Incomplete)
    }

    /// Takes out everything.
    pub fn clear(&self) {
        self.store.clear();
    }

    /// How many bytes of memory are in use: bodies, heads, keys, and an estimate of the index.
    pub fn bytes(&self) -> u64 {
        self.store.weight()
    }

    /// Has no more than so many bytes of memory in use from now on, at most [`Settings::memory`], and
    /// lets go of what is too much: for a while in which the process has no more to give.
    pub fn hold_to(&self, bytes: u64) {
        self.store.hold_to(bytes.min(self.settings.memory));
    }

    /// How many bytes of bodies may come in at once before anything has to make room for them, at most
    /// [`Settings::filling_max`].
    pub fn room(&self) -> u64 {
        self.room.left().min(self.settings.filling_max)
    }

    /// How many keys something is stored for.
    pub fn keys(&self) -> usize {
        self.store.len()
    }
}

/// An answer from what is `stored`, which is so old, and sent for a reason if it is stale; or that, if
/// it is parts that are no answer.
pub(crate) fn hit(
    stored: Arc<Stored>,
    asked: &Request<'_>,
    (age, excuse): (Duration, Option<WhyStale>),
    now: SystemTime,
) -> Result<Hit, Arc<Stored>> {
    let ttl = Some(ttl(stored.terms(), age));
    let status = CacheStatus { source: Source::Stored(excuse), ttl, kept: Kept::Unsaid };
    Hit::of(stored, asked, now, (age.as_secs(), status))
}

/// For how many seconds more what is used on these `terms` is fresh. Counted in whole seconds, as
/// `Age` is: the two together are the lifetime.
pub(crate) fn ttl(terms: &Terms, age: Duration) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds(terms.lifetime.duration).saturating_sub(seconds(age))
}
