//! Maps of fields that somebody is done with, for whoever needs the next: an empty map of the usual
//! size costs two allocations and the clearing of a few hundred bytes.

use std::cell::RefCell;

use http::HeaderMap;

/// How many are kept on each core: those of a request and of its answer, for a few at once.
const KEPT_MAX: usize = 16;

/// Maps that grew larger are not kept.
const FIELDS_MAX: usize = 64;

/// Room for so many fields is made at first.
const FIELDS_USUAL: usize = 24;

thread_local! {
    static SPARE: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
}

/// An empty map, with room for the usual number of fields.
pub(crate) fn headers() -> HeaderMap {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| HeaderMap::with_capacity(FIELDS_USUAL))
}

/// Keeps a map that nobody needs any more.
pub(crate) fn keep(mut headers: HeaderMap) {
    if !(1..=FIELDS_MAX).contains(&headers.capacity()) {
        return;
    }
    // What its values lie in is held no longer.
    headers.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT_MAX {
            spare.push(headers);
        }
    });
}
