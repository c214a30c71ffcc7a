//! RFC 9111 §4.4: a change takes out all that is stored of its URI, under whatever keys.

use http::{HeaderMap, Method};

use super::{
    at, fields,
    purging::finish,
    world::{Forgetful, World, key, ruled},
};
use crate::{
    AtRest, Device, KeyParts, Lookup, Name, Outcome, Pattern, Purge, Query, Request, Rule,
    Settings, Storing, disk::Access,
};

const FRESH: &str = "cache-control: max-age=60";
const SAID: &str = "cache-control: max-age=60\nno-vary-search: params=(\"x\")";
const NOBODY: (u16, &str, &str) = (0, "", "");
const GONE: &str = "502 nothing is stored";

/// By device, language and a field, and without what campaigns add to a query.
fn settings() -> Settings {
    let device = Device { name: "mobile".to_owned(), words: vec!["iphone".to_owned()] };
    let parts = KeyParts {
        query: Query::Dropped(vec![Name("utm_*".to_owned())]),
        headers: vec!["x-shop".parse().unwrap()],
        cookies: vec!["lang".to_owned()],
        devices: vec![device],
    };
    let (path, storing) = ("/".to_owned(), Storing::Usual);
    let rules = vec![Rule { path, storing, ttl: None, origin: None, parts }];
    Settings { rules, ..Settings::default() }
}

const APART: [&str; 4] = ["", "\nuser-agent: iPhone", "\ncookie: lang=de", "\nx-shop: b"];

#[test]
fn a_change_takes_out_what_others_are_kept_apart_by() {
    let changes = [
        ("POST /a", ""),
        ("PUT /a\nuser-agent: iPhone", ""),
        ("DELETE /a\ncookie: lang=fr", ""),
        ("PATCH /a?utm_x=1", ""),
        ("POST /c", "location: /a?utm_y=2"),
        ("POST /c\nx-shop: c", "content-location: http://a/a"),
    ];
    for (change, lines) in changes {
        let world = World::twice_with(settings());
        for apart in APART {
            world.ask(0, &format!("GET /a{apart}"), (200, FRESH, "a"));
            world.ask(0, &format!("GET /b{apart}"), (200, FRESH, "b"));
        }
        world.ask(1, change, (201, lines, ""));
        for apart in APART {
            let ask = |path: &str| world.ask(2, &format!("GET {path}{apart}"), NOBODY);
            assert_eq!((&*ask("/a"), &*ask("/b")), (GONE, "200 b | hit; ttl=58"), "{change}");
        }
    }
}

#[test]
fn what_is_on_its_way_is_kept_out_wherever_it_goes() {
    let world = World::with(settings());
    let headers = fields("user-agent: iPhone");
    let (key, other) = (ruled(&world.cache, "/a", &headers), ruled(&world.cache, "/b", &headers));
    let asked = Request::of(&Method::GET, &headers);
    let ask = |key| match world.cache.look(key, &asked, at(0)) {
        Lookup::Ask(fetch) => fetch,
        lookup => panic!("{lookup:?}"),
    };
    let (before, beside) = (ask(&key), ask(&other));
    world.ask(0, "POST /a", (204, "", ""));
    let after = ask(&key);
    assert!(after.leads(), "nobody joins what was asked for before");
    assert_eq!(finish(&world.cache, before, FRESH), Outcome::Invalidated);
    assert_eq!(finish(&world.cache, beside, FRESH), Outcome::Stored);
    assert_eq!(finish(&world.cache, after, FRESH), Outcome::Stored);
}

/// Whoever has one key of a URI known to be uncacheable says nothing of the others.
#[test]
fn what_is_known_of_a_key_is_not_known_of_those_apart() {
    let world = World::with(settings());
    world.ask(0, "GET /a\nuser-agent: iPhone", (200, "cache-control: no-store", ""));
    let leads = |lines: &str| {
        let headers = fields(lines);
        let key = ruled(&world.cache, "/a", &headers);
        match world.cache.look(&key, &Request::of(&Method::GET, &headers), at(1)) {
            Lookup::Ask(fetch) => fetch.leads(),
            lookup => panic!("{lookup:?}"),
        }
    };
    assert_eq!((leads("user-agent: iPhone"), leads("")), (false, true));
}

/// How what is kept by a word is taken out, after a start or when the word is forgotten.
const CHANGES: [fn(&crate::Cache); 3] = [
    |cache| cache.invalidate(&key("/a?x=9&id=2"), &HeaderMap::new()),
    |cache| cache.invalidate(&key("/c"), &fields("location: /a?id=2")),
    |cache| {
        let url = Pattern::Url("http://a/a?x=9&id=2".parse().unwrap());
        drop(cache.purge(&url, Purge::Hard, at(1)).unwrap());
    },
];

#[test]
fn what_is_kept_by_a_word_is_found_on_disk_by_who_does_not_know_it() {
    for change in CHANGES {
        for has_snapshot in [true, false] {
            let below = Forgetful::new();
            below.ask(0, "GET /a?x=1&id=2", (200, SAID, "two"));
            below.ask(0, "GET /b?x=1&id=2", (200, SAID, "b"));
            let folder = below.closed();
            if !has_snapshot {
                std::fs::remove_file(folder.path().join("cache/snapshot")).unwrap();
            }
            let below = Forgetful::on(folder);
            change(&below.cache);
            let below = below.reopened();
            for path in ["/a", "/b"] {
                below.ask(2, &format!("GET {path}?id=3"), (200, SAID, "three"));
            }
            assert_eq!(below.ask(3, "GET /a?x=7&id=2", NOBODY), GONE);
            assert_eq!(below.ask(3, "GET /b?x=7&id=2", NOBODY), "200 b | hit; ttl=57");
        }
    }
}

/// Whoever looks into a folder at rest knows no word at all.
#[test]
fn what_is_kept_by_a_word_is_purged_in_a_folder_at_rest() {
    let below = Forgetful::new();
    for path in ["/a?x=1&id=2", "/b?x=1&id=2"] {
        below.ask(0, &format!("GET {path}"), (200, SAID, "two"));
    }
    below.ask(0, "GET /a/c", (200, FRESH, "c"));
    let folder = below.closed();
    let at_rest = AtRest::open(&folder.path().join("cache"), Access::Change).unwrap();
    let url = Pattern::Url("http://a/a?x=9&id=2".parse().unwrap());
    assert_eq!((at_rest.objects(&url).count(), at_rest.purge(&url, Purge::Hard).unwrap()), (0, 1));
    drop(at_rest);
    assert_eq!(Forgetful::on(folder).cache.disk().unwrap().stats().objects, 2);
}

#[test]
fn what_is_kept_by_a_word_is_found_in_memory_by_who_has_forgotten_it() {
    for change in CHANGES {
        let world = World::new();
        world.ask(0, "GET /a?x=1&id=2", (200, SAID, "two"));
        // As for want of room.
        world.cache.searches.learn(&key("/a?x=1&id=2"), None);
        assert_eq!(world.ask(0, "GET /a?id=2", NOBODY), GONE, "the word is forgotten");
        change(&world.cache);
        world.ask(2, "GET /a?id=3", (200, SAID, "three"));
        assert_eq!(world.ask(3, "GET /a?x=7&id=2", NOBODY), GONE);
    }
}

#[test]
fn what_is_kept_by_another_word_than_the_last_goes_with_any_change_of_its_path() {
    for change in CHANGES {
        let world = World::twice();
        world.ask(0, "GET /a?x=1&id=2", (200, SAID, "two"));
        let other = SAID.replace("\"x\"", "\"y\"");
        for id in [4, 5] {
            world.ask(0, &format!("GET /a?x=9&id={id}"), (200, &other, "other"));
        }
        change(&world.cache);
        change(&world.below().cache);
        let told = world.ask(1, "GET /a?x=9&id=5&y=1", NOBODY);
        assert_eq!(told, "200 other | hit; ttl=59", "what the word in force tells apart stays");
        world.ask(2, "GET /a?id=3", (200, SAID, "three"));
        assert_eq!(world.ask(3, "GET /a?x=7&id=2", NOBODY), GONE);
    }
}

/// More of one URI than are taken out one by one.
#[test]
fn however_many_are_apart_all_go() {
    let world = World::twice_with(settings());
    for shop in 0..300 {
        world.ask(0, &format!("GET /a\nx-shop: {shop}"), (200, FRESH, "a"));
    }
    world.ask(0, "GET /b", (200, FRESH, "b"));
    world.ask(1, "POST /a", (204, "", ""));
    for shop in (0..300).step_by(50) {
        assert_eq!(world.ask(2, &format!("GET /a\nx-shop: {shop}"), NOBODY), GONE);
    }
    assert_eq!(world.ask(2, "GET /b", NOBODY), "200 b | hit; ttl=58");
}
