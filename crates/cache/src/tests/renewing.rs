//! RFC 9111 §4.3.4: what is everybody's is made new by whoever hears that it is good still.

use http::StatusCode;

use super::{
    at, date, fields,
    joining::{begin, lead, look_at, name, request},
    world::World,
};
use crate::{Answered, Cache, Lookup, Settings, Taken, Times};

const NOBODY: (u16, &str, &str) = (0, "", "");
const COOKIE: &str = "GET /\ncookie: a=b";

/// What many servers say of a file: fresh for 100 s, by us.
fn file() -> String {
    format!("etag: \"1\"\n{}", date("last-modified", -1000))
}

#[test]
fn what_is_everybodys_is_new_for_all_by_a_304_to_one_with_cookies() {
    let world = World::twice();
    world.ask(0, "GET /", (200, &file(), "body"));
    let told = world.ask(101, COOKIE, (304, &file(), ""));
    assert!(told.starts_with("200 body | fwd=stale; fwd-status=304; ttl=110; stored"), "{told}");
    assert_eq!(world.ask(102, "GET /", NOBODY), "200 body | hit; ttl=109");
    // Of a part it is so as well.
    let part = format!("{}\ncontent-range: bytes 0-1/4", file());
    world.ask(103, &format!("{COOKIE}\nif-match: *\nrange: bytes=0-1"), (206, &part, "bo"));
    assert_eq!(world.ask(104, "GET /", NOBODY), "200 body | hit; ttl=109");
}

#[test]
fn what_was_its_clients_own_stays_so() {
    let world = World::twice();
    world.ask(0, "GET /", (200, &format!("{}\nserver: a", file()), "body"));
    let hit = world.confirmed(101, COOKIE, &format!("{}\nx-user: me\nserver: b", file()));
    assert_eq!(
        (&hit.headers()["x-user"], &hit.headers()["server"]),
        (&"me".parse().unwrap(), &"a".parse().unwrap())
    );
    let headers = world.headers(102, "GET /");
    assert_eq!(
        (headers.contains_key("x-user"), &headers["server"]),
        (false, &"a".parse().unwrap())
    );
    // And what is said to be his own is kept no more.
    for own in ["cache-control: private", "cache-control: no-store", "vary: *"] {
        let world = World::twice();
        world.ask(0, "GET /", (200, &file(), "body"));
        world.ask(101, COOKIE, (304, &format!("{}\n{own}", file()), ""));
        assert_eq!(world.ask(102, "GET /", NOBODY), "502 nothing is stored", "{own}");
    }
}

#[test]
fn a_head_of_one_with_cookies_makes_nothing_new() {
    let world = World::twice();
    world.ask(0, "GET /", (200, &file(), "body"));
    world.ask(101, "HEAD /\ncookie: a=b", (200, &file(), ""));
    let told = world.ask(102, "GET /", (304, "", ""));
    assert!(told.starts_with("200 body | fwd=stale"), "{told}");
}

#[test]
fn who_waits_for_a_confirmation_that_is_not_for_all_goes_on_as_for_an_answer() {
    let check = |lines: &str, expect: [&str; 3]| {
        let cache = Cache::new(Settings::default());
        begin(&cache, lead(&cache, "GET /"), &file()).finish();
        let Lookup::Ask(fetch) = look_at(&cache, COOKIE, 101) else { panic!("a hit") };
        assert!(fetch.leads());
        let waiters = ["GET /", COOKIE, "GET /"].map(|text| match look_at(&cache, text, 101) {
            Lookup::Join(waiter) => (text, waiter),
            lookup => panic!("{}", name(&lookup)),
        });
        let times = Times { requested: at(101), received: at(101) };
        let (status, headers) = (StatusCode::NOT_MODIFIED, &fields(lines));
        let answered = Answered { status, headers, times };
        let taken = cache.take(fetch, &request(COOKIE).asked(), answered);
        assert!(matches!(taken, Taken::Answer(_)));
        let resume = |(text, waiter)| cache.resume(waiter, &request(text).asked(), at(101));
        assert_eq!(waiters.map(resume).each_ref().map(name), expect, "{lines}");
    };
    check(&file(), ["hit"; 3]);
    check("set-cookie: a=c", ["alone"; 3]);
}
