//! A part on its way into the store, and what it becomes there.

use std::sync::Arc;

use http::StatusCode;
use relais_wire::range::Extent;

use super::{
    parts::{Parts, Told},
    place::is_same_strong,
};
use crate::{
    fields::updated, recording::RecordedHead, room::Room, stored::Stored, stored_body::StoredBody,
};

/// What is known of a part before its bytes come.
#[derive(Debug)]
pub(crate) struct Part {
    pub extent: Extent,
    pub told: Told,
    /// Where it is joined with others.
    pub room: Arc<Room>,
}

/// What is stored of the part that came with `head` and this `body`, if `older` is there for the same
/// requests: it alone, or both together, if they are of the same bytes. `None` if it is not what it
/// said.
pub(crate) fn stored_with(
    older: Option<&Stored>,
    head: RecordedHead,
    part: Part,
    body: StoredBody,
) -> Option<Stored> {
    let Part { extent, told, room } = part;
    let RecordedHead { headers, terms, selecting, .. } = head;
    let how = (terms, selecting);
    let newer = Parts::of(extent, body, told)?;
    let alone = Stored::of_parts(StatusCode::OK, &headers, newer, how);
    let older = older.filter(|older| is_same_strong(older.validators(), alone.validators()));
    let Some((older, parts)) = older.and_then(|older| Some((older, older.parts()?))) else {
        return Some(alone.whole_in(&room));
    };
    let newer = alone.parts().map(|newer| newer.joined(parts).settled(&room))?;
    // RFC 9111 §3.4: what both have, is as the newer says.
    let headers = updated(older.headers(), &headers);
    Some(alone.with_parts(&headers, newer).whole_in(&room))
}
