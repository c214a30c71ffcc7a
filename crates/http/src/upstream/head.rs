//! Heads of HTTP/1: of requests, printed; of answers, as maps.

use std::{borrow::Cow, io::Write as _};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
    header::{
        AGE, AUTHORIZATION, CDN_CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, COOKIE, DATE, EXPECT,
        EXPIRES, FORWARDED, HOST, LAST_MODIFIED, LOCATION, MAX_FORWARDS, RANGE, RETRY_AFTER,
        SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY, VIA,
        WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    request,
};
use relais_wire::http1::response::{Head, Span};

use crate::{
    ambiguous::{is_ambiguous, names_a_proxy},
    judged::judged_value,
    spare,
};

/// How a request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Nothing,
    /// So many bytes.
    Length(u64),
    Chunked,
}

impl Framing {
    /// Whether anything may come.
    pub(super) fn has_content(self) -> bool {
        !matches!(self, Self::Nothing | Self::Length(0))
    }
}

/// Appends the head of a request. Its target is printed as a path, its host is `host`.
///
/// The fields are sent as they are, but for those that frame the message, or ask about a body that there
/// is not; behind them `trail`, whole
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
        match *name {
            HOST | CONTENT_LENGTH | TRANSFER_ENCODING => (),
            // Nobody is to be asked for leave to send nothing (RFC 9110 §10.1.1).
            EXPECT if !framing.has_content() => (),
            _ => line(name, value, out),
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
pub(crate) fn line(name: &HeaderName, value: &HeaderValue, out: &mut Vec<u8>) {
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
        let value = judged_value(buffer.slice(span.value()));
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}

/// Whether a field says what one connection does, and is nobody's to set but the connection's.
pub(crate) fn is_of_connection(name: &HeaderName) -> bool {
    matches!(*name, CONNECTION | TE | TRANSFER_ENCODING | UPGRADE)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Takes off `trailers` what must not stand behind a body: what is for one hop, and what [is for a
/// head](is_for_a_head).
pub(super) fn strip_trailers(trailers: &mut HeaderMap) {
    let is_out = |name: &&HeaderName| is_of_connection(name) || is_for_a_head(name);
    let out: Vec<_> = trailers.keys().filter(is_out).cloned().collect();
    for name in out {
        trailers.remove(name);
    }
}

/// The same of a request, without those, too, that a server may take for others.
pub(super) fn strip_request_trailers(trailers: &mut HeaderMap) {
    strip_trailers(trailers);
    let is_out = |name: &&HeaderName| is_ambiguous(name) || names_a_proxy(name);
    let out: Vec<_> = trailers.keys().filter(is_out).cloned().collect();
    for name in out {
        trailers.remove(name);
    }
}

/// Whether a field says how a message is read, whom it is from or for, or what else was decided of it
/// before its body (RFC 9110 §6.5.1). Who merges trailers with fields would else take what stands
/// behind a body for the word of its head: a lifetime, a cookie, what the answer depends on. `ETag` may
/// stand there (§8.8.3), and so may sums of the content.
fn is_for_a_head(name: &HeaderName) -> bool {
    const KINDS: [&str; 7] =
        ["access-control-", "cache-", "content-", "if-", "proxy-", "surrogate-", "x-forwarded-"];
    let text = name.as_str();
    match *name {
        TRAILER
        | HOST
        | VIA
        | FORWARDED
        | MAX_FORWARDS
        | EXPECT
        | RANGE
        | AUTHORIZATION
        | WWW_AUTHENTICATE
        | COOKIE
        | SET_COOKIE
        | CDN_CACHE_CONTROL
        | AGE
        | DATE
        | EXPIRES
        | LAST_MODIFIED
        | LOCATION
        | RETRY_AFTER
        | STRICT_TRANSPORT_SECURITY
        | VARY
        | X_CONTENT_TYPE_OPTIONS
        | X_FRAME_OPTIONS => true,
        _ if matches!(text, "content-digest" | "content-md5") => false,
        _ if matches!(text, "no-vary-search" | "pragma" | "set-cookie2") => true,
        _ => KINDS.iter().any(|kind| text.starts_with(kind)),
    }
}

/// A list without the empty members that it begins or ends with: a recipient passes over those, and a
/// sender has none (RFC 9110 §5.6.1).
pub(crate) fn trimmed(list: &[u8]) -> &[u8] {
    let is_between = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
    let Some(first) = list.iter().position(|byte| !is_between(byte)) else { return b"" };
    let end = list.iter().rposition(|byte| !is_between(byte)).unwrap_or(first);
    &list[first..=end]
}

/// Takes off `headers` what `name` has of lists without a member.
pub(crate) fn drop_empty_lists(headers: &mut HeaderMap, name: &HeaderName) {
    if headers.get_all(name).iter().all(|list| !trimmed(list.as_bytes()).is_empty()) {
        return;
    }
    let lists: Vec<_> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    for list in lists.into_iter().filter(|list| !trimmed(list.as_bytes()).is_empty()) {
        headers.append(name, list);
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

    #[test]
    fn a_list_neither_begins_nor_ends_with_a_member_that_is_empty() {
        let check = |list: &str, expect: &str| {
            assert_eq!(trimmed(list.as_bytes()), expect.as_bytes(), "{list:?}");
        };
        check("", "");
        check(" ,\t,, ", "");
        check("a", "a");
        check(", a,, b ,", "a,, b");
        let mut headers = HeaderMap::new();
        for value in ["", "1.1 a", " , ", "1.0 b"] {
            headers.append(VIA, HeaderValue::from_static(value));
        }
        drop_empty_lists(&mut headers, &VIA);
        assert_eq!(headers.get_all(VIA).iter().collect::<Vec<_>>(), ["1.1 a", "1.0 b"]);
        headers.insert(VIA, HeaderValue::from_static(","));
        drop_empty_lists(&mut headers, &VIA);
        assert!(!headers.contains_key(VIA));
    }

    #[test]
    fn trailers_change_nothing_of_what_was_read_before() {
        let mut trailers = HeaderMap::new();
        for name in [
            "content-length",
            "transfer-encoding",
            "connection",
            "set-cookie",
            "cache-control",
            "vary",
            "age",
            "expires",
            "date",
            "location",
            "retry-after",
            "content-type",
            "surrogate-key",
            "no-vary-search",
            "cdn-cache-control",
            "if-match",
            "access-control-allow-origin",
            "x-forwarded-host",
            "www-authenticate",
            "cache-status",
            "pragma",
        ] {
            trailers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        let kept = ["grpc-status", "etag", "server-timing", "content-digest", "x-any"];
        for name in kept {
            trailers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        strip_trailers(&mut trailers);
        let mut left: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-digest", "etag", "grpc-status", "server-timing", "x-any"]);
    }

    #[test]
    fn trailers_of_a_request_have_no_names_that_servers_may_take_for_others() {
        let mut trailers = HeaderMap::new();
        for name in ["x_a", "x-forwarded_for", "x.a", "proxy", "x-forwarded-for", "x-a", "etag"] {
            trailers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        strip_request_trailers(&mut trailers);
        let mut left: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["etag", "x-a"]);
    }

    #[track_caller]
    fn check(uri: &str, expect: &str) {
        assert_eq!(target(&uri.parse().unwrap()), expect);
    }
}
