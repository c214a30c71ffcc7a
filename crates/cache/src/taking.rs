//! What upstream answered: passed on, stored, or only a word about what is stored.

use std::{sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{AGE, CONTENT_LENGTH, CONTENT_LOCATION, LOCATION},
};

use crate::{
    age::Times,
    cache::{Cache, ttl},
    cache_status::{CacheStatus, Kept, Source},
    completion::Completion,
    directives::Control,
    fetch::Fetch,
    fields::{kept, updated},
    freshness::Head,
    hit::Hit,
    joining::Part,
    key::Key,
    recording::{RecordedHead, Recording, Tape},
    request::{Content, Request},
    reuse::Failure,
    searches::NoVary,
    store::Outcome,
    stored::Stored,
    storing::{NotStored, Storable, judge_storing},
    terms::Terms,
    validation::{Word, judge_304, judge_head},
    vary::Selecting,
};

/// What to do with the head that came from upstream.
#[derive(Debug)]
pub enum Taken {
    /// Pass it and its body on, and [`add`](Recording::add) the body to this as it comes.
    Record(Box<Recording>),
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
                Some(recording) => Taken::Record(Box::new(recording)),
                None => pass(&fetch, status, NotStored::Method),
            };
        }
        let failure = Failure::Status(status);
        if let Ok(hit) = self.stand_in(&fetch, asked, failure, times.received) {
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
        self.judge_and_record(fetch, asked, answered)
    }

    pub(crate) fn judge_and_record(
        &self,
        fetch: Box<Fetch>,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Taken {
        let Answered { status, headers, times } = answered;
        let head = Head { status, headers, received: times.received };
        match judge_storing(asked, head, times, &self.settings) {
            Ok(storable) => match self.searched(fetch, headers) {
                Ok(fetch) => self.record(fetch, answered, storable),
                Err(fetch) => pass(&fetch, status, NotStored::Invalidated),
            },
            Err(why) => pass(&fetch, status, why),
        }
    }

    /// `fetch`, whose answer with these `headers` may say what makes no difference in its query.
    ///
    /// # Errors
    ///
    /// The same, if what it asked for was invalidated meanwhile.
    fn searched(&self, fetch: Box<Fetch>, headers: &HeaderMap) -> Result<Box<Fetch>, Box<Fetch>> {
        self.searches.learn(fetch.asked_key(), NoVary::of(headers));
        let counted = self.searches.key_of(fetch.asked_key()).into_owned();
        if counted == *fetch.key() {
            return Ok(fetch);
        }
        if self.store.was_invalidated(fetch.key(), fetch.since()) {
            return Err(fetch);
        }
        let since = self.store.generation(&counted);
        Ok(Box::new(fetch.moved_to(counted, since)))
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
    ) -> Option<Recording> {
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
        // What was there before the change is invalid; this came of it.
        let since = self.store.generation(fetch.key());
        let after = Fetch::new(fetch.key().clone(), since, fetch.why());
        match self.record(Box::new(after), answered, storable) {
            Taken::Record(recording) => Some(*recording),
            _ => None,
        }
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
        for name in [LOCATION, CONTENT_LOCATION] {
            let reference = headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(named) = reference.and_then(|reference| key.beside(reference)) {
                self.forget(&named);
            }
        }
    }

    pub(crate) fn record(
        &self,
        fetch: Box<Fetch>,
        Answered { status, headers, times }: Answered<'_>,
        storable: Storable,
    ) -> Taken {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let declared = length.and_then(|length| length.parse().ok());
        if declared.is_some_and(|declared| declared > self.store.body_max()) {
            return pass(&fetch, status, NotStored::TooLarge);
        }
        let tape = match Tape::new(declared, self.settings.object_max, Arc::clone(&self.room)) {
            Ok(tape) => tape,
            Err(Outcome::NoRoom) => return pass(&fetch, status, NotStored::NoRoom),
            Err(_) => return pass(&fetch, status, NotStored::TooLarge),
        };
        let Storable { terms, selecting, withheld, place } = storable;
        let room = Arc::clone(&self.room);
        let part = place.map(|(extent, told)| Part { extent, told, room });
        let cache_status = CacheStatus {
            source: Source::Upstream(fetch.why(), Some(status)),
            ttl: Some(ttl(&terms, terms.initial_age)),
            kept: Kept::Stored,
        };
        let head = RecordedHead {
            status,
            headers: kept(headers, &withheld, times.received),
            terms,
            selecting,
            declared,
            part,
        };
        let (store, place) = (Arc::clone(&self.store), fetch.into_place());
        Taken::Record(Box::new(Recording { store, place, head, tape, cache_status }))
    }

    /// Makes what is stored as new as the 304 that confirmed it ([RFC 9111 §4.3.4]), and an answer
    /// of it.
    ///
    /// [RFC 9111 §4.3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
    ///
    /// `None` if it is parts that do not answer what was asked.
    fn confirm(&self, fetch: &Fetch, asked: &Request<'_>, answered: Answered<'_>) -> Option<Hit> {
        let (newer, kept) = self.freshen(fetch, asked, answered);
        let age = newer.terms().initial_age;
        let source = Source::Upstream(fetch.why(), Some(StatusCode::NOT_MODIFIED));
        let status = CacheStatus { source, ttl: Some(ttl(newer.terms(), age)), kept };
        Hit::of(newer, asked, answered.times.received, (age.as_secs(), status)).ok()
    }

    /// The stored response with the fields of a newer head about it, which is stored in its place
    /// if it may still be.
    pub(crate) fn freshen(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        Answered { headers, times, .. }: Answered<'_>,
    ) -> (Arc<Stored>, Kept) {
        let old = fetch.stored().expect("something stored was asked about");
        let (status, received) = (old.status(), times.received);
        let merged = merged(old, headers, received);
        let head = Head { status, headers: &merged, received };
        let get = Request { method: &Method::GET, ..asked.clone() };
        let newer = |withheld: &[HeaderName], how: (Terms, Selecting)| {
            let fields = kept(&merged, withheld, received);
            Arc::new(old.with_fields(&fields, how))
        };
        match judge_storing(&get, head, times, &self.settings) {
            Ok(Storable { terms, selecting, withheld, place: _ }) => {
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
                let control = Control::said_of(&merged, asked.rule, &self.settings);
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
        match judge_head(&stored.headers(), stored.size(), answered.headers) {
            Word::Same => _ = self.freshen(fetch, asked, answered),
            Word::Other => self.store.drop_variant(fetch.key(), stored),
        }
    }
}

/// The fields of what is stored, with those of a newer head about the same content.
pub(crate) fn merged(stored: &Stored, newer: &HeaderMap, received: SystemTime) -> HeaderMap {
    let mut merged = updated(stored.headers(), &kept(newer, &[], received));
    // Not kept, but counted from.
    if let Some(age) = newer.get(AGE) {
        merged.insert(AGE, age.clone());
    }
    merged
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

pub(crate) fn pass(fetch: &Fetch, status: StatusCode, why: NotStored) -> Taken {
    let source = Source::Upstream(fetch.why(), Some(status));
    Taken::Pass(CacheStatus { source, ttl: None, kept: Kept::NotStored(why) })
}
