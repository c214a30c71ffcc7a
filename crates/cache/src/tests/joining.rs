//! One fetch for many who ask: who joins, what they get, and how it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::{at, fields, world::key};
use crate::{
    Answered, Broken, Cache, Came, Fetch, Joining, Lookup, Outcome, Reader, Request, Settings,
    Taken, Times, Waiter, Writer, Written,
};

const FRESH: &str = "cache-control: max-age=60";
const GET: &str = "GET /";

#[test]
fn who_asks_second_waits_for_who_asked_first_and_reads_what_comes() {
    let cache = Cache::new(Settings::default());
    let fetch = lead(&cache, GET);
    let mut second = wait(&cache, GET);
    assert!(!is_ready(&mut second));
    let mut writer = begin(&cache, fetch, &format!("{FRESH}\ncontent-length: 8"));
    add(&mut writer, "0123");
    assert!(is_ready(&mut second));
    let (told, mut second) = shared(cache.resume(second, &request(GET).asked(), at(1)));
    let (_, mut third) = shared(look(&cache, GET));
    assert_eq!(told, "200 age=1 relais; fwd=uri-miss; fwd-status=200; collapsed; ttl=59");
    assert_eq!(next(&mut second), "0123");
    assert_eq!(next(&mut second), "later");
    add(&mut writer, "45");
    assert_eq!(next(&mut second), "45");
    add(&mut writer, "67");
    assert_eq!(writer.finish(), Outcome::Stored);
    assert_eq!(next(&mut second), "67");
    assert_eq!((next(&mut second), next(&mut third)), ("end".into(), "01234567".into()));
    assert_eq!(show(look(&cache, GET)), "hit 200");
}

#[test]
fn of_many_who_wait_some_are_woken_and_the_others_find_all_that_came_meanwhile() {
    let cache = Cache::new(Settings::default());
    let fetch = lead(&cache, GET);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut herd: Vec<_> = (0..20).map(|_| wait(&cache, GET)).collect();
    for waiter in &mut herd {
        assert!(waiter.poll_head(&mut Context::from_waker(&waker)).is_pending());
    }
    let mut writer = begin(&cache, fetch, &format!("{FRESH}\ncontent-length: 8"));
    assert_eq!((writer.add(&Bytes::from_static(b"0123")), woken.count()), (Written::On, 0));
    assert_eq!((writer.wake(), woken.count()), (crate::Woken::Some, 8));
    let mut resume = || cache.resume(herd.remove(0), &request(GET).asked(), at(1));
    let (_, mut first) = shared(resume());
    // The others' heads come before its body.
    assert_eq!(next(&mut first), "later");
    assert_eq!(next(&mut first), "0123");
    assert_eq!(writer.add(&Bytes::from_static(b"4567")), Written::On);
    assert_eq!((writer.finish(), woken.count()), (Outcome::Stored, 20));
    assert_eq!((show(resume()), next(&mut first)), ("hit 200".to_owned(), "4567".to_owned()));
}

/// Before there is a head, nobody knows whether it is for others.
#[test]
fn who_would_hardly_get_what_comes_does_not_wait_for_it() {
    let check = |request: &str, expect: &str| {
        let cache = Cache::new(Settings::default());
        let _fetch = lead(&cache, GET);
        assert_eq!(show(look(&cache, request)), expect, "{request}");
    };
    check("GET /", "waits");
    check("HEAD /", "waits");
    check("GET /other", "leads");
    check("GET /\nrange: bytes=0-1", "waits");
    check("GET /\nif-none-match: \"1\"", "waits");
    check("GET /\ncookie: a=b", "waits");
    check("GET /\ncache-control: no-store", "waits");
    check("GET /\ncache-control: max-age=5", "waits");
    check("GET /\nauthorization: x", "alone");
    check("GET /\nif-match: \"1\"", "alone");
    check("GET /\ncontent-length: 1", "alone");
    check("GET /\nupgrade: x", "alone");
    check("POST /", "alone");
    // Who wants it anew begins anew, and others may wait for that.
    check("GET /\ncache-control: no-cache", "leads");
    check("GET /\ncache-control: max-age=0", "leads");
    check("GET /\ncache-control: only-if-cached", "504");
}

#[test]
fn who_brings_what_is_hardly_for_others_is_not_waited_for() {
    let check = |request: &str, expect: &str| {
        let cache = Cache::new(Settings::default());
        let _first = look(&cache, request);
        assert_eq!(show(look(&cache, GET)), expect, "{request}");
    };
    check("GET /", "waits");
    check("GET /\ncookie: a=b", "waits");
    check("GET /\ncache-control: no-cache", "waits");
    check("HEAD /", "leads");
    check("GET /\nrange: bytes=0-1", "leads");
    check("GET /\nif-none-match: \"1\"", "leads");
    check("GET /\nif-match: \"1\"", "leads");
    check("GET /\nauthorization: x", "leads");
    check("GET /\ncache-control: no-store", "leads");
    check("GET /\nx-http-method-override: DELETE", "leads");
    check("GET /\ncontent-length: 1", "leads");
    check("POST /", "leads");
}

#[test]
fn who_comes_while_a_body_comes_gets_what_he_asked_for() {
    let head = "etag: \"1\"\ncontent-length: 8";
    let check = |fresh: &str, request: &str, expect: &str| {
        let cache = Cache::new(Settings::default());
        let mut writer = begin(&cache, lead(&cache, GET), &format!("{fresh}\n{head}"));
        add(&mut writer, "0123");
        let came = match look(&cache, request) {
            Lookup::Shared(hit, mut reader) => {
                add(&mut writer, "4567");
                writer.finish();
                let mut body = String::new();
                while let piece = next(&mut reader)
                    && piece != "end"
                {
                    body += &piece;
                }
                format!("{} {body}", hit.status().as_u16())
            }
            lookup => show(lookup),
        };
        assert_eq!(came, expect, "{fresh} {request}");
    };
    check(FRESH, "GET /", "200 01234567");
    check(FRESH, "HEAD /", "200 ");
    check(FRESH, "GET /\nauthorization: x", "200 01234567");
    check(FRESH, "GET /\nrange: bytes=1-2", "206 12");
    check(FRESH, "GET /\nrange: bytes=3-5", "206 345");
    check(FRESH, "GET /\nrange: bytes=6-", "206 67");
    check(FRESH, "GET /\nrange: bytes=-3", "206 567");
    check(FRESH, "GET /\nrange: bytes=8-", "416 ");
    check(FRESH, "GET /\nrange: bytes=1-2\nif-range: \"2\"", "200 01234567");
    check(FRESH, "GET /\nif-none-match: \"1\"", "304 ");
    check(FRESH, "GET /\nif-none-match: \"2\"", "200 01234567");
    check(FRESH, "GET /\nif-match: \"1\"", "alone");
    check(FRESH, "GET /\ncache-control: no-cache", "leads");
    check(FRESH, "GET /\ncache-control: min-fresh=99", "leads");
    check("cache-control: no-cache", "GET /", "alone");
    check("cache-control: max-age=0", "GET /", "alone");
    check("cache-control: max-age=0, stale-while-revalidate=9", "GET /", "200 01234567");
}

/// A guess at the lifetime is not for who may be somebody.
#[test]
fn who_names_himself_does_not_get_what_is_fresh_by_default_only() {
    let cache = Cache::new(Settings::default());
    let cookie = "GET /\ncookie: a=b";
    let fetch = lead(&cache, GET);
    let waiter = wait(&cache, cookie);
    let _writer = begin(&cache, fetch, "");
    assert_eq!(show(cache.resume(waiter, &request(cookie).asked(), at(0))), "alone");
    assert!(show(look(&cache, GET)).starts_with("shared"));
}

#[test]
fn a_part_that_comes_late_is_not_waited_for() {
    let joining = Joining { ahead_max: 10, ..Joining::default() };
    let cache = Cache::new(Settings { joining, ..Settings::default() });
    let mut writer = begin(&cache, lead(&cache, GET), &format!("{FRESH}\ncontent-length: 100"));
    add(&mut writer, "0123456789");
    assert!(show(look(&cache, "GET /\nrange: bytes=20-29")).starts_with("shared 206"));
    assert_eq!(show(look(&cache, "GET /\nrange: bytes=21-29")), "alone");
    let _unknown = begin(&cache, lead(&cache, "GET /b"), FRESH);
    assert_eq!(show(look(&cache, "GET /b\nrange: bytes=0-1")), "alone");
}

/// All at the same time, and not one after the other.
#[test]
fn who_waited_for_what_is_not_for_him_goes_on_at_once() {
    let check = |status: u16, lines: &str| {
        let cache = Cache::new(Settings::default());
        let fetch = lead(&cache, GET);
        let waiters: Vec<_> = (0..3).map(|_| wait(&cache, GET)).collect();
        let taken = take(&cache, fetch, (status, lines));
        for mut waiter in waiters {
            assert!(is_ready(&mut waiter), "{lines}");
            assert_eq!(resume(&cache, waiter), "alone", "{lines}");
        }
        // Nor does who comes next.
        assert_eq!(show(look(&cache, GET)), "alone", "{lines}");
        drop(taken);
        assert_eq!(show(look(&cache, GET)), "alone", "{lines}");
    };
    check(200, "cache-control: no-store");
    check(200, "cache-control: private, max-age=60");
    check(200, "cache-control: max-age=60\nvary: *");
    check(200, "cache-control: max-age=60\nset-cookie: a=b");
    check(200, "cache-control: max-age=0");
    check(200, "cache-control: max-age=60\ncontent-length: 999999999");
    check(200, "cache-control: no-cache\netag: \"1\"");
    check(200, "cache-control: max-age=0\netag: \"1\"");
    check(302, "");
}

/// One client's request may be refused for what it is, and nobody else's.
#[test]
fn what_is_about_its_own_request_sends_one_more_ahead_and_not_all() {
    let check = |status: u16, odd: &str| {
        let cache = Cache::new(Settings::default());
        let first = format!("GET /{odd}");
        let fetch = lead(&cache, &first);
        let mut waiters: Vec<_> = (0..100).map(|_| wait(&cache, GET)).collect();
        drop(take_as(&cache, (fetch, &first), (status, FRESH)));
        assert!(waiters.iter_mut().all(|waiter| is_ready(waiter)), "{status}");
        let mut lookups =
            waiters.into_iter().map(|waiter| cache.resume(waiter, &request(GET).asked(), at(0)));
        let Some(Lookup::Ask(next)) = lookups.next() else { panic!("nobody asks, for {status}") };
        assert!(next.leads());
        let waiters: Vec<_> = lookups.map(waiter_of).collect();
        // Who comes now waits, too.
        assert_eq!(show(look(&cache, GET)), "waits", "{status}");
        (cache, next, waiters)
    };
    let odd = format!("\nx-large: {}", "x".repeat(3000));
    for (status, odd) in [(403, ""), (406, ""), (429, ""), (431, ""), (404, &*odd)] {
        let (cache, next, waiters) = check(status, odd);
        let writer = begin(&cache, next, FRESH);
        for waiter in waiters {
            assert_eq!(resume(&cache, waiter), "shared 200", "{status}");
        }
        drop(writer);
        let (cache, next, waiters) = check(status, odd);
        drop(take(&cache, next, (403, "")));
        // Two in a row: it is so of all.
        for waiter in waiters {
            assert_eq!(resume(&cache, waiter), "alone", "{status}");
        }
        assert_eq!(show(look(&cache, GET)), "alone", "{status}");
    }
}

#[test]
fn what_cannot_be_asked_for_sends_one_more_ahead_and_not_all() {
    let cache = Cache::new(Settings::default());
    let fetch = lead(&cache, GET);
    let waiters = (wait(&cache, GET), wait(&cache, GET));
    fetch.pass_by();
    drop(fetch);
    let next = cache.resume(waiters.0, &request(GET).asked(), at(0));
    assert_eq!((name(&next), resume(&cache, waiters.1)), ("leads", "waits".to_owned()));
}

#[test]
fn what_is_known_to_be_for_one_client_each_is_known_for_a_while() {
    let cache = Cache::new(Settings::default());
    take(&cache, lead(&cache, GET), (200, "cache-control: no-store"));
    let at = |seconds| show(look_at(&cache, GET, seconds));
    assert_eq!((at(0), at(119)), ("alone".into(), "alone".into()));
    assert_eq!(at(120), "leads");
    // Until one comes that is for others.
    let Lookup::Ask(fetch) = look(&cache, GET) else { panic!("a hit") };
    assert!(!fetch.leads());
    let writer = begin(&cache, fetch, FRESH);
    assert!(show(look(&cache, GET)).starts_with("shared"));
    writer.finish();
    cache.forget(&key("/"));
    assert_eq!(show(look(&cache, GET)), "leads");
}

#[test]
fn what_is_one_clients_for_its_cookies_is_waited_for_by_those_without() {
    let cache = Cache::new(Settings::default());
    let cookie = "GET /\ncookie: a=b";
    take_as(&cache, (lead(&cache, cookie), cookie), (200, ""));
    assert_eq!(show(look(&cache, cookie)), "alone");
    assert_eq!(show(look(&cache, GET)), "leads");
}

#[test]
fn what_is_one_clients_for_its_cookies_sends_one_of_those_without_ahead() {
    let cache = Cache::new(Settings::default());
    let cookie = "GET /\ncookie: a=b";
    let fetch = lead(&cache, cookie);
    let waiters = [GET, cookie, GET, cookie].map(|ask| (ask, wait(&cache, ask)));
    drop(take_as(&cache, (fetch, cookie), (200, "")));
    let lookups = waiters.map(|(ask, waiter)| cache.resume(waiter, &request(ask).asked(), at(0)));
    assert_eq!(lookups.each_ref().map(name), ["leads", "alone", "waits", "alone"]);
}

#[test]
fn so_many_keys_are_known_to_be_for_one_client_each() {
    let cache = Cache::new(Settings::default());
    for number in 0..50_000 {
        let path = format!("GET /{number}");
        take(&cache, lead(&cache, &path), (200, "cache-control: no-store"));
    }
    let known =
        (0..50_000).filter(|number| show(look(&cache, &format!("GET /{number}"))) == "alone");
    assert_eq!(known.count(), 16 * 1024);
}

#[test]
fn each_variant_is_fetched_once() {
    let cache = Cache::new(Settings::default());
    let ask = |coding: &str| format!("GET /\naccept-encoding: {coding}");
    let (gzip, br, zstd) = (&ask("gzip"), &ask("br"), &ask("zstd"));
    let varies = &format!("{FRESH}\nvary: accept-encoding");
    let fetch = lead(&cache, gzip);
    let waiters = [gzip, br, br, zstd].map(|ask| (ask, wait(&cache, ask)));
    let writer = begin_as(&cache, (fetch, gzip), varies);
    let lookups = waiters.map(|(ask, waiter)| cache.resume(waiter, &request(ask).asked(), at(0)));
    assert_eq!(lookups.each_ref().map(name), ["shared", "leads", "waits", "leads"]);
    drop(writer);
    // What is stored tells who waits for whom, too.
    let [_, Lookup::Ask(fetch), rest @ ..] = lookups else { panic!("leads") };
    begin_as(&cache, (fetch, br), varies).finish();
    drop(rest);
    assert_eq!(show(look(&cache, br)), "hit 200");
    let _fetches = [lead(&cache, gzip), lead(&cache, zstd)];
    assert_eq!(show(look(&cache, gzip)), "waits");
}

#[test]
fn of_those_who_waited_for_what_failed_one_tries_again() {
    let fails: [fn(&Cache, Box<Fetch>); 5] = [
        |_, fetch| drop(fetch),
        |_, fetch| fetch.fail(StatusCode::GATEWAY_TIMEOUT),
        |cache, fetch| drop(take(cache, fetch, (503, ""))),
        |cache, fetch| drop(take(cache, fetch, (500, "cache-control: no-store"))),
        |cache, fetch| drop(begin(cache, fetch, FRESH)),
    ];
    for (fails, status) in fails.into_iter().zip([502, 504, 503, 500, 502]) {
        let cache = Cache::new(Settings::default());
        let mut fetch = lead(&cache, GET);
        let mut waiters: Vec<_> = (0..5).map(|_| wait(&cache, GET)).collect();
        for _ in 1..3 {
            fails(&cache, fetch);
            let mut lookups = waiters.into_iter().map(|mut waiter| {
                assert!(is_ready(&mut waiter));
                cache.resume(waiter, &request(GET).asked(), at(0))
            });
            let Some(Lookup::Ask(next)) = lookups.next() else { panic!("nobody tries") };
            assert!(next.leads());
            waiters = lookups.map(waiter_of).collect();
            fetch = next;
        }
        fails(&cache, fetch);
        let told: Vec<_> = waiters.into_iter().map(|waiter| resume(&cache, waiter)).collect();
        assert_eq!(told, vec![format!("failed {status}"); 3]);
        // Who comes then begins anew.
        assert_eq!(show(look(&cache, GET)), "leads");
    }
}

#[test]
fn what_is_stored_stands_in_for_all_who_waited_for_what_failed() {
    let cache = Cache::new(Settings::default());
    begin(&cache, lead(&cache, GET), "cache-control: max-age=5, stale-if-error=60").finish();
    for status in [0, 503] {
        let Lookup::Ask(fetch) = look_at(&cache, GET, 9) else { panic!("a hit") };
        let Lookup::Join(waiter) = look_at(&cache, GET, 9) else { panic!("no waiter") };
        match status {
            0 => fetch.fail(StatusCode::BAD_GATEWAY),
            status => drop(take(&cache, fetch, (status, ""))),
        }
        assert_eq!(show(cache.resume(waiter, &request(GET).asked(), at(9))), "stale 200");
    }
}

#[test]
fn who_waited_for_a_confirmation_gets_what_was_confirmed_if_it_is_fresh() {
    let check = |stored: &str, confirmed: &str, expect: &str| {
        let cache = Cache::new(Settings::default());
        begin(&cache, lead(&cache, GET), &format!("etag: \"1\"\n{stored}")).finish();
        let Lookup::Ask(fetch) = look_at(&cache, GET, 9) else { panic!("a hit") };
        assert!(fetch.leads() && fetch.is_validating());
        let Lookup::Join(waiter) = look_at(&cache, GET, 9) else { panic!("no waiter") };
        let headers = fields(confirmed);
        let times = Times { requested: at(9), received: at(9) };
        let answered = Answered { status: StatusCode::NOT_MODIFIED, headers: &headers, times };
        let Taken::Answer(_) = cache.take(fetch, &request(GET).asked(), answered) else {
            panic!("not confirmed")
        };
        let told = show(cache.resume(waiter, &request(GET).asked(), at(9)));
        assert_eq!(told, expect, "{stored} {confirmed}");
        told
    };
    check("cache-control: max-age=5", "cache-control: max-age=5", "hit 200");
    check("cache-control: max-age=5", "cache-control: max-age=0", "alone");
    check("cache-control: max-age=5", "cache-control: no-store", "alone");
}

/// Each has to ask for itself, or all would wait for each other.
#[test]
fn what_is_to_be_asked_about_each_time_is_not_waited_for() {
    let cache = Cache::new(Settings::default());
    begin(&cache, lead(&cache, GET), "etag: \"1\"\ncache-control: no-cache").finish();
    for _ in 0..3 {
        let Lookup::Ask(fetch) = look(&cache, GET) else { panic!("a hit") };
        assert!(!fetch.leads() && fetch.is_validating());
        std::mem::forget(fetch);
    }
}

#[test]
fn what_breaks_off_is_told_to_all_who_read_and_never_taken_for_whole() {
    let check = |breaks: fn(Writer), declared: &str| {
        let cache = Cache::new(Settings::default());
        let mut writer = begin(&cache, lead(&cache, GET), &format!("{FRESH}{declared}"));
        let (_, mut reader) = shared(look(&cache, GET));
        add(&mut writer, "0123");
        assert_eq!(next(&mut reader), "0123");
        let woken = Arc::new(Woken::default());
        assert_eq!(next_with(&mut reader, &woken), "later");
        breaks(writer);
        assert_eq!((woken.count(), next(&mut reader)), (1, "Off".into()));
        assert_eq!(show(look(&cache, GET)), "leads");
    };
    check(drop, "");
    check(drop, "\ncontent-length: 8");
    check(|writer| assert_eq!(writer.finish(), Outcome::CutShort), "\ncontent-length: 8");
    check(
        |writer| {
            // As one that panics.
            let thread = std::thread::spawn(move || {
                let _writer = writer;
                panic!("on purpose");
            });
            assert!(thread.join().is_err());
        },
        "",
    );
}

#[test]
fn who_comes_after_a_change_does_not_get_what_was_asked_for_before() {
    let changes: [fn(&Cache); 3] = [
        |cache| cache.invalidate(&key("/"), &HeaderMap::new()),
        |cache| cache.forget(&key("/")),
        Cache::clear,
    ];
    for change in changes {
        let cache = Cache::new(Settings::default());
        let fetch = lead(&cache, GET);
        let before = wait(&cache, GET);
        change(&cache);
        let newer = lead(&cache, GET);
        let mut writer = begin(&cache, fetch, FRESH);
        add(&mut writer, "old");
        assert_eq!(show(look(&cache, GET)), "waits");
        // Who asked before it may have what was there before it.
        let (_, mut reader) = shared(cache.resume(before, &request(GET).asked(), at(0)));
        assert_eq!(writer.finish(), Outcome::Invalidated);
        assert_eq!(next(&mut reader), "old");
        let mut writer = begin(&cache, newer, FRESH);
        let (_, mut reader) = shared(look(&cache, GET));
        change(&cache);
        add(&mut writer, "newer");
        assert_eq!((show(look(&cache, GET)), next(&mut reader)), ("leads".into(), "newer".into()));
    }
}

#[test]
fn a_body_that_outgrows_the_store_goes_to_all_who_read_it() {
    for (object_max, memory, why) in
        [(6, 1 << 20, Outcome::TooLarge), (1 << 20, 6, Outcome::NoRoom)]
    {
        let settings = Settings { object_max, memory, filling_max: 0, ..Settings::default() };
        let cache = Cache::new(settings);
        let mut writer = begin(&cache, lead(&cache, GET), FRESH);
        let (_, mut one) = shared(look(&cache, GET));
        let (_, mut two) = shared(look(&cache, GET));
        add(&mut writer, "0123");
        assert_eq!(next(&mut one), "0123");
        for piece in ["456", "789"] {
            add(&mut writer, piece);
        }
        // Nobody else joins.
        assert!(!show(look(&cache, GET)).starts_with("shared"));
        assert_eq!((next(&mut one), next(&mut one)), ("456".into(), "789".into()));
        assert_eq!((next(&mut two), next(&mut two)), ("0123".into(), "456".into()));
        assert!(is_ready_for_more(&writer));
        assert_eq!(writer.finish(), why);
        assert_eq!((next(&mut one), next(&mut two)), ("end".into(), "789".into()));
        assert_eq!(next(&mut two), "end");
        assert_eq!(cache.keys(), 0);
    }
}

#[test]
fn a_body_that_is_not_held_waits_for_the_slowest_until_that_is_put_out() {
    let cache = Cache::new(Settings { object_max: 0, ..Settings::default() });
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    let (_, mut quick) = shared(look(&cache, GET));
    let (_, mut slow) = shared(look(&cache, GET));
    let piece = "x".repeat(1 << 16);
    let mut read = 0;
    while is_ready_for_more(&writer) {
        add(&mut writer, &piece);
        read += next(&mut quick).len();
    }
    assert_eq!(read, 1 << 20);
    assert_eq!(next(&mut slow), piece);
    assert!(is_ready_for_more(&writer));
    add(&mut writer, &piece);
    assert!(!is_ready_for_more(&writer));
    writer.cut_slowest();
    assert!(is_ready_for_more(&writer));
    assert_eq!((next(&mut slow), next(&mut quick)), ("TooSlow".into(), piece));
}

#[test]
fn a_body_that_outgrows_the_store_and_nobody_reads_is_given_up() {
    let cache = Cache::new(Settings { object_max: 4, ..Settings::default() });
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    assert_eq!(writer.add(&Bytes::from_static(b"01234")), Written::GaveUp);
    assert_eq!(writer.finish(), Outcome::TooLarge);
    assert_eq!(show(look(&cache, GET)), "alone");
}

#[test]
fn so_many_wait_at_once() {
    let joining = Joining { waiting_max: 2, ..Joining::default() };
    let cache = Cache::new(Settings { joining, ..Settings::default() });
    let _fetches = (lead(&cache, GET), lead(&cache, "GET /b"));
    let (_one, two) = (wait(&cache, GET), wait(&cache, "GET /b"));
    assert_eq!(show(look(&cache, GET)), "crowded");
    drop(two);
    assert_eq!(show(look(&cache, GET)), "waits");
    let joining = Joining { waiting_max: 0, ..Joining::default() };
    let cache = Cache::new(Settings { joining, ..Settings::default() });
    let _first = look(&cache, GET);
    assert_eq!(show(look(&cache, GET)), "alone");
}

/// One more fetch, for all who wait.
#[test]
fn a_fetch_that_takes_too_long_is_left_for_another() {
    let cache = Cache::new(Settings::default());
    let fetch = lead(&cache, GET);
    let (mut one, two) = (wait(&cache, GET), wait(&cache, GET));
    assert!(!is_ready(&mut one));
    let another = cache.resume(one, &request(GET).asked(), at(5));
    assert_eq!((name(&another), &*resume(&cache, two)), ("leads", "waits"));
    // The first may still be the one that is joined.
    let _writer = begin(&cache, fetch, FRESH);
    assert!(show(look(&cache, "GET /\ncache-control: max-age=9")).starts_with("waits"));
}

#[test]
fn a_fetch_whose_client_left_ends_if_nobody_else_waits() {
    let cache = Cache::new(Settings::default());
    let (fetch, none) = (lead(&cache, GET), Arc::new(Woken::default()));
    let watch = fetch.watch();
    let (one, two) = (wait(&cache, GET), wait(&cache, GET));
    assert!(!watch.end_if_alone());
    let waker = Waker::from(Arc::clone(&none));
    let mut cx = Context::from_waker(&waker);
    assert!(watch.poll_deserted(&mut cx).is_pending());
    drop(one);
    assert!(watch.poll_deserted(&mut cx).is_pending());
    drop(two);
    assert!(none.count() > 0 && watch.poll_deserted(&mut cx).is_ready() && watch.end_if_alone());
    // Who comes now waits for nobody who has gone.
    assert_eq!(show(look(&cache, GET)), "leads");
}

#[test]
fn the_first_who_reads_takes_over() {
    let cache = Cache::new(Settings::default());
    let mut writer = begin(&cache, lead(&cache, GET), FRESH);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    writer.watch().on_join(move || _ = counted.fetch_add(1, Ordering::Relaxed));
    add(&mut writer, "0123");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let _readers = [shared(look(&cache, GET)), shared(look(&cache, GET))];
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // Who asked for it reads on where it is.
    let mut reader = writer.reader();
    add(&mut writer, "45");
    assert_eq!(next(&mut reader), "45");
}

#[test]
fn a_revalidation_is_waited_for_like_any_other() {
    let cache = Cache::new(Settings::default());
    let stale = "cache-control: max-age=5, stale-while-revalidate=5";
    begin(&cache, lead(&cache, GET), &format!("etag: \"1\"\n{stale}")).finish();
    let Lookup::Stale(_, Some(fetch)) = look_at(&cache, GET, 9) else { panic!("no errand") };
    assert!(fetch.leads());
    // The window is over, and the errand is not.
    assert_eq!(show(look_at(&cache, GET, 11)), "waits");
    drop(fetch);
    let Lookup::Ask(fetch) = look_at(&cache, GET, 12) else { panic!("a hit") };
    let Lookup::Stale(_, None) = look_at(&cache, GET, 9) else { panic!("two errands") };
    drop(fetch);
}

#[test]
fn by_grace_what_says_nothing_is_sent_stale_while_it_is_asked_for() {
    let grace = Duration::from_secs(30);
    let cache = Cache::new(Settings { grace, ..Settings::default() });
    let check = |path: &str, lines: &str, expect: &str| {
        begin(&cache, lead(&cache, path), lines).finish();
        assert_eq!(show(look_at(&cache, path, 20)), expect, "{lines}");
    };
    check("GET /a", "cache-control: max-age=5", "stale 200");
    check("GET /b", "cache-control: max-age=5, stale-while-revalidate=9", "leads");
    check("GET /c", "cache-control: max-age=5, must-revalidate", "leads");
}

#[test]
fn what_is_not_there_is_stored_for_as_long_as_is_set() {
    let negative_ttl = Some(Duration::from_secs(3));
    let cache = Cache::new(Settings { negative_ttl, ..Settings::default() });
    let check = |status: u16, lines: &str, expect: (&str, &str)| {
        cache.clear();
        match take(&cache, lead(&cache, GET), (status, lines)) {
            Taken::Fill(writer) => _ = writer.finish(),
            taken => drop(taken),
        }
        let told = |seconds| show(look_at(&cache, GET, seconds));
        let told = (told(2), told(3));
        assert_eq!((&*told.0, &*told.1), expect, "{status} {lines}");
    };
    check(404, "", ("hit 404", "leads"));
    check(410, "last-modified: Sun, 06 Nov 1994 08:49:37 GMT", ("hit 410", "leads"));
    check(503, "", ("hit 503", "leads"));
    check(404, "cache-control: max-age=9", ("hit 404", "hit 404"));
    check(200, "", ("hit 200", "hit 200"));
    check(503, "cache-control: no-store", ("leads", "leads"));
}

/// A request: a method and a path, and then fields.
pub(super) struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
}

pub(super) fn request(text: &str) -> Asked {
    let (line, lines) = text.split_once('\n').unwrap_or((text, ""));
    let (method, path) = line.split_once(' ').unwrap();
    Asked { method: method.parse().unwrap(), path: path.to_owned(), headers: fields(lines) }
}

impl Asked {
    pub(super) fn asked(&self) -> Request<'_> {
        Request::of(&self.method, &self.headers)
    }
}

pub(super) fn look(cache: &Cache, text: &str) -> Lookup {
    look_at(cache, text, 0)
}

pub(super) fn look_at(cache: &Cache, text: &str, seconds: i64) -> Lookup {
    let request = request(text);
    cache.look(&key(&request.path), &request.asked(), at(seconds))
}

pub(super) fn lead(cache: &Cache, text: &str) -> Box<Fetch> {
    match look(cache, text) {
        Lookup::Ask(fetch) if fetch.leads() => fetch,
        lookup => panic!("{}", show(lookup)),
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "as a lookup has it")]
pub(super) fn wait(cache: &Cache, text: &str) -> Box<Waiter> {
    waiter_of(look(cache, text))
}

#[expect(clippy::unnecessary_box_returns, reason = "as a lookup has it")]
fn waiter_of(lookup: Lookup) -> Box<Waiter> {
    let Lookup::Join(waiter) = lookup else { panic!("{}", show(lookup)) };
    waiter
}

fn resume(cache: &Cache, waiter: Box<Waiter>) -> String {
    show(cache.resume(waiter, &request(GET).asked(), at(0)))
}

fn take(cache: &Cache, fetch: Box<Fetch>, answer: (u16, &str)) -> Taken {
    take_as(cache, (fetch, GET), answer)
}

fn take_as(
    cache: &Cache,
    (fetch, text): (Box<Fetch>, &str),
    (status, lines): (u16, &str),
) -> Taken {
    let headers = fields(lines);
    let times = Times { requested: at(0), received: at(0) };
    let status = StatusCode::from_u16(status).unwrap();
    let answered = Answered { status, headers: &headers, times };
    cache.take(fetch, &request(text).asked(), answered)
}

pub(super) fn begin(cache: &Cache, fetch: Box<Fetch>, lines: &str) -> Writer {
    begin_as(cache, (fetch, GET), lines)
}

fn begin_as(cache: &Cache, fetch: (Box<Fetch>, &str), lines: &str) -> Writer {
    match take_as(cache, fetch, (200, lines)) {
        Taken::Fill(writer) => *writer,
        taken => panic!("{taken:?}"),
    }
}

pub(super) fn add(writer: &mut Writer, piece: &str) {
    assert_eq!(writer.add(&Bytes::copy_from_slice(piece.as_bytes())), Written::On);
    assert_eq!(writer.wake(), crate::Woken::All);
}

pub(super) fn shared(lookup: Lookup) -> (String, Box<Reader>) {
    let Lookup::Shared(hit, reader) = lookup else { panic!("{}", show(lookup)) };
    let (status, age) = (hit.status().as_u16(), hit.age());
    (format!("{status} age={age} {}", hit.cache_status()), reader)
}

pub(super) fn name(lookup: &Lookup) -> &'static str {
    match lookup {
        Lookup::Hit(_) => "hit",
        Lookup::Stale(..) => "stale",
        Lookup::Ask(fetch) if fetch.leads() => "leads",
        Lookup::Ask(_) => "alone",
        Lookup::Join(_) => "waits",
        Lookup::Shared(..) => "shared",
        Lookup::Failed(..) => "failed",
        Lookup::Crowded(_) => "crowded",
        Lookup::OnlyIfCached => "504",
        Lookup::Below => "below",
    }
}

fn show(lookup: Lookup) -> String {
    let name = name(&lookup);
    match lookup {
        Lookup::Hit(hit) | Lookup::Stale(hit, _) | Lookup::Shared(hit, _) => {
            format!("{name} {}", hit.status().as_u16())
        }
        Lookup::Failed(_, status) => format!("{name} {}", status.as_u16()),
        _ => name.to_owned(),
    }
}

pub(super) fn is_ready(waiter: &mut Waiter) -> bool {
    waiter.poll_head(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn is_ready_for_more(writer: &Writer) -> bool {
    writer.poll_room(&mut Context::from_waker(Waker::noop())).is_ready()
}

pub(super) fn next(reader: &mut Reader) -> String {
    next_with(reader, &Arc::new(Woken::default()))
}

fn next_with(reader: &mut Reader, woken: &Arc<Woken>) -> String {
    let waker = Waker::from(Arc::clone(woken));
    let came = match reader.poll_next(&mut Context::from_waker(&waker)) {
        Poll::Pending => return "later".to_owned(),
        Poll::Ready(None) => return "end".to_owned(),
        Poll::Ready(Some(Ok(Came::Bytes(bytes)))) => Ok(bytes),
        Poll::Ready(Some(Ok(Came::Cold(cold)))) => match cold.read() {
            Ok(bytes) => Ok(reader.took(bytes)),
            Err(error) => return error.kind().to_string(),
        },
        Poll::Ready(Some(Err(broken))) => Err(broken),
    };
    match came {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Err(Broken::Off) => "Off".to_owned(),
        Err(Broken::TooSlow) => "TooSlow".to_owned(),
        Err(Broken::Unread(kind)) => kind.to_string(),
    }
}

/// Counts how often it was woken.
#[derive(Debug, Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
