//! What is purged, and what is not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::{Method, StatusCode};

use super::{
    at, fields,
    world::{Forgetful, Upstream, World, key},
};
use crate::{
    Answered, Cache, Fetch, KeyParts, Lookup, Name, Outcome, Pattern, Purge, Query, Request, Rule,
    Settings, Storing, Tag, Taken, Times, disk::Patience,
};

const FRESH: &str = "cache-control: max-age=60";

/// A world in which `/1`, `/2` and `/img/3` are stored, with tags and groups.
fn world() -> World {
    let world = World::new();
    let store = |path: &str, lines: &str| {
        let lines = format!("{FRESH}\n{lines}");
        world.ask(0, &format!("GET {path}"), (200, &lines, "x"));
    };
    store("/1", "surrogate-key: news Sport\netag: \"1\"");
    store("/2", "cache-tag: news, weather\ncache-groups: \"g\"");
    store("/img/3", "cache-groups: \"g\", \"h\"");
    assert_eq!((left(&world), world.cache.tags()), ("/1 /2 /img/3".to_owned(), 5));
    world
}

/// The paths of what is stored.
fn left(world: &World) -> String {
    let objects = world.cache.objects(&Pattern::All);
    let mut paths: Vec<_> = objects.map(|object| object.key.path_and_query().to_owned()).collect();
    paths.sort();
    paths.join(" ")
}

#[test]
fn what_is_chosen_is_gone_and_nothing_else() {
    let url = |path: &str| Pattern::Url(format!("http://A{path}").parse().unwrap());
    check(&url("/1"), 1, "/2 /img/3");
    check(&url("/none"), 0, "/1 /2 /img/3");
    check(&Pattern::Prefix("http://a/img".parse().unwrap()), 1, "/1 /2");
    check(&Pattern::Prefix("/img".parse().unwrap()), 0, "/1 /2 /img/3");
    check(&Pattern::Glob("*/1".parse().unwrap()), 1, "/2 /img/3");
    check(&Pattern::Glob("http://a/*".parse().unwrap()), 3, "");
    check(&Pattern::Tag(Tag::named("news")), 2, "/img/3");
    check(&Pattern::Tag(Tag::named("SPORT")), 1, "/2 /img/3");
    check(&Pattern::Tag(Tag::named("none")), 0, "/1 /2 /img/3");
    check(&Pattern::Tag(Tag::named("g")), 0, "/1 /2 /img/3");
    check(&Pattern::Tag(Tag::group("http://a", "g")), 2, "/1");
    check(&Pattern::Tag(Tag::group("http://b", "g")), 0, "/1 /2 /img/3");
    check(&Pattern::All, 3, "");
}

#[track_caller]
fn check(pattern: &Pattern, count: usize, expect: &str) {
    let world = world();
    let listed = world.cache.objects(pattern).count();
    let purged = world.cache.purge(pattern, Purge::Hard, at(1)).unwrap().count;
    assert_eq!((listed, purged), (count, count), "{pattern:?}");
    assert_eq!(left(&world), expect, "{pattern:?}");
    assert_eq!(world.cache.purge(pattern, Purge::Hard, at(1)).unwrap().count, 0);
    assert_eq!(world.cache.tags() == 0, expect.is_empty());
    if expect.is_empty() {
        assert_eq!(world.cache.bytes(), 0);
    }
}

#[test]
fn all_variants_and_all_keys_apart_are_of_a_url() {
    let world = World::new();
    for language in ["en", "de"] {
        let vary = format!("{FRESH}\nvary: accept-language");
        world.ask(0, &format!("GET /\naccept-language: {language}"), (200, &vary, "x"));
    }
    for by in ["\nhost: b", "\nproto: https"] {
        let headers = fields("");
        let asked = Request::of(&Method::GET, &headers);
        let Lookup::Ask(fetch) = world.cache.look(&key("/").apart(by), &asked, at(0)) else {
            panic!("stored already");
        };
        assert_eq!(finish(&world.cache, fetch, FRESH), Outcome::Stored);
    }
    assert_eq!(left(&world), "/ / / /");
    let url = Pattern::Url("http://a/".parse().unwrap());
    assert_eq!(world.cache.objects(&url).count(), 4);
    assert_eq!(world.cache.purge(&url, Purge::Hard, at(1)).unwrap().count, 4);
    assert_eq!((world.cache.bytes(), world.cache.tags()), (0, 0));
}

#[test]
fn only_the_variants_with_a_tag_are_purged_by_it() {
    let world = World::new();
    for language in ["en", "de"] {
        let lines = format!("{FRESH}\nvary: accept-language\nsurrogate-key: {language}");
        world.ask(0, &format!("GET /\naccept-language: {language}"), (200, &lines, language));
    }
    assert_eq!(
        world.cache.purge(&Pattern::Tag(Tag::named("en")), Purge::Hard, at(1)).unwrap().count,
        1
    );
    let get = |language| world.ask(2, &format!("GET /\naccept-language: {language}"), NOBODY);
    assert_eq!(get("de"), "200 de | hit; ttl=58");
    assert!(get("en").starts_with("502"));
}

const NOBODY: Upstream<'_> = (0, "", "");

#[test]
fn what_is_purged_softly_is_asked_about() {
    let world = world();
    assert_eq!(world.cache.purge(&Pattern::All, Purge::Soft, at(10)).unwrap().count, 3);
    assert_eq!(left(&world), "/1 /2 /img/3");
    let confirmed = world.ask(11, "GET /1", (304, FRESH, ""));
    assert_eq!(
        confirmed,
        "200 x | fwd=stale; fwd-status=304; ttl=60; stored [if-none-match: \"1\"]"
    );
    assert_eq!(world.ask(12, "GET /1", NOBODY), "200 x | hit; ttl=59");
    assert_eq!(
        world.cache.purge(&Pattern::Tag(Tag::named("news")), Purge::Soft, at(13)).unwrap().count,
        2
    );
    // Nobody is there: what is stale stands in, as far as the settings allow.
    assert_eq!(world.ask(14, "GET /1", NOBODY), "200 x | hit; ttl=-1 [if-none-match: \"1\"]");
}

#[test]
fn what_is_purged_softly_is_sent_as_what_is_stale_may_be() {
    check_soft("max-age=60, stale-while-revalidate=5", 14, "200 x | hit; ttl=-4 + 200 y |");
    check_soft("max-age=60, stale-while-revalidate=5", 15, "200 y | fwd=stale");
    check_soft("max-age=60, stale-while-revalidate=5, must-revalidate", 11, "200 y | fwd=stale");
    check_soft("s-maxage=60", 11, "200 y | fwd=stale");
    check_soft("max-age=5", 10, "200 y | fwd=stale");
}

#[track_caller]
fn check_soft(control: &str, seconds: i64, expect: &str) {
    let world = World::new();
    let lines = format!("cache-control: {control}");
    world.ask(0, "GET /", (200, &lines, "x"));
    drop(world.cache.purge(&Pattern::All, Purge::Soft, at(10)).unwrap());
    let came = world.ask(seconds, "GET /", (200, &lines, "y"));
    assert!(came.starts_with(expect), "for {control}: {came}");
}

/// What is on its way in when something is purged tells perhaps of what was before.
#[test]
fn what_is_on_its_way_in_is_kept_out() {
    let lines = format!("{FRESH}\nsurrogate-key: news\ncache-groups: \"g\"");
    let check = |pattern: Pattern, expect| {
        for purge in [Purge::Hard, Purge::Soft] {
            let world = World::new();
            let (headers, key) = (fields(""), key("/1"));
            let asked = Request::of(&Method::GET, &headers);
            let ask = || match world.cache.look(&key, &asked, at(0)) {
                Lookup::Ask(fetch) => fetch,
                other => panic!("{other:?}"),
            };
            let before = ask();
            assert_eq!(world.cache.purge(&pattern, purge, at(0)).unwrap().count, 0);
            let after = ask();
            assert_eq!(finish(&world.cache, before, &lines), expect, "{pattern:?}");
            assert_eq!(finish(&world.cache, after, &lines), Outcome::Stored, "{pattern:?}");
        }
    };
    check(Pattern::All, Outcome::Invalidated);
    check(Pattern::Url("http://a/1".parse().unwrap()), Outcome::Invalidated);
    check(Pattern::Url("http://a/2".parse().unwrap()), Outcome::Stored);
    check(Pattern::Prefix("http://a/".parse().unwrap()), Outcome::Invalidated);
    check(Pattern::Glob("*1".parse().unwrap()), Outcome::Invalidated);
    check(Pattern::Glob("*2".parse().unwrap()), Outcome::Stored);
    check(Pattern::Tag(Tag::named("news")), Outcome::Invalidated);
    check(Pattern::Tag(Tag::named("sport")), Outcome::Stored);
    check(Pattern::Tag(Tag::group("http://a", "g")), Outcome::Invalidated);
}

/// The answer to `fetch` comes, with these `lines`.
pub(super) fn finish(cache: &Cache, fetch: Box<Fetch>, lines: &str) -> Outcome {
    let (headers, lines) = (fields(""), fields(lines));
    let asked = Request::of(&Method::GET, &headers);
    let times = Times { requested: at(0), received: at(0) };
    let answered = Answered { status: StatusCode::OK, headers: &lines, times };
    match cache.take(fetch, &asked, answered) {
        Taken::Fill(writer) => writer.finish(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_purged_does_not_stand_in() {
    let lines = "cache-control: max-age=0, stale-if-error=60\netag: \"1\"\nsurrogate-key: news";
    let check = |purge, expect| {
        let world = World::new();
        world.ask(0, "GET /", (200, lines, "x"));
        let headers = fields("");
        let asked = Request::of(&Method::GET, &headers);
        let Lookup::Ask(fetch) = world.cache.look(&key("/"), &asked, at(1)) else { panic!() };
        drop(world.cache.purge(&Pattern::Tag(Tag::named("news")), purge, at(1)).unwrap());
        assert_eq!(world.cache.fail(&fetch, &asked, at(2)).is_ok(), expect, "{purge:?}");
    };
    check(Purge::Hard, false);
    check(Purge::Soft, true);
}

#[test]
fn changes_invalidate_the_groups_that_their_answers_name() {
    let change = |request: &str, status, lines: &str| {
        let world = world();
        world.ask(1, request, (status, lines, ""));
        left(&world)
    };
    let groups = "cache-group-invalidation: \"g\", \"x\"";
    assert_eq!(change("POST /9", 204, groups), "/1");
    assert_eq!(change("POST /9", 204, "cache-group-invalidation: \"h\""), "/1 /2");
    assert_eq!(change("POST /9", 204, "cache-group-invalidation: \"G\""), "/1 /2 /img/3");
    assert_eq!(change("POST /9", 204, "cache-group-invalidation: g"), "/1 /2 /img/3");
    // What failed has changed nothing, and what is safe is not believed.
    assert_eq!(change("POST /9", 500, groups), "/1 /2 /img/3");
    assert_eq!(change("GET /9", 404, groups), "/1 /2 /9 /img/3");
    assert_eq!(change("OPTIONS /9", 200, groups), "/1 /2 /img/3");
}

#[test]
fn what_a_304_tags_anew_is_found_by_its_new_tags() {
    let world = world();
    let lines = format!("{FRESH}\nsurrogate-key: other");
    world.ask(99, "GET /1", (304, &lines, ""));
    assert_eq!(
        world.cache.purge(&Pattern::Tag(Tag::named("sport")), Purge::Hard, at(99)).unwrap().count,
        0
    );
    assert_eq!(
        world.cache.purge(&Pattern::Tag(Tag::named("other")), Purge::Hard, at(99)).unwrap().count,
        1
    );
}

#[test]
fn tags_are_counted_as_memory() {
    let bytes = |lines: &str| {
        let world = World::new();
        world.ask(0, "GET /", (200, &format!("{FRESH}\n{lines}"), ""));
        world.cache.bytes()
    };
    let plain = bytes("x-other-key: aaaa bbbb");
    assert_eq!(bytes("surrogate-key: a b c d") - plain, 112 + 9 + 4 * 56);
}

/// Whoever was told that something is purged never sees what was before, whatever came in meanwhile.
#[test]
fn what_was_before_a_purge_is_not_seen_after_it() {
    check_purges_under_load(&Cache::new(Settings::default()), || ());
}

#[test]
fn nor_is_it_brought_up_from_disk() {
    let below = Forgetful::new();
    check_purges_under_load(&below.cache, || {
        below.cache.store.forget_memory();
        let _ = below.cache.bring_up(&key("/"), Patience::Waits);
    });
}

/// Purges while others ask; they `disturb` the cache between their requests.
#[track_caller]
fn check_purges_under_load(cache: &Cache, disturb: impl Fn() + Sync) {
    let version = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let (headers, key) = (fields(""), key("/"));
    let asked = Request::of(&Method::GET, &headers);
    let fetch = || {
        let asked = Request::of(&Method::GET, &headers);
        while !done.load(Ordering::Relaxed) {
            disturb();
            let Lookup::Ask(fetch) = cache.look(&key, &asked, at(0)) else { continue };
            // Its origin answers as it is now.
            let body = version.load(Ordering::SeqCst).to_string();
            let lines = fields("cache-control: max-age=60\nsurrogate-key: a\ncache-groups: \"g\"");
            let times = Times { requested: at(0), received: at(0) };
            let answered = Answered { status: StatusCode::OK, headers: &lines, times };
            if let Taken::Fill(mut recording) = cache.take(fetch, &asked, answered) {
                recording.add(&bytes::Bytes::copy_from_slice(body.as_bytes()));
                recording.finish();
            }
        }
    };
    let patterns = [
        Pattern::All,
        Pattern::Url("http://a/".parse().unwrap()),
        Pattern::Glob("*a/".parse().unwrap()),
        Pattern::Tag(Tag::named("a")),
        Pattern::Tag(Tag::group("http://a", "g")),
    ];
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        (0..3).for_each(|_| _ = scope.spawn(fetch));
        for pattern in patterns.iter().cycle().take(100) {
            let now = version.fetch_add(1, Ordering::SeqCst) + 1;
            drop(cache.purge(pattern, Purge::Hard, at(0)).unwrap());
            // Some of what is on its way gets there first.
            let find = |_| {
                std::thread::yield_now();
                cache.find(&key, &asked, at(0))
            };
            if let Some(hit) = (0..50).find_map(find) {
                let body = String::from_utf8(hit.body().bytes().to_vec()).unwrap();
                // Not here: the others would not learn that it is over.
                wrong.extend((body != now.to_string()).then_some((body, now, pattern)));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(wrong, []);
    drop(cache.purge(&Pattern::All, Purge::Hard, at(0)).unwrap());
    assert_eq!((cache.bytes(), cache.tags()), (0, 0));
}

/// What `purge` finds of a URL that is stored under another, and what is left then.
#[track_caller]
fn check_purged(world: &World, url: &str, (count, expect): (usize, &str)) {
    let pattern = Pattern::Url(format!("http://a{url}").parse().unwrap());
    let listed = world.cache.objects(&pattern).count();
    let purged = world.cache.purge(&pattern, Purge::Hard, at(1)).unwrap();
    assert_eq!((listed, purged.count), (count, count), "{url}");
    assert_eq!(left(world), expect, "{url}");
}

#[test]
fn what_does_not_count_of_a_query_keeps_nothing_from_a_purge() {
    let check = |url: &str, expect: (usize, &str)| {
        let world = World::new();
        let said = format!("{FRESH}\nno-vary-search: params=(\"x\")");
        world.ask(0, "GET /a?x=1", (200, &said, "all"));
        world.ask(0, "GET /a?x=1&id=2", (200, &said, "two"));
        world.ask(0, "GET /b?x=1", (200, FRESH, "b"));
        assert_eq!(left(&world), "/a /a?id=2 /b?x=1");
        check_purged(&world, url, expect);
    };
    check("/a?x=1", (1, "/a?id=2 /b?x=1"));
    check("/a?x=7&x=8", (1, "/a?id=2 /b?x=1"));
    check("/a", (1, "/a?id=2 /b?x=1"));
    check("/a?id=2&x", (1, "/a /b?x=1"));
    check("/a?id=3", (0, "/a /a?id=2 /b?x=1"));
    check("/b?x=2", (0, "/a /a?id=2 /b?x=1"));
}

#[test]
fn what_is_said_of_requests_apart_is_found_by_their_url() {
    let world = World::new();
    let said = format!("{FRESH}\nno-vary-search: params=(\"x\")");
    let headers = fields(&said);
    let key = key("/a?x=1").apart("\nproto: https");
    let no_fields = fields("");
    let asked = Request::of(&Method::GET, &no_fields);
    let Lookup::Ask(fetch) = world.cache.look(&key, &asked, at(0)) else { panic!() };
    let times = Times { requested: at(0), received: at(0) };
    let answered = Answered { status: StatusCode::OK, headers: &headers, times };
    let Taken::Fill(writer) = world.cache.take(fetch, &asked, answered) else { panic!() };
    assert_eq!(writer.finish(), Outcome::Stored);
    check_purged(&world, "/a?x=2", (1, ""));
}

#[test]
fn a_rule_about_queries_counts_for_purges() {
    let dropped = Query::Dropped(vec![Name("utm_*".to_owned())]);
    let rule = Rule {
        path: "/a".to_owned(),
        storing: Storing::Usual,
        ttl: None,
        origin: None,
        parts: KeyParts { query: dropped, ..KeyParts::default() },
    };
    let settings = Settings { rules: vec![rule], ..Settings::default() };
    let world = World::with(settings);
    for path in ["/a?id=1", "/b?utm_x=1"] {
        world.ask(0, &format!("GET {path}"), (200, FRESH, "x"));
    }
    check_purged(&world, "/a?utm_x=1&id=1", (1, "/b?utm_x=1"));
    check_purged(&world, "/b?id=1", (0, "/b?utm_x=1"));
}

#[test]
fn what_is_purged_before_it_says_what_counts_is_kept_out() {
    let world = World::new();
    let said = fields(&format!("{FRESH}\nno-vary-search: params=(\"x\")"));
    let no_fields = fields("");
    let asked = Request::of(&Method::GET, &no_fields);
    let Lookup::Ask(fetch) = world.cache.look(&key("/a?x=1"), &asked, at(0)) else { panic!() };
    check_purged(&world, "/a?x=1", (0, ""));
    let times = Times { requested: at(0), received: at(2) };
    let answered = Answered { status: StatusCode::OK, headers: &said, times };
    let taken = world.cache.take(fetch, &asked, answered);
    assert!(matches!(taken, Taken::Pass(_)), "{taken:?}");
}
