//! What gets into the store, what stays, and what is sent of it.

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::{
    at, date, fields,
    world::{World, key},
};
use crate::{
    Answered, Cache, CacheStatus, Hit, Kept, Lookup, NoStandIn, NotStored, Outcome, Request,
    Settings, Taken, Times, Writer, Written, reuse::Failure,
};

const FRESH: &str = "cache-control: max-age=60";

#[test]
fn a_hit_has_the_fields_that_are_for_everybody() {
    let world = World::new();
    let here = date("date", 0);
    let lines = format!(
        "{here}\n{FRESH}, no-cache=\"x-own\"\nx-own: 1\nlink: a\nlink: b\nconnection: x-hop\nx-hop: 1\n\
         keep-alive: 5\nage: 3\ncache-status: other; hit"
    );
    world.ask(0, "GET /", (200, &lines, "body"));
    let hit = hit(&world.cache, "GET", "", 7);
    let expect = format!(
        "{here}\r\n{FRESH}, no-cache=\"x-own\"\r\nlink: a\r\nlink: b\r\n\
         cache-status: other; hit\r\ncontent-length: 4\r\nage: 10\r\n\
         cache-status: relais; hit; ttl=50\r\n"
    );
    assert_eq!(printed(&hit), expect);
    assert_eq!(hit.headers(), as_map(&expect));
}

#[test]
fn other_forms_have_fields_of_their_own() {
    let world = World::new();
    let here = date("date", 0);
    let lines = format!("{here}\n{FRESH}\netag: \"1\"\ncontent-type: text/plain\nvary: x");
    world.ask(0, "GET /", (200, &lines, "0123456789"));
    let end = "age: 1\r\ncache-status: relais; hit; ttl=59\r\n";
    let check = |request: &str, expect: String| {
        let hit = hit(&world.cache, "GET", request, 1);
        assert_eq!(printed(&hit), expect);
        assert_eq!(hit.headers(), as_map(&expect));
    };
    check("if-none-match: \"1\"", format!("{here}\r\n{FRESH}\r\netag: \"1\"\r\nvary: x\r\n{end}"));
    check(
        "range: bytes=1-3",
        format!(
            "{here}\r\n{FRESH}\r\netag: \"1\"\r\n\
             content-type: text/plain\r\nvary: x\r\ncontent-range: bytes 1-3/10\r\n\
             content-length: 3\r\n{end}"
        ),
    );
    check(
        "range: bytes=10-",
        format!(
            "{here}\r\ncontent-range: bytes */10\r\n\
             content-length: 0\r\n{end}"
        ),
    );
}

#[test]
fn a_head_has_the_length_of_what_it_leaves_out() {
    let world = World::new();
    world.ask(0, "GET /", (200, FRESH, "body"));
    let hit = hit(&world.cache, "HEAD", "", 0);
    assert!(printed(&hit).contains("content-length: 4\r\n"));
    assert!(hit.body().bytes().is_empty());
}

#[test]
fn what_is_cut_off_is_not_stored() {
    let cache = Cache::new(Settings::default());
    let mut cut = writer(&cache, "content-length: 4");
    cut.add(&Bytes::from_static(b"123"));
    assert_eq!(cut.finish(), Outcome::CutShort);
    let mut dropped = writer(&cache, "");
    dropped.add(&Bytes::from_static(b"123"));
    drop(dropped);
    assert_eq!((cache.keys(), cache.bytes()), (0, 0));
}

#[test]
fn what_came_within_a_second_is_told_to_be_fresh_for_all_its_lifetime() {
    let cache = Cache::new(Settings::default());
    let (headers, none) = (fields(FRESH), fields(""));
    let asked = Request::of(&Method::GET, &none);
    let Lookup::Ask(fetch) = cache.look(&key("/"), &asked, at(0)) else { panic!("a hit") };
    let times = Times { requested: at(0), received: at(0) + Duration::from_millis(3) };
    let answered = Answered { status: StatusCode::OK, headers: &headers, times };
    let Taken::Fill(writer) = cache.take(fetch, &asked, answered) else { panic!("refused") };
    assert_eq!(writer.cache_status().ttl, Some(60));
}

#[test]
fn what_is_too_large_is_passed_on() {
    let cache = Cache::new(Settings { object_max: 4, ..Settings::default() });
    let headers = fields("cache-control: max-age=60\ncontent-length: 5");
    assert!(matches!(take(&cache, &headers), Taken::Pass(_)));
    let mut fits = writer(&cache, "");
    assert_eq!(fits.add(&Bytes::from_static(b"1234")), Written::On);
    assert_eq!(fits.finish(), Outcome::Stored);
    let mut grows = writer(&cache, "cache-control: max-age=9");
    assert_eq!(grows.add(&Bytes::from_static(b"1234")), Written::On);
    assert_eq!(grows.add(&Bytes::from_static(b"5")), Written::GaveUp);
    assert_eq!(grows.finish(), Outcome::TooLarge);
}

#[test]
fn bodies_under_way_share_a_room() {
    let cache = Cache::new(Settings { memory: 0, filling_max: 6, ..Settings::default() });
    let (mut one, mut two) = (writer(&cache, ""), writer(&cache, ""));
    assert_eq!(one.add(&Bytes::from_static(b"1234")), Written::On);
    assert_eq!(two.add(&Bytes::from_static(b"123")), Written::GaveUp);
    assert_eq!((one.finish(), two.finish()), (Outcome::TooLarge, Outcome::NoRoom));
    let mut three = writer(&cache, "");
    assert_eq!(three.add(&Bytes::from_static(b"123456")), Written::On);
}

#[test]
fn what_is_known_not_to_fit_is_not_said_to_be_stored() {
    let (memory, object_max) = (1 << 20, 1 << 20);
    let cache = Cache::new(Settings { memory, object_max, filling_max: 0, ..Settings::default() });
    let why = |len: u64| {
        let taken = take(&cache, &fields(&format!("{FRESH}\ncontent-length: {len}")));
        let Taken::Pass(CacheStatus { kept: Kept::NotStored(why), .. }) = taken else {
            panic!("{taken:?}")
        };
        why
    };
    let _under_way = writer(&cache, "content-length: 600000");
    assert_eq!(why(600_000), NotStored::NoRoom);
    assert_eq!(why(2_000_000), NotStored::TooLarge);
    // No more than all variants of a key may have together.
    assert_eq!(why(800_000), NotStored::TooLarge);
}

#[test]
fn what_is_found_begins_nothing() {
    let world = World::new();
    let control = "cache-control: max-age=5, stale-while-revalidate=10";
    world.ask(0, "GET /", (200, control, "x"));
    let none = fields("");
    let asked = Request::of(&Method::GET, &none);
    let find = |seconds| world.cache.find(&key("/"), &asked, at(seconds)).map(|hit| hit.age());
    assert_eq!(find(4), Some(4));
    // Somebody has to ask: whoever is to be answered in time.
    assert_eq!((find(6), find(6)), (None, None));
    let looked = world.cache.look(&key("/"), &asked, at(6));
    let Lookup::Stale(_, Some(fetch)) = looked else { panic!("{looked:?}") };
    assert_eq!(find(7), Some(7));
    drop(fetch);
    assert_eq!((find(6), find(7), find(16)), (Some(6), None, None));
}

#[test]
fn what_is_invalidated_while_it_comes_is_not_stored() {
    let cache = Cache::new(Settings::default());
    let old = writer(&cache, "");
    cache.invalidate(&key("/"), &HeaderMap::new());
    assert_eq!(old.finish(), Outcome::Invalidated);
    let old = writer(&cache, "");
    cache.clear();
    assert_eq!(old.finish(), Outcome::Invalidated);
    assert_eq!(writer(&cache, "").finish(), Outcome::Stored);
}

#[test]
fn a_validation_does_not_bring_back_what_was_invalidated() {
    let world = World::new();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    let (headers, none) = (fields(""), fields(""));
    let asked = Request::of(&Method::GET, &none);
    let Lookup::Ask(fetch) = world.cache.look(&key("/"), &asked, at(9)) else { panic!("stale") };
    world.cache.forget(&key("/"));
    let times = Times { requested: at(9), received: at(9) };
    let answered = Answered { status: StatusCode::NOT_MODIFIED, headers: &headers, times };
    assert!(matches!(world.cache.take(fetch, &asked, answered), Taken::Answer(_)));
    assert_eq!(world.cache.keys(), 0);
}

#[test]
fn what_was_invalidated_stands_in_for_nothing() {
    let world = World::new();
    world.ask(0, "GET /", (200, "cache-control: max-age=5, stale-if-error=9", "x"));
    let none = fields("");
    let asked = Request::of(&Method::GET, &none);
    let Lookup::Ask(fetch) = world.cache.look(&key("/"), &asked, at(13)) else { panic!("stale") };
    assert!(world.cache.fail(&fetch, &asked, at(13)).is_ok());
    world.cache.forget(&key("/"));
    assert_eq!(world.cache.fail(&fetch, &asked, at(13)).err(), Some(NoStandIn::Invalidated));
    // Whether it was invalidated is not asked for the most of answers.
    let ok = Failure::Status(StatusCode::OK);
    let stand_in = world.cache.stand_in(&fetch, &asked, ok, at(13));
    assert_eq!(stand_in.err(), Some(NoStandIn::NoError));
}

#[test]
fn an_older_question_does_not_replace_a_newer_one() {
    let cache = Cache::new(Settings::default());
    let older = asked_at(&cache, 0, "");
    let mut newer = asked_at(&cache, 1, "");
    newer.add(&Bytes::from_static(b"new"));
    assert_eq!(newer.finish(), Outcome::Stored);
    assert_eq!(older.finish(), Outcome::Overtaken);
    assert_eq!(&hit(&cache, "GET", "", 6).body().bytes()[..], b"new");
}

#[test]
fn memory_has_an_end() {
    let memory = 4 << 20;
    let world = World::with(Settings { memory, object_max: 64 << 10, ..Settings::default() });
    let body = "x".repeat(10_000);
    for at in 0..1000 {
        world.ask(0, &format!("GET /{at}"), (200, FRESH, &body));
        assert!(world.cache.bytes() <= memory);
    }
    assert!(world.cache.bytes() > memory / 2, "{}", world.cache.bytes());
    assert!(world.cache.keys() < 420);
}

/// Clients that do not take what they asked for make the cache store less, not hold more.
#[test]
fn what_is_stored_no_longer_counts_while_clients_have_it() {
    let (memory, filling_max) = (4 << 20, 1 << 20);
    let settings = Settings { memory, filling_max, object_max: 64 << 10, ..Settings::default() };
    let world = World::with(settings);
    let body = "x".repeat(64 << 10);
    let mut taken = Vec::new();
    for number in 0..1000 {
        let path = format!("/{number}");
        world.ask(0, &format!("GET {path}"), (200, FRESH, &body));
        let (none, method) = (fields(""), Method::GET);
        if let Lookup::Hit(hit) = world.cache.look(&key(&path), &Request::of(&method, &none), at(0))
        {
            taken.push(hit.body().bytes().clone());
        }
    }
    let bytes: usize = taken.iter().map(Bytes::len).sum();
    assert!(bytes as u64 <= memory + filling_max, "{bytes}");
    assert!(world.ask(0, "GET /more", (200, FRESH, &body)).ends_with("NoRoom"));
    drop(taken);
    assert!(world.ask(0, "GET /more", (200, FRESH, &body)).ends_with("stored"));
}

#[test]
fn no_memory_is_no_cache() {
    let world = World::with(Settings { memory: 0, filling_max: 0, ..Settings::default() });
    assert_eq!(world.ask(0, "GET /", (200, FRESH, "x")), "200 x | NoRoom");
    assert_eq!(world.ask(0, "GET /", (200, FRESH, "")), "200  | TooLarge");
    assert_eq!(world.cache.keys(), 0);
}

#[test]
fn the_biggest_object_has_room_and_its_variants_have_an_end() {
    let settings = Settings { memory: 16 << 20, object_max: 4 << 20, ..Settings::default() };
    let world = World::with(settings);
    let body = "x".repeat(4 << 20);
    let varied = "cache-control: max-age=60\nvary: foo";
    for at in 0..9 {
        let told = world.ask(0, &format!("GET /\nfoo: {at}"), (200, varied, &body));
        assert!(told.ends_with("stored"), "variant {at}");
    }
    assert!(world.cache.bytes() <= 16 << 20);
    assert!(world.ask(0, "GET /\nfoo: 8", (0, "", "")).ends_with("hit; ttl=60"));
}

#[test]
fn many_threads_may_use_it() {
    let world = Arc::new(World::new());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for at in 0..300 {
                    let path = at % 7;
                    world.ask(at, &format!("GET /{path}\nfoo: {thread}"), (200, "vary: foo", "x"));
                    if at % 50 == thread {
                        world.ask(at, &format!("POST /{path}"), (200, "", ""));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(world.cache.keys() <= 7);
}

fn hit(cache: &Cache, method: &str, request: &str, seconds: i64) -> Hit {
    let (method, headers) = (method.parse::<Method>().unwrap(), fields(request));
    match cache.look(&key("/"), &Request::of(&method, &headers), at(seconds)) {
        Lookup::Hit(hit) => hit,
        looked => panic!("{looked:?}"),
    }
}

fn printed(hit: &Hit) -> String {
    let mut head = Vec::new();
    hit.print_fields(&mut head);
    String::from_utf8(head).unwrap()
}

fn as_map(head: &str) -> HeaderMap {
    fields(&head.replace("\r\n", "\n"))
}

/// A response to `GET /` under way, fresh for a minute, with more fields in `lines`.
fn writer(cache: &Cache, lines: &str) -> Writer {
    asked_at(cache, 0, lines)
}

fn asked_at(cache: &Cache, seconds: i64, lines: &str) -> Writer {
    let headers = fields(&format!("{FRESH}\n{lines}"));
    match taken(cache, &headers, seconds) {
        Taken::Fill(writer) => *writer,
        taken => panic!("{taken:?}"),
    }
}

fn take(cache: &Cache, headers: &HeaderMap) -> Taken {
    taken(cache, headers, 0)
}

fn taken(cache: &Cache, headers: &HeaderMap, seconds: i64) -> Taken {
    let none = fields("cache-control: no-cache");
    let asked = Request::of(&Method::GET, &none);
    let Lookup::Ask(fetch) = cache.look(&key("/"), &asked, at(seconds)) else { panic!("a hit") };
    let times = Times { requested: at(seconds), received: at(5) };
    cache.take(fetch, &asked, Answered { status: StatusCode::OK, headers, times })
}
