//! What is stored, as bytes on disk, but for its body. What they are held against is their sum: none
//! are read that are not as they were written.

use bytes::Bytes;
use http::{HeaderName, StatusCode};

use super::fields::{In, Out};
use crate::{
    age::Times,
    freshness::{Basis, Lifetime},
    key::Key,
    prebuilt::Prebuilt,
    stored::{Body, Head, Softened, Stored},
    terms::{Ask, Terms},
    vary::Selecting,
};

/// What the bytes of a head begin with. Others are of another version of this program: a miss.
const VERSION: u8 = 1;

/// A key: its text, how many bytes of that are the URI, and `of_whom`.
pub(super) fn print_key(key: &Key, of_whom: u64) -> Vec<u8> {
    let (text, uri_len) = key.text();
    let uri_len = u32::try_from(uri_len).unwrap_or(u32::MAX);
    [text.as_bytes(), &uri_len.to_le_bytes(), &of_whom.to_le_bytes()].concat()
}

pub(super) fn read_key(bytes: &[u8]) -> Option<(Key, u64)> {
    let (rest, of_whom) = bytes.split_last_chunk()?;
    let (text, uri_len) = rest.split_last_chunk()?;
    let uri_len = usize::try_from(u32::from_le_bytes(*uri_len)).ok()?;
    let key = Key::of_text(String::from_utf8(text.to_vec()).ok()?, uri_len)?;
    Some((key, u64::from_le_bytes(*of_whom)))
}

/// The URI of a key, which patterns are about.
pub(super) fn uri_of(key: &[u8]) -> &[u8] {
    let Some((text, uri_len)) =
        key.split_last_chunk::<8>().and_then(|(rest, _)| rest.split_last_chunk())
    else {
        return key;
    };
    let uri_len = usize::try_from(u32::from_le_bytes(*uri_len)).unwrap_or(usize::MAX);
    text.get(..uri_len).unwrap_or(text)
}

/// What tells variants apart.
pub(super) fn print_selection(selecting: &Selecting) -> Vec<u8> {
    let mut out = Out::default();
    for (name, value, raw) in selecting.fields() {
        out.text(name.as_str().as_bytes());
        out.optional_text(value);
        out.optional_text(raw);
    }
    out.end()
}

fn read_selection(bytes: &[u8], language: Option<Box<[u8]>>) -> Option<Selecting> {
    let (mut bytes, mut fields) = (In(bytes), Vec::new());
    while !bytes.0.is_empty() {
        let name = HeaderName::from_bytes(bytes.text()?).ok()?;
        let value = bytes.optional(In::text)?.map(Box::from);
        fields.push((name, value, bytes.optional(In::text)?.map(Box::from)));
    }
    Some(Selecting::of_fields(fields, language))
}

/// All that is stored besides.
pub(super) fn print_head(stored: &Stored) -> Vec<u8> {
    let mut out = Out::default();
    out.byte(VERSION);
    out.number(stored.status().as_u16().into());
    let Terms { times, initial_age, lifetime, ask, stale_while_revalidate, stale_if_error } =
        *stored.terms();
    out.time(times.requested);
    out.time(times.received);
    for duration in [initial_age, lifetime.duration, stale_while_revalidate, stale_if_error] {
        out.duration(duration);
    }
    out.byte(place_in(&BASES, lifetime.basis));
    out.byte(place_in(&ASKS, ask));
    out.time(stored.date());
    out.optional_time(stored.modified());
    match stored.softened() {
        Softened::At(at) => out.optional_time(Some(at)),
        Softened::No | Softened::Before => out.optional_time(None),
    }
    out.number(stored.tags() as u64);
    out.optional_text(stored.selecting().language());
    out.rest(stored.head().bytes())
}

/// What was stored with this selection and head; `body` came at that time; and
/// whether it was purged softly since.
pub(super) fn read_stored(
    (selection, head): (&[u8], &[u8]),
    body: Body,
    (came_at, is_softened): (u64, bool),
) -> Option<Stored> {
    let (head, language) = read_head(head)?;
    let selecting = read_selection(selection, language)?;
    let stored = Stored::restored(head, selecting, (body, came_at));
    Some(if is_softened { stored.softened_before() } else { stored })
}

fn read_head(bytes: &[u8]) -> Option<(Head, Option<Box<[u8]>>)> {
    let mut bytes = In(bytes);
    if bytes.byte()? != VERSION {
        return None;
    }
    let status = u16::try_from(bytes.number()?).ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok())?;
    let times = Times { requested: bytes.time()?, received: bytes.time()? };
    let (initial_age, duration) = (bytes.duration()?, bytes.duration()?);
    let (stale_while_revalidate, stale_if_error) = (bytes.duration()?, bytes.duration()?);
    let lifetime = Lifetime { duration, basis: *BASES.get(usize::from(bytes.byte()?))? };
    let ask = *ASKS.get(usize::from(bytes.byte()?))?;
    let terms = Terms { times, initial_age, lifetime, ask, stale_while_revalidate, stale_if_error };
    let date = bytes.time()?;
    let modified = bytes.optional(In::time)?;
    let softened = bytes.optional(In::time)?.map_or(Softened::No, Softened::At);
    let tags = usize::try_from(bytes.number()?).ok()?;
    let language = bytes.optional(In::text)?.map(Box::from);
    let printed = Prebuilt::of_printed(Bytes::copy_from_slice(bytes.0));
    Some((Head { status, terms, date, modified, softened, tags, printed }, language))
}

const BASES: [Basis; 9] = [
    Basis::SharedMaxAge,
    Basis::MaxAge,
    Basis::Expires,
    Basis::Heuristic,
    Basis::Default,
    Basis::Negative,
    Basis::Rule,
    Basis::Imposed,
    Basis::Nothing,
];

const ASKS: [Ask; 3] = [Ask::Always, Ask::WhenStale, Ask::Unexcused];

/// The number of one of them.
fn place_in<T: Copy + PartialEq>(all: &[T], one: T) -> u8 {
    let place = all.iter().position(|other| *other == one);
    // What is not among them is read as nothing that there is.
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}
