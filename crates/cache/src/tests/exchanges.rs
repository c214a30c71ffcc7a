//! Whole exchanges: what clients get, and what upstream is asked, as time goes by.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    date,
    world::{Upstream, World},
};
use crate::{Settings, store::VARIANTS_MAX};

const NOBODY: Upstream<'static> = (0, "", "");
const FRESH: &str = "cache-control: max-age=60";

#[test]
fn the_second_asks_nobody() {
    let world = World::twice();
    let first = world.ask(0, "GET /", (200, FRESH, "x"));
    assert_eq!(first, "200 x | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    assert_eq!(world.ask(5, "GET /", NOBODY), "200 x | hit; ttl=55");
    assert_eq!(world.ask(5, "HEAD /", NOBODY), "200  | hit; ttl=55");
    assert_eq!(world.ask(5, "GET /?y", NOBODY), "502 nothing is stored");
    assert_eq!(world.ask(5, "GET /\ncookie: a=b", NOBODY), "200 x | hit; ttl=55");
}

#[test]
fn what_says_nothing_is_fresh_for_a_minute() {
    let world = World::twice();
    assert_eq!(
        world.ask(0, "GET /", (200, "", "x")),
        "200 x | fwd=uri-miss; fwd-status=200; ttl=60; stored"
    );
    assert_eq!(world.ask(59, "GET /", NOBODY), "200 x | hit; ttl=1");
    let later = world.ask(60, "GET /", (200, "", "y"));
    assert_eq!(later, "200 y | fwd=stale; fwd-status=200; ttl=60; stored");
    assert_eq!(world.ask(61, "GET /", NOBODY), "200 y | hit; ttl=59");
}

#[test]
fn nobodys_page_is_not_given_to_somebody_nor_back() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "", "anonymous"));
    let own = world.ask(1, "GET /\ncookie: id=1", (200, "", "mine"));
    assert_eq!(own, "200 mine | fwd=request; fwd-status=200");
    assert_eq!(world.ask(2, "GET /", NOBODY), "200 anonymous | hit; ttl=58");
}

#[test]
fn stale_ones_are_validated() {
    let world = World::twice();
    let lines = format!("{FRESH}\netag: \"1\"\n{}\na: old\nb: old", date("last-modified", -9));
    world.ask(0, "GET /", (200, &lines, "x"));
    let newer = format!("{}\netag: \"1\"\na: new", date("date", 60));
    let validated = world.ask(60, "GET /", (304, &newer, ""));
    let sent = format!(" [if-modified-since: {}] [if-none-match: \"1\"]", &date("", -9)[2..]);
    assert_eq!(validated, format!("200 x | fwd=stale; fwd-status=304; ttl=60; stored{sent}"));
    assert_eq!(world.ask(119, "GET /", NOBODY), "200 x | hit; ttl=1");
}

#[test]
fn a_304_may_change_terms_and_age() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    let newer = "cache-control: max-age=100\nage: 30";
    let validated = world.ask(9, "GET /", (304, newer, ""));
    assert_eq!(
        validated,
        "200 x | fwd=stale; fwd-status=304; ttl=70; stored [if-none-match: \"1\"]"
    );
    assert_eq!(world.ask(10, "GET /", NOBODY), "200 x | hit; ttl=69");
}

#[test]
fn a_304_may_end_it() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    let validated = world.ask(9, "GET /", (304, "cache-control: no-store", ""));
    assert_eq!(validated, "200 x | fwd=stale; fwd-status=304; ttl=60 [if-none-match: \"1\"]");
    assert_eq!(world.ask(9, "GET /", NOBODY), "502 nothing is stored");
}

#[test]
fn a_cookie_of_a_304_is_for_one_client() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    world.ask(9, "GET /", (304, "set-cookie: id=1\ncache-control: max-age=60", ""));
    let next = world.ask(10, "GET /", (304, "", ""));
    assert_eq!(next, "200 x | fwd=stale; fwd-status=304; ttl=5; stored [if-none-match: \"1\"]");
    assert_eq!(world.ask(11, "GET /", NOBODY), "200 x | hit; ttl=4");
}

#[test]
fn a_304_about_something_else_is_asked_again() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    let again = world.ask(9, "GET /", (304, "etag: \"2\"", ""));
    let expect =
        "again: 200 again | fwd=stale; fwd-status=200; ttl=60; stored [if-none-match: \"1\"]";
    assert_eq!(again, expect);
    assert_eq!(world.ask(10, "GET /", NOBODY), "200 again | hit; ttl=59");
}

#[test]
fn clients_conditions_are_answered_from_the_store() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=60\netag: \"1\"", "x"));
    assert_eq!(world.ask(1, "GET /\nif-none-match: \"1\"", NOBODY), "304  | hit; ttl=59");
    assert_eq!(world.ask(1, "GET /\nif-none-match: \"2\"", NOBODY), "200 x | hit; ttl=59");
    let stale = world.ask(60, "GET /\nif-none-match: \"2\"", (304, "", ""));
    assert_eq!(stale, "200 x | fwd=stale; fwd-status=304; ttl=60; stored [if-none-match: \"1\"]");
    let stale = world.ask(120, "GET /\nif-none-match: \"1\"", (304, "", ""));
    assert_eq!(stale, "304  | fwd=stale; fwd-status=304; ttl=60; stored [if-none-match: \"1\"]");
}

#[test]
fn conditions_for_the_origin_are_its_own() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=60\netag: \"1\"", "x"));
    let unmet = world.ask(1, "GET /\nif-match: \"2\"", (412, "", ""));
    assert_eq!(unmet, "412  | fwd=request; fwd-status=412 [if-match: \"2\"]");
    assert_eq!(world.ask(1, "GET /", NOBODY), "200 x | hit; ttl=59");
}

#[test]
fn a_304_for_the_client_is_passed_on() {
    let world = World::twice();
    let passed = world.ask(0, "GET /\nif-none-match: \"1\"", (304, "etag: \"1\"", ""));
    assert_eq!(passed, "304  | fwd=uri-miss; fwd-status=304 [if-none-match: \"1\"]");
}

#[test]
fn parts_are_cut_out_of_wholes() {
    let world = World::twice();
    world.ask(0, "GET /", (200, FRESH, "0123456789"));
    assert_eq!(world.ask(1, "GET /\nrange: bytes=2-4", NOBODY), "206 234 | hit; ttl=59");
    assert_eq!(world.ask(1, "GET /\nrange: bytes=-1", NOBODY), "206 9 | hit; ttl=59");
    assert_eq!(world.ask(1, "GET /\nrange: bytes=10-", NOBODY), "416  | hit; ttl=59");
    let part = (206, "cache-control: max-age=60\ncontent-range: bytes 0-0/2", "0");
    let passed = world.ask(1, "GET /b\nrange: bytes=0-0", part);
    assert_eq!(passed, "206 0 | fwd=uri-miss; fwd-status=206; ttl=60; stored");
}

#[test]
fn only_what_is_there_is_wanted() {
    let world = World::twice();
    let request = "GET /\ncache-control: only-if-cached";
    assert_eq!(world.ask(0, request, (200, FRESH, "x")), "504");
    world.ask(0, "GET /", (200, FRESH, "x"));
    assert_eq!(world.ask(0, request, NOBODY), "200 x | hit; ttl=60");
    assert_eq!(world.ask(60, request, (200, FRESH, "x")), "504");
}

#[test]
fn requests_that_bring_something_are_not_answered_from_the_store() {
    let world = World::twice();
    world.ask(0, "GET /", (200, FRESH, "x"));
    let fat = world.ask(1, "GET /\ncontent-length: 3", (200, FRESH, "poison"));
    assert_eq!(fat, "200 poison | fwd=bypass; fwd-status=200");
    assert_eq!(world.ask(1, "GET /", NOBODY), "200 x | hit; ttl=59");
    let options = world.ask(1, "OPTIONS /", (200, FRESH, ""));
    assert_eq!(options, "200  | fwd=method; fwd-status=200");
}

#[test]
fn changes_invalidate_what_they_name() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"] {
        let world = World::twice();
        for path in ["/a", "/b", "/c/d", "/e"] {
            world.ask(0, &format!("GET {path}"), (200, FRESH, "x"));
        }
        let named = "location: /b\ncontent-location: http://A:80/c/./d";
        world.ask(1, &format!("{method} /a"), (200, named, ""));
        for path in ["/a", "/b", "/c/d"] {
            let gone = world.ask(2, &format!("GET {path}"), NOBODY);
            assert_eq!(gone, "502 nothing is stored", "{method} {path}");
        }
        assert_eq!(world.ask(2, "GET /e", NOBODY), "200 x | hit; ttl=58");
    }
}

#[test]
fn what_changes_nothing_invalidates_nothing() {
    let world = World::twice();
    world.ask(0, "GET /", (200, FRESH, "x"));
    world.ask(0, "GET /b", (200, FRESH, "x"));
    world.ask(1, "POST /", (500, "", ""));
    world.ask(1, "POST /", (404, "", ""));
    world.ask(1, "POST /c", (200, "location: http://other/b\ncontent-location: //other/b", ""));
    world.ask(1, "OPTIONS /", (200, "", ""));
    assert_eq!(world.ask(2, "GET /", NOBODY), "200 x | hit; ttl=58");
    assert_eq!(world.ask(2, "GET /b", NOBODY), "200 x | hit; ttl=58");
}

#[test]
fn variants_are_kept_apart() {
    let world = World::twice();
    let varied = "cache-control: max-age=60\nvary: accept-language";
    world.ask(0, "GET /\naccept-language: de", (200, varied, "hallo"));
    let english = world.ask(1, "GET /\naccept-language: en", (200, varied, "hello"));
    assert_eq!(english, "200 hello | fwd=vary-miss; fwd-status=200; ttl=60; stored");
    assert_eq!(world.ask(2, "GET /\naccept-language: DE", NOBODY), "200 hallo | hit; ttl=58");
    assert_eq!(world.ask(2, "GET /\naccept-language: en", NOBODY), "200 hello | hit; ttl=59");
    assert_eq!(world.ask(2, "GET /", NOBODY), "502 nothing is stored");
    world.ask(3, "POST /", (204, "", ""));
    assert_eq!(world.ask(4, "GET /\naccept-language: de", NOBODY), "502 nothing is stored");
}

#[test]
fn who_says_for_whom_it_is_comes_first() {
    let world = World::twice();
    let varied = "cache-control: max-age=60\nvary: foo";
    world.ask(0, "GET /\nfoo: 1", (200, varied, "one"));
    world.ask(1, "GET /\nfoo: 2", (200, FRESH, "default"));
    assert_eq!(world.ask(2, "GET /\nfoo: 1", NOBODY), "200 one | hit; ttl=58");
    assert_eq!(world.ask(2, "GET /\nfoo: 3", NOBODY), "200 default | hit; ttl=59");
}

#[test]
fn what_varies_no_more_replaces_what_did() {
    let world = World::twice();
    world.ask(0, "GET /\nfoo: 1", (200, "cache-control: max-age=5\nvary: foo", "old"));
    world.ask(5, "GET /\nfoo: 1", (200, FRESH, "new"));
    assert_eq!(world.ask(6, "GET /\nfoo: 1", NOBODY), "200 new | hit; ttl=59");
}

#[test]
fn variants_have_an_end() {
    let world = World::twice();
    let varied = "cache-control: max-age=60\nvary: foo";
    for at in 0..=VARIANTS_MAX {
        world.ask(0, &format!("GET /\nfoo: {at}"), (200, varied, "x"));
    }
    assert_eq!(world.ask(1, "GET /\nfoo: 0", NOBODY), "502 nothing is stored");
    assert_eq!(world.ask(1, "GET /\nfoo: 1", NOBODY), "200 x | hit; ttl=59");
    assert_eq!(world.cache.keys(), 1);
}

#[test]
fn stale_ones_stand_in_for_failures() {
    let world = World::twice();
    let control = "cache-control: max-age=5, stale-if-error=10";
    world.ask(0, "GET /", (200, control, "x"));
    assert_eq!(world.ask(6, "GET /", (503, "", "sorry")), "200 x | hit; ttl=-1");
    assert_eq!(world.ask(6, "GET /", NOBODY), "200 x | hit; ttl=-1");
    let sorry = world.ask(15, "GET /", (503, "", "sorry"));
    assert_eq!(sorry, "503 sorry | fwd=stale; fwd-status=503");
    assert_eq!(world.ask(15, "GET /", NOBODY), "502 stale for too long");
    world.ask(0, "GET /b", (200, "cache-control: max-age=5, must-revalidate", "x"));
    let refused = world.ask(6, "GET /b", NOBODY);
    assert_eq!(refused, "502 what is stored must not be sent without asking");
}

/// RFC 9111 §5.2.2.4, §5.2.2.7
#[test]
fn what_a_304_withholds_is_for_who_asked_alone() {
    for control in ["no-cache=\"set-cookie, x-name\"", "private=\"set-cookie, x-name\""] {
        let world = World::twice();
        let control = format!("cache-control: max-age=5, {control}\netag: \"1\"");
        world.ask(0, "GET /", (200, &control, "x"));
        let newer = format!("{control}\nset-cookie: id=1\nx-name: me");
        let has = |headers: &http::HeaderMap| {
            ["set-cookie", "x-name"].map(|name| headers.contains_key(name))
        };
        let both = [(9, "GET /", 200), (19, "GET /\nif-none-match: \"1\"", 304)];
        for (seconds, request, status) in both {
            let hit = world.confirmed(seconds, request, &newer);
            assert_eq!((hit.status().as_u16(), has(&hit.headers())), (status, [true; 2]));
            let mut printed = Vec::new();
            hit.print_fields(&mut printed);
            let printed = String::from_utf8(printed).unwrap();
            assert!(printed.contains("set-cookie: id=1\r\nx-name: me\r\n"), "{printed}");
            assert_eq!(has(&world.headers(seconds + 1, "GET /")), [false; 2], "for others");
        }
    }
}

/// RFC 9110 §14.4
#[test]
fn a_whole_answer_with_a_range_of_its_own_is_cut_like_any_other() {
    let world = World::new();
    let lines = format!("{FRESH}\ncontent-range: bytes 5-14/100\netag: \"1\"");
    world.ask(0, "GET /", (200, &lines, "0123456789"));
    let ranges = |request: &str| {
        let headers = world.headers(1, request);
        let values = headers.get_all("content-range").iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ranges("GET /\nrange: bytes=2-3"), ["bytes 2-3/10"]);
    assert!(ranges("GET /\nrange: bytes=0-0,5-5").is_empty());
    assert_eq!(ranges("GET /\nrange: bytes=50-"), ["bytes */10"]);
}

#[test]
fn one_asks_while_all_are_served_stale() {
    let world = World::new();
    let control = "cache-control: max-age=5, stale-while-revalidate=10\netag: \"1\"";
    world.ask(0, "GET /", (200, control, "x"));
    let first = world.ask(6, "GET /", (304, "", ""));
    let asked = "200 x | fwd=stale; fwd-status=304; ttl=5; stored [if-none-match: \"1\"]";
    assert_eq!(first, format!("200 x | hit; ttl=-1 + {asked}"));
    assert_eq!(world.ask(7, "GET /", NOBODY), "200 x | hit; ttl=4");
    let failed = world.ask(12, "GET /", (500, "", "sorry"));
    assert_eq!(
        failed,
        "200 x | hit; ttl=-1 + 500 sorry | fwd=stale; fwd-status=500 [if-none-match: \"1\"]"
    );
    let at_once = world.ask(12, "GET /", (200, FRESH, "y"));
    assert_eq!(at_once, "200 x | hit; ttl=-1", "asked again within a second of failing");
    let again = world.ask(13, "GET /", (200, FRESH, "y"));
    assert!(again.starts_with("200 x | hit; ttl=-2 + 200 y | fwd=stale"), "{again}");
    assert_eq!(world.ask(14, "GET /", NOBODY), "200 y | hit; ttl=59");
}

#[test]
fn who_wants_to_speak_something_else_gets_nothing_that_is_stored() {
    let world = World::twice();
    world.ask(0, "GET /", (200, FRESH, "x"));
    let switch = "GET /\nconnection: upgrade\nupgrade: websocket";
    let own = world.ask(1, switch, (426, FRESH, "own"));
    assert_eq!(own, "426 own | fwd=bypass; fwd-status=426");
    assert_eq!(world.ask(2, "GET /", NOBODY), "200 x | hit; ttl=58");
}

#[test]
fn an_errand_asks_for_all_of_it() {
    let world = World::twice();
    let control = "cache-control: max-age=5, stale-while-revalidate=10";
    world.ask(0, "GET /", (200, control, "x"));
    let served = world.ask(6, "GET /\nif-none-match: \"9\"", (200, FRESH, "y"));
    let asked = "200 y | fwd=stale; fwd-status=200; ttl=60; stored";
    assert_eq!(served, format!("200 x | hit; ttl=-1 + {asked}"));
}

#[test]
fn a_head_tells_of_what_is_stored() {
    let world = World::twice();
    world.ask(0, "GET /", (200, "cache-control: max-age=5\netag: \"1\"", "x"));
    let head = world.ask(6, "HEAD /", (200, "cache-control: max-age=60\netag: \"1\"", ""));
    assert_eq!(head, "200  | fwd=stale; fwd-status=200");
    assert_eq!(world.ask(7, "GET /", NOBODY), "200 x | hit; ttl=59");
    world.ask(66, "HEAD /", (200, "etag: \"2\"", ""));
    assert_eq!(world.ask(67, "GET /", NOBODY), "502 nothing is stored");
}

#[test]
fn without_a_lifetime_of_its_own_nothing_is_kept() {
    let world = World::twice_with(Settings {
        default_ttl: std::time::Duration::ZERO,
        ..Settings::default()
    });
    assert_eq!(world.ask(0, "GET /", (200, "", "x")), "200 x | fwd=uri-miss; fwd-status=200");
    assert_eq!(world.cache.keys(), 0);
}

proptest! {
    #[test]
    fn nothing_panics(
        method in "GET|HEAD|POST",
        requests in vec(one_of(REQUEST_FIELDS), 0..4),
        responses in vec((one_of(RESPONSE_FIELDS), 0..3_usize), 1..4),
        times in vec(-9_i64..200_000, 4),
    ) {
        let world = World::twice();
        for (at, seconds) in times.iter().enumerate() {
            let (line, status) = &responses[at % responses.len()];
            let request = [&format!("{method} /")[..], &requests.join("\n")].join("\n");
            let lines = [line.as_str(), "cache-control: max-age=5", "etag: \"1\""][..=*status].join("\n");
            world.ask(*seconds, &request, ([200, 304, 503][*status], &lines, "0123456789"));
        }
    }
}

const REQUEST_FIELDS: &[&str] = &[
    "cache-control: max-stale=",
    "cache-control: min-fresh=",
    "cache-control: max-age=",
    "range: bytes=",
    "if-none-match: ",
    "if-modified-since: ",
    "if-range: ",
    "accept: ",
];

const RESPONSE_FIELDS: &[&str] = &[
    "cache-control: max-age=",
    "cache-control: stale-if-error=9, stale-while-revalidate=",
    "cdn-cache-control: max-age=",
    "age: ",
    "date: ",
    "expires: ",
    "etag: ",
    "last-modified: ",
    "vary: accept, ",
    "content-length: ",
    "location: ",
    "connection: ",
];

/// One of these beginnings of a line, with an end that may fit.
fn one_of(beginnings: &'static [&'static str]) -> impl Strategy<Value = String> {
    let end =
        "[0-9]{1,22}|[\"a-z0-9,;=*/. -]{0,12}|Sun, 0[1-9] Sep 200[0-2] 0[0-9]:46:40 GMT|[ -~]*";
    (select(beginnings), end).prop_map(|(beginning, end)| beginning.to_owned() + &end)
}

/// RFC 9110 §9.3.3
#[test]
fn what_a_post_came_to_may_answer_gets() {
    let named = "cache-control: max-age=60\ncontent-location: /";
    let posted = |request: &str, status: u16, lines: &str| {
        let world = World::twice();
        world.ask(0, "GET /", (200, FRESH, "old"));
        let told = world.ask(1, request, (status, lines, "new"));
        (told, world.ask(2, "GET /", NOBODY))
    };
    let stored = "200 new | fwd=method; fwd-status=200; ttl=60; stored".to_owned();
    let hit = "200 new | hit; ttl=59".to_owned();
    let body = "POST /\ncontent-length: 3";
    assert_eq!(posted(body, 200, named), (stored.clone(), hit.clone()));
    let absolute = "cache-control: max-age=60\ncontent-location: http://a/";
    assert_eq!(posted("POST /", 200, absolute), (stored, hit));
    let personal = "POST /\nauthorization: x";
    for (request, status, lines) in [
        ("POST /", 200, "cache-control: max-age=60"),
        ("POST /", 200, "content-location: /"),
        ("POST /", 200, "cache-control: max-age=60\ncontent-location: /b"),
        ("POST /", 200, "cache-control: max-age=60\ncontent-location: http://b/"),
        ("POST /", 200, "cache-control: max-age=60, no-store\ncontent-location: /"),
        ("POST /", 201, named),
        ("POST /", 303, named),
        ("PUT /", 200, named),
        ("POST /\ncache-control: no-store", 200, named),
        ("POST /\nx-http-method-override: DELETE", 200, named),
        (personal, 200, named),
    ] {
        let (told, next) = posted(request, status, lines);
        assert!(!told.ends_with("stored"), "{told} for {request:?} {status} {lines:?}");
        assert_eq!(next, "502 nothing is stored", "for {request:?} {status} {lines:?}");
    }
    // A POST is never answered from what is stored.
    let world = World::twice();
    world.ask(0, "POST /", (200, named, "new"));
    assert!(world.ask(1, "POST /", NOBODY).starts_with("502"));
}
