//! What is stored of what upstream answered: its head, and its body as it comes, for all who wait for it.

use std::{sync::Arc, time::SystemTime};

use http::header::CONTENT_LENGTH;

use crate::{
    cache::{Cache, ttl},
    cache_status::{CacheStatus, Kept, Source},
    fetch::{Fetch, Role},
    fields::kept,
    fill::{Body, FillHead, Limits, Over, ToFile},
    outcome::Outcome,
    partial::Part,
    request::Sender,
    storing::{NotStored, Storable},
    taking::{Answered, Taken},
    wish::is_for_others,
    writer::Writer,
};

impl Cache {
    /// Stores what `fetch` asked for as it comes; or passes it on, if there is no room for that.
    pub(crate) fn fill(
        &self,
        fetch: Box<Fetch>,
        Answered { status, headers, times }: Answered<'_>,
        storable: Storable,
    ) -> Taken {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let declared = length.and_then(|length| length.parse().ok());
        let Storable { terms, selecting, withheld, place } = storable;
        let incoming = match self.incoming(declared, place.is_some()) {
            Ok(incoming) => incoming,
            Err(why) => return self.pass(&fetch, (status, times), why),
        };
        let room = Arc::clone(&self.room);
        let part = place.map(|(extent, told)| Part { extent, told, room });
        let headers = kept(headers, &withheld, times.received);
        let head = FillHead { status, headers, terms, selecting, declared, part };
        Taken::Fill(Box::new(self.begin(fetch, head, incoming, times.received)))
    }

    /// Room for a body of so many bytes, if that is `declared`, and its file, if it goes to one.
    fn incoming(&self, declared: Option<u64>, is_part: bool) -> Result<(Body, ToFile), NotStored> {
        if declared.is_some_and(|declared| declared > self.store.body_max()) {
            return Err(NotStored::TooLarge);
        }
        let limits = self.limits(is_part);
        Body::new(declared, limits, Arc::clone(&self.room)).map_err(|outcome| match outcome {
            Outcome::NoRoom => NotStored::NoRoom,
            _ => NotStored::TooLarge,
        })
    }

    /// Begins to fill what `fetch` asked for: listed for who asks for the same, if it may be others'.
    fn begin(
        &self,
        fetch: Box<Fetch>,
        head: FillHead,
        (body, to_file): (Body, ToFile),
        received: SystemTime,
    ) -> Writer {
        let (status, terms, is_part) = (head.status, head.terms, head.part.is_some());
        let cache_status = CacheStatus {
            source: Source::Upstream(fetch.why(), Some(status)),
            ttl: Some(ttl(&terms, terms.initial_age)),
            kept: Kept::Stored,
        };
        let mut fetch = if is_part { Box::new(self.apart(*fetch)) } else { fetch };
        let (has_led, before) = (fetch.leads(), fetch.take_before());
        let (mut lead, place) = fetch.into_place(received);
        lead.role = Role::Done;
        let (store, fill) = (Arc::clone(&self.store), Arc::clone(&lead.fill));
        fill.begin(head, body);
        if !is_part && is_for_others(&terms) {
            store.list(&fill, place.since);
        } else {
            store.leave(&fill);
            if has_led && !is_part {
                store.pass_by(&fill, Sender::Nobody, received);
            }
        }
        if let Some(before) = before {
            // Who waits for another key looks there: what comes is listed by now.
            before.release(if is_part { Over::Alone } else { Over::Left });
        }
        Writer { store, fill, place, cache_status, file: to_file, gave_up: None }
    }

    /// How much is held of a body that comes. Parts are put together in memory.
    fn limits(&self, is_part: bool) -> Limits {
        /// What is longer, is sent from its file, which is there from the beginning.
        const FILE_BYTES_MIN: u64 = 1 << 20;
        let object_max = self.settings.object_max;
        let Some(on_disk) = self.store.on_disk() else {
            return Limits { object_max, memory_max: object_max, disk: None };
        };
        let memory_max = self.store.memory_max().min(object_max);
        let disk = || (Arc::clone(on_disk.disk()), FILE_BYTES_MIN.min(memory_max));
        Limits { object_max, memory_max, disk: (!is_part).then(disk) }
    }

    /// `fetch`, whose answer is a part: nobody else waits for that.
    fn apart(&self, fetch: Fetch) -> Fetch {
        if !fetch.leads() {
            return fetch;
        }
        let (fill, since) = (self.unlisted(fetch.key()), fetch.since());
        fetch.moved_to(fill, since)
    }
}
