//! What the public suite says of itself that it does not ask yet, by section.

use super::{date, world::World};

const FRESH: &str = "cache-control: max-age=60\netag: \"a\"";
const NOBODY: (u16, &str, &str) = (0, "", "");

fn stored(status: u16, lines: &str) -> World {
    let world = World::twice();
    let told = world.ask(0, "GET /", (status, lines, "0123456789"));
    assert!(told.ends_with("stored"), "{told} for {status} {lines:?}");
    world
}

/// RFC 9110 §13.1.5
#[test]
fn if_range_is_judged_by_what_is_stored() {
    let day = 86_400;
    let modified = format!("{FRESH}\n{}\n{}", date("last-modified", -day), date("date", 0));
    let world = stored(200, &modified);
    let (same, other) = (date("if-range", -day), date("if-range", -day + 1));
    for (validator, expect) in [
        ("if-range: \"a\"", "206 01"),
        ("if-range: \"b\"", "200 0123456789"),
        ("if-range: W/\"a\"", "200 0123456789"),
        ("if-range: a", "200 0123456789"),
        (&same, "206 01"),
        (&other, "200 0123456789"),
    ] {
        let told = world.ask(1, &format!("GET /\nrange: bytes=0-1\n{validator}"), NOBODY);
        assert_eq!(told, format!("{expect} | hit; ttl=59"), "for {validator}");
    }
}

/// RFC 9110 §14.2, §15.5.17
#[test]
fn ranges_that_nothing_is_in_are_416_and_malformed_ones_are_ignored() {
    let world = stored(200, FRESH);
    for (range, expect) in [
        ("bytes=10-", "416 "),
        ("bytes=10-11, 12-", "416 "),
        ("bytes=-0", "416 "),
        ("bytes=9-99", "206 9"),
        ("bytes=-99", "206 0123456789"),
        ("bytes=5-2", "200 0123456789"),
        ("bytes=a-", "200 0123456789"),
        ("pages=1-2", "200 0123456789"),
    ] {
        let told = world.ask(1, &format!("GET /\nrange: {range}"), NOBODY);
        assert_eq!(told, format!("{expect} | hit; ttl=59"), "for {range}");
    }
}

/// RFC 9110 §13.1.1: it is for origins, and what is stored may not be what they have.
#[test]
fn if_match_is_asked_of_the_origin() {
    let world = stored(200, FRESH);
    let told = world.ask(1, "GET /\nif-match: \"b\"", (412, "", ""));
    assert_eq!(told, "412  | fwd=request; fwd-status=412 [if-match: \"b\"]");
    assert_eq!(world.ask(2, "GET /", NOBODY), "200 0123456789 | hit; ttl=58");
    let told = world.ask(3, "GET /\nif-match: \"a\"", (200, FRESH, "new"));
    assert!(told.starts_with("200 new | fwd=request"), "{told}");
    assert_eq!(world.ask(4, "GET /", NOBODY), "200 new | hit; ttl=59");
}

/// RFC 9111 §5.2.1.7
#[test]
fn only_if_cached_is_a_hit_where_there_is_one() {
    let world = stored(200, FRESH);
    let wish = |path: &str| format!("GET {path}\ncache-control: only-if-cached");
    assert_eq!(world.ask(1, &wish("/"), NOBODY), "200 0123456789 | hit; ttl=59");
    assert_eq!(world.ask(1, &wish("/b"), NOBODY), "504");
    assert_eq!(world.ask(61, &wish("/"), NOBODY), "504");
    let stale = format!("{}, max-stale", wish("/"));
    assert_eq!(world.ask(61, &stale, NOBODY), "200 0123456789 | hit; ttl=-1");
}

/// RFC 9111 §4.3.5
#[test]
fn a_head_that_contradicts_what_is_stored_takes_it_out() {
    let modified = format!("{FRESH}\n{}", date("last-modified", -9));
    for newer in [
        "etag: \"b\"".to_owned(),
        "etag: W/\"b\"".to_owned(),
        date("last-modified", -8),
        "content-length: 11".to_owned(),
    ] {
        let world = stored(200, &modified);
        world.ask(61, "HEAD /", (200, &newer, ""));
        let told = world.ask(62, "GET /\ncache-control: max-stale", NOBODY);
        assert_eq!(told, "502 nothing is stored", "for {newer:?}");
    }
    let world = stored(200, &modified);
    world.ask(61, "HEAD /", (200, &format!("{modified}\ncontent-length: 10\na: 1"), ""));
    assert_eq!(world.ask(62, "GET /", NOBODY), "200 0123456789 | hit; ttl=59");
    // And one that fails says nothing of it.
    let world = stored(200, &modified);
    world.ask(61, "HEAD /", (404, "etag: \"b\"", ""));
    assert!(world.ask(62, "GET /\ncache-control: max-stale", NOBODY).starts_with("200 "));
}

/// RFC 9111 §4.3.5: it confirms what a GET would be answered.
#[test]
fn a_head_confirms_no_other_status() {
    for status in [404, 410, 301, 203] {
        let world = stored(status, FRESH);
        world.ask(61, "HEAD /", (200, "cache-control: max-age=999\netag: \"a\"", ""));
        let told = world.ask(62, "GET /\ncache-control: max-stale", NOBODY);
        assert_eq!(told, "502 nothing is stored", "for {status}");
    }
}

/// RFC 9111 §4.2.2, RFC 9110 §15.1
#[test]
fn some_statuses_are_guessed_at_and_others_are_not() {
    let modified = date("last-modified", -1000);
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        let world = World::twice();
        world.ask(0, "GET /", (status, &modified, ""));
        let told = world.ask(99, "GET /", NOBODY);
        assert_eq!(told, format!("{status}  | hit; ttl=1"), "for {status}");
        assert!(world.ask(100, "GET /", NOBODY).starts_with(&format!("{status}  | hit; ttl=0")));
    }
    for status in [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504] {
        let world = World::twice();
        let told = world.ask(0, "GET /", (status, &modified, ""));
        assert!(!told.ends_with("stored"), "for {status}");
    }
    let part = format!("{modified}\netag: \"a\"\ncontent-range: bytes 0-1/10");
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=0-1", (206, &part, "01"));
    assert_eq!(world.ask(99, "GET /\nrange: bytes=1-1", NOBODY), "206 1 | hit; ttl=1");
    let told = world.ask(101, "GET /\nrange: bytes=1-1", (304, "etag: \"a\"", ""));
    assert!(told.starts_with("206 1 | fwd=stale; fwd-status=304"), "{told}");
}

/// RFC 9110 §10.2.2: a stored redirect leads where it led.
#[test]
fn stored_redirects_have_their_location() {
    for status in [301, 302, 303, 307, 308] {
        let world = World::twice();
        let lines = "cache-control: max-age=60\nlocation: /there?a#b";
        world.ask(0, "GET /", (status, lines, ""));
        let headers = world.headers(1, "GET /");
        assert_eq!(headers["location"], "/there?a#b", "for {status}");
        // A range is of what it would lead to, and a condition, too (RFC 9110 §13.2.1).
        let told = world.ask(1, "GET /\nrange: bytes=0-1\nif-none-match: *", NOBODY);
        assert_eq!(told, format!("{status}  | hit; ttl=59"));
    }
}

/// RFC 5861 §3, §4
#[test]
fn windows_end_to_the_second() {
    let lines = "cache-control: max-age=5, stale-while-revalidate=10, stale-if-error=20";
    let world = stored(200, lines);
    assert_eq!(world.ask(4, "GET /", NOBODY), "200 0123456789 | hit; ttl=1");
    let told = world.ask(14, "GET /", (503, "", ""));
    assert!(told.starts_with("200 0123456789 | hit; ttl=-9 + "), "{told}");
    let told = world.ask(15, "GET /", (503, "", ""));
    assert_eq!(told, "200 0123456789 | hit; ttl=-10");
    assert_eq!(world.ask(24, "GET /", (500, "", "")), "200 0123456789 | hit; ttl=-19");
    let told = world.ask(25, "GET /", (503, "", "sorry"));
    assert!(told.starts_with("503 sorry | fwd=stale; fwd-status=503"), "{told}");
}
