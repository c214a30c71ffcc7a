use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::{timestamp::Timestamp, visible::is_disturbing};

fn usual() -> Exchange<'static> {
    Exchange {
        client: Some("192.0.2.1:4711".parse().unwrap()),
        method: "GET".into(),
        url: "https://example.org/a?b=c".into(),
        host: "example.org".into(),
        protocol: Some(Protocol::Http2),
        tls: Some(Tls::V13),
        status: Some(200),
        response: Content { bytes: 2326, media_type: Some("text/html; charset=utf-8".into()) },
        timings: Timings {
            queue: Some(Duration::from_micros(3)),
            connect: Some(Duration::from_micros(410)),
            first_byte: Some(Duration::from_micros(1_900)),
            total: Some(Duration::from_micros(12_034)),
        },
        cached: Some(Cached::Miss),
        upstream: Some("http://127.0.0.1:8081".into()),
        end: End::Whole,
        ..Exchange::at(UNIX_EPOCH + Duration::from_micros(971_186_136_123_456))
    }
}

fn print(exchange: &Exchange<'_>) -> String {
    let mut line = Vec::new();
    exchange.print(&mut line);
    String::from_utf8(line).unwrap()
}

/// The same as a draft has it, of an exchange whose URL has no user.
fn print_as_it_goes(exchange: &Exchange<'_>) -> String {
    let Timings { queue, connect, first_byte, total } = exchange.timings;
    let (before, after) = exchange.url.split_at(exchange.url.floor_char_boundary(9));
    let opening = Opening {
        at: Timestamp::of(exchange.at),
        client: exchange.client,
        method: &exchange.method,
        url: &[before, "", after],
        host: &exchange.host,
        protocol: exchange.protocol,
        tls: exchange.tls,
    };
    let mut draft = Draft::default();
    draft.open(&Opening { url: &["another"], ..opening }, Some(b"before"));
    draft.open(&opening, exchange.request.media_type.as_deref().map(str::as_bytes));
    let other = Some("of an answer that was not sent");
    draft.answer(
        &Answered { media_type: other.map(str::as_bytes), ..Answered::default() },
        &Source { upstream: other, ..Source::default() },
    );
    let media_type = exchange.response.media_type.as_deref().map(str::as_bytes);
    let source = Source {
        cached: exchange.cached,
        upstream: exchange.upstream.as_deref(),
        error: exchange.error.as_deref(),
        blocked: exchange.blocked.as_deref(),
    };
    draft.answer(&Answered { media_type, queue, connect, first_byte }, &source);
    let closing = Closing {
        status: exchange.status,
        request_bytes: exchange.request.bytes,
        bytes: exchange.response.bytes,
        total: total.unwrap(),
        end: exchange.end,
    };
    let mut line = Vec::new();
    draft.close(&closing, &mut line);
    String::from_utf8(line).unwrap()
}

#[test]
fn a_line_has_its_keys_in_order() {
    let mut exchange = usual();
    assert_eq!(
        print(&exchange),
        concat!(
            "{\"time\":\"2000-10-10T13:55:36.123456Z\",\"client\":\"192.0.2.1\",\"port\":4711,",
            "\"method\":\"GET\",\"url\":\"https://example.org/a?b=c\",\"host\":\"example.org\",",
            "\"protocol\":\"HTTP/2\",\"tls\":\"TLS 1.3\",\"status\":200,",
            "\"bytes\":2326,\"type\":\"text/html; charset=utf-8\",",
            "\"queue_us\":3,\"connect_us\":410,\"first_byte_us\":1900,\"total_us\":12034,",
            "\"cache\":\"miss\",\"upstream\":\"http://127.0.0.1:8081\",\"end\":\"whole\"}\n",
        )
    );
    exchange.client = Some("[2001:db8::1]:1".parse().unwrap());
    exchange.request = Content { bytes: 7, media_type: Some("text/plain".into()) };
    exchange.error = Some("dns_error".into());
    exchange.blocked = Some("*.example.org".into());
    let line = print(&exchange);
    for part in [
        ",\"client\":\"2001:db8::1\",\"port\":1,",
        ",\"request_bytes\":7,\"request_type\":\"text/plain\",\"bytes\":2326,",
        ",\"error\":\"dns_error\",\"blocked\":\"*.example.org\",\"end\":\"whole\"}\n",
    ] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let nothing = Exchange::at(UNIX_EPOCH);
    let expect = "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"end\":\"client\"}\n";
    assert_eq!(print(&nothing), expect);
    assert_eq!(Exchange::read(expect.as_bytes()), Ok(nothing));
}

#[test]
fn users_in_urls_are_left_out() {
    let check = |url: &str, expect: &str| {
        let exchange = Exchange { url: url.into(), ..Exchange::at(UNIX_EPOCH) };
        let line = print(&exchange);
        assert_eq!(Exchange::read(line.as_bytes()).unwrap().url, expect, "for {url:?}");
    };
    check("http://u:p@a.org/b@c", "http://a.org/b@c");
    check("http://u:p@@a.org?x@y", "http://a.org?x@y");
    check("http://u:p@a.org", "http://a.org");
    check("//u@a.org#@", "//a.org#@");
    check("u:p@a.org:443", "a.org:443");
    check("/a@b", "/a@b");
    check("?a@b", "?a@b");
    check("http://a.org/b@c", "http://a.org/b@c");
    check("http://@", "http://");
    let exchange = Exchange { host: "u:p@a.org".into(), ..Exchange::at(UNIX_EPOCH) };
    assert!(print(&exchange).contains(",\"host\":\"a.org\","));
}

#[test]
fn what_disturbs_is_escaped() {
    let check = |url: &str, expect: &str| {
        let line = print(&Exchange { url: url.into(), ..Exchange::at(UNIX_EPOCH) });
        assert!(line.contains(&format!(",\"url\":\"{expect}\",\"end\"")), "{line}");
    };
    check("a\"b\\c", "a\\\"b\\\\c");
    check("\0\r\n\x1b[2J\x7f", "\\u0000\\u000d\\u000a\\u001b[2J\\u007f");
    check("é\u{9b}\u{2028}\u{202e}", "é\\u009b\\u2028\\u202e");
    check(&String::from_utf8_lossy(b"a\xffb"), "a\u{fffd}b");
    check("at the end of sixteen: \u{1}", "at the end of sixteen: \\u0001");
}

#[test]
fn texts_that_are_too_long_are_cut_and_say_so() {
    let long = "é".repeat(5_000);
    let exchange = Exchange {
        method: long.clone().into(),
        url: long.clone().into(),
        host: long.clone().into(),
        request: Content { bytes: 0, media_type: Some(long.clone().into()) },
        response: Content { bytes: 0, media_type: Some(long.clone().into()) },
        upstream: Some(long.clone().into()),
        error: Some(long.clone().into()),
        blocked: Some(long.clone().into()),
        timings: Timings { total: Some(Duration::ZERO), ..Timings::default() },
        ..Exchange::at(UNIX_EPOCH)
    };
    let cut = |chars: usize| "é".repeat(chars) + "…";
    let line = print(&exchange);
    assert_eq!(print_as_it_goes(&exchange), line);
    let read = Exchange::read(line.as_bytes()).unwrap();
    assert_eq!(
        (read.method, read.url, read.host),
        (cut(32).into(), cut(4096).into(), cut(128).into())
    );
    assert_eq!(read.request.media_type, Some(cut(128).into()));
    assert_eq!(read.response.media_type, Some(cut(128).into()));
    assert_eq!((read.upstream, read.blocked), (Some(cut(128).into()), Some(cut(512).into())));
    assert_eq!(read.error, Some(cut(32).into()));
    let exact = "a".repeat(8192);
    let line = print(&Exchange { url: exact.as_str().into(), ..Exchange::at(UNIX_EPOCH) });
    assert_eq!(Exchange::read(line.as_bytes()).unwrap().url, exact);
}

#[test]
fn no_line_is_longer_than_64_kib() {
    let worst = "\u{1}".repeat(10_000);
    let text = || Cow::Borrowed(worst.as_str());
    let exchange = Exchange {
        method: text(),
        url: text(),
        host: text(),
        request: Content { bytes: u64::MAX, media_type: Some(text()) },
        response: Content { bytes: u64::MAX, media_type: Some(text()) },
        upstream: Some(text()),
        error: Some(text()),
        blocked: Some(text()),
        ..usual()
    };
    let line = print(&exchange);
    assert!(line.len() > 60_000 && line.len() < 1 << 16, "{}", line.len());
}

#[test]
fn keys_come_in_any_order_with_spaces_and_strangers_between() {
    let line = "{ \"new\" : [ {\"a\": \"]\\\"\" }, -1.5e+3, true, null ] , \"url\" : \"/\\u0061\" ,\
                \"status\" : null,\r\t\"time\" : \"1970-01-01T00:00:00Z\" , \"url\":\"/b\"} \n";
    let read = Exchange::read(line.as_bytes()).unwrap();
    assert_eq!(read, Exchange { url: "/b".into(), ..Exchange::at(UNIX_EPOCH) });
}

#[test]
fn escapes_are_read_as_json_has_them() {
    let check = |escaped: &str, expect: Option<&str>| {
        let line = format!("{{\"time\":\"1970-01-01T00:00:00Z\",\"url\":\"{escaped}\"}}");
        let read = Exchange::read(line.as_bytes()).map(|read| read.url.into_owned());
        assert_eq!(read.ok().as_deref(), expect, "for {escaped}");
    };
    check(r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t"));
    check(r"a\u00e9b\u202E", Some("aéb\u{202e}"));
    check(r"\ud83d\ude00!", Some("😀!"));
    for broken in
        [r"\", r"\x", r"\u", r"\u12", r"\u12g4", r"\u+123", r"\ud83d", r"\ude00", r"\u12é"]
    {
        check(broken, None);
    }
    for broken in [r"\ud83dx", r"\ud83d\n", r"\ud83d\u0041", "\n", "\0"] {
        check(broken, None);
    }
}

#[test]
fn broken_lines_say_what_was_expected() {
    let check = |line: &str, expect: &str| {
        assert_eq!(Exchange::read(line.as_bytes()).unwrap_err().to_string(), expect, "{line}");
    };
    check("", "no JSON at byte 1: expected an object");
    check("[]", "no JSON at byte 1: expected an object");
    check("{}", "no \"time\"");
    check("{\"url\":\"/\"}", "no \"time\"");
    check("{\"time\":\"1970-01-01T00:00:00.0000", "no JSON at byte 34: expected `\"`");
    check("{\"time\":\"now\"}", "bad \"time\": expected a time");
    check("{\"status\":\"200\"}", "bad \"status\": expected a whole number");
    check("{\"status\":-1}", "bad \"status\": expected a whole number");
    check("{\"status\":+1}", "bad \"status\": expected a whole number");
    check("{\"status\":65536}", "bad \"status\": expected a number up to 65535");
    check("{\"bytes\":1.5}", "bad \"bytes\": expected a whole number");
    check("{\"url\":1}", "bad \"url\": expected a text");
    check("{\"client\":\"a.org\"}", "bad \"client\": expected an address");
    check("{\"cache\":\"HIT\"}", "bad \"cache\": expected one of its words");
    check("{\"a\":1,}", "no JSON at byte 8: expected a text in quotes");
    check("{\"a\":1 \"b\":2}", "no JSON at byte 8: expected `,` or `}`");
    check("{\"a\" 1}", "no JSON at byte 6: expected `:`");
    check("{\"a\":}", "no JSON at byte 6: expected a value");
    check("{\"a\":[1}", "no JSON at byte 8: expected a value");
    check("{\"a\":1}{", "no JSON at byte 8: expected the end of the line");
    check(&format!("{{\"a\":{}", "[".repeat(100)), "no JSON at byte 38: expected a value");
    assert_eq!(Exchange::read(b"{\"time\":\"\xff\"}"), Err(Broken::NotText));
}

#[test]
fn a_usual_line_needs_no_more_room_than_is_reserved_and_is_read_without_copies() {
    let mut line = Vec::with_capacity(512);
    let room = line.capacity();
    usual().print(&mut line);
    assert_eq!(line.capacity(), room, "it grew");
    let read = Exchange::read(&line).unwrap();
    assert!(matches!(read.url, Cow::Borrowed(_)), "it was copied");
}

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    // Without `@`, which would be taken for the end of a user's name.
    "[^@]{0,15}".prop_map(Cow::Owned)
}

fn took() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_micros)
}

prop_compose! {
    fn content()(bytes: u64, media_type in prop::option::of(text())) -> Content<'static> {
        Content { bytes, media_type }
    }
}

prop_compose! {
    fn timings()(
        queue in prop::option::of(took()),
        connect in prop::option::of(took()),
        first_byte in prop::option::of(took()),
        total in prop::option::of(took()),
    ) -> Timings {
        Timings { queue, connect, first_byte, total }
    }
}

prop_compose! {
    fn words()(
        protocol in prop::option::of(prop::sample::select(Protocol::ALL)),
        tls in prop::option::of(prop::sample::select(Tls::ALL)),
        cached in prop::option::of(prop::sample::select(Cached::ALL)),
        end in prop::sample::select(End::ALL),
    ) -> Exchange<'static> {
        Exchange { protocol, tls, cached, end, ..Exchange::at(UNIX_EPOCH) }
    }
}

prop_compose! {
    fn exchanges()(
        micros in 0..253_402_300_799_000_000_u64,
        client: Option<(std::net::IpAddr, u16)>,
        (method, url, host) in (text(), text(), text()),
        status: Option<u16>,
        (request, response) in (content(), content()),
        timings in timings(),
        (upstream, error) in (prop::option::of(text()), prop::option::of(text())),
        blocked in prop::option::of(text()),
        words in words(),
    ) -> Exchange<'static> {
        let client = client.map(SocketAddr::from);
        let at = UNIX_EPOCH + Duration::from_micros(micros);
        Exchange {
            at, client, method, url, host, status, request, response, timings, upstream, error,
            blocked,
            ..words
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(exchange in exchanges()) {
        let line = print(&exchange);
        if exchange.timings.total.is_some() {
            prop_assert_eq!(&print_as_it_goes(&exchange), &line);
        }
        let line = line.strip_suffix('\n').unwrap();
        prop_assert!(!line.contains(is_disturbing), "{}", line);
        prop_assert_eq!(Exchange::read(line.as_bytes()), Ok(exchange));
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }

    #[test]
    fn nothing_panics(line: Vec<u8>, text: String) {
        _ = Exchange::read(&line);
        _ = Exchange::read(text.as_bytes());
        _ = Dropped::read(&line);
        let of = |text: &str| Exchange { url: text.to_owned().into(), host: text.to_owned().into(), ..usual() };
        prop_assert_eq!(print(&of(&text)).matches('\n').count(), 1);
    }

    #[test]
    fn nothing_almost_right_panics(exchange in exchanges(), at: prop::sample::Index, byte: u8) {
        let mut line = print(&exchange).into_bytes();
        let at = at.index(line.len());
        _ = Exchange::read(&line[..at]);
        line[at] = byte;
        _ = Exchange::read(&line);
    }

    #[test]
    fn values_that_nobody_asks_for_are_passed_over(value in json()) {
        let line = format!("{{\"time\":\"1970-01-01T00:00:00Z\",\"new\":{value:#}}}");
        prop_assert_eq!(Exchange::read(line.as_bytes()), Ok(Exchange::at(UNIX_EPOCH)));
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(8, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}
