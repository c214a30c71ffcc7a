//! Stored responses of which only parts are there.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::Stored;
use crate::{
    conditional::Validators,
    fields::updated,
    partial::{Part, Parts, is_of_other, is_same_strong},
    prebuilt::Prebuilt,
    room::Room,
    stored_body::StoredBody,
    terms::Terms,
    vary::Selecting,
};

impl Stored {
    /// What is stored of a response of which only `parts` are there.
    pub(crate) fn of_parts(
        status: StatusCode,
        headers: &HeaderMap,
        parts: Parts,
        how: (Terms, Selecting),
    ) -> Self {
        let head = Prebuilt::print(status, headers, None);
        let whole = Self::with_head(head, (status, headers), StoredBody::nothing(), how);
        Self { parts: Some(Box::new(parts)), ..whole }
    }

    /// The part that came with these `headers` and this `body`: it alone, or with what `older` has for
    /// the same requests, if they are of the same bytes. `None` if it is not what it said.
    pub(crate) fn of_part(
        older: Option<&Self>,
        (headers, how): (&HeaderMap, (Terms, Selecting)),
        part: Part,
        body: StoredBody,
    ) -> Option<Self> {
        let Part { extent, told, room } = part;
        let newer = Parts::of(extent, body, told)?;
        let alone = Self::of_parts(StatusCode::OK, headers, newer, how);
        let older = older.filter(|older| is_same_strong(older.validators(), alone.validators()));
        let Some((older, parts)) = older.and_then(|older| Some((older, older.parts()?))) else {
            return Some(alone.whole_in(&room));
        };
        let newer = alone.parts().map(|newer| newer.joined(parts).settled(&room))?;
        // RFC 9111 §3.4: what both have, is as the newer says.
        let headers = updated(older.headers(), headers);
        Some(alone.with_parts(&headers, newer).whole_in(&room))
    }

    /// Whether a part that has these validators may be one of it: it is a whole, and nothing says that the
    /// part is of another.
    pub(crate) fn may_have(&self, part: Validators<'_>) -> bool {
        let is_whole = self.status == StatusCode::OK && self.parts.is_none();
        is_whole && !is_of_other(self.validators(), part)
    }

    /// The same content with other fields, and on other terms.
    pub(crate) fn with_fields(&self, headers: &HeaderMap, how: (Terms, Selecting)) -> Self {
        if let Some(parts) = &self.parts {
            return Self::of_parts(self.status, headers, (**parts).clone(), how);
        }
        let head = Prebuilt::print(self.status, headers, self.size());
        let newer = Self::with_head(head, (self.status, headers), self.body.clone(), how);
        Self { file: self.file.clone(), came_at: self.came_at, ..newer }
    }

    /// The same with other parts, and these fields.
    pub(crate) fn with_parts(self, headers: &HeaderMap, parts: Parts) -> Self {
        Self::of_parts(self.status, headers, parts, (self.terms, self.selecting))
    }

    /// The same as a whole, if its parts are all there are and there is `room` to join them.
    pub(crate) fn whole_in(self, room: &Arc<Room>) -> Self {
        match self.parts.as_ref().and_then(|parts| parts.whole(room)) {
            Some(body) => {
                Self::new(self.status, &self.headers(), body, (self.terms, self.selecting))
            }
            None => self,
        }
    }
}
