//! One fetch for many who ask: who joins, what they get, and how it ends.

mod alone;
mod bodies;

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
