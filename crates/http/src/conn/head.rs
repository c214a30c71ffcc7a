//! Heads, read and printed without hyper, byte for byte as hyper would.
//!
//! Only the plainest: what is anything else is said to be so, and left to hyper.

use std::{cell::RefCell, mem::MaybeUninit, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, TRAILER, TRANSFER_ENCODING, UPGRADE},
};
use relais_wire::date::print_http_date;

use crate::{Answer, Inbound, clock::coarse_time};

/// Heads with more fields than this are not plain.
const FIELDS_MAX: usize = 32;

/// Reads `bytes` as the head of a plain GET that has no body: HTTP/1.1, keeping the connection.
/// They have passed the guard, and are nothing but a head.
pub(super) fn read(bytes: &[u8]) -> Option<Request<Inbound>> {
    if !bytes.starts_with(b"GET ") {
        return None;
    }
    let bytes = Bytes::copy_from_slice(bytes);
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut []);
    let parsed = head.parse_with_uninit_headers(&bytes, &mut fields).ok()?;
    let is_plain = head.version == Some(1) && head.path?.starts_with('/');
    if parsed != httparse::Status::Complete(bytes.len()) || !is_plain {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for field in &*head.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value)).ok()?;
        if !is_plain_field(&name, &value) {
            return None;
        }
        headers.append(name, value);
    }
    let mut request = Request::new(Inbound::Full(Bytes::new()));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::from_maybe_shared(bytes.slice_ref(head.path?.as_bytes())).ok()?;
    *request.headers_mut() = headers;
    Some(request)
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
    // Once over the few that there are, rather than a hash for each that there might be.
    let is_special =
        |name: &HeaderName| matches!(*name, CONNECTION | TRANSFER_ENCODING | TRAILER | UPGRADE);
    !answer.status().is_informational() && !answer.headers().keys().any(is_special)
}

/// Appends the head of a plain `answer` to a GET, whose body has so many bytes.
pub(super) fn print(answer: &Answer, len: usize, out: &mut Vec<u8>) {
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
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !bodiless && !has_length {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(len.to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !has_date {
        print_date(out);
    }
    out.extend_from_slice(b"\r\n");
}

fn print_date(out: &mut Vec<u8>) {
    thread_local! {
        /// A second, and its line.
        static LINE: RefCell<(u64, Vec<u8>)> = const { RefCell::new((u64::MAX, Vec::new())) };
    }
    LINE.with_borrow_mut(|(second, line)| {
        let now = coarse_time();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if *second != since {
            *second = since;
            line.clear();
            line.extend_from_slice(b"date: ");
            line.extend_from_slice(print_http_date(now).as_bytes());
            line.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    });
}
