//! What upstream says anew of what is stored: its fields and terms, and not its content.

use std::{sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, LAST_MODIFIED},
};

use crate::{
    cache::{Cache, ttl},
    cache_status::{CacheStatus, Kept, Source},
    directives::Control,
    fetch::Fetch,
    fields::{for_who_asked, kept, updated},
    fill::Over,
    freshness::Head,
    hit::Hit,
    outcome::Outcome,
    request::{Request, Sender},
    stored::Stored,
    storing::{NotStored, Storable, judge_storing},
    taking::Answered,
    terms::Terms,
    validation::{Word, judge_head},
    vary::Selecting,
    wish::is_for_others,
};

/// What is stored, after news of it.
pub(crate) struct Freshened {
    newer: Arc<Stored>,
    kept: Kept,
    /// What the news has for nobody but who asked for it.
    own: HeaderMap,
}

impl Cache {
    /// Makes what is stored as new as the 304 that confirmed it ([RFC 9111 §4.3.4]), and an answer
    /// of it.
    ///
    /// [RFC 9111 §4.3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
    ///
    /// `None` if it is parts that do not answer what was asked.
    pub(crate) fn confirm(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Option<Hit> {
        let Freshened { newer, kept, own } = self.freshen(fetch, asked, answered);
        let received = answered.times.received;
        fetch.end(match kept {
            // What is stored was passed over: it may be one client's own now.
            Kept::NotStored(why) => self.passed_over(fetch, why, received),
            Kept::Stored | Kept::Unsaid => {
                if fetch.leads() && !is_for_others(newer.terms()) {
                    self.store.pass_by(fetch.fill(), Sender::Nobody, received);
                }
                let is_part = newer.parts().is_some();
                if is_part { Over::Alone } else { Over::Whole(Arc::clone(&newer)) }
            }
        });
        let age = newer.terms().initial_age;
        let source = Source::Upstream(fetch.why(), Some(StatusCode::NOT_MODIFIED));
        let status = CacheStatus { source, ttl: Some(ttl(newer.terms(), age)), kept };
        let hit = Hit::of(newer, asked, answered.times.received, (age.as_secs(), status));
        hit.ok().map(|hit| hit.with_own(own))
    }

    /// The stored response with the fields of a newer head about it, which is stored in its place
    /// if it may still be.
    pub(crate) fn freshen(
        &self,
        fetch: &Fetch,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Freshened {
        let old = fetch.stored().expect("something stored was asked about");
        let Answered { headers, times, .. } = answered;
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
                let kept = match self.store.keep(place, Arc::clone(&newer).into(), Some(old)) {
                    Outcome::Stored => Kept::Stored,
                    _ => Kept::Unsaid,
                };
                Freshened { newer, kept, own: for_who_asked(headers, &withheld) }
            }
            Err(NotStored::Personal) if is_of_same_bytes(answered.status) => {
                self.renew(fetch, asked, answered)
            }
            Err(why) => {
                if is_final(why) {
                    self.store.drop_variant(fetch.key(), old);
                }
                let control = Control::said_of(&merged, asked.rule, &self.settings);
                let terms = Terms::of(head, times, &control, &self.settings);
                // All of it is for who asked.
                let newer = newer(&[], (terms, Selecting::default()));
                Freshened { newer, kept: Kept::NotStored(why), own: HeaderMap::new() }
            }
        }
    }

    /// The same, where the news may be somebody's own. What is stored is everybody's, and its bytes are the
    /// same: so all have what the news says of its age, and the rest has who asked.
    fn renew(&self, fetch: &Fetch, asked: &Request<'_>, answered: Answered<'_>) -> Freshened {
        let stored = fetch.stored().expect("something stored was asked about").headers();
        let is_of_age = |name: &HeaderName| {
            OF_AGE.contains(name) || self.settings.targets.iter().any(|target| target == name)
        };
        let news = answered.headers;
        let of_age = news.iter().filter(|(name, _)| is_of_age(name));
        let of_age = of_age.map(|(name, value)| (name.clone(), value.clone())).collect();
        let is_own = |name: &&HeaderName| !is_of_age(name) && !stored.contains_key(*name);
        let own: Vec<_> = news.keys().filter(is_own).cloned().collect();
        let asked = Request { sender: Sender::Nobody, ..asked.clone() };
        let freshened = self.freshen(fetch, &asked, Answered { headers: &of_age, ..answered });
        Freshened { own: for_who_asked(news, &own), ..freshened }
    }

    /// Learns what the 200 to a HEAD says of what is stored for GET ([RFC 9111 §4.3.5]). What has another
    /// status is not what would be sent now.
    ///
    /// [RFC 9111 §4.3.5]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.5
    pub(crate) fn take_head(&self, fetch: &Fetch, asked: &Request<'_>, answered: Answered<'_>) {
        let Some(stored) = fetch.stored() else { return };
        let word = match stored.status() {
            StatusCode::OK => judge_head(&stored.headers(), stored.size(), answered.headers),
            _ => Word::Other,
        };
        match word {
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

/// What says how old a response is, and by what it is asked about; besides what speaks to us.
static OF_AGE: [HeaderName; 6] = [AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, LAST_MODIFIED];

/// Whether an answer of this `status` about what is stored says that the bytes are the same: by their
/// validator, and not by what it leaves unsaid.
fn is_of_same_bytes(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT)
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
