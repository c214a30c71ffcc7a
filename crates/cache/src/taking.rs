//! What upstream answered: passed on, stored, or only a word about what is stored.

use std::time::SystemTime;

use http::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_LOCATION, LOCATION},
};

use crate::{
    age::Times,
    cache::Cache,
    cache_status::{CacheStatus, Kept, Source},
    completion::Completion,
    fetch::Fetch,
    fill::Over,
    freshness::Head,
    hit::Hit,
    key::Key,
    request::{Content, Request, Sender},
    reuse::Failure,
    searches::NoVary,
    storing::{NotStored, judge_storing},
    validation::{Word, judge_304},
    writer::Writer,
};

/// What to do with the head that came from upstream.
#[derive(Debug)]
pub enum Taken {
    /// Pass it and its body on, and [`add`](Writer::add) the body to this as it comes.
    Fill(Box<Writer>),
    /// Pass it and its body on.
    Pass(CacheStatus),
    /// Send this in its place: it confirmed what is stored, or failed, and what is stored stands
    /// in for it.
    Answer(Hit),
    /// Add its body to this as it comes, and send what becomes of it: it is what was missing to an
    /// answer.
    Complete(Box<Completion>),
    /// Ask again, without the precondition: it is a 304 about something else than what is stored.
    AskAgain(Box<Fetch>),
}

/// The head of an answer from upstream: its status and fields, before anything is taken off.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its fields.
    pub headers: &'a HeaderMap,
    /// When it was asked for, and came.
    pub times: Times,
}

impl Cache {
    /// Takes the head of what upstream `answered` to `fetch`. `asked` is the client's request, as
    /// [`look`](Self::look) had it.
    pub fn take(&self, fetch: Box<Fetch>, asked: &Request<'_>, answered: Answered<'_>) -> Taken {
        let asked = &*self.ruled(fetch.key(), asked);
        let Answered { status, headers, times } = answered;
        if !asked.method.is_safe() {
            if status.is_success() || status.is_redirection() {
                self.invalidate(fetch.asked_key(), headers);
                self.invalidate_groups(fetch.asked_key(), headers);
            }
            return match self.take_posted(&fetch, asked, answered) {
                Some(writer) => Taken::Fill(writer),
                None => pass(&fetch, status, NotStored::Method),
            };
        }
        let failure = Failure::Status(status);
        if let Ok(hit) = self.stand_in(&fetch, asked, failure, times.received) {
            fetch.end(Over::Failed(failure, status));
            return Taken::Answer(hit);
        }
        if fetch.rest().is_some()
            && matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE)
        {
            return self.take_rest(fetch, asked, answered);
        }
        if let Some(stored) = fetch.stored() {
            if status == StatusCode::NOT_MODIFIED && fetch.is_validating() {
                let hit = match judge_304(&stored.headers(), headers) {
                    Word::Same => self.confirm(&fetch, asked, answered),
                    Word::Other => None,
                };
                let again = || Taken::AskAgain(Box::new(Fetch::without_precondition(*fetch)));
                return hit.map_or_else(again, Taken::Answer);
            }
            if status == StatusCode::PARTIAL_CONTENT && stored.parts().is_none() {
                return self.take_part_of_whole(fetch, asked, answered);
            }
            if asked.method == Method::HEAD && status == StatusCode::OK {
                self.take_head(&fetch, asked, answered);
            }
        }
        self.judge_and_fill(fetch, asked, answered)
    }

    pub(crate) fn judge_and_fill(
        &self,
        fetch: Box<Fetch>,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Taken {
        let Answered { status, headers, times } = answered;
        let head = Head { status, headers, received: times.received };
        match judge_storing(asked, head, times, &self.settings) {
            Ok(storable) => match self.searched(fetch, headers) {
                Ok(fetch) => self.fill(fetch, answered, storable),
                Err(fetch) => self.pass(&fetch, (status, times), NotStored::Invalidated),
            },
            Err(why) => self.pass(&fetch, (status, times), why),
        }
    }

    /// `fetch`, whose answer with these `headers` may say what makes no difference in its query.
    ///
    /// # Errors
    ///
    /// The same, if what it asked for was invalidated or purged meanwhile: that is told of the URL that
    /// was asked for, and not of where its answer goes.
    fn searched(&self, fetch: Box<Fetch>, headers: &HeaderMap) -> Result<Box<Fetch>, Box<Fetch>> {
        self.searches.learn(fetch.asked_key(), NoVary::of(headers));
        let counted = self.searches.key_of(fetch.asked_key()).into_owned();
        if counted == *fetch.key() {
            return Ok(fetch);
        }
        let is_purged = {
            let asked_as = (fetch.asked_key(), &[][..]);
            self.store.recent().has(asked_as, fetch.since().purges(), |_| true)
        };
        if is_purged || self.store.was_invalidated(fetch.key(), fetch.since()) {
            return Err(fetch);
        }
        // What was purged since it was asked for, keeps it out there as well.
        let since = self.store.generation(&counted).after_purges(fetch.since().purges());
        Ok(Box::new(fetch.moved_to(self.unlisted(&counted), since)))
    }

    /// Takes the answer to a POST, if it says that it is what a GET would get, and for how long
    /// ([RFC 9110 §9.3.3]).
    ///
    /// [RFC 9110 §9.3.3]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.3
    fn take_posted(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Option<Box<Writer>> {
        let Answered { status, headers, times } = answered;
        let named = headers.get(CONTENT_LOCATION).and_then(|value| value.to_str().ok());
        let named = named.and_then(|named| fetch.key().beside(named));
        let is_meant = named.as_ref() == Some(fetch.key()) && status == StatusCode::OK;
        if *asked.method != Method::POST || !is_meant {
            return None;
        }
        let get =
            Request { method: &Method::GET, content: Content::None, range: None, ..asked.clone() };
        let head = Head { status, headers, received: times.received };
        let storable = judge_storing(&get, head, times, &self.settings).ok()?;
        if !storable.terms.lifetime.basis.is_explicit() {
            return None;
        }
        // What was there before the change is invalid, and joined by nobody; this came of it.
        let after = self.ask_alone(fetch.asked_key(), (&get, times.received), (fetch.why(), None));
        match self.fill(after, answered, storable) {
            Taken::Fill(writer) => Some(writer),
            _ => None,
        }
    }

    /// Passes an answer on that is not stored. Who waited for it is told so at once, and those who
    /// come next do not wait; unless it is about its own request: then it says little of others'.
    pub(crate) fn pass(
        &self,
        fetch: &Fetch,
        (status, times): (StatusCode, Times),
        why: NotStored,
    ) -> Taken {
        let failure = Failure::Status(status);
        if failure.is_error() {
            fetch.end(Over::Failed(failure, status));
        } else {
            fetch.end(self.passed_over(fetch, why, times.received));
        }
        pass(fetch, status, why)
    }

    /// How `fetch` ends for those who wait for it, as what came is not stored; and notes whether those
    /// who come next wait.
    pub(crate) fn passed_over(&self, fetch: &Fetch, why: NotStored, received: SystemTime) -> Over {
        let over = match why {
            NotStored::OfRequest | NotStored::OddRequest => fetch.over_of_request(),
            NotStored::Personal => Over::Personal,
            _ => Over::Alone,
        };
        if fetch.leads()
            && !matches!(over, Over::OfRequest)
            && let Some(sender) = whose(why)
        {
            self.store.pass_by(fetch.fill(), sender, received);
        }
        over
    }

    /// Takes out what a change of `key` makes doubtful: what is stored for it, and for what the
    /// answer to the change names as its `Location` and `Content-Location` on the same origin
    /// ([RFC 9111 §4.4]).
    ///
    /// [`take`](Self::take) does so by itself.
    ///
    /// [RFC 9111 §4.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.4
    pub fn invalidate(&self, key: &Key, headers: &HeaderMap) {
        self.forget(key);
        // What else keeps it apart does not matter, and what counts of a query is known there.
        for name in [LOCATION, CONTENT_LOCATION] {
            let reference = headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(named) = reference.and_then(|reference| key.beside(reference)) {
                self.forget(&named);
            }
        }
    }
}

/// Whose answers under the same key are not to be waited for either, given why one was not stored;
/// [`Sender::Nobody`] for everybody's, `None` for nobody's.
fn whose(why: NotStored) -> Option<Sender> {
    match why {
        // It was one client's own, and others may be no such.
        NotStored::Personal => Some(Sender::Cookie),
        // It is of the request or the moment.
        NotStored::Method
        | NotStored::OddRequest
        | NotStored::RequestContent
        | NotStored::Upgrade
        | NotStored::RequestNoStore
        | NotStored::Authorization
        | NotStored::PartOfStored
        | NotStored::Invalidated
        | NotStored::NoRoom => None,
        _ => Some(Sender::Nobody),
    }
}

fn pass(fetch: &Fetch, status: StatusCode, why: NotStored) -> Taken {
    let source = Source::Upstream(fetch.why(), Some(status));
    Taken::Pass(CacheStatus { source, ttl: None, kept: Kept::NotStored(why) })
}
