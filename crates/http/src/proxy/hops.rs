//! Fields that are for one hop, and are not passed on (RFC 9110 §7.6.1).

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST,
        MAX_FORWARDS, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, UPGRADE,
    },
};
use relais_wire::is_token;

use crate::{
    Body,
    upstream::{is_of_connection, members, trimmed},
};

/// Whether a field is for one hop though `Connection` does not name it. `Trailer` is for the whole
/// way.
fn is_for_one_hop(name: &HeaderName) -> bool {
    is_of_connection(name) || matches!(*name, PROXY_AUTHENTICATE | PROXY_AUTHORIZATION)
}

/// A longer `Connection` than any client has reason to send is not read for each field.
const NAMED_BYTES_MAX: usize = 256;

/// Whether the field `name` of a request with these `headers` may not be passed on as it came.
///
/// *Cost*: bounded, as it is asked of one field after another, for one stored answer after another.
pub(super) fn rewrites(name: &HeaderName, headers: &HeaderMap) -> bool {
    let may_be_joined = || headers.get_all(COOKIE).iter().nth(1).is_some();
    let named_bytes = || headers.get_all(CONNECTION).iter().map(HeaderValue::len).sum::<usize>();
    is_for_one_hop(name)
        || named_bytes() > NAMED_BYTES_MAX
        || is_named(name, headers)
        || *name == COOKIE && may_be_joined()
        || *name == EXPECT
}

/// Takes off the fields of a request what was for this hop alone, and adds what is said again to the
/// next: that trailers are taken, and over HTTP/1 which protocol to change to. Joins the cookies, which
/// over HTTP/2 may be apart.
pub(crate) fn renew_request(headers: &mut HeaderMap, version: Version) {
    if version == Version::HTTP_2 {
        join_cookies(headers);
    }
    let upgrade = upgrade(headers)
        .filter(|protocols| version == Version::HTTP_11 && !may_bring_http(protocols));
    let takes_trailers = takes_trailers(headers);
    strip(headers);
    if version == Version::HTTP_10 {
        // It knows of no 100 (RFC 9110 §10.1.1), and sends all of it at once.
        headers.remove(EXPECT);
    }
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

/// The same of an answer, which says again only which protocol it changes to, if it does; or which it
/// wants (RFC 9110 §15.5.22), if that may be asked for here.
pub(crate) fn renew_answer(answer: &mut Response<Body>) {
    let status = answer.status();
    let headers = answer.headers_mut();
    let upgrade = match status {
        StatusCode::SWITCHING_PROTOCOLS => upgrade(headers),
        StatusCode::UPGRADE_REQUIRED => {
            upgrade(headers).filter(|protocols| !may_bring_http(protocols))
        }
        _ => None,
    };
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
pub(super) fn strip(headers: &mut HeaderMap) {
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
    members(headers, &CONNECTION)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_kept(name))
        .collect()
}

/// Whether `name` is of these.
fn is_named(name: &HeaderName, headers: &HeaderMap) -> bool {
    let is = |option: &[u8]| option.eq_ignore_ascii_case(name.as_str().as_bytes());
    !is_kept(name) && members(headers, &CONNECTION).any(is)
}

fn is_kept(name: &HeaderName) -> bool {
    matches!(*name, HOST | CONTENT_LENGTH | COOKIE | AUTHORIZATION | CACHE_CONTROL)
}

/// Whether the client takes trailers.
fn takes_trailers(headers: &HeaderMap) -> bool {
    members(headers, &TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
}

/// The protocol to change to that `headers` ask for or agree to (RFC 9110 §7.8), if they do.
fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(UPGRADE).filter(|value| !trimmed(value.as_bytes()).is_empty())?;
    let asks = members(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    asks.then(|| value.clone())
}

/// Whether one of the protocols in `upgrade` may bring requests again: HTTP in another version or under
/// TLS, or what is no name of a protocol and who knows how it is read. In such a tunnel a client could
/// ask for what is refused here, and nobody would see it.
fn may_bring_http(upgrade: &HeaderValue) -> bool {
    let mut protocols = upgrade.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    protocols.any(|protocol| {
        // A name, and perhaps a version (RFC 9110 §7.8).
        let is_named = protocol.splitn(2, |&byte| byte == b'/').all(is_token);
        let name = protocol.split(|&byte| byte == b'/').next().unwrap_or_default();
        let is = |http: &str| name.eq_ignore_ascii_case(http.as_bytes());
        !protocol.is_empty() && (!is_named || ["http", "tls", "h2", "h2c"].into_iter().any(is))
    })
}

/// Makes one field of the cookies: only in HTTP/2 they may be several (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let crumbs: Vec<_> = crumbs.filter(|crumb| !crumb.is_empty()).collect();
    let joined = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]));
    headers.insert(COOKIE, joined.expect("values and what stands between them"));
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
    fn of_who_names_very_much_any_field_may_not_be_passed_on_as_it_came() {
        let check = |text: &str, expect: bool| {
            let name = HeaderName::from_static("x-a");
            assert_eq!(rewrites(&name, &headers(text)), expect, "{text}");
        };
        check("connection: close", false);
        check("connection: close, X-A", true);
        let names = |bytes: usize| format!("connection: {}", "b".repeat(bytes));
        check(&names(NAMED_BYTES_MAX), false);
        check(&names(NAMED_BYTES_MAX + 1), true);
        check(&format!("{}\nconnection: close", names(NAMED_BYTES_MAX)), true);
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
        assert_eq!(asked("connection: upgrade\nupgrade: ,"), None);
    }

    #[test]
    fn what_would_bring_requests_again_is_known_and_what_nobody_knows_counts_as_such() {
        for (upgrade, expect) in [
            ("websocket", false),
            ("h2c", true),
            ("WebSocket, H2C", true),
            ("HTTP/2.0", true),
            ("tls/1.0,HTTP/1.1", true),
            ("h2chat", false),
            ("", false),
            (", chat/1.2 ,websocket", false),
            ("\"h2c\"", true),
            ("websocket, \"h2c\"", true),
            ("h2c;q=1", true),
            ("chat/", true),
            ("chat/1/2", true),
            ("/h2c", true),
            ("web socket", true),
        ] {
            assert_eq!(may_bring_http(&HeaderValue::from_static(upgrade)), expect, "{upgrade}");
        }
    }

    #[test]
    fn cookies_that_came_apart_are_passed_on_as_one_field() {
        let check = |text, version, expect: &[&str]| {
            let mut headers = headers(text);
            renew_request(&mut headers, version);
            assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), expect, "{text:?}");
        };
        check("cookie: a=1\nx-a: b\ncookie: b=2\ncookie: c", Version::HTTP_2, &["a=1; b=2; c"]);
        check("cookie: a=1", Version::HTTP_2, &["a=1"]);
        check("cookie: \ncookie: a=1\ncookie: ", Version::HTTP_2, &["a=1"]);
        check("x-a: b", Version::HTTP_2, &[]);
        check("cookie: a=1\ncookie: b=2", Version::HTTP_11, &["a=1", "b=2"]);
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
