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
    searches::word_of,
    stored::{Body, Head, Softened, Stored},
    tags::{Tag, by_any_word},
    terms::{Ask, Terms},
    vary::Selecting,
};

/// What the bytes of a head begin with. Others are of another version of this program: a miss.
const VERSION: u8 = 2;

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

/// Tells what a key has in common with others: its URI, if it is apart from that; and its path and by
/// which word of `No-Vary-Search` it is kept.
pub(super) fn families_of(bytes: &[u8], tell: &mut dyn FnMut(&[&[u8]])) {
    const REST_BYTES: usize = size_of::<u32>() + size_of::<u64>();
    // As most have: nothing is apart from its URI.
    if uri_of(bytes).len() + REST_BYTES == bytes.len() {
        return;
    }
    let Some((key, _)) = read_key(bytes) else { return };
    tell(&[Tag::apart(key.as_str()).name()]);
    if let Some(word) = word_of(&key) {
        tell(&[&by_any_word(&key), &name_by_word(&key, word)]);
    }
}

/// What the keys of the path of `key` have in common that are kept by this word.
pub(super) fn name_by_word(key: &Key, word: &str) -> Vec<u8> {
    // No path has a space.
    [&by_any_word(key), &b" by "[..], word.as_bytes()].concat()
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
    for duration in [initial_age, lifetime.duration, stale_while_revalidate] {
        out.duration(duration);
    }
    out.optional_duration(stale_if_error);
    out.byte(number_of_basis(lifetime.basis));
    out.byte(number_of_ask(ask));
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
    let (stale_while_revalidate, stale_if_error) =
        (bytes.duration()?, bytes.optional(In::duration)?);
    let lifetime = Lifetime { duration, basis: basis_of(bytes.byte()?)? };
    let ask = ask_of(bytes.byte()?)?;
    let terms = Terms { times, initial_age, lifetime, ask, stale_while_revalidate, stale_if_error };
    let date = bytes.time()?;
    let modified = bytes.optional(In::time)?;
    let softened = bytes.optional(In::time)?.map_or(Softened::No, Softened::At);
    let tags = usize::try_from(bytes.number()?).ok()?;
    let language = bytes.optional(In::text)?.map(Box::from);
    let printed = Prebuilt::of_printed(Bytes::copy_from_slice(bytes.0));
    Some((Head { status, terms, date, modified, softened, tags, printed }, language))
}

fn number_of_basis(basis: Basis) -> u8 {
    match basis {
        Basis::SharedMaxAge => 0,
        Basis::MaxAge => 1,
        Basis::Expires => 2,
        Basis::Heuristic => 3,
        Basis::Default => 4,
        Basis::Negative => 5,
        Basis::Rule => 6,
        Basis::Imposed => 7,
        Basis::Nothing => 8,
    }
}

fn basis_of(number: u8) -> Option<Basis> {
    Some(match number {
        0 => Basis::SharedMaxAge,
        1 => Basis::MaxAge,
        2 => Basis::Expires,
        3 => Basis::Heuristic,
        4 => Basis::Default,
        5 => Basis::Negative,
        6 => Basis::Rule,
        7 => Basis::Imposed,
        8 => Basis::Nothing,
        _ => return None,
    })
}

fn number_of_ask(ask: Ask) -> u8 {
    match ask {
        Ask::Always => 0,
        Ask::WhenStale => 1,
        Ask::Unexcused => 2,
    }
}

fn ask_of(number: u8) -> Option<Ask> {
    Some(match number {
        0 => Ask::Always,
        1 => Ask::WhenStale,
        2 => Ask::Unexcused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        request::Request,
        stored_body::StoredBody,
        tests::{at, fields},
    };

    #[test]
    fn numbers_stand_for_what_they_stood_for() {
        for number in 0..=u8::MAX {
            let again = basis_of(number).map_or(number, number_of_basis);
            assert_eq!((again, basis_of(number).is_some()), (number, number < 9));
            let again = ask_of(number).map_or(number, number_of_ask);
            assert_eq!((again, ask_of(number).is_some()), (number, number < 3));
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_printed() {
        let key = Key::of("http", "a", "/x?y").unwrap();
        for key in [key.clone().apart("\ndevice=phone"), key] {
            let printed = print_key(&key, 77);
            assert_eq!(read_key(&printed), Some((key, 77)));
            assert_eq!(uri_of(&printed), b"http://a/x?y");
            for at in 0..printed.len() {
                assert_ne!(read_key(&printed[..at]).map(|(_, of)| of), Some(77), "cut at {at}");
            }
        }
    }

    #[test]
    fn what_is_stored_is_read_as_it_was_printed() {
        for softened in [None, Some(7), Some(99)] {
            let stored = stored(softened);
            let (selection, head) = printed(&stored);
            let again = read(&selection, &head).unwrap();
            assert_eq!(printed(&again), (selection.clone(), head.clone()), "again");
            assert_eq!((again.status(), again.headers()), (stored.status(), stored.headers()));
            assert_eq!(again.selecting(), stored.selecting());
            assert_eq!(format!("{:?}", again.terms()), format!("{:?}", stored.terms()));
            assert_eq!((again.date(), again.modified()), (stored.date(), stored.modified()));
            assert_eq!((again.softened(), again.tags()), (stored.softened(), 2));
            for at in 0..selection.len() {
                let cut = read(&selection[..at], &head);
                assert!(cut.is_none_or(|cut| cut.selecting() != stored.selecting()), "{at}");
            }
        }
    }

    #[test]
    fn a_head_of_another_version_is_none() {
        let (selection, mut head) = printed(&stored(None));
        head[0] += 1;
        assert!(read(&selection, &head).is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = (read_key(&bytes), uri_of(&bytes), read_selection(&bytes, None));
            let mut head = vec![VERSION];
            head.extend_from_slice(&bytes);
            _ = read(&bytes, &head);
        }

        #[test]
        fn nothing_panics_that_was_changed_a_little(at in 0_usize..300, byte in any::<u8>()) {
            let (mut selection, mut head) = printed(&stored(Some(7)));
            let (one, other) = (at % selection.len(), at % head.len());
            selection[one] = byte;
            head[other] = byte;
            _ = read(&selection, &head);
        }
    }

    /// An answer with all there can be, purged softly at that second.
    fn stored(softened: Option<i64>) -> Stored {
        let lines = "etag: \"1\"\nlast-modified: Sat, 01 Jan 2000 00:00:00 GMT\nx: y\nx: z\n\
                     surrogate-key: one two\nvary: a, accept-language\ncontent-language: de";
        let (headers, asked) = (fields(lines), fields("a: b\naccept-language: de, en"));
        let request = Request::of(&Method::GET, &asked);
        let names = [HeaderName::from_static("a"), HeaderName::from_static("accept-language")];
        let selecting = Selecting::of(&names, &request).unwrap().of_response(&headers);
        let times = Times { requested: at(3), received: at(5) };
        let terms = Terms {
            times,
            initial_age: Duration::from_millis(1500),
            lifetime: Lifetime { duration: Duration::from_mins(1), basis: Basis::Heuristic },
            ask: Ask::Unexcused,
            stale_while_revalidate: Duration::from_secs(9),
            stale_if_error: Some(Duration::MAX),
        };
        let body = StoredBody::nothing();
        let stored = Stored::new(StatusCode::NOT_FOUND, &headers, body, (terms, selecting));
        match softened {
            Some(second) => stored.expired(at(second), &crate::Settings::default()),
            None => stored,
        }
    }

    fn printed(stored: &Stored) -> (Vec<u8>, Vec<u8>) {
        (print_selection(stored.selecting()), print_head(stored))
    }

    fn read(selection: &[u8], head: &[u8]) -> Option<Stored> {
        let body = Body::Memory(StoredBody::nothing());
        read_stored((selection, head), body, (5, false))
    }
}
