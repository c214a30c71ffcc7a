//! Responses of which only parts are stored, and what requests need of them ([RFC 9111 §3.3, §3.4]).
//!
//! A 206 is stored as if it were an answer of which not all came. Two are put together if one strong
//! validator says that they are of the same bytes, and never otherwise.
//!
//! [RFC 9111 §3.3, §3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-3.3

mod multipart;
mod need;
mod parts;
mod place;
mod rest;

pub use self::parts::Parts;
pub(crate) use self::{
    multipart::Multipart,
    need::{Need, judge_need},
    parts::{SPANS_MAX, SizedRange, Told},
    place::{NoPlace, Part, is_of_other, is_same_strong, place_of},
    rest::Rest,
};
