//! What upstream answered about parts.

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_RANGE},
};

use relais_wire::range::Extent;

use crate::{
    cache::Cache,
    completion::Completion,
    conditional::Validators,
    fetch::Fetch,
    fields::{for_who_asked, of_whole},
    freshening::merged,
    freshness::Head,
    partial::{is_same_strong, place_of},
    request::Request,
    storing::{NotStored, judge_storing},
    taking::{Answered, Taken},
    writer::Writer,
};

impl Cache {
    /// Takes what is said to be missing to what is stored: the client asked for something else.
    pub(crate) fn take_rest(
        &self,
        fetch: Box<Fetch>,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Taken {
        let again = Box::new(fetch.as_it_came());
        match self.rest(fetch, asked, answered) {
            Some((writer, own)) => {
                Taken::Complete(Box::new(Completion { cache: self.clone(), writer, again, own }))
            }
            None => Taken::AskAgain(again),
        }
    }

    fn rest(
        &self,
        fetch: Box<Fetch>,
        asked: &Request<'_>,
        Answered { status, headers, times }: Answered<'_>,
    ) -> Option<(Box<Writer>, HeaderMap)> {
        let (stored, rest) = (fetch.stored()?, fetch.rest()?);
        let validators = Validators::of(headers, times.received);
        if !is_same_strong(stored.validators(), validators) {
            return None;
        }
        // RFC 9111 §3.4: what the newer does not say, is as it was.
        let mut merged = merged(stored, headers, times.received);
        for name in [CONTENT_LENGTH, CONTENT_RANGE] {
            if let Some(value) = headers.get(&name) {
                merged.insert(name, value.clone());
            }
        }
        let range = HeaderValue::try_from(format!("bytes={}-{}", rest.first, rest.last)).ok();
        let asked = Request { range: range.as_ref(), ..asked.clone() };
        let head = Head { status, headers: &merged, received: times.received };
        let mut storable = judge_storing(&asked, head, times, &self.settings).ok()?;
        let (extent, _) = storable.place.as_ref()?;
        if extent.part != rest {
            return None;
        }
        // RFC 9111 §4.1: it is for whom what is stored is for, too.
        storable.selecting = stored.selecting().clone();
        let own = for_who_asked(headers, &storable.withheld);
        match self.fill(fetch, Answered { status, headers: &merged, times }, storable) {
            Taken::Fill(writer) => Some((writer, own)),
            _ => None,
        }
    }

    /// Takes a part of what is stored as a whole: it is news of its fields alone ([RFC 9111 §3.4]).
    ///
    /// What is of the same bytes by its validator, and no part of so many, is believed in nothing: its
    /// fields may be those of several parts. What may be of the same, by a weak one, takes no whole's place:
    /// that is as good.
    ///
    /// [RFC 9111 §3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-3.4
    pub(crate) fn take_part_of_whole(
        &self,
        fetch: Box<Fetch>,
        asked: &Request<'_>,
        answered: Answered<'_>,
    ) -> Taken {
        let Answered { status, headers, times } = answered;
        let newer = Validators::of(headers, times.received);
        let Some(stored) = fetch.stored().filter(|stored| stored.may_have(newer)) else {
            return self.judge_and_fill(fetch, asked, answered);
        };
        if is_same_strong(stored.validators(), newer) {
            let head = Head { status, headers, received: times.received };
            let why = match place_of(asked, head) {
                Ok(Some((extent, _))) if is_in(extent, stored.size()) => {
                    let answered = Answered { headers: &of_whole(headers), ..answered };
                    self.freshen(&fetch, asked, answered);
                    NotStored::PartOfStored
                }
                _ => NotStored::Partial,
            };
            return self.pass(&fetch, (status, times), why);
        }
        self.pass(&fetch, (status, times), NotStored::Partial)
    }
}

/// Whether a part at `extent` is one of a whole of so many bytes.
fn is_in(extent: Extent, size: Option<u64>) -> bool {
    let is_size = |size| extent.size.is_none_or(|told| told == size) && extent.part.last < size;
    size.is_some_and(is_size)
}
