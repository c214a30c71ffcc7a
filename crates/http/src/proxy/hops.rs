//! Fields that are for one hop, and are not passed on (RFC 9110 §7.6.1).

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, MAX_FORWARDS,
        PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, UPGRADE,
    },
};

use crate::{Body, upstream::is_of_connection};

/// Whether a field is for one hop though `Connection` does not name it. `Trailer` is for the whole
/// way.
fn is_for_one_hop(name: &HeaderName) -> bool {
    is_of_connection(name) || matches!(*name, PROXY_AUTHENTICATE | PROXY_AUTHORIZATION)
}

/// Whether the field `name` of a request with these `headers` is not passed on as it came.
pub(super) fn rewrites(name: &HeaderName, headers: &HeaderMap) -> bool {
    is_for_one_hop(name) || is_named(name, headers)
}

/// Takes off the fields of a request what was for this hop alone, and adds what is said again to the
/// next: that trailers are taken, and over HTTP/1 which protocol to change to.
pub(crate) fn renew_request(headers: &mut HeaderMap, version: Version) {
    let upgrade =
        upgrade(headers).filter(|protocol| version == Version::HTTP_11 && !is_http_again(protocol));
    let takes_trailers = takes_trailers(headers);
    strip(headers);
    if let Some(protocol) = upgrade {
        set_upgrade(headers, protocol);
    }
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.append(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// How far a request is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaches {
    /// Whoever is asked next.
    Next,
    /// Us: we answer it.
    Us,
}

/// Counts us in `Max-Forwards`, which is for OPTIONS and TRACE alone (RFC 9110 §7.6.2). What is no
/// number counts nothing.
pub(crate) fn count_forward(method: &Method, headers: &mut HeaderMap) -> Reaches {
    if !matches!(*method, Method::OPTIONS | Method::TRACE) {
        return Reaches::Next;
    }
    let Some(value) = headers.get(MAX_FORWARDS).map(HeaderValue::as_bytes) else {
        return Reaches::Next;
    };
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Reaches::Next;
    }
    // Of more than fits the most that does.
    let left = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    let Some(left) = left.unwrap_or(u64::MAX).checked_sub(1) else { return Reaches::Us };
    headers.insert(MAX_FORWARDS, left.into());
    Reaches::Next
}

/// The same of an answer, which says again only which protocol it changes to, if it does.
pub(crate) fn renew_answer(answer: &mut Response<Body>) {
    let is_switch = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    let upgrade = if is_switch { upgrade(headers) } else { None };
    strip(headers);
    if let Some(protocol) = upgrade {
        set_upgrade(headers, protocol);
    }
}

fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Removes from `headers` what was for this hop alone.
fn strip(headers: &mut HeaderMap) {
    // Once over the few that there are, rather than a hash for each that there might be.
    if !headers.keys().any(is_for_one_hop) {
        return;
    }
    if headers.contains_key(CONNECTION) {
        for name in named(headers) {
            headers.remove(name);
        }
    }
    let found: Vec<_> = headers.keys().filter(|name| is_for_one_hop(name)).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

/// What `Connection` names. Not what frames a message or says whom it is for: whoever sends
/// `Connection: host` wants a message that means something else behind us.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    options(headers, &CONNECTION)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_kept(name))
        .collect()
}

/// Whether `name` is of these.
fn is_named(name: &HeaderName, headers: &HeaderMap) -> bool {
    let is = |option: &[u8]| option.eq_ignore_ascii_case(name.as_str().as_bytes());
    !is_kept(name) && options(headers, &CONNECTION).any(is)
}

fn is_kept(name: &HeaderName) -> bool {
    matches!(*name, HOST | CONTENT_LENGTH | COOKIE | AUTHORIZATION | CACHE_CONTROL)
}

/// The members of the lists that `name` has.
fn options<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(name).into_iter();
    let members = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether the client takes trailers.
fn takes_trailers(headers: &HeaderMap) -> bool {
    options(headers, &TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
}

/// The protocol to change to that `headers` ask for or agree to (RFC 9110 §7.8), if they do.
fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(UPGRADE)?;
    let asks = options(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    asks.then(|| value.clone())
}

/// Whether one of the protocols in `upgrade` brings requests again: HTTP in another version, or under
/// TLS. In such a tunnel a client could ask for what is refused here, and nobody would see it.
fn is_http_again(upgrade: &HeaderValue) -> bool {
    upgrade.as_bytes().split(|&byte| byte == b',').any(|protocol| {
        let name = protocol.split(|&byte| byte == b'/').next().unwrap_or_default().trim_ascii();
        ["http", "tls", "h2", "h2c"].iter().any(|http| name.eq_ignore_ascii_case(http.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_one_hop_is_not_passed_on() {
        check("connection: close", "");
        check("connection: x-a, X-B\nx-a: 1\nx-b: 2\nx-c: 3", "x-c: 3");
        check("connection: ,, a b,x-a\nx-a: 1", "");
        check("keep-alive: 1\nproxy-connection: a\nte: gzip\nupgrade: b\ntrailer: c", "trailer: c");
        check("proxy-authorization: a\nauthorization: b", "authorization: b");
        check("proxy-authenticate: a\nwww-authenticate: b", "www-authenticate: b");
        check("transfer-encoding: chunked\nx-a: 1\nx-a: 2", "x-a: 1\nx-a: 2");
    }

    #[test]
    fn what_frames_or_addresses_a_message_is_not_taken_away_by_naming_it() {
        check("connection: host\nhost: a", "host: a");
        check("connection: content-length\ncontent-length: 1", "content-length: 1");
        check(
            "connection: cookie, authorization\ncookie: a\nauthorization: b",
            "cookie: a\nauthorization: b",
        );
    }

    #[test]
    fn an_upgrade_is_asked_for_twice() {
        let asked = |text| upgrade(&headers(text)).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(asked("connection: Upgrade\nupgrade: websocket").as_deref(), Some("websocket"));
        assert_eq!(asked("connection: a, upgrade\nupgrade: b").as_deref(), Some("b"));
        assert_eq!(asked("upgrade: websocket"), None);
        assert_eq!(asked("connection: upgrade"), None);
    }

    #[test]
    fn what_would_bring_requests_again_is_known() {
        for (upgrade, expect) in [
            ("websocket", false),
            ("h2c", true),
            ("WebSocket, H2C", true),
            ("HTTP/2.0", true),
            ("tls/1.0,HTTP/1.1", true),
            ("h2chat", false),
            ("", false),
        ] {
            assert_eq!(is_http_again(&HeaderValue::from_static(upgrade)), expect, "{upgrade}");
        }
    }

    #[test]
    fn options_and_trace_come_so_far_and_no_further() {
        let check = |method: Method, fields: &str, expect: (Reaches, &str)| {
            let mut headers = headers(fields);
            let reaches = count_forward(&method, &mut headers);
            let left = headers.get(MAX_FORWARDS).map_or("", |value| value.to_str().unwrap());
            assert_eq!((reaches, left), expect, "{method} {fields}");
        };
        let (next, us) = (Reaches::Next, Reaches::Us);
        check(Method::OPTIONS, "max-forwards: 0", (us, "0"));
        check(Method::TRACE, "max-forwards: 000", (us, "000"));
        check(Method::OPTIONS, "max-forwards: 1", (next, "0"));
        check(Method::TRACE, "max-forwards: 070", (next, "69"));
        let (most, rest) = ("max-forwards: 99999999999999999999", "18446744073709551614");
        check(Method::OPTIONS, most, (next, rest));
        for junk in ["-1", "+1", "1, 0", "x"] {
            check(Method::OPTIONS, &format!("max-forwards: {junk}"), (next, junk));
        }
        check(Method::OPTIONS, "", (next, ""));
        check(Method::GET, "max-forwards: 0", (next, "0"));
    }

    #[test]
    fn trailers_are_taken_by_who_says_so() {
        assert!(takes_trailers(&headers("te: gzip, Trailers")));
        assert!(!takes_trailers(&headers("te: gzip")));
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut stripped = headers(text);
        strip(&mut stripped);
        let mut lines: Vec<_> = stripped
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        assert_eq!(lines.join("\n"), {
            let mut lines: Vec<_> = expect.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        });
    }

    fn headers(text: &str) -> HeaderMap {
        let lines = text.lines().map(|line| line.split_once(": ").unwrap());
        lines
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
            })
            .fold(HeaderMap::new(), |mut map, (name, value): (_, HeaderValue)| {
                map.append(name, value);
                map
            })
    }
}
