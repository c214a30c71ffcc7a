use proptest::prelude::*;

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request for a `WebSocket`, with these fields instead of or beside the usual ones; those that are
/// said to be `-` are left out.
fn request(fields: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::builder().uri("/ws");
    let usual = [
        ("host", "chat.example:8010"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ];
    let is_new = |name: &str| !fields.iter().any(|(other, _)| *other == name);
    let usual = usual.into_iter().filter(|(name, _)| is_new(name));
    for (name, value) in usual.chain(fields.iter().copied()).filter(|(_, value)| *value != "-") {
        request = request.header(name, value);
    }
    request.body(()).unwrap()
}

#[track_caller]
fn status(request: &Request<()>, way: Way, origins: &[&str]) -> u16 {
    let origins: Vec<_> = origins.iter().copied().map(str::to_owned).collect();
    match judge(request, (way, &origins)) {
        Ok(_) => 101,
        Err(refused) => refused.told().0.as_u16(),
    }
}

#[track_caller]
fn check(fields: &[(&'static str, &str)], expect: u16) {
    assert_eq!(status(&request(fields), Way::Clear, &[]), expect, "{fields:?}");
}

#[test]
fn what_asks_for_a_web_socket_gets_one_and_all_else_its_reason() {
    check(&[], 101);
    check(&[("content-length", "0")], 101);
    check(&[("upgrade", "-")], 426);
    check(&[("upgrade", "h2c")], 426);
    check(&[("connection", "close")], 426);
    check(&[("sec-websocket-version", "-")], 426);
    check(&[("sec-websocket-version", "8")], 426);
    check(&[("sec-websocket-key", "-")], 400);
    check(&[("sec-websocket-key", "c2hvcnQ=")], 400);
    check(&[("sec-websocket-key", KEY), ("sec-websocket-key", KEY)], 400);
    check(&[("content-length", "5")], 400);
    check(&[("transfer-encoding", "chunked")], 400);
}

#[test]
fn another_method_or_version_of_http_is_refused() {
    for method in [Method::POST, Method::HEAD, Method::CONNECT, Method::OPTIONS] {
        let mut request = request(&[]);
        *request.method_mut() = method;
        assert_eq!(status(&request, Way::Clear, &[]), 405);
    }
    for version in [Version::HTTP_10, Version::HTTP_2] {
        let mut request = request(&[]);
        *request.version_mut() = version;
        assert_eq!(status(&request, Way::Clear, &[]), 426);
    }
}

#[track_caller]
fn check_origin(origin: &str, way: Way, origins: &[&str], expect: u16) {
    let request = request(&[("origin", origin)]);
    assert_eq!(status(&request, way, origins), expect, "{origin}");
}

#[test]
fn a_page_is_from_here_or_named() {
    let home = "http://chat.example:8010";
    check_origin(home, Way::Clear, &[], 101);
    check_origin("HTTP://Chat.Example:8010", Way::Clear, &[], 101);
    check_origin("https://chat.example:8010", Way::Tls, &[], 101);
    check_origin("https://chat.example:8010", Way::Clear, &[], 403);
    check_origin(home, Way::Tls, &[], 403);
    check_origin("http://chat.example", Way::Clear, &[], 403);
    check_origin("http://chat.example.evil.example:8010", Way::Clear, &[], 403);
    check_origin("null", Way::Clear, &[], 403);
    check_origin("null", Way::Clear, &["https://a.example"], 403);
    check_origin("https://a.example", Way::Clear, &["https://a.example"], 101);
    check_origin("https://a.example:8443", Way::Clear, &["https://a.example"], 403);
    check_origin("http://a.example", Way::Clear, &["https://a.example"], 403);
    check_origin("https://evil.example", Way::Clear, &["*"], 101);
    check(&[("origin", home), ("origin", home)], 400);
}

#[test]
fn the_answer_says_the_name_of_what_is_spoken_if_it_was_asked_for_it() {
    for (asked, expect) in [
        ("relais-chat.1", Some("relais-chat.1")),
        ("soap, relais-chat.1", Some("relais-chat.1")),
        ("relais-chat.2", None),
        ("-", None),
    ] {
        let accepted = judge(&request(&[("sec-websocket-protocol", asked)]), (Way::Clear, &[]));
        let answer = accepted.unwrap().answer(Body::empty());
        let fields = answer.headers();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(fields[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(fields[UPGRADE], "websocket");
        assert_eq!(fields[CONNECTION], "upgrade");
        let named = fields.get(SEC_WEBSOCKET_PROTOCOL).map(|name| name.to_str().unwrap());
        assert_eq!(named, expect, "{asked}");
    }
}

#[test]
fn who_asks_for_another_version_is_told_which_there_is() {
    for (version, upgrade) in [(Version::HTTP_11, Some("websocket")), (Version::HTTP_2, None)] {
        let mut fields = HeaderMap::new();
        Refused::Opening(NoOpening::Version).add_to(&mut fields, version);
        assert_eq!(fields[SEC_WEBSOCKET_VERSION], "13");
        assert_eq!(fields.get(UPGRADE).map(|value| value.to_str().unwrap()), upgrade);
    }
    let mut fields = HeaderMap::new();
    Refused::Method.add_to(&mut fields, Version::HTTP_11);
    assert_eq!(fields[http::header::ALLOW], "GET");
}

proptest! {
    #[test]
    fn nothing_panics(
        fields in proptest::collection::vec((0..6_usize, "[ -~]{0,40}"), 0..6),
    ) {
        let names = [
            "host", "origin", "connection", "sec-websocket-key", "sec-websocket-protocol", "upgrade",
        ];
        let fields: Vec<_> = fields.iter().map(|(at, value)| (names[*at], &**value)).collect();
        for way in [Way::Clear, Way::Tls] {
            status(&request(&fields), way, &["https://a.example"]);
        }
    }
}
