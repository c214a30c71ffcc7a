//! A question to upstream, under way.

use std::{fmt, sync::Arc, time::SystemTime};

use http::{
    HeaderMap, Method, StatusCode,
    header::{IF_RANGE, RANGE},
};

use relais_wire::range::ByteRange;

use crate::{
    cache_status::Forward,
    fill::{Fill, Over, Watch},
    key::Key,
    part::Generation,
    partial::{Need, Rest},
    request::{Condition, Request},
    reuse::{Failure, WhyAsk},
    store::Store,
    stored::{Revalidation, Stored},
    validation::Precondition,
    vary::Selecting,
    wish::Tries,
    writer::Place,
};

/// A question to upstream, under way: what the cache has to know when its answer comes.
///
/// Dropping it is giving up, and leaves no trace: if others wait for it, one of them tries again.
#[derive(Debug)]
pub struct Fetch {
    lead: Lead,
    /// Who waited for it before its head said that it is stored elsewhere, or that it is not all.
    before: Option<Lead>,
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

/// Whom others wait for.
pub(crate) struct Lead {
    pub fill: Arc<Fill>,
    pub store: Arc<Store>,
    pub role: Role,
}

/// Whether a fetch is known to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// They may wait for its head.
    Leads,
    /// They may not.
    Alone,
    /// Its answer was taken.
    Done,
}

impl Fetch {
    pub(crate) fn new(lead: Lead, since: Generation, why: Forward) -> Self {
        let precondition = Precondition::default();
        Self {
            lead,
            before: None,
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
    /// not answer it, for what it is in `need` of.
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
        self.asked_as = (*key != self.lead.fill.key).then(|| key.clone());
        self
    }

    /// What the client asked for.
    pub(crate) fn asked_key(&self) -> &Key {
        self.asked_as.as_ref().unwrap_or(&self.lead.fill.key)
    }

    /// The same, whose answer goes into `fill`, as of `since`. Who waited for it until now is to be
    /// told of that: see [`take_before`](Self::take_before).
    pub(crate) fn moved_to(mut self, fill: Fill, since: Generation) -> Self {
        let store = Arc::clone(&self.lead.store);
        let lead = Lead { fill: Arc::new(fill), store, role: Role::Alone };
        let asked = self.asked_key().clone();
        self.before = Some(std::mem::replace(&mut self.lead, lead));
        self.since = since;
        self.asked_as(&asked)
    }

    /// Those who waited for it before it [moved](Self::moved_to).
    pub(crate) fn take_before(&mut self) -> Option<Lead> {
        self.before.take()
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

    /// The same question, as the client asks it. Nobody waits for its answer.
    pub(crate) fn as_it_came(&self) -> Self {
        let fill = &self.lead.fill;
        let unlisted =
            Fill::new((fill.key.clone(), fill.hash), Selecting::default(), Tries::default());
        let (fill, store) = (Arc::new(unlisted), Arc::clone(&self.lead.store));
        let lead = Lead { fill, store, role: Role::Alone };
        Self::new(lead, self.since, self.why).asked_as(self.asked_key())
    }

    /// The same, where what was stored is lost: nothing is confirmed, nor stands in.
    #[must_use]
    pub fn with_nothing_stored(mut self: Box<Self>) -> Box<Self> {
        self.stored = None;
        self.precondition = Precondition::default();
        self.rest = None;
        self
    }

    /// Why upstream is asked.
    pub fn why(&self) -> Forward {
        self.why
    }

    /// What it is asked for: under what its answer is stored.
    pub fn key(&self) -> &Key {
        &self.lead.fill.key
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

    /// Whether others may wait for its head: then it is to go on when its own client leaves, for as
    /// long as its [`Watch`] says that somebody waits.
    pub fn leads(&self) -> bool {
        let leads = |lead: &Lead| lead.role == Role::Leads;
        leads(&self.lead) || self.before.as_ref().is_some_and(leads)
    }

    /// What others know of it.
    pub fn watch(&self) -> Watch {
        Watch::of(&self.lead.fill)
    }

    /// Nobody answered: those who wait for it try again, or are told `status`, too.
    pub fn fail(&self, status: StatusCode) {
        self.end(Over::Failed(Failure::Unreachable, status));
    }

    /// What came is about its own request, and nothing that others might get: the next who waits asks;
    /// or each by himself, if this was such a one already.
    pub fn pass_by(&self) {
        self.end(self.over_of_request());
    }

    /// How it ends with what is about its own request.
    pub(crate) fn over_of_request(&self) -> Over {
        if self.fill().tries.refused == 0 { Over::OfRequest } else { Over::Alone }
    }

    pub(crate) fn end(&self, over: Over) {
        if let Some(before) = &self.before {
            before.end(over.clone());
        }
        self.lead.end(over);
    }

    pub(crate) fn fill(&self) -> &Arc<Fill> {
        &self.lead.fill
    }

    pub(crate) fn into_place(mut self, received: SystemTime) -> (Lead, Place) {
        let (since, instead_of) = (self.since, self.stored.take());
        let place = Place { since, received, instead_of, _revalidation: self.revalidation.take() };
        (self.lead, place)
    }
}

impl Lead {
    /// Tells those who wait what became of it.
    pub(crate) fn release(mut self, over: Over) {
        self.end(over);
        self.role = Role::Done;
    }

    fn end(&self, over: Over) {
        if self.role == Role::Leads {
            self.store.leave(&self.fill);
        }
        self.fill.end(over);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if self.role == Role::Leads {
            self.end(Over::Failed(Failure::Unreachable, StatusCode::BAD_GATEWAY));
        }
    }
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fill, role, .. } = self;
        f.debug_struct("Lead").field("fill", fill).field("role", role).finish_non_exhaustive()
    }
}
