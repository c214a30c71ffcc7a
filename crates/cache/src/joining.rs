//! A part on its way into the store, and what it becomes there.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use relais_wire::range::Extent;

use crate::{
    fields::updated,
    partial::{Parts, Told, is_same_strong},
    room::Room,
    stored::Stored,
    stored_body::StoredBody,
    terms::Terms,
    vary::Selecting,
};

/// What is known of a part before its bytes come.
#[derive(Debug)]
pub(crate) struct Part {
    pub extent: Extent,
    pub told: Told,
    /// Where it is joined with others.
    pub room: Arc<Room>,
}

/// What is stored of the part that came with these `headers` and this `body`, if `older` is there for the same
/// requests: it alone, or both together, if they are of the same bytes. `None` if it is not what it
/// said.
pub(crate) fn stored_with(
    older: Option<&Stored>,
    (headers, how): (&HeaderMap, (Terms, Selecting)),
    part: Part,
    body: StoredBody,
) -> Option<Stored> {
    let Part { extent, told, room } = part;
    let newer = Parts::of(extent, body, told)?;
    let alone = Stored::of_parts(StatusCode::OK, headers, newer, how);
    let older = older.filter(|older| is_same_strong(older.validators(), alone.validators()));
    let Some((older, parts)) = older.and_then(|older| Some((older, older.parts()?))) else {
        return Some(alone.whole_in(&room));
    };
    let newer = alone.parts().map(|newer| newer.joined(parts).settled(&room))?;
    // RFC 9111 §3.4: what both have, is as the newer says.
    let headers = updated(older.headers(), headers);
    Some(alone.with_parts(&headers, newer).whole_in(&room))
}
