//! The cache as a whole: asked before upstream is, and told what upstream answered.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Method, StatusCode};

use crate::{
    cache_status::{CacheStatus, Forward, Kept, Source},
    directives::Flag,
    entering::Entered,
    fetch::{Fetch, Lead, Role},
    fill::{Crowd, Fill, Reader, Waiter},
    hit::Hit,
    key::Key,
    request::{Content, Request, Switch},
    reuse::{Failure, NoStandIn, Reuse, WhyAsk, WhyStale, judge_failure, judge_reuse},
    room::Room,
    settings::Settings,
    store::{Found, Store},
    stored::{Revalidation, Stored},
    terms::Terms,
    vary::Selecting,
    wish::{Aim, Turn, Way, Wish},
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
    pub(crate) crowd: Crowd,
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
    /// An empty cache.
    pub fn new(settings: Settings) -> Self {
        Self {
            store: Arc::new(Store::new(&settings)),
            room: Arc::new(Room::of(settings.memory.saturating_add(settings.filling_max))),
            crowd: Crowd::at_most(settings.joining.waiting_max),
            settings: Arc::new(settings),
        }
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Finds the answer to the request `asked` for `key` that may be sent at once, and for which
    /// nobody has to be asked. Changes nothing: it may be called before [`look`](Self::look), or
    /// instead of it, as often as one likes.
    ///
    /// *Cost*: one look-up under a shared lock, and no allocation.
    pub fn find(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Option<Hit> {
        match self.judge(key, asked, now) {
            Judged::Send(hit) => Some(hit),
            Judged::SendAndAsk(hit) => (!Revalidation::is_due(hit.stored(), now)).then_some(hit),
            Judged::Ask(..) => None,
        }
    }

    /// Looks whether the request `asked` for `key` is answered at once.
    ///
    /// *Cost*: a hit is one look-up under a shared lock, and no allocation.
    pub fn look(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Lookup {
        self.look_as(key, asked, (now, Turn::default()))
    }

    /// The same for a client that may have waited before.
    pub(crate) fn look_as(
        &self,
        key: &Key,
        asked: &Request<'_>,
        (now, turn): (SystemTime, Turn),
    ) -> Lookup {
        for _ in 0..LOOKS_MAX {
            let (why, stored) = match self.judge(key, asked, now) {
                Judged::Send(hit) => return Lookup::Hit(hit),
                Judged::SendAndAsk(hit) => {
                    let fetch = self.revalidate(key, asked, (&hit, now));
                    return Lookup::Stale(hit, fetch);
                }
                Judged::Ask(why, _) if why != Forward::Method && is_to_ask_nobody(asked) => {
                    return Lookup::OnlyIfCached;
                }
                Judged::Ask(why, stored) => (why, stored),
            };
            let stored = stored.as_ref();
            if let Some(lookup) = self.settle(asked, (why, stored), (now, turn)) {
                return lookup;
            }
            if !is_for_caches(why) || turn.way == Way::Alone {
                return Lookup::Ask(self.ask_alone(key, asked, (why, stored)));
            }
            let Turn { rounds, tries, .. } = turn;
            let aim = Aim::Answer;
            let wish = Wish { key, asked, now, why, stored, aim, tries, rounds };
            if let Some(lookup) = self.join(&wish) {
                return lookup;
            }
        }
        // What is stored changes all the time.
        Lookup::Ask(self.ask_alone(key, asked, (Forward::Unknown, None)))
    }

    /// Finds others who ask for the same, or begins to ask; `None` if there is something else stored
    /// by now.
    fn join(&self, wish: &Wish<'_>) -> Option<Lookup> {
        let Wish { key: _, asked, now, why, stored, .. } = *wish;
        let fetch = |fill, role, generation| {
            let lead = Lead { fill, store: Arc::clone(&self.store), role };
            let fetch = Fetch::new(lead, generation, why);
            Box::new(match stored {
                Some(stored) => fetch.about(stored, asked),
                None => fetch,
            })
        };
        Some(match self.store.enter(wish, (&self.settings, &self.crowd)) {
            Entered::Lead(fill, since) => Lookup::Ask(fetch(fill, Role::Leads, since)),
            Entered::Alone(since) => {
                Lookup::Ask(fetch(self.unlisted(wish.key), Role::Alone, since))
            }
            Entered::Wait(waiter) => Lookup::Join(Box::new(waiter)),
            Entered::Read(head, reader) => self.shared(head, reader, (asked, now, why)),
            Entered::Whole(stored) => Lookup::Hit(self.joined(stored, asked, (now, why))),
            Entered::Again => return None,
            Entered::Crowded => Lookup::Crowded(why),
        })
    }

    /// What to ask about what is stored and sent stale, unless somebody does or did just now.
    fn revalidate(
        &self,
        key: &Key,
        asked: &Request<'_>,
        (hit, now): (&Hit, SystemTime),
    ) -> Option<Box<Fetch>> {
        let (why, stored) = (Forward::Ask(WhyAsk::Stale), hit.stored());
        let revalidation = Revalidation::start(stored, now)?;
        let aim = Aim::Revalidation;
        let wish = Wish { key, asked, now, why, stored: Some(stored), aim, tries: 0, rounds: 0 };
        let entered = self.store.enter(&wish, (&self.settings, &self.crowd));
        let (fill, since, role) = match entered {
            Entered::Lead(fill, since) => (fill, since, Role::Leads),
            Entered::Alone(since) => (self.unlisted(key), since, Role::Alone),
            // Somebody is on it.
            _ => return None,
        };
        let lead = Lead { fill, store: Arc::clone(&self.store), role };
        Some(Box::new(Fetch::new(lead, since, why).about(stored, asked).on(revalidation)))
    }

    /// What is done at once for a client that waited for what failed: what is stored stands in, or it
    /// is told so.
    fn settle(
        &self,
        asked: &Request<'_>,
        (why, stored): (Forward, Option<&Arc<Stored>>),
        (now, turn): (SystemTime, Turn),
    ) -> Option<Lookup> {
        let Way::Failed(failure, status) = turn.way else { return None };
        let when = (now, &*self.settings);
        let stands_in = stored.and_then(|stored| {
            let judged = judge_failure(asked, stored.terms(), failure, when);
            let (age, excuse) = judged.ok()?;
            Some(hit(Arc::clone(stored), asked, (age, Some(excuse)), now))
        });
        if let Some(hit) = stands_in {
            return Some(Lookup::Stale(hit, None));
        }
        let is_over = turn.tries >= self.settings.joining.tries_max;
        is_over.then_some(Lookup::Failed(why, status))
    }

    /// A question that nobody else knows of before it is answered.
    fn ask_alone(
        &self,
        key: &Key,
        asked: &Request<'_>,
        (why, stored): (Forward, Option<&Arc<Stored>>),
    ) -> Box<Fetch> {
        let (fill, since) = (self.unlisted(key), self.store.generation(key));
        let lead = Lead { fill, store: Arc::clone(&self.store), role: Role::Alone };
        let fetch = Fetch::new(lead, since, why);
        Box::new(match stored {
            Some(stored) => fetch.about(stored, asked),
            None => fetch,
        })
    }

    fn unlisted(&self, key: &Key) -> Arc<Fill> {
        let hash = self.store.hash(key);
        Arc::new(Fill::new((key.clone(), hash), Selecting::default(), 0))
    }

    /// What there is for the request `asked` for `key`, and whether it may be sent.
    pub(crate) fn judge(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Judged {
        if !matches!(*asked.method, Method::GET | Method::HEAD) {
            return Judged::Ask(Forward::Method, None);
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
        match judge_reuse(asked, stored.terms(), now, &self.settings) {
            Reuse::Fresh { age } => Judged::Send(hit(stored, asked, (age, None), now)),
            Reuse::Stale { age, excuse } => {
                let hit = hit(stored, asked, (age, Some(excuse)), now);
                match excuse {
                    WhyStale::WhileRevalidate => Judged::SendAndAsk(hit),
                    WhyStale::MaxStale | WhyStale::IfError | WhyStale::Disconnected => {
                        Judged::Send(hit)
                    }
                }
            }
            Reuse::Ask(why) => Judged::Ask(Forward::Ask(why), Some(stored)),
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
}

/// How often what is stored may change while somebody looks.
const LOOKS_MAX: u32 = 4;

/// Whether a request is one that a cache answers.
fn is_for_caches(why: Forward) -> bool {
    !matches!(why, Forward::Method | Forward::Content | Forward::Upgrade)
}

/// Whether the client of the request wants nobody to be asked.
fn is_to_ask_nobody(asked: &Request<'_>) -> bool {
    asked.directives.has(Flag::OnlyIfCached)
}

/// An answer from what is `stored`, which is so old, and sent for a reason if it is stale.
fn hit(
    stored: Arc<Stored>,
    asked: &Request<'_>,
    (age, excuse): (Duration, Option<WhyStale>),
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
