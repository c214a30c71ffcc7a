//! Responses of which only parts are stored, and how they become whole ([RFC 9111 §3.3, §3.4]).
//!
//! A 206 is stored as if it were an answer of which not all came. Two are put together if one strong
//! validator says that they are of the same bytes, and never otherwise.
//!
//! [RFC 9111 §3.3, §3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-3.3

mod completion;
mod joining;
mod multipart;
mod need;
mod parts;
mod place;
mod rest;

pub use self::{completion::Completion, parts::Parts};
pub(crate) use self::{
    joining::{Part, stored_with},
    multipart::Multipart,
    need::{Need, judge_need},
    parts::{SPANS_MAX, SizedRange, Told},
    place::{is_same_strong, place_of},
    rest::Rest,
};
