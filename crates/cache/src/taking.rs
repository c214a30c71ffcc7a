//! What upstream answered: passed on, stored, or only a word about what is stored.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{AGE, CONTENT_LENGTH, CONTENT_LOCATION, LOCATION},
};

use crate::{
    age::Times,
    cache::{Cache, ttl},
    cache_status::{CacheStatus, Kept, Source},
    directives::Control,
    fetch::{Fetch, Role},
    fields::{kept, updated},
    fill::{Body, FillHead, Over},
    freshness::Head,
    hit::Hit,
    key::Key,
    outcome::Outcome,
    request::{Request, Sender},
    reuse::Failure,
    stored::Stored,
    storing::{NotStored, Storable, judge_storing},
    terms::Terms,
    validation::{Word, judge_304, judge_head},
    vary::Selecting,
    wish::is_for_others,
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
        let Answered { status, headers, times } = answered;
        if !asked.method.is_safe() {
            if status.is_success() || status.is_redirection() {
                self.invalidate(fetch.key(), headers);
                self.invalidate_groups(fetch.key(), headers);
            }
            return pass(&fetch, status, NotStored::Method);
        }
        let failure = Failure::Status(status);
        if let Ok(hit) = self.stand_in(&fetch, asked, failure, times.received) {
            fetch.end(Over::Failed(failure, status));
            return Taken::Answer(hit);
        }
        if let Some(stored) = fetch.stored() {
            if status == StatusCode::NOT_MODIFIED && fetch.is_validating() {
                return match judge_304(&stored.headers(), headers) {
                    Word::Same => Taken::Answer(self.confirm(&fetch, asked, answered)),
                    Word::Other => Taken::AskAgain(Box::new(Fetch::without_precondition(*fetch))),
                };
            }
            if asked.method == Method::HEAD && status == StatusCode::OK {
                self.take_head(&fetch, asked, answered);
            }
        }
        let head = Head { status, headers, received: times.received };
        match judge_storing(asked, head, times, &self.settings) {
            Ok(storable) => self.fill(fetch, answered, storable),
            Err(why) => self.pass(&fetch, (status, times), why),
        }
    }

    /// Passes an answer on that is not stored. Who waited for it is told so at once, and those who
    /// come next do not wait.
    fn pass(&self, fetch: &Fetch, (status, times): (StatusCode, Times), why: NotStored) -> Taken {
        let failure = Failure::Status(status);
        if failure.is_error() {
            fetch.end(Over::Failed(failure, status));
        } else {
            if fetch.leads()
                && let Some(sender) = whose(why)
            {
                self.store.pass_by(fetch.fill(), sender, times.received);
            }
            fetch.end(Over::Alone);
        }
        pass(fetch, status, why)
    }

    /// Takes out what a change of `key` makes doubtful: what is stored for it, and for what the
    /// answer to the change names as its `Location` and `Content-Location` on the same origin
    /// ([RFC 9111 §4.4]).
    ///
    /// [`take`](Self::take) does so by itself.
    ///
    /// [RFC 9111 §4.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.4
    pub fn invalidate(&self, key: &Key, headers: &HeaderMap) {
        self.store.invalidate(key);
        for name in [LOCATION, CONTENT_LOCATION] {
            let reference = headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(named) = reference.and_then(|reference| key.beside(reference)) {
                self.store.invalidate(&named);
            }
        }
    }

    fn fill(
        &self,
        fetch: Box<Fetch>,
        Answered { status, headers, times }: Answered<'_>,
        storable: Storable,
    ) -> Taken {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let declared = length.and_then(|length| length.parse().ok());
        if declared.is_some_and(|declared| declared > self.store.body_max()) {
            return self.pass(&fetch, (status, times), NotStored::TooLarge);
        }
        let body = match Body::new(declared, self.settings.object_max, Arc::clone(&self.room)) {
            Ok(body) => body,
            Err(Outcome::NoRoom) => return self.pass(&fetch, (status, times), NotStored::NoRoom),
            Err(_) => return self.pass(&fetch, (status, times), NotStored::TooLarge),
        };
        let Storable { terms, selecting, withheld } = storable;
        let cache_status = CacheStatus {
            source: Source::Upstream(fetch.why(), Some(status)),
            ttl: Some(ttl(&terms, terms.initial_age)),
            kept: Kept::Stored,
        };
        let headers = kept(headers, &withheld, times.received);
        let head = FillHead { status, headers, terms, selecting, declared };
        let (mut lead, place) = fetch.into_place(times.received);
        let has_led = std::mem::replace(&mut lead.role, Role::Done) == Role::Leads;
        let (store, fill) = (Arc::clone(&self.store), Arc::clone(&lead.fill));
        fill.begin(head, body);
        if is_for_others(&terms) {
            store.list(&fill, place.since);
        } else {
            store.leave(&fill);
            if has_led {
                store.pass_by(&fill, Sender::Nobody, times.received);
            }
        }
        Taken::Fill(Box::new(Writer { store, fill, place, cache_status, gave_up: None }))
    }

    /// Makes what is stored as new as the 304 that confirmed it ([RFC 9111 §4.3.4]), and an answer
    /// of it.
    ///
    /// [RFC 9111 §4.3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
    fn confirm(&self, fetch: &Fetch, asked: &Request<'_>, answered: Answered<'_>) -> Hit {
        let (newer, kept) = self.freshen(fetch, asked, answered);
        let received = answered.times.received;
        if fetch.leads() && !is_for_others(newer.terms()) {
            self.store.pass_by(fetch.fill(), Sender::Nobody, received);
        }
        fetch.end(match kept {
            // What is stored was passed over: it may be one client's own now.
            Kept::NotStored(_) => Over::Alone,
            Kept::Stored | Kept::Unsaid => Over::Whole(Arc::clone(&newer)),
        });
        let age = newer.terms().initial_age;
        let source = Source::Upstream(fetch.why(), Some(StatusCode::NOT_MODIFIED));
        let status = CacheStatus { source, ttl: Some(ttl(newer.terms(), age)), kept };
        Hit::of(newer, asked, answered.times.received, (age.as_secs(), status))
    }

    /// The stored response with the fields of a newer head about it, which is stored in its place
    /// if it may still be.
    fn freshen(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        Answered { headers, times, .. }: Answered<'_>,
    ) -> (Arc<Stored>, Kept) {
        let old = fetch.stored().expect("something stored was asked about");
        let (status, received) = (old.status(), times.received);
        let mut merged = updated(old.headers(), &kept(headers, &[], received));
        // Not kept, but counted from.
        if let Some(age) = headers.get(AGE) {
            merged.insert(AGE, age.clone());
        }
        let head = Head { status, headers: &merged, received };
        let get = Request { method: &Method::GET, ..asked.clone() };
        let newer = |withheld: &[HeaderName], how: (Terms, Selecting)| {
            let fields = kept(&merged, withheld, received);
            Arc::new(Stored::new(status, &fields, old.stored_body().clone(), how))
        };
        match judge_storing(&get, head, times, &self.settings) {
            Ok(Storable { terms, selecting, withheld }) => {
                let newer = newer(&withheld, (terms, selecting));
                let place = (fetch.key(), fetch.since());
                let kept = match self.store.keep(place, &newer, Some(old)) {
                    Outcome::Stored => Kept::Stored,
                    _ => Kept::Unsaid,
                };
                (newer, kept)
            }
            Err(why) => {
                if is_final(why) {
                    self.store.drop_variant(fetch.key(), old);
                }
                let control = Control::of(&merged, &self.settings.targets);
                let terms = Terms::of(head, times, &control, &self.settings);
                (newer(&[], (terms, Selecting::default())), Kept::NotStored(why))
            }
        }
    }

    /// Learns what the 200 to a HEAD says of what is stored for GET ([RFC 9111 §4.3.5]).
    ///
    /// [RFC 9111 §4.3.5]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.5
    fn take_head(&self, fetch: &Fetch, asked: &Request<'_>, answered: Answered<'_>) {
        let Some(stored) = fetch.stored() else { return };
        let len = stored.body().len() as u64;
        match judge_head(&stored.headers(), len, answered.headers) {
            Word::Same => _ = self.freshen(fetch, asked, answered),
            Word::Other => self.store.drop_variant(fetch.key(), stored),
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
        | NotStored::RequestContent
        | NotStored::Upgrade
        | NotStored::RequestNoStore
        | NotStored::Authorization
        | NotStored::NoRoom => None,
        _ => Some(Sender::Nobody),
    }
}

/// Whether a reason not to store a response anew says that it should not have been stored at all.
fn is_final(why: NotStored) -> bool {
    matches!(
        why,
        NotStored::NoStore
            | NotStored::Private
            | NotStored::NotUnderstood
            | NotStored::VariesByEverything
    )
}

fn pass(fetch: &Fetch, status: StatusCode, why: NotStored) -> Taken {
    let source = Source::Upstream(fetch.why(), Some(status));
    Taken::Pass(CacheStatus { source, ttl: None, kept: Kept::NotStored(why) })
}
