//! What is for one client alone, or not to be had for it: how those go on who waited.

use super::*;

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
