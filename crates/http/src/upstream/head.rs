//! Heads of HTTP/1: of requests, printed; of answers, as maps.

use std::{borrow::Cow, io::Write as _};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST, MAX_FORWARDS, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, RANGE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
    },
    request,
};
use relais_wire::http1::response::{Head, Span};

use crate::spare;

/// How a request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Nothing,
    /// So many bytes.
    Length(u64),
    Chunked,
}

/// Appends the head of a request. Its target is printed as a path, its host is `host`.
///
/// The fields are sent as they are, but for those that frame the message; behind them `trail`, whole
/// lines.
pub(super) fn print(
    request: &request::Parts,
    (host, trail): (&HeaderValue, &[u8]),
    framing: Framing,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(target(&request.uri).as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(&HOST, host, out);
    for (name, value) in &request.headers {
        if !matches!(*name, HOST | CONTENT_LENGTH | TRANSFER_ENCODING) {
            line(name, value, out);
        }
    }
    out.extend_from_slice(trail);
    match framing {
        Framing::Nothing => (),
        Framing::Length(length) => _ = write!(out, "content-length: {length}\r\n"),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
}

/// What is asked for, as a server that is no proxy is asked: a path, or `*` (RFC 9112 §3.2.1).
///
/// A target that named its host may have a query and no path: `http://a?b` is `/?b`.
pub(super) fn target(uri: &Uri) -> Cow<'_, str> {
    match uri.path_and_query().map_or("/", |target| target.as_str()) {
        query if query.starts_with('?') => format!("/{query}").into(),
        target => target.into(),
    }
}

/// Appends a field line. Its value has no line ends: none were parsed.
pub(super) fn line(name: &HeaderName, value: &HeaderValue, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Adds printed lines to `headers`.
pub(crate) fn read_lines(lines: &[u8], headers: &mut HeaderMap) {
    for line in lines.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii_end();
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii_start());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
}

/// The fields that stand at `spans` in `buffer`; `None` if one is none for a map.
pub(super) fn fields(buffer: &Bytes, spans: &[Span]) -> Option<HeaderMap> {
    let mut headers = spare::headers();
    for span in spans {
        let name = HeaderName::from_bytes(&buffer[span.name()]).ok()?;
        let value = HeaderValue::from_maybe_shared(buffer.slice(span.value())).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}

/// Whether a field says what one connection does, and is nobody's to set but the connection's.
pub(crate) fn is_of_connection(name: &HeaderName) -> bool {
    matches!(*name, CONNECTION | TE | TRANSFER_ENCODING | UPGRADE)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Takes off `trailers` what must not stand behind a body: what is for one hop, and what would change
/// how a message was read, whom it is from or what was decided of it (RFC 9110 §6.5.1).
pub(super) fn strip_trailers(trailers: &mut HeaderMap) {
    let is_early = |name: &HeaderName| match *name {
        _ if is_of_connection(name) => true,
        TRAILER | CONTENT_LENGTH | HOST | VIA | FORWARDED | AUTHORIZATION | PROXY_AUTHENTICATE
        | PROXY_AUTHORIZATION | COOKIE | SET_COOKIE | CACHE_CONTROL | CONTENT_ENCODING
        | CONTENT_RANGE | CONTENT_TYPE | EXPECT | MAX_FORWARDS | RANGE => true,
        _ => name.as_str().starts_with("x-forwarded-"),
    };
    let early: Vec<_> = trailers.keys().filter(|name| is_early(name)).cloned().collect();
    for name in early {
        trailers.remove(name);
    }
}

/// The members of the lists that `name` has.
pub(crate) fn members<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(name).into_iter();
    let members = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// The status of `head`.
pub(super) fn status(head: &Head) -> StatusCode {
    StatusCode::from_u16(head.status).expect("100 to 599, as the reader says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_path_or_all() {
        check("/a/../b?c", "/a/../b?c");
        check("//a", "//a");
        check("*", "*");
        check("http://a", "/");
        check("http://a/b?c", "/b?c");
        check("http://a?b", "/?b");
    }

    #[track_caller]
    fn check(uri: &str, expect: &str) {
        assert_eq!(target(&uri.parse().unwrap()), expect);
    }
}
