//! RFC 9111 §3.3, §3.4 and RFC 9110 §14, §15.3.7: parts that are stored, answered from, and completed.

use http::{Method, StatusCode};

use super::{
    at, date, fields,
    world::{World, key},
};
use crate::{Answered, Lookup, Outcome, Request, Settings, Taken, Times};

const TAGGED: &str = "cache-control: max-age=60\netag: \"a\"";

fn part(of: &str) -> String {
    format!("{TAGGED}\ncontent-range: bytes {of}")
}

/// A world in which `bytes` of `0123456789` were asked for by their range, one after the other.
fn with_parts(bytes: &[&str]) -> World {
    let world = World::new();
    for range in bytes {
        let (first, last) = range.split_once('-').unwrap();
        let text = &"0123456789"[first.parse().unwrap()..=last.parse().unwrap()];
        let told = world.ask(
            0,
            &format!("GET /\ncache-control: no-cache\nrange: bytes={range}"),
            (206, &part(&format!("{range}/10")), text),
        );
        assert!(told.contains("; stored"), "{told}");
    }
    world
}

#[test]
fn a_part_answers_the_ranges_in_it() {
    let world = with_parts(&["2-6"]);
    let from_store = |range: &str, expect: &str| {
        let told = world.ask(1, &format!("GET /\nrange: bytes={range}"), (0, "", ""));
        assert_eq!(told, expect, "for {range}");
    };
    from_store("2-6", "206 23456 | hit; ttl=59");
    from_store("3-4", "206 34 | hit; ttl=59");
    from_store("6-6", "206 6 | hit; ttl=59");
    from_store("10-", "416  | hit; ttl=59");
    // Whoever has it, has it.
    let told = world.ask(1, "GET /\nif-none-match: \"a\"", (0, "", ""));
    assert_eq!(told, "304  | hit; ttl=59");
}

#[test]
fn a_part_answers_nothing_else() {
    let world = with_parts(&["2-6"]);
    let upstream = |request: &str| world.ask(1, request, (0, "", ""));
    assert_eq!(upstream("GET /\nrange: bytes=8-9"), "502 only other parts of it are stored");
    assert_eq!(upstream("HEAD /"), "502 only other parts of it are stored");
    let asked = "502 only other parts of it are stored [if-range: \"a\"] [range: bytes=0-]";
    assert_eq!(upstream("GET /"), asked);
    assert_eq!(world.ask(1, "GET /\ncache-control: only-if-cached", (0, "", "")), "504");
}

#[test]
fn what_is_missing_is_asked_for_and_put_together() {
    let world = with_parts(&["0-4"]);
    let told = world.ask(2, "GET /", (206, &part("5-9/10"), "56789"));
    let sent = "[if-range: \"a\"] [range: bytes=5-]";
    let said = "fwd=partial; fwd-status=206; ttl=60; stored";
    assert_eq!(told, format!("200 0123456789 | {said} {sent}"));
    assert_eq!(world.ask(3, "GET /", (0, "", "")), "200 0123456789 | hit; ttl=59");
    assert_eq!(world.ask(3, "GET /\nrange: bytes=-3", (0, "", "")), "206 789 | hit; ttl=59");
}

#[test]
fn a_range_is_completed_alone() {
    let world = with_parts(&["2-4"]);
    let told = world.ask(2, "GET /\nrange: bytes=3-6", (206, &part("5-6/10"), "56"));
    let said = "fwd=partial; fwd-status=206; ttl=60; stored";
    assert_eq!(told, format!("206 3456 | {said} [if-range: \"a\"] [range: bytes=5-6]"));
    let told = world.ask(2, "GET /\nrange: bytes=2-6", (0, "", ""));
    assert_eq!(told, "206 23456 | hit; ttl=60");
}

#[test]
fn parts_that_come_in_any_order_become_whole() {
    for order in [["0-3", "4-6", "7-9"], ["7-9", "0-3", "4-6"]] {
        let world = with_parts(&order);
        let told = world.ask(1, "GET /", (0, "", ""));
        assert_eq!(told, "200 0123456789 | hit; ttl=59", "for {order:?}");
    }
}

#[test]
fn several_ranges_are_answered_as_several_parts() {
    let world = with_parts(&["0-1", "6-9"]);
    let told = world.ask(1, "GET /\nrange: bytes=0-0,7-8", (0, "", ""));
    assert!(told.starts_with("206 --relais-"), "{told}");
    for text in ["Content-Range: bytes 0-0/10\r\n\r\n0\r\n", "bytes 7-8/10\r\n\r\n78\r\n"] {
        assert!(told.contains(text), "{told}");
    }
    let told = world.ask(1, "GET /\nrange: bytes=0-0,5-8", (0, "", ""));
    assert_eq!(told, "502 only other parts of it are stored");
}

#[test]
fn only_parts_of_the_same_are_put_together() {
    let other = "cache-control: max-age=60\netag: \"b\"\ncontent-range: bytes 5-9/10";
    let weak = "cache-control: max-age=60\netag: W/\"a\"\ncontent-range: bytes 5-9/10";
    let none = "cache-control: max-age=60\ncontent-range: bytes 5-9/10";
    let elsewhere = part("4-9/10");
    let longer = part("5-9/11");
    for lines in [other, weak, none, &elsewhere, &longer] {
        let world = with_parts(&["0-4"]);
        let told = world.ask(2, "GET /", (206, lines, "56789"));
        assert!(told.starts_with("again: 200 again"), "{told} for {lines:?}");
        assert!(world.ask(3, "GET /", (200, "", "new")).starts_with("200 "), "for {lines:?}");
    }
    let world = with_parts(&["0-4"]);
    let told = world.ask(2, "GET /\nrange: bytes=6-9", (206, other, "56789"));
    assert!(told.ends_with("stored"), "{told}");
    let told = world.ask(3, "GET /\nrange: bytes=0-4", (0, "", ""));
    assert_eq!(
        told, "502 only other parts of it are stored",
        "what is there is of another response"
    );
}

#[test]
fn what_changed_comes_as_a_whole() {
    let world = with_parts(&["0-4"]);
    let newer = "cache-control: max-age=60\netag: \"b\"";
    let told = world.ask(2, "GET /", (200, newer, "abc"));
    let said = "fwd=partial; fwd-status=200; ttl=60; stored";
    assert_eq!(told, format!("200 abc | {said} [if-range: \"a\"] [range: bytes=5-]"));
    assert_eq!(world.ask(3, "GET /\nrange: bytes=0-1", (0, "", "")), "206 ab | hit; ttl=59");
}

#[test]
fn fewer_bytes_than_were_missing_are_asked_for_anew() {
    let world = with_parts(&["0-4"]);
    let told = world.ask(2, "GET /", (206, &part("5-9/10"), "567"));
    assert!(told.starts_with("again: 200 again"), "{told}");
}

#[test]
fn stale_parts_are_validated_where_they_answer() {
    let world = with_parts(&["0-4"]);
    let told = world.ask(99, "GET /\nrange: bytes=1-2", (304, "cache-control: max-age=9", ""));
    let said = "fwd=stale; fwd-status=304; ttl=9; stored";
    assert_eq!(told, format!("206 12 | {said} [if-none-match: \"a\"]"));
    let told = world.ask(100, "GET /\nrange: bytes=1-2", (0, "", ""));
    assert_eq!(told, "206 12 | hit; ttl=8");
    // And where they do not, the rest tells whether they are good.
    let told = world.ask(999, "GET /", (206, &part("5-9/10"), "56789"));
    let sent = "[if-range: \"a\"] [range: bytes=5-]";
    assert_eq!(told, format!("200 0123456789 | fwd=stale; fwd-status=206; ttl=60; stored {sent}"));
}

#[test]
fn without_a_validator_parts_stand_alone() {
    let lines = "cache-control: max-age=60\ncontent-range: bytes 0-4/10";
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=0-4", (206, lines, "01234"));
    let told = world.ask(1, "GET /\nrange: bytes=1-2", (0, "", ""));
    assert_eq!(told, "206 12 | hit; ttl=59");
    // It is asked for the rest, in the hope of all of it; parts of who knows what are not joined.
    let rest = lines.replace("0-4", "5-9");
    let told = world.ask(1, "GET /", (206, &rest, "56789"));
    assert!(told.starts_with("again: 200 again"), "{told}");
    assert!(told.ends_with("[range: bytes=5-]"), "{told}");
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=0-4", (206, lines, "01234"));
    world.ask(0, "GET /\nrange: bytes=5-9", (206, &rest, "56789"));
    let told = world.ask(1, "GET /\nrange: bytes=1-2", (0, "", ""));
    assert_eq!(told, "502 only other parts of it are stored", "the last that came is there");
}

#[test]
fn dates_a_second_before_tell_as_well() {
    let modified = format!("cache-control: max-age=60\n{}", date("last-modified", -50));
    let lines = |of: &str| format!("{modified}\ncontent-range: bytes {of}/10");
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=0-4", (206, &lines("0-4"), "01234"));
    let told = world.ask(1, "GET /", (206, &lines("5-9"), "56789"));
    assert!(told.starts_with("200 0123456789 | fwd=partial"), "{told}");
}

/// A `Content-Range` that its body does not bear out: what came is where it begins, and no more.
#[test]
fn a_part_is_no_longer_than_what_came() {
    let lines = "cache-control: max-age=60\ncontent-range: bytes 4-9/10";
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=-5", (206, lines, "45678"));
    let ask = |range: &str| world.ask(1, &format!("GET /\nrange: bytes={range}"), (0, "", ""));
    assert_eq!(ask("6-8"), "206 678 | hit; ttl=59");
    assert_eq!(ask("6-"), "502 only other parts of it are stored [range: bytes=9-]");
    assert_eq!(ask("-1"), "502 only other parts of it are stored");
    // The same question has the same answer.
    assert_eq!(ask("-5"), "206 45678 | hit; ttl=59");
    let longer = World::new();
    let told = longer.ask(0, "GET /\nrange: bytes=4-9", (206, lines, "4567890"));
    assert!(told.ends_with("CutShort"), "{told}");
}

#[test]
fn where_the_size_is_unknown_both_ends_have_to_be_said() {
    let world = World::new();
    world.ask(0, "GET /\nrange: bytes=2-4", (206, &part("2-4/*"), "234"));
    let ask = |range: &str| world.ask(1, &format!("GET /\nrange: bytes={range}"), (0, "", ""));
    assert_eq!(ask("3-4"), "206 34 | hit; ttl=59");
    for range in ["3-", "-1", "5-6"] {
        assert_eq!(ask(range), "502 only other parts of it are stored", "for {range}");
    }
    assert_eq!(world.ask(1, "GET /", (0, "", "")), "502 only other parts of it are stored");
}

#[test]
fn a_part_of_a_whole_is_news_of_its_fields() {
    let world = World::new();
    world.ask(0, "GET /", (200, TAGGED, "0123456789"));
    let reload = "GET /\ncache-control: no-cache\nrange: bytes=0-1";
    let newer = "cache-control: max-age=99\netag: \"a\"\ncontent-range: bytes 0-1/10";
    let told = world.ask(50, reload, (206, newer, "01"));
    assert_eq!(told, "206 01 | fwd=request; fwd-status=206 [if-none-match: \"a\"]");
    assert_eq!(world.ask(51, "GET /", (0, "", "")), "200 0123456789 | hit; ttl=98");
    let changed = "cache-control: max-age=99\netag: \"b\"\ncontent-range: bytes 0-1/10";
    world.ask(52, reload, (206, changed, "ab"));
    let told = world.ask(53, "GET /\nrange: bytes=0-1", (0, "", ""));
    assert_eq!(told, "206 ab | hit; ttl=98");
}

/// A byte drives out no whole: where only a weak tag, or none, says what it is of, that may be the same.
#[test]
fn a_part_that_may_be_of_the_whole_does_not_take_its_place() {
    let weak = "cache-control: max-age=60\netag: W/\"a\"";
    let dated = &format!("cache-control: max-age=60\n{}", date("last-modified", 0));
    for (whole, part) in [
        (weak, weak),
        (weak, ""),
        (TAGGED, weak),
        (dated, dated),
        ("cache-control: max-age=60", TAGGED),
    ] {
        let world = World::twice();
        world.ask(0, "GET /", (200, whole, "0123456789"));
        let part = format!("{part}\ncontent-range: bytes 0-1/10");
        let told = world.ask(0, "GET /\nif-match: *\nrange: bytes=0-1", (206, &part, "01"));
        assert!(told.starts_with("206 01 | fwd=request; fwd-status=206"), "{told}");
        assert_eq!(
            world.ask(1, "GET /", (0, "", "")),
            "200 0123456789 | hit; ttl=59",
            "{whole} {part}"
        );
    }
}

#[test]
fn a_part_that_comes_meanwhile_keeps_no_whole_out() {
    let (none, world) = (fields(""), World::new());
    let asked = Request::of(&Method::GET, &none);
    let Lookup::Ask(fetch) = world.cache.look(&key("/"), &asked, at(0)) else { panic!("a hit") };
    let told = world.ask(1, "GET /\nif-match: *\nrange: bytes=0-1", (206, &part("0-1/10"), "01"));
    assert!(told.contains("; stored"), "{told}");
    let times = Times { requested: at(0), received: at(2) };
    let answered = Answered { status: StatusCode::OK, headers: &fields(TAGGED), times };
    let Taken::Fill(mut writer) = world.cache.take(fetch, &asked, answered) else { panic!("none") };
    writer.add(&"0123456789".into());
    assert_eq!(writer.finish(), Outcome::Stored);
    assert_eq!(world.ask(3, "GET /", (0, "", "")), "200 0123456789 | hit; ttl=57");
}

/// Several parts have fields of their own, and what says another place than the whole has is of another.
#[test]
fn what_is_no_single_part_of_a_whole_is_no_news_of_it() {
    let several = "content-type: multipart/byteranges; boundary=x";
    for (ranges, lines) in [
        ("0-0,2-2", several.to_owned()),
        ("0-0,2-2", format!("{several}\ncontent-range: bytes 0-0/10")),
        ("0-1", "content-type: text/evil".to_owned()),
        ("0-1", "content-type: text/evil\ncontent-range: bytes 0-1/11".to_owned()),
        ("0-", "content-type: text/evil\ncontent-range: bytes 9-10/*".to_owned()),
    ] {
        for wish in ["if-match: *", "cache-control: no-cache"] {
            let world = World::new();
            let whole = format!("{TAGGED}\ncontent-type: text/css");
            world.ask(0, "GET /", (200, &whole, "0123456789"));
            let request = format!("GET /\n{wish}\nrange: bytes={ranges}");
            let newer = format!("cache-control: max-age=999\netag: \"a\"\n{lines}");
            let told = world.ask(1, &request, (206, &newer, "part"));
            assert!(told.starts_with("206 part | fwd=request; fwd-status=206"), "{told}");
            assert_eq!(world.ask(2, "GET /", (0, "", "")), "200 0123456789 | hit; ttl=58");
            assert_eq!(world.headers(2, "GET /")["content-type"], "text/css", "{lines}");
        }
    }
}

/// RFC 9530 §2: a digest is of the bytes that come with it.
#[test]
fn the_digest_of_a_part_is_not_that_of_the_whole() {
    let digests = |of: &str| format!("content-digest: sha-256=:{of}:\ncontent-md5: {of}");
    let world = World::new();
    let whole = format!("{TAGGED}\n{}\nrepr-digest: sha-256=:whole:", digests("whole"));
    world.ask(0, "GET /", (200, &whole, "0123456789"));
    let reload = "GET /\ncache-control: no-cache\nrange: bytes=0-1";
    world.ask(1, reload, (206, &format!("{}\n{}", part("0-1/10"), digests("part")), "01"));
    let headers = world.headers(2, "GET /");
    assert_eq!(
        (&headers["content-digest"], &headers["content-md5"]),
        (&"sha-256=:whole:".parse().unwrap(), &"whole".parse().unwrap(),)
    );
    for request in ["range: bytes=0-1", "range: bytes=0-0,3-3", "if-none-match: \"a\""] {
        let headers = world.headers(2, &format!("GET /\n{request}"));
        for name in ["content-digest", "content-md5"] {
            assert!(!headers.contains_key(name), "{name} for {request}");
        }
        assert!(headers.contains_key("repr-digest"), "it is of the whole, whatever comes");
    }
    let world = World::new();
    for of in ["0-4", "5-9"] {
        let request = format!("GET /\nrange: bytes={of}");
        let lines = format!("{}\n{}", part(&format!("{of}/10")), digests(of));
        let bytes = if of == "0-4" { "01234" } else { "56789" };
        world.ask(0, &request, (206, &lines, bytes));
    }
    let joined = world.headers(1, "GET /");
    assert!(!joined.contains_key("content-digest") && !joined.contains_key("content-md5"));
}

#[test]
fn parts_are_of_one_variant() {
    let world = World::new();
    let varied = |of: &str| format!("{}\nvary: foo", part(of));
    world.ask(0, "GET /\nfoo: 1\nrange: bytes=0-4", (206, &varied("0-4/10"), "01234"));
    let told = world.ask(0, "GET /\nfoo: 2\nrange: bytes=0-4", (206, &varied("0-4/10"), "abcde"));
    assert!(told.contains("fwd=vary-miss"), "{told}");
    for (foo, expect) in [("1", "206 12 | hit; ttl=59"), ("2", "206 bc | hit; ttl=59")] {
        let told = world.ask(1, &format!("GET /\nfoo: {foo}\nrange: bytes=1-2"), (0, "", ""));
        assert_eq!(told, expect);
    }
}

#[test]
fn parts_have_an_end_in_number() {
    let world = World::new();
    let lines = |first: usize| part(&format!("{first}-{first}/1000"));
    for first in (0..200).step_by(2) {
        let request = format!("GET /\nrange: bytes={first}-{first}");
        world.ask(0, &request, (206, &lines(first), "x"));
    }
    let ask = |first: usize| {
        let request = format!("GET /\nrange: bytes={first}-{first}");
        world.ask(1, &request, (0, "", "")).starts_with("206")
    };
    assert_eq!((0..200).filter(|&first| ask(first)).count(), 16);
}

#[test]
fn parts_that_follow_each_other_are_stored_however_many() {
    let world = World::new();
    for first in 0..100 {
        let request = format!("GET /\nrange: bytes={first}-{first}");
        world.ask(0, &request, (206, &part(&format!("{first}-{first}/1000")), "x"));
    }
    let told = world.ask(1, "GET /\nrange: bytes=0-99", (0, "", ""));
    assert_eq!(told, format!("206 {} | hit; ttl=59", "x".repeat(100)));
}

#[test]
fn parts_have_an_end_in_bytes() {
    let settings = Settings { memory: 0, filling_max: 6, ..Settings::default() };
    let world = World::with(settings);
    let told = world.ask(0, "GET /\nrange: bytes=0-6", (206, &part("0-6/10"), "0123456"));
    assert!(told.ends_with("NoRoom"), "{told}");
}

#[test]
fn what_comes_with_a_missing_part_for_who_asked_is_for_nobody_else() {
    let world = with_parts(&["0-4"]);
    let control = "cache-control: max-age=60, private=\"set-cookie\"\netag: \"a\"";
    let lines = format!("{control}\ncontent-range: bytes 5-9/10\nset-cookie: id=1");
    let hit = world.completed(2, (&lines, "56789"));
    assert_eq!(
        (hit.status().as_u16(), &hit.headers()["set-cookie"]),
        (200, &"id=1".parse().unwrap())
    );
    assert!(!hit.headers().contains_key("content-range"));
    assert!(!world.headers(3, "GET /").contains_key("set-cookie"));
}
