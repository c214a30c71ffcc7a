//! A question to upstream, under way.

use std::sync::Arc;

use http::{
    HeaderMap, Method,
    header::{IF_RANGE, RANGE},
};
use relais_wire::range::ByteRange;

use crate::{
    cache_status::Forward,
    key::Key,
    part::Generation,
    partial::{Need, Rest},
    recording::Place,
    request::{Condition, Request},
    reuse::WhyAsk,
    stored::{Revalidation, Stored},
    validation::Precondition,
};

/// A question to upstream, under way: what the cache has to know when its answer comes.
///
/// Dropping it is giving up, and leaves no trace.
#[derive(Debug)]
pub struct Fetch {
    key: Key,
    /// What the client asked for, if that is another: what counts of it was said by who answered
    /// before.
    asked_as: Option<Key>,
    /// The state of the store when it was asked: what is invalidated later, is not stored.
    since: Generation,
    why: Forward,
    /// What it may confirm, replace, or be stood in for by.
    stored: Option<Arc<Stored>>,
    /// What is asked on top of what the client asked. Empty if it is passed on as it came.
    precondition: Precondition,
    /// The bytes that are asked for, besides those that are stored; all that the client asked for if
    /// there are none.
    rest: Option<Rest>,
    /// Held if others are answered from what is stored meanwhile.
    revalidation: Option<Revalidation>,
}

impl Fetch {
    pub(crate) fn new(key: Key, since: Generation, why: Forward) -> Self {
        let precondition = Precondition::default();
        Self {
            key,
            asked_as: None,
            since,
            why,
            stored: None,
            precondition,
            rest: None,
            revalidation: None,
        }
    }

    /// The same, about what is `stored`.
    ///
    /// Only a GET whose own conditions the store can answer is asked with ours; and of parts that do
    /// not answer it, for what is `missing` to them.
    pub(crate) fn about(
        mut self,
        stored: &Arc<Stored>,
        asked: &Request<'_>,
        need: Option<&Need>,
    ) -> Self {
        if asked.method == Method::GET && asked.condition != Condition::Origin {
            match need {
                None | Some(Need::Met(_)) => {
                    self.precondition = Precondition::of(&stored.headers());
                }
                Some(Need::Missing(range)) => {
                    let is_fresh = self.why == Forward::Ask(WhyAsk::Incomplete);
                    let what = (&stored.headers(), stored.validators());
                    let rest = Rest::of(*range, stored.size(), what);
                    // What is stale is not worth a question that may have to be asked twice.
                    self.rest = (rest.has_validator() || is_fresh).then_some(rest);
                }
                Some(Need::Else) => (),
            }
        }
        self.stored = Some(Arc::clone(stored));
        self
    }

    /// The same, where the client asked for `key`.
    pub(crate) fn asked_as(mut self, key: &Key) -> Self {
        self.asked_as = (*key != self.key).then(|| key.clone());
        self
    }

    /// What the client asked for.
    pub(crate) fn asked_key(&self) -> &Key {
        self.asked_as.as_ref().unwrap_or(&self.key)
    }

    /// The same, whose answer is stored under `key`, as of `since`.
    pub(crate) fn moved_to(mut self, key: Key, since: Generation) -> Self {
        (self.key, self.since) = (key, since);
        self
    }

    /// The same, on a revalidation for others.
    pub(crate) fn on(mut self, revalidation: Revalidation) -> Self {
        self.revalidation = Some(revalidation);
        self
    }

    /// The same, as if nothing were stored.
    pub(crate) fn without_precondition(mut self) -> Self {
        self.precondition = Precondition::default();
        self.rest = None;
        self
    }

    /// The bytes that are asked for besides those that are stored, if it is not all.
    pub(crate) fn rest(&self) -> Option<ByteRange> {
        self.rest.as_ref().map(|rest| rest.range)
    }

    /// The same question, as the client asks it.
    pub(crate) fn as_it_came(&self) -> Self {
        Self::new(self.key.clone(), self.since, self.why).asked_as(self.asked_key())
    }

    /// Why upstream is asked.
    pub fn why(&self) -> Forward {
        self.why
    }

    /// What it is asked for.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What is stored and may not be sent without asking, if there is something.
    pub fn stored(&self) -> Option<&Arc<Stored>> {
        self.stored.as_ref()
    }

    /// Puts into `headers`, which are the client's on their way upstream, what makes upstream tell
    /// whether the stored response is still good. Leaves them as they are if nothing is asked.
    ///
    /// Where the client has its answer already, its own conditions and ranges are left out: there
    /// is nobody for whom a part would do.
    pub fn prepare(&self, headers: &mut HeaderMap) {
        if self.revalidation.is_some() {
            headers.remove(RANGE);
            headers.remove(IF_RANGE);
        }
        if self.is_validating() || self.revalidation.is_some() {
            self.precondition.put(headers);
        }
        if let Some(rest) = &self.rest {
            rest.put(headers);
        }
    }

    /// Whether upstream is asked about what is stored, so that a 304 is about that.
    pub fn is_validating(&self) -> bool {
        !self.precondition.is_empty()
    }

    pub(crate) fn since(&self) -> Generation {
        self.since
    }

    pub(crate) fn into_place(self) -> Place {
        let Self { key, since, stored, revalidation, .. } = self;
        Place { key, since, instead_of: stored, _revalidation: revalidation }
    }
}
