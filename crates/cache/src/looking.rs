//! Looking for the answer to a request: in the store, among what others ask for, or upstream.

use std::{sync::Arc, time::SystemTime};

use crate::{
    cache::{Cache, Judged, Lookup, hit},
    cache_status::Forward,
    directives::Flag,
    entering::Entered,
    fetch::{Fetch, Lead, Role},
    fill::Fill,
    hit::Hit,
    key::Key,
    partial::{Need, judge_need},
    request::Request,
    reuse::{WhyAsk, judge_failure},
    stored::{Revalidation, Stored},
    vary::Selecting,
    wish::{Aim, Below, Tries, Turn, Way, Wish},
};

/// How often what is stored may change while somebody looks.
const LOOKS_MAX: u32 = 4;

impl Cache {
    /// Looks whether the request `asked` for `key` is answered at once. What is on disk alone is not
    /// there.
    ///
    /// *Cost*: a hit is one look-up under a shared lock, and no allocation but where
    /// [`find`](Self::find) has some.
    pub fn look(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Lookup {
        self.look_as(key, asked, (now, Turn::default()))
    }

    /// The same; but [`Lookup::Below`], where nothing is in memory and the disk may have it.
    ///
    /// *Cost*: the same, and where nothing is in memory a look-up in the index of the disk.
    pub fn look_above(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Lookup {
        self.look_as(key, asked, (now, Turn { below: Below::Unasked, ..Turn::default() }))
    }

    /// The same, where the disk does not answer: what is not in memory is asked for, whatever is
    /// there.
    pub fn look_past_disk(&self, key: &Key, asked: &Request<'_>, now: SystemTime) -> Lookup {
        self.look_as(key, asked, (now, Turn { below: Below::Late, ..Turn::default() }))
    }

    /// The same for a client that may have waited before.
    pub(crate) fn look_as(
        &self,
        asked_as: &Key,
        asked: &Request<'_>,
        (now, turn): (SystemTime, Turn),
    ) -> Lookup {
        for _ in 0..LOOKS_MAX {
            // Each time: what came meanwhile may have said what counts.
            let key = &*self.searches.key_of(asked_as);
            let (why, stored) = match as_far_as_read(self.judge(key, asked, now), turn.below) {
                Judged::Send(hit) => {
                    self.store.note_sent(key, hit.stored(), now);
                    return Lookup::Hit(hit);
                }
                Judged::SendAndAsk(hit) => {
                    let fetch = self.revalidate((key, asked_as), asked, (&hit, now));
                    return Lookup::Stale(hit, fetch);
                }
                Judged::Ask(Forward::Unknown | Forward::OtherVariants, _)
                    if turn.below == Below::Unasked && self.store.may_have_below(key) =>
                {
                    return Lookup::Below;
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
                return Lookup::Ask(self.ask_alone(asked_as, (asked, now), (why, stored)));
            }
            let Turn { rounds, tries, .. } = turn;
            let aim = Aim::Answer;
            let wish = Wish { key, asked_as, asked, now, why, stored, aim, tries, rounds };
            if let Some(lookup) = self.join(&wish) {
                return lookup;
            }
        }
        // What is stored changes all the time.
        Lookup::Ask(self.ask_alone(asked_as, (asked, now), (Forward::Unknown, None)))
    }

    /// Finds others who ask for the same, or begins to ask; `None` if there is something else stored
    /// by now.
    fn join(&self, wish: &Wish<'_>) -> Option<Lookup> {
        let Wish { key, asked_as, asked, now, why, stored, .. } = *wish;
        let fetch = |fill, role, since| {
            let lead = Lead { fill, store: Arc::clone(&self.store), role };
            let fetch = Fetch::new(lead, since, why).asked_as(asked_as);
            Lookup::Ask(Box::new(self.about(fetch, (asked, now), stored)))
        };
        Some(match self.store.enter(wish, (&self.settings, &self.crowd)) {
            Entered::Lead(fill, since) => fetch(fill, Role::Leads, since),
            Entered::Alone(since) => fetch(Arc::new(self.unlisted(key)), Role::Alone, since),
            Entered::Wait(waiter) => Lookup::Join(Box::new(waiter)),
            Entered::Read(head, reader) => self.shared(head, reader, (asked, now, why)),
            Entered::Whole(stored) => Lookup::Hit(self.joined(stored, asked, (now, why)).ok()?),
            Entered::Again => return None,
            Entered::Crowded => Lookup::Crowded(why),
        })
    }

    /// What to ask about what is stored and sent stale, unless somebody does or did just now.
    fn revalidate(
        &self,
        (key, asked_as): (&Key, &Key),
        asked: &Request<'_>,
        (hit, now): (&Hit, SystemTime),
    ) -> Option<Box<Fetch>> {
        let (why, stored) = (Forward::Ask(WhyAsk::Stale), hit.stored());
        let revalidation = Revalidation::start(stored, now)?;
        let (aim, stored, tries, rounds) = (Aim::Revalidation, Some(stored), Tries::default(), 0);
        let wish = Wish { key, asked_as, asked, now, why, stored, aim, tries, rounds };
        let entered = self.store.enter(&wish, (&self.settings, &self.crowd));
        let (fill, since, role) = match entered {
            Entered::Lead(fill, since) => (fill, since, Role::Leads),
            Entered::Alone(since) => (Arc::new(self.unlisted(key)), since, Role::Alone),
            // Somebody is on it.
            _ => return None,
        };
        let lead = Lead { fill, store: Arc::clone(&self.store), role };
        let fetch = Fetch::new(lead, since, why).asked_as(asked_as);
        Some(Box::new(fetch.about(hit.stored(), asked, None).on(revalidation)))
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
            hit(Arc::clone(stored), asked, (age, Some(excuse)), now).ok()
        });
        if let Some(hit) = stands_in {
            return Some(Lookup::Stale(hit, None));
        }
        let is_over = turn.tries.failed >= self.settings.joining.tries_max;
        is_over.then_some(Lookup::Failed(why, status))
    }

    /// A question that nobody else knows of before it is answered.
    pub(crate) fn ask_alone(
        &self,
        asked_as: &Key,
        (asked, now): (&Request<'_>, SystemTime),
        (why, stored): (Forward, Option<&Arc<Stored>>),
    ) -> Box<Fetch> {
        let key = &*self.searches.key_of(asked_as);
        let (fill, since) = (Arc::new(self.unlisted(key)), self.store.generation(key));
        let lead = Lead { fill, store: Arc::clone(&self.store), role: Role::Alone };
        let fetch = Fetch::new(lead, since, why).asked_as(asked_as);
        Box::new(self.about(fetch, (asked, now), stored))
    }

    pub(crate) fn unlisted(&self, key: &Key) -> Fill {
        Fill::new((key.clone(), self.store.hash(key)), Selecting::default(), Tries::default())
    }

    /// `fetch`, about what is `stored`, if something is.
    fn about(
        &self,
        fetch: Fetch,
        (asked, now): (&Request<'_>, SystemTime),
        stored: Option<&Arc<Stored>>,
    ) -> Fetch {
        match stored {
            // What is not read is neither confirmed, nor stands in.
            Some(stored) if fetch.why() != Forward::Unread => {
                let need = self.need(stored, asked, now);
                fetch.about(stored, asked, need.as_ref())
            }
            _ => fetch,
        }
    }

    /// What `asked` needs of what is `stored`, if that is parts.
    fn need(&self, stored: &Stored, asked: &Request<'_>, now: SystemTime) -> Option<Need> {
        let parts = stored.parts()?;
        let bytes_max = self.settings.object_max.min(self.store.memory_max());
        Some(judge_need(asked, (parts, stored.validators()), bytes_max, now))
    }
}

/// What is `judged`, where the disk may not answer.
fn as_far_as_read(judged: Judged, below: Below) -> Judged {
    match judged {
        Judged::Send(hit) | Judged::SendAndAsk(hit)
            if below == Below::Late && hit.stored().file().is_some() =>
        {
            Judged::Ask(Forward::Unread, Some(Arc::clone(hit.stored())))
        }
        Judged::Ask(Forward::Unknown | Forward::OtherVariants, stored) if below == Below::Late => {
            Judged::Ask(Forward::Unread, stored)
        }
        judged => judged,
    }
}

/// Whether a request is one that a cache answers.
fn is_for_caches(why: Forward) -> bool {
    !matches!(why, Forward::Method | Forward::Content | Forward::Upgrade | Forward::Bypassed)
}

/// Whether the client of the request wants nobody to be asked.
fn is_to_ask_nobody(asked: &Request<'_>) -> bool {
    asked.directives.has(Flag::OnlyIfCached)
}
