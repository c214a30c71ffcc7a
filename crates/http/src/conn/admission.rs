//! What a request must be, beyond its framing, before a handler sees it: RFC 9110 §7.2, §9.3.6,
//! RFC 9113 §8.2, §8.3.
//!
//! Over HTTP/1 the guard has judged the head already. Over HTTP/2 nobody has: h2 leaves it to us.
//! Two things it leaves to nobody: what `:path` has from a `#` on is cut off before we see it, and
//! so is a `:scheme` without an `:authority`. Neither reaches a handler.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header};
use hyper::ext::Protocol;
use relais_wire::{
    host::{parse_host, usual_port},
    http1::{is_of_target, parse_length},
};

use crate::Accepts;

/// What requests are held to on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// What the handler accepts.
    pub(super) accepts: Accepts,
    /// What is spoken: of what is here, another cannot be meant.
    pub(super) scheme: &'static str,
    /// How many fields a head may have over HTTP/2. All cookies count as one: clients put each in a field of
    /// its own, and are told to (RFC 9113 §8.2.3).
    pub(super) fields_max: u32,
}

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

/// Judges a request whose framing is sound.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn judge<B>(request: &Request<B>, rules: Rules) -> Result<(), Refused> {
    if request.method() == Method::CONNECT {
        return judge_tunnel(request, rules);
    }
    let bad = |why| Refused { status: StatusCode::BAD_REQUEST, why };
    judge_scheme(request.uri(), rules).map_err(bad)?;
    if request.version() != Version::HTTP_2 {
        return Ok(());
    }
    let headers = request.headers();
    if !few_enough(headers, rules.fields_max) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refused { status, why: "too many fields" });
    }
    judge_expectation(headers)?;
    judge_target(request.method(), request.uri())
        .and_then(|()| judge_values(headers))
        .and_then(|()| judge_length(headers))
        .and_then(|()| judge_host(request.uri(), headers, rules.scheme))
        .map_err(bad)
}

fn judge_tunnel<B>(request: &Request<B>, rules: Rules) -> Result<(), Refused> {
    let none = |why| Refused { status: StatusCode::NOT_IMPLEMENTED, why };
    if rules.accepts == Accepts::Origin {
        return Err(none("no tunnels here"));
    }
    if request.version() != Version::HTTP_2 {
        return Ok(());
    }
    // RFC 8441, which we do not say that we know.
    if request.extensions().get::<Protocol>().is_some() {
        return Err(none("no tunnel for a :protocol here"));
    }
    let bad = |why| Refused { status: StatusCode::BAD_REQUEST, why };
    judge_stream(request, rules).map_err(bad)
}

/// Judges what is to make a stream of HTTP/2 a tunnel ([RFC 9113 §8.5]).
///
/// [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5
fn judge_stream<B>(request: &Request<B>, rules: Rules) -> Result<(), &'static str> {
    let (target, headers) = (request.uri(), request.headers());
    if target.scheme().is_some() || target.path_and_query().is_some() {
        return Err("a CONNECT with :scheme or :path");
    }
    if !few_enough(headers, rules.fields_max) {
        return Err("too many fields");
    }
    if headers.contains_key(header::CONTENT_LENGTH) {
        return Err("a CONNECT with content-length");
    }
    judge_values(headers)?;
    // No port is its usual one.
    judge_host(target, headers, "")
}

fn judge_scheme(target: &Uri, rules: Rules) -> Result<(), &'static str> {
    let Some(asked) = target.scheme_str() else { return Ok(()) };
    let is = |scheme: &str| asked.eq_ignore_ascii_case(scheme);
    match rules.accepts {
        Accepts::Origin if !is(rules.scheme) => Err("bad scheme: expected the one that is spoken"),
        Accepts::Forward if !is("http") && !is("https") => {
            Err("bad scheme: expected http or https")
        }
        _ => Ok(()),
    }
}

fn few_enough(headers: &HeaderMap, fields_max: u32) -> bool {
    let max = usize::try_from(fields_max).unwrap_or(usize::MAX);
    let cookies = || headers.get_all(header::COOKIE).iter().count();
    headers.len() <= max || headers.len() - cookies().saturating_sub(1) <= max
}

fn judge_target(method: &Method, target: &Uri) -> Result<(), &'static str> {
    // Not `Uri::path`, which gives a slash for what has none.
    let path = target.path_and_query().map_or("", |path| path.as_str());
    let is_path = path.starts_with('/') || path == "*" && method == Method::OPTIONS;
    if !is_path {
        return Err("bad :path: expected /path, or * for OPTIONS");
    }
    // Who is asked over HTTP/1 has no other: it would end at what some take for a space.
    if !is_of_target(path.as_bytes()) {
        return Err("bad :path: expected visible ASCII, other characters percent-encoded");
    }
    Ok(())
}

/// As the guard does over HTTP/1.
fn judge_expectation(headers: &HeaderMap) -> Result<(), Refused> {
    let is_known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(header::EXPECT).iter().all(is_known) {
        return Ok(());
    }
    let why = "unknown expectation: expected \"100-continue\"";
    Err(Refused { status: StatusCode::EXPECTATION_FAILED, why })
}

fn judge_values(headers: &HeaderMap) -> Result<(), &'static str> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        is_blank(bytes.first()) || is_blank(bytes.last())
    };
    if headers.values().any(is_padded) {
        return Err("a field value that starts or ends with a space or tab");
    }
    Ok(())
}

/// h2 takes a length twice, and an empty one for 0.
fn judge_length(headers: &HeaderMap) -> Result<(), &'static str> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(()) };
    if lengths.next().is_some() {
        return Err("more than one content-length");
    }
    match parse_length(length.as_bytes()) {
        Some(_) => Ok(()),
        None => Err("bad content-length: expected at most 19 digits"),
    }
}

fn judge_host(target: &Uri, headers: &HeaderMap, spoken: &str) -> Result<(), &'static str> {
    let scheme = target.scheme_str().unwrap_or(spoken);
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err("more than one host");
    }
    let named = first.map(|host| parse_host(host.as_bytes())).transpose();
    let named = named.map_err(|_| "bad host")?;
    let asked = target.authority().map(|authority| parse_host(authority.as_str().as_bytes()));
    let asked = asked.transpose().map_err(|_| "bad :authority: expected host:port")?;
    match (asked, named) {
        (None, None) => Err("no :authority"),
        (Some(asked), Some(named)) if !asked.agrees(&named, usual_port(scheme.as_bytes())) => {
            Err("host and :authority disagree")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { accepts: Accepts::Origin, scheme: "https", fields_max: 3 };
    const FORWARD: Rules = Rules { accepts: Accepts::Forward, ..RULES };

    #[test]
    fn an_http2_request_names_its_host_once() {
        check("https://a/", &[], Ok(()));
        check("/", &[("host", "a")], Ok(()));
        check("https://A:443/", &[("host", "a:443")], Ok(()));
        check("/", &[], Err("no :authority"));
        check("https://a/", &[("host", "b")], Err("host and :authority disagree"));
        check("https://a/", &[("host", "a:443")], Ok(()));
        check("https://a:443/", &[("host", "a")], Ok(()));
        check("https://a/", &[("host", "a:80")], Err("host and :authority disagree"));
        check("https://a/", &[("host", "a:1")], Err("host and :authority disagree"));
        check("https://a/", &[("host", "a"), ("host", "a")], Err("more than one host"));
        check("https://u@a/", &[], Err("bad :authority: expected host:port"));
        check("https://a/", &[("host", "a b")], Err("bad host"));
    }

    #[test]
    fn an_http2_target_is_a_path_under_the_scheme_that_is_spoken() {
        let path = Err("bad :path: expected /path, or * for OPTIONS");
        check("https://a?b", &[], path);
        check("https://a/?b", &[], Ok(()));
        check("*", &[("host", "a")], path);
        let scheme = Err("bad scheme: expected the one that is spoken");
        check("http://a/", &[], scheme);
        check("ftp://a/", &[], scheme);
        let clear = Rules { scheme: "http", ..RULES };
        assert_eq!(judged("http://a/", &[], clear), Ok(()));
        assert_eq!(judged("https://a/", &[], clear), scheme);
        let options = Request::options("*").header("host", "a").version(Version::HTTP_2);
        assert_eq!(judge(&options.body(()).unwrap(), RULES), Ok(()));
    }

    #[test]
    fn an_http2_target_is_of_what_one_over_http1_is() {
        check("https://a/%C3%A9[|]?{`}", &[], Ok(()));
        let beyond = Err("bad :path: expected visible ASCII, other characters percent-encoded");
        for bad in ["/\u{e9}", "/\u{a0}b", "/\u{85}", "/a?\u{2028}", "/a?b=\u{e9}"] {
            check(&format!("https://a{bad}"), &[], beyond);
        }
    }

    /// No wish, a fact: if this fails, fragments can be seen, and are to be refused.
    #[test]
    fn a_fragment_is_gone_before_we_see_it() {
        let path = http::uri::PathAndQuery::from_maybe_shared("/a#b").unwrap();
        assert_eq!(path.as_str(), "/a");
    }

    #[test]
    fn an_http2_length_is_said_once_and_in_digits() {
        let length = |length: &'static str| ("content-length", length);
        check("https://a/", &[length("12")], Ok(()));
        check("https://a/", &[length("1"), length("1")], Err("more than one content-length"));
        for bad in ["", "+1", "1,1", "1a", "12345678901234567890"] {
            let expect = Err("bad content-length: expected at most 19 digits");
            check("https://a/", &[length(bad)], expect);
        }
    }

    #[test]
    fn an_http2_request_expects_no_more_than_one_over_http1() {
        check("https://a/", &[("expect", "100-Continue")], Ok(()));
        let foo = request("https://a/", &[("expect", "100-continue"), ("expect", "foo")]);
        let refused = judge(&foo, RULES).unwrap_err();
        assert_eq!(refused.status, StatusCode::EXPECTATION_FAILED);
        assert_eq!(refused.why, "unknown expectation: expected \"100-continue\"");
    }

    #[test]
    fn an_http2_value_is_not_padded() {
        check("https://a/", &[("x", "a \tb")], Ok(()));
        check("https://a/", &[("x", "")], Ok(()));
        for bad in [" a", "\ta", "a ", "a\t", " "] {
            let expect = Err("a field value that starts or ends with a space or tab");
            check("https://a/", &[("y", "a"), ("x", bad)], expect);
        }
    }

    #[test]
    fn an_http2_request_has_so_many_fields_and_its_cookies_are_one() {
        check("https://a/", &[("x", "a"); 3], Ok(()));
        check("https://a/", &[("x", "a"); 4], Err("too many fields"));
        let crumbs = [("cookie", "a=b"); 9];
        check("https://a/", &[&crumbs[..], &[("x", "a"); 2]].concat(), Ok(()));
        check("https://a/", &[&crumbs[..], &[("x", "a"); 3]].concat(), Err("too many fields"));
        let many = request("https://a/", &[("x", "a"); 4]);
        assert_eq!(judge(&many, RULES).unwrap_err().status, 431);
    }

    #[track_caller]
    fn check(target: &str, headers: &[(&str, &str)], expect: Result<(), &str>) {
        assert_eq!(judged(target, headers, RULES), expect);
    }

    fn judged(target: &str, headers: &[(&str, &str)], rules: Rules) -> Result<(), &'static str> {
        judge(&request(target, headers), rules).map_err(|refused| refused.why)
    }

    fn request(target: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(target).version(Version::HTTP_2);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn what_is_elsewhere_has_its_own_scheme() {
        let check = |target: &str, headers: &[(&str, &str)], expect| {
            assert_eq!(judged(target, headers, FORWARD), expect, "{target}");
        };
        check("https://a/", &[], Ok(()));
        check("http://a/", &[], Ok(()));
        check("HTTP://a/", &[("host", "a:80")], Ok(()));
        check("http://a/", &[("host", "a:443")], Err("host and :authority disagree"));
        check("ftp://a/", &[], Err("bad scheme: expected http or https"));
        check("ws://a/", &[], Err("bad scheme: expected http or https"));
        check("/", &[("host", "a")], Ok(()));
    }

    #[test]
    fn a_tunnel_is_opened_where_that_is_accepted_and_the_connection_can_become_one() {
        let check = |version, rules, expect: Result<(), &str>| {
            let request = Request::builder().method("CONNECT").uri("a:1").version(version);
            let judged = judge(&request.body(()).unwrap(), rules);
            let why = judged.map_err(|refused| {
                assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED);
                refused.why
            });
            assert_eq!(why, expect);
        };
        for version in [Version::HTTP_10, Version::HTTP_11] {
            check(version, RULES, Err("no tunnels here"));
            check(version, FORWARD, Ok(()));
        }
        check(Version::HTTP_2, RULES, Err("no tunnels here"));
        check(Version::HTTP_2, FORWARD, Ok(()));
    }

    #[test]
    fn over_http2_a_tunnel_is_asked_for_by_its_authority_alone() {
        let check = |target: &str, field: (&str, &str), expect: Result<(), &str>| {
            let request = Request::builder().method("CONNECT").version(Version::HTTP_2).uri(target);
            let request = request.header(field.0, field.1).body(()).unwrap();
            let judged = judge(&request, FORWARD).map_err(|Refused { status, why }| {
                assert_eq!(status, StatusCode::BAD_REQUEST);
                why
            });
            assert_eq!(judged, expect, "{target} {field:?}");
        };
        check("a:1", ("x", "y"), Ok(()));
        check("a:1", ("host", "A:1"), Ok(()));
        check("a:1", ("host", "b:1"), Err("host and :authority disagree"));
        check("a:443", ("host", "a"), Err("host and :authority disagree"));
        check("https://a:1/", ("x", "y"), Err("a CONNECT with :scheme or :path"));
        check("a:1", ("content-length", "0"), Err("a CONNECT with content-length"));
        check("a:1", ("x", " y"), Err("a field value that starts or ends with a space or tab"));
    }
}
