//! A question to upstream, under way.

use std::{fmt, sync::Arc, time::SystemTime};

use http::{
    HeaderMap, Method, StatusCode,
    header::{IF_RANGE, RANGE},
};

use crate::{
    cache_status::Forward,
    fill::{Fill, Over, Watch},
    key::Key,
    part::Generation,
    request::{Condition, Request},
    reuse::Failure,
    store::Store,
    stored::{Revalidation, Stored},
    validation::Precondition,
    writer::Place,
};

/// A question to upstream, under way: what the cache has to know when its answer comes.
///
/// Dropping it is giving up, and leaves no trace: if others wait for it, one of them tries again.
#[derive(Debug)]
pub struct Fetch {
    lead: Lead,
    /// The state of the store when it was asked: what is invalidated later, is not stored.
    since: Generation,
    why: Forward,
    /// What it may confirm, replace, or be stood in for by.
    stored: Option<Arc<Stored>>,
    /// What is asked on top of what the client asked. Empty if it is passed on as it came.
    precondition: Precondition,
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
        Self { lead, since, why, stored: None, precondition, revalidation: None }
    }

    /// The same, about what is `stored`.
    ///
    /// Only a GET whose own conditions the store can answer is asked with ours.
    pub(crate) fn about(mut self, stored: &Arc<Stored>, asked: &Request<'_>) -> Self {
        if asked.method == Method::GET && asked.condition != Condition::Origin {
            self.precondition = Precondition::of(&stored.headers());
        }
        self.stored = Some(Arc::clone(stored));
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
        self
    }

    /// Why upstream is asked.
    pub fn why(&self) -> Forward {
        self.why
    }

    /// What it is asked for.
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
        self.lead.role == Role::Leads
    }

    /// What others know of it.
    pub fn watch(&self) -> Watch {
        Watch::of(&self.lead.fill)
    }

    /// Nobody answered: those who wait for it try again, or are told `status`, too.
    pub fn fail(&self, status: StatusCode) {
        self.end(Over::Failed(Failure::Unreachable, status));
    }

    /// What came is about its own request, and nothing that others might get: each goes on by
    /// himself.
    pub fn pass_by(&self) {
        self.end(Over::Alone);
    }

    pub(crate) fn end(&self, over: Over) {
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
