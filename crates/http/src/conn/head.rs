//! Heads, read and printed without hyper, byte for byte as hyper would.
//!
//! Only the plainest: what is anything else is said to be so, and left to hyper.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, TRAILER, TRANSFER_ENCODING, UPGRADE},
};
use relais_wire::{
    decimal::Decimal,
    http1::{CutHead, parse_length},
};

use crate::{Answer, Inbound, date_line::print_date, judged::judged_value, spare};

/// Heads with more fields than this are not plain.
const FIELDS_MAX: usize = 32;

/// How much is allocated for heads at a time. Whose request is gone when the next comes, as most
/// are, leaves it the room.
const HEADS_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where heads lie while their requests are answered.
    static HEADS: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Reads `bytes` as the head of a plain GET that has no body: HTTP/1.1, keeping the connection, its
/// target a path. They have passed the guard, and are nothing but a head. What [`judge`] looks for
/// over HTTP/1 (CONNECT, another scheme) cannot stand in such a head. The bytes are given back, as
/// memory that can be kept.
///
/// *Cost*: no allocation, but for names that are not standard, if earlier requests are done with.
///
/// [`judge`]: super::admission::judge
pub(super) fn read(bytes: &[u8]) -> Option<(Request<Inbound>, Bytes)> {
    if !bytes.starts_with(b"GET ") {
        return None;
    }
    let bytes = HEADS.with_borrow_mut(|heads| {
        if heads.capacity() < bytes.len() {
            heads.reserve(HEADS_BYTES.max(bytes.len()));
        }
        heads.extend_from_slice(bytes);
        heads.split().freeze()
    });
    let CutHead { method: _, target, version, mut fields } = CutHead::of(&bytes)?;
    if version != b"HTTP/1.1" || !target.starts_with(b"/") {
        return None;
    }
    let mut headers = spare::headers();
    for (name, value) in fields.by_ref().take(FIELDS_MAX) {
        let name = HeaderName::from_bytes(name).ok()?;
        let value = judged_value(bytes.slice_ref(value));
        if !is_plain_field(&name, &value) {
            return None;
        }
        headers.append(name, value);
    }
    if !fields.is_over() {
        return None;
    }
    let mut request = Request::new(Inbound::Full(Bytes::new()));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::from_maybe_shared(bytes.slice_ref(target)).ok()?;
    *request.headers_mut() = headers;
    Some((request, bytes))
}

fn is_plain_field(name: &HeaderName, value: &HeaderValue) -> bool {
    match *name {
        CONNECTION => value.as_bytes().eq_ignore_ascii_case(b"keep-alive"),
        EXPECT | UPGRADE | CONTENT_LENGTH | TRANSFER_ENCODING => false,
        _ => true,
    }
}

/// Whether [`print`] knows all that there is to the head of `answer`.
pub(super) fn is_plain(answer: &Answer) -> bool {
    let (status, len) = (answer.status(), answer.body().left());
    // Two sets of fields are put together by who sends what is not plain.
    if answer.body().head().is_some() && !answer.headers().is_empty() {
        return false;
    }
    // What may not have a body is not asked whether it has one by those who read it.
    if status.is_informational() || is_bodiless(status) && len != Some(0) {
        return false;
    }
    let mut has_length = false;
    // Once over the few that there are, rather than a hash for each that there might be.
    answer.headers().iter().all(|(name, value)| match *name {
        CONNECTION | TRANSFER_ENCODING | TRAILER | UPGRADE => false,
        CONTENT_LENGTH => {
            let is_first = !std::mem::replace(&mut has_length, true);
            is_first && !is_bodiless(status) && parse_length(value.as_bytes()) == len
        }
        _ => true,
    })
}

fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// What becomes of a connection behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Another may be asked for.
    Next,
    /// It ends, as the answer says (RFC 9112 §9.6).
    End,
}

/// Appends the head of a plain `answer` to a GET, whose body has so many bytes.
pub(super) fn print(answer: &Answer, len: u64, behind: Behind, out: &mut Vec<u8>) {
    let (status, headers) = (answer.status(), answer.headers());
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(status.canonical_reason().unwrap_or("<none>").as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if let Some(head) = answer.body().head() {
        head.print(out);
        print_end(behind, out);
        out.extend_from_slice(b"\r\n");
        return;
    }
    let (mut has_length, mut has_date) = (false, false);
    for (name, value) in headers {
        match *name {
            // hyper has a length of nothing last.
            CONTENT_LENGTH if len == 0 => continue,
            CONTENT_LENGTH => has_length = true,
            DATE => has_date = true,
            _ => (),
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    print_end(behind, out);
    if !is_bodiless(status) && !has_length {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(Decimal::of(len).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !has_date {
        print_date(out);
    }
    out.extend_from_slice(b"\r\n");
}

fn print_end(behind: Behind, out: &mut Vec<u8>) {
    if behind == Behind::End {
        out.extend_from_slice(b"connection: close\r\n");
    }
}
