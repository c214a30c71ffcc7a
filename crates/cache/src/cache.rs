//! The cache as a whole: asked before upstream is, and told what upstream answered.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Method;

use crate::{
    asked::{Asked, Content, Switch},
    asking::Asking,
    cache_status::{CacheStatus, Forward, Kept, Source},
    directives::Flag,
    hit::Hit,
    key::Key,
    reuse::{Excuse, Failure, NoStandIn, Reuse, WhyAsk, judge_failure, judge_reuse},
    room::Room,
    settings::Settings,
    store::{Found, Store},
    stored::{Errand, Stored},
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
}

/// What a cache has for a request.
#[derive(Debug)]
pub enum Looked {
    /// An answer: send it.
    Hit(Hit),
    /// An answer that is stale and may be sent all the same, while upstream is asked: send it, and
    /// do what the [`Asking`] says. It is `None` if somebody else does.
    Stale(Hit, Option<Box<Asking>>),
    /// Nothing that may be sent without asking upstream.
    Ask(Box<Asking>),
    /// The same, but the client wants nobody to be asked: 504 ([RFC 9111 §5.2.1.7]).
    ///
    /// [RFC 9111 §5.2.1.7]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.7
    OnlyIfCached,
}

impl Cache {
    /// An empty cache.
    pub fn new(settings: Settings) -> Self {
        Self {
            store: Arc::new(Store::new(&settings)),
            room: Arc::new(Room::of(settings.memory.saturating_add(settings.recording_max))),
            settings: Arc::new(settings),
        }
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Looks whether the request `asked` for `key` is answered at once.
    ///
    /// *Cost*: a hit is one look-up under a shared lock, and no allocation.
    pub fn look(&self, key: &Key, asked: &Asked<'_>, now: SystemTime) -> Looked {
        if !matches!(*asked.method, Method::GET | Method::HEAD) {
            return Looked::Ask(Box::new(self.ask(key, Forward::Method)));
        }
        if asked.content == Content::Some {
            return miss(self.ask(key, Forward::Content), asked);
        }
        if asked.switch == Switch::Wanted {
            return miss(self.ask(key, Forward::Upgrade), asked);
        }
        let stored = match self.store.find(key, asked) {
            Found::Nothing => return miss(self.ask(key, Forward::Unknown), asked),
            Found::OtherVariants => return miss(self.ask(key, Forward::OtherVariants), asked),
            Found::Variant(stored) => stored,
        };
        match judge_reuse(asked, stored.terms(), now, &self.settings) {
            Reuse::Fresh { age } => Looked::Hit(hit(stored, asked, (age, None), now)),
            Reuse::Stale { age, excuse: Excuse::WhileRevalidate } => {
                let asking = Errand::start(&stored, now).map(|errand| {
                    let ask = self.ask(key, Forward::Ask(WhyAsk::Stale));
                    Box::new(ask.about(&stored, asked).on(errand))
                });
                let excuse = Some(Excuse::WhileRevalidate);
                Looked::Stale(hit(stored, asked, (age, excuse), now), asking)
            }
            Reuse::Stale { age, excuse } => {
                Looked::Hit(hit(stored, asked, (age, Some(excuse)), now))
            }
            Reuse::Ask(why) => {
                let ask = self.ask(key, Forward::Ask(why));
                miss(ask.about(&stored, asked), asked)
            }
        }
    }

    /// What to send in the place of an answer that `asking` did not get: upstream cannot be
    /// reached, or did not get through with a head.
    ///
    /// # Errors
    ///
    /// [`NoStandIn`], if there is nothing, or nothing that may be sent.
    pub fn fail(
        &self,
        asking: &Asking,
        asked: &Asked<'_>,
        now: SystemTime,
    ) -> Result<Hit, NoStandIn> {
        self.stand_in(asking, asked, Failure::Unreachable, now)
    }

    /// What may be sent for a `failure`.
    pub(crate) fn stand_in(
        &self,
        asking: &Asking,
        asked: &Asked<'_>,
        failure: Failure,
        now: SystemTime,
    ) -> Result<Hit, NoStandIn> {
        let stored = asking.stored().ok_or(NoStandIn::NothingStored)?;
        if self.store.was_invalidated(asking.key(), asking.since()) {
            return Err(NoStandIn::Invalidated);
        }
        let when = (now, &*self.settings);
        let (age, excuse) = judge_failure(asked, stored.terms(), failure, when)?;
        Ok(hit(Arc::clone(stored), asked, (age, Some(excuse)), now))
    }

    /// Takes out everything stored for `key`.
    pub fn forget(&self, key: &Key) {
        self.store.invalidate(key);
    }

    /// Takes out everything.
    pub fn clear(&self) {
        self.store.clear();
    }

    /// How many bytes of memory are in use: bodies, heads, keys, and an estimate of the index.
    pub fn bytes(&self) -> u64 {
        self.store.weight()
    }

    /// How many keys something is stored for.
    pub fn keys(&self) -> usize {
        self.store.len()
    }

    fn ask(&self, key: &Key, why: Forward) -> Asking {
        Asking::new(key.clone(), self.store.generation(key), why)
    }
}

fn miss(asking: Asking, asked: &Asked<'_>) -> Looked {
    if asked.directives.has(Flag::OnlyIfCached) {
        return Looked::OnlyIfCached;
    }
    Looked::Ask(Box::new(asking))
}

/// An answer from what is `stored`, which is so old, and sent for a reason if it is stale.
fn hit(
    stored: Arc<Stored>,
    asked: &Asked<'_>,
    (age, excuse): (Duration, Option<Excuse>),
    now: SystemTime,
) -> Hit {
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
