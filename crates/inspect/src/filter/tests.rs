use std::time::UNIX_EPOCH;

use relais_wire::exchange::{Content, End, Timings};

use super::*;

fn exchange() -> Exchange<'static> {
    Exchange {
        client: Some("192.0.2.1:4711".parse().unwrap()),
        method: "GET".into(),
        url: "https://www.example.org/Index.html?q=\"a\"".into(),
        host: "www.example.org".into(),
        protocol: Some(Protocol::Http2),
        tls: Some(Tls::V13),
        status: Some(404),
        response: Content { bytes: 1024, media_type: Some("text/html".into()) },
        timings: Timings { total: Some(Duration::from_millis(200)), ..Timings::default() },
        cached: Some(Cached::Miss),
        upstream: Some("http://127.0.0.1:8081".into()),
        end: End::Whole,
        ..Exchange::at(UNIX_EPOCH + Duration::from_secs(971_186_136))
    }
}

/// Whether `filter` lets `exchange` through, and its needle is in the line if it does.
#[track_caller]
fn check(filter: &Filter, expect: bool) {
    let exchange = exchange();
    assert_eq!(filter.matches(&exchange), expect, "{filter:?}");
    let mut line = Vec::new();
    exchange.print(&mut line);
    let is_there = filter.needle().is_none_or(|needle| needle.find(&line).is_some());
    assert!(is_there || !expect, "its needle is not in the line: {filter:?}");
}

fn word(word: &str) -> Filter {
    Filter { word: Some(Word::new(word)), ..Filter::default() }
}

#[test]
fn without_conditions_everything_matches() {
    check(&Filter::default(), true);
    check(&word(""), true);
}

#[test]
fn words_are_found_in_all_that_can_be_seen() {
    for found in [
        "index",
        "Index",
        "/Index.html?q=\"a\"",
        "example.org",
        "192.0.2.1",
        "get",
        "404",
        "HTTP/2",
        "tls 1.3",
        "text/html",
        "miss",
        ":8081",
        "whole",
        "2000-10-10T13:55",
    ] {
        check(&word(found), true);
    }
    for not in ["index ", "INDEX", "4711", "1024", "200000", "url", "total_us", "\\\"a", "null"] {
        check(&word(not), false);
    }
}

#[test]
fn each_condition_must_hold() {
    let none = Filter::default;
    let at = |seconds: u64| {
        Some(
            UNIX_EPOCH + Duration::from_secs(971_186_136) + Duration::from_secs(seconds)
                - Duration::from_secs(1),
        )
    };
    for (filter, expect) in [
        (Filter { url: Some(Word::new("q=")), ..none() }, true),
        (Filter { url: Some(Word::new("get")), ..none() }, false),
        (Filter { host: "Example.org".parse().ok(), ..none() }, true),
        (Filter { host: "example.com".parse().ok(), ..none() }, false),
        (Filter { client: "192.0.2.1".parse().ok(), ..none() }, true),
        (Filter { client: "192.0.2.0/24".parse().ok(), ..none() }, true),
        (Filter { client: "192.0.2.2".parse().ok(), ..none() }, false),
        (Filter { status: "404".parse().ok(), ..none() }, true),
        (Filter { status: "4xx".parse().ok(), ..none() }, true),
        (Filter { status: "200".parse().ok(), ..none() }, false),
        (Filter { method: Some("get".to_owned()), ..none() }, true),
        (Filter { method: Some("POST".to_owned()), ..none() }, false),
        (Filter { since: at(1), until: at(1), ..none() }, true),
        (Filter { since: at(2), ..none() }, false),
        (Filter { until: at(0), ..none() }, false),
        (Filter { cached: Some(Cached::Miss), ..none() }, true),
        (Filter { cached: Some(Cached::Hit), ..none() }, false),
        (Filter { blocked: Some(Blocked), ..none() }, false),
        (Filter { took_min: Some(Duration::from_millis(200)), ..none() }, true),
        (Filter { took_min: Some(Duration::from_millis(201)), ..none() }, false),
        (Filter { bytes_min: Some(1024), ..none() }, true),
        (Filter { bytes_min: Some(1025), ..none() }, false),
        (
            Filter { method: Some("GET".to_owned()), status: "200".parse().ok(), ..word("index") },
            false,
        ),
        (
            Filter { method: Some("GET".to_owned()), status: "404".parse().ok(), ..word("index") },
            true,
        ),
    ] {
        check(&filter, expect);
    }
}

#[test]
fn what_an_exchange_lacks_matches_nothing() {
    let bare = Exchange::at(UNIX_EPOCH);
    for filter in [
        Filter { status: "100-999".parse().ok(), ..Filter::default() },
        Filter { client: "0.0.0.0/0".parse().ok(), ..Filter::default() },
        Filter { host: "a".parse().ok(), ..Filter::default() },
        Filter { cached: Some(Cached::Miss), ..Filter::default() },
    ] {
        assert!(!filter.matches(&bare), "{filter:?}");
    }
    let vain = Exchange { error: Some("dns_error".into()), ..bare.clone() };
    assert!(word("dns_error").matches(&vain) && !word("dns_error").matches(&bare));
    let blocked = Exchange { blocked: Some("*.a".into()), ..bare };
    assert!(Filter { blocked: Some(Blocked), ..word("*.a") }.matches(&blocked));
}
