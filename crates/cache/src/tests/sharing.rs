//! What is fetched once for many, where it is a part, the answer to a POST, or says what counts of its
//! query.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::{at, fields, world::key};
use crate::{
    Answered, Cache, Fetch, KeyParts, Lookup, Origin, Outcome, Pattern, Purge, Request, Rule,
    Settings, Storing, Taken, Times, Waiter, Writer,
};

const FRESH: &str = "cache-control: max-age=60\netag: \"1\"";
const PART: &str = "cache-control: max-age=60\netag: \"1\"\ncontent-range: bytes 0-1/6";

#[test]
fn a_part_that_comes_is_joined_by_nobody() {
    let cache = Cache::new(Settings::default());
    let part = ask(&cache, "GET /a\nrange: bytes=0-1");
    let mut writer = fill(&cache, (part, "GET /a\nrange: bytes=0-1"), (206, PART));
    assert_eq!(name(&cache, "GET /a\nrange: bytes=0-1"), "alone");
    assert_eq!(name(&cache, "GET /a"), "leads", "the whole may be asked for once");
    writer.add(&Bytes::from_static(b"01"));
    assert_eq!(writer.finish(), Outcome::Stored);
    assert_eq!(name(&cache, "GET /a\nrange: bytes=0-1"), "hit 206");
}

#[test]
fn what_is_missing_is_asked_for_by_each_and_joined_by_nobody() {
    let cache = Cache::new(Settings::default());
    let part = ask(&cache, "GET /a\nrange: bytes=0-1");
    let mut writer = fill(&cache, (part, "GET /a\nrange: bytes=0-1"), (206, PART));
    writer.add(&Bytes::from_static(b"01"));
    assert_eq!(writer.finish(), Outcome::Stored);
    let rest = ask(&cache, "GET /a");
    assert!(!rest.leads());
    let lines = format!("{FRESH}\ncontent-range: bytes 2-5/6");
    let Taken::Complete(mut completion) = take(&cache, (rest, "GET /a"), (206, &lines)) else {
        panic!("it is what is missing")
    };
    assert_eq!(name(&cache, "GET /a"), "alone");
    completion.add(&Bytes::from_static(b"2345"));
    let (method, headers) = request("GET /a");
    let hit = completion.finish(&Request::of(&method, &headers), at(0)).unwrap();
    assert_eq!(hit.body().bytes(), &b"012345"[..]);
    assert_eq!(name(&cache, "GET /a"), "hit 200");
}

/// The server answers a part, where all was asked for about what is stale.
#[test]
fn who_waits_goes_on_alone_if_a_part_comes() {
    let cache = Cache::new(Settings { grace: Duration::from_mins(9), ..Settings::default() });
    let first = ask(&cache, "GET /a");
    let mut writer = fill(&cache, (first, "GET /a"), (200, FRESH));
    writer.add(&Bytes::from_static(b"012345"));
    assert_eq!(writer.finish(), Outcome::Stored);
    let text = "GET /a\nrange: bytes=0-1";
    let Lookup::Stale(_, Some(fetch)) = look(&cache, text, 100) else { panic!("stale") };
    assert!(fetch.leads());
    let other = PART.replace("\"1\"", "\"2\"");
    let waiter = waiter(look(&cache, "GET /a\ncache-control: min-fresh=0", 10_000));
    let mut writer = fill(&cache, (fetch, text), (206, &other));
    assert_eq!(shown(&resume(&cache, waiter, ("GET /a", 10_000))), "alone");
    writer.add(&Bytes::from_static(b"01"));
    assert_eq!(writer.finish(), Outcome::Stored);
}

#[test]
fn who_waits_gets_what_came_under_the_key_that_it_says() {
    let cache = Cache::new(Settings::default());
    let lead = ask(&cache, "GET /a?x=1&y=1");
    let waiter = waiter(look(&cache, "GET /a?x=1&y=1", 0));
    let lines = format!("{FRESH}\nno-vary-search: params=(\"x\")");
    let mut writer = fill(&cache, (lead, "GET /a?x=1&y=1"), (200, &lines));
    assert_eq!(shown(&resume(&cache, waiter, ("GET /a?x=1&y=1", 0))), "shared 200");
    assert_eq!(name(&cache, "GET /a?x=2&y=1"), "shared 200", "it makes no difference");
    assert_eq!(name(&cache, "GET /a?x=1&y=2"), "leads");
    writer.add(&Bytes::from_static(b"x"));
    assert_eq!(writer.finish(), Outcome::Stored);
    assert_eq!(name(&cache, "GET /a?x=3&y=1"), "hit 200");
}

#[test]
fn who_waits_for_what_made_no_difference_and_does_goes_on() {
    let cache = Cache::new(Settings::default());
    let lines = "cache-control: max-age=1\netag: \"1\"\nno-vary-search: params=(\"x\")";
    let first = ask(&cache, "GET /a?x=1");
    assert_eq!(fill(&cache, (first, "GET /a?x=1"), (200, lines)).finish(), Outcome::Stored);
    let Lookup::Ask(lead) = look(&cache, "GET /a?x=1", 5) else { panic!("it is stale") };
    let waiter = waiter(look(&cache, "GET /a?x=2", 5));
    let _writer = fill(&cache, (lead, "GET /a?x=1"), (200, FRESH));
    assert_eq!(shown(&resume(&cache, waiter, ("GET /a?x=2", 5))), "leads");
    assert_eq!(name(&cache, "GET /a?x=1"), "shared 200");
}

#[test]
fn what_is_purged_while_it_comes_is_kept_out_from_under_another_key() {
    let cache = Cache::new(Settings::default());
    let lead = ask(&cache, "GET /a?x=1");
    drop(cache.purge(&Pattern::All, Purge::Hard, at(0)).unwrap());
    let lines = format!("{FRESH}\nno-vary-search: params=(\"x\")");
    match take(&cache, (lead, "GET /a?x=1"), (200, &lines)) {
        Taken::Pass(_) => (),
        Taken::Fill(writer) => assert_ne!(writer.finish(), Outcome::Stored),
        taken => panic!("{taken:?}"),
    }
}

#[test]
fn what_a_post_leaves_is_joined_by_who_gets() {
    let cache = Cache::new(Settings::default());
    let post = ask(&cache, "POST /a");
    assert!(!post.leads());
    let before = ask(&cache, "GET /a");
    let lines = format!("{FRESH}\ncontent-location: /a");
    let mut writer = fill(&cache, (post, "POST /a"), (200, &lines));
    assert_eq!(name(&cache, "GET /a"), "shared 200", "and not what was asked for before");
    writer.add(&Bytes::from_static(b"new"));
    assert_eq!(writer.finish(), Outcome::Stored);
    let old = fill(&cache, (before, "GET /a"), (200, FRESH));
    assert_eq!(old.finish(), Outcome::Invalidated);
}

#[test]
fn what_is_bypassed_is_asked_for_by_each() {
    let rule = rule(Storing::Bypassed, None, None);
    let cache = Cache::new(Settings { rules: vec![rule], ..Settings::default() });
    let _fetch = ask(&cache, "GET /a");
    assert_eq!(name(&cache, "GET /a"), "alone");
}

/// What a rule says is meant for what is there: an error is not kept for a day.
#[test]
fn that_there_is_nothing_is_kept_for_its_own_time() {
    let fresh_for = |rule: Rule, negative_ttl: Option<u64>, status| {
        let negative_ttl = negative_ttl.map(Duration::from_secs);
        let settings = Settings { rules: vec![rule], negative_ttl, ..Settings::default() };
        let cache = Cache::new(settings);
        let fetch = ask(&cache, "GET /a");
        match take(&cache, (fetch, "GET /a"), (status, "")) {
            Taken::Fill(writer) => writer.cache_status().ttl,
            _ => None,
        }
    };
    for origin in [None, Some(Origin::Ignored)] {
        let ruled = || rule(Storing::Usual, Some(900), origin);
        assert_eq!(fresh_for(ruled(), Some(5), 404), Some(5));
        assert_eq!(fresh_for(ruled(), Some(5), 503), Some(5));
        assert_eq!(fresh_for(ruled(), Some(5), 200), Some(900));
        assert_eq!(fresh_for(ruled(), None, 404), Some(900));
        assert_eq!(fresh_for(ruled(), None, 503), None);
    }
}

fn rule(storing: Storing, ttl: Option<u64>, origin: Option<Origin>) -> Rule {
    let (path, parts) = ("/".to_owned(), KeyParts::default());
    Rule { path, storing, ttl: ttl.map(Duration::from_secs), origin, parts }
}

fn request(text: &str) -> (Method, HeaderMap) {
    let (line, lines) = text.split_once('\n').unwrap_or((text, ""));
    (line.split_once(' ').unwrap().0.parse().unwrap(), fields(lines))
}

fn look(cache: &Cache, text: &str, seconds: i64) -> Lookup {
    let (method, headers) = request(text);
    let path = text.lines().next().unwrap().split_once(' ').unwrap().1;
    cache.look(&key(path), &Request::of(&method, &headers), at(seconds))
}

fn resume(cache: &Cache, waiter: Box<Waiter>, (text, seconds): (&str, i64)) -> Lookup {
    let (method, headers) = request(text);
    cache.resume(waiter, &Request::of(&method, &headers), at(seconds))
}

fn ask(cache: &Cache, text: &str) -> Box<Fetch> {
    match look(cache, text, 0) {
        Lookup::Ask(fetch) => fetch,
        lookup => panic!("{}", shown(&lookup)),
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "as a lookup has it")]
fn waiter(lookup: Lookup) -> Box<Waiter> {
    let Lookup::Join(waiter) = lookup else { panic!("{}", shown(&lookup)) };
    waiter
}

fn take(cache: &Cache, (fetch, text): (Box<Fetch>, &str), answer: (u16, &str)) -> Taken {
    let ((method, headers), came) = (request(text), fields(answer.1));
    let status = StatusCode::from_u16(answer.0).unwrap();
    let times = Times { requested: at(0), received: at(0) };
    let answered = Answered { status, headers: &came, times };
    cache.take(fetch, &Request::of(&method, &headers), answered)
}

#[expect(clippy::unnecessary_box_returns, reason = "as an answer has it")]
fn fill(cache: &Cache, fetch: (Box<Fetch>, &str), answer: (u16, &str)) -> Box<Writer> {
    match take(cache, fetch, answer) {
        Taken::Fill(writer) => writer,
        taken => panic!("{taken:?}"),
    }
}

fn name(cache: &Cache, text: &str) -> String {
    shown(&look(cache, text, 0))
}

fn shown(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Hit(hit) => format!("hit {}", hit.status().as_u16()),
        Lookup::Shared(hit, _) => format!("shared {}", hit.status().as_u16()),
        Lookup::Ask(fetch) if fetch.leads() => "leads".to_owned(),
        Lookup::Ask(_) => "alone".to_owned(),
        other => format!("{other:?}"),
    }
}
