//! Variants of one key on disk: each comes and goes by itself.

use http::Method;

use super::{
    fields,
    world::{Forgetful, Upstream, asked, key},
};
use crate::{
    AtRest, Pattern, Purge, Request, Tag, Tier,
    disk::{Access, Patience},
};

const FRESH: &str = "cache-control: max-age=60";
const NOBODY: Upstream<'_> = (0, "", "");
const GONE: &str = "502 nothing is stored";

/// A cache with two variants of `/`, of which one has a file.
fn two() -> Forgetful {
    let below = Forgetful::new();
    let lines = format!("{FRESH}\netag: \"1\"\nvary: a");
    below.ask(0, "GET /\na: long", (200, &lines.replace("60", "600"), &"x".repeat(200_000)));
    below.ask(0, "GET /\na: short", (200, &format!("{lines}\nsurrogate-key: news"), "y"));
    below
}

#[track_caller]
fn check_long(below: &Forgetful, seconds: i64) {
    // Twice, as what cannot be read would be forgotten.
    for _ in 0..2 {
        let told = below.ask(seconds, "GET /\na: long", NOBODY);
        assert!(told.starts_with("200  | hit"), "{told}");
    }
    let files = std::fs::read_dir(below.path().join("bodies")).unwrap().count();
    assert_eq!((files, below.cache.disk().unwrap().stats().files), (1, 1));
}

#[test]
fn what_becomes_of_one_is_no_matter_to_others() {
    let check = |asked_for: &str, answer: Upstream<'_>, expect: &str| {
        let below = two();
        below.ask(61, asked_for, answer);
        let told = below.ask(62, "GET /\na: short", NOBODY);
        assert!(told.starts_with(expect), "{asked_for} {answer:?}: {told}");
        check_long(&below, 62);
        check_long(&below.reopened(), 62);
    };
    let short = "GET /\na: short";
    check(short, (304, "cache-control: private", ""), GONE);
    check(short, (200, &format!("{FRESH}\nvary: a, b"), "z"), "200 z | hit");
    check(short, (304, &format!("{FRESH}\nvary: a, b"), ""), "200 y | hit");
    check("HEAD /\na: short", (200, "etag: \"2\"\nvary: a", ""), GONE);
    let part = format!("{FRESH}\netag: \"2\"\nvary: a\ncontent-range: bytes 0-0/9");
    check("GET /\na: short\nrange: bytes=0-0", (206, &part, "z"), GONE);
}

#[test]
fn what_is_in_memory_is_not_read_from_disk() {
    let below = Forgetful::new();
    let disk = below.cache.disk().unwrap();
    let lines = format!("{FRESH}\nvary: a");
    // A flood of values, each a miss.
    for value in 0..100 {
        let headers = fields(&format!("a: {value}"));
        let request = Request::of(&Method::GET, &headers);
        disk.sync().unwrap();
        assert!(!below.cache.may_be_below(&key("/"), &request));
        below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
        asked(&below.cache, 0, &format!("GET /\na: {value}"), (200, &lines, "x"));
    }
    assert_eq!(disk.reads(), 0);
    // One of them alone is in memory.
    below.forget();
    asked(&below.cache, 0, "GET /\na: 99", (200, &lines, "y"));
    disk.sync().unwrap();
    let before = disk.reads();
    below.cache.bring_up(&key("/"), Patience::Waits).unwrap();
    assert_eq!(disk.reads(), before + 31);
    assert_eq!(asked(&below.cache, 1, "GET /\na: 98", NOBODY), "200 x | hit; ttl=59");
}

#[test]
fn a_tag_at_rest_is_of_the_variants_that_have_it() {
    for how in [Purge::Hard, Purge::Soft] {
        let folder = two().closed();
        let at_rest = AtRest::open(&folder.path().join("cache"), Access::Change).unwrap();
        let news = Pattern::Tag(Tag::named("news"));
        assert_eq!(at_rest.purge(&news, how).unwrap(), 1);
        drop(at_rest);
        let below = Forgetful::on(folder);
        let told = below.ask(1, "GET /\na: short", NOBODY);
        assert!(!told.contains("| hit; ttl=59"), "{told}");
        check_long(&below, 1);
    }
}

#[test]
fn what_is_confirmed_is_on_disk_even_if_it_was_not_before() {
    let below = Forgetful::new();
    below.ask(0, "GET /", (200, &format!("{FRESH}\netag: \"1\""), "x"));
    // As if too much had waited for the disk when it came.
    below.cache.disk().unwrap().clear().wait().unwrap();
    let told = asked(&below.cache, 61, "GET /", (304, FRESH, ""));
    assert!(told.starts_with("200 x | fwd=stale; fwd-status=304"), "{told}");
    below.forget();
    let tiers: Vec<_> = below.cache.objects(&Pattern::All).map(|object| object.tier).collect();
    assert_eq!(tiers, [Tier::Disk]);
    assert_eq!(below.reopened().ask(62, "GET /", NOBODY), "200 x | hit; ttl=59");
}
