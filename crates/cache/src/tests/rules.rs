//! What is said here of some paths.

use super::{
    fields,
    world::{World, key},
};
use crate::{KeyParts, Name, Query, Rule, Settings, Storing};

const FRESH: &str = "cache-control: max-age=60";

#[test]
fn what_is_bypassed_is_neither_stored_nor_answered() {
    let rule = |path: &str, storing| Rule {
        path: path.to_owned(),
        storing,
        ttl: None,
        origin: None,
        parts: KeyParts::default(),
    };
    let rules = vec![rule("/a/b", Storing::Usual), rule("/a", Storing::Bypassed)];
    let world = World::twice_with(Settings { rules, ..Settings::default() });
    for _ in 0..2 {
        let told = world.ask(0, "GET /a/c", (200, FRESH, "x"));
        assert_eq!(told, "200 x | fwd=bypass; fwd-status=200");
    }
    assert!(world.ask(0, "GET /a/b", (200, FRESH, "x")).ends_with("stored"));
    assert!(world.ask(0, "GET /b", (200, FRESH, "x")).ends_with("stored"));
    assert_eq!(world.cache.keys(), 2);
}

#[test]
fn what_tells_answers_apart_may_be_said() {
    let parts = KeyParts {
        query: Query::Dropped(vec![Name("utm_*".to_owned())]),
        cookies: vec!["lang".to_owned()],
        ..KeyParts::default()
    };
    let (path, storing) = ("/".to_owned(), Storing::Usual);
    let rules = vec![Rule { path, storing, ttl: None, origin: None, parts }];
    let settings = Settings { rules, ..Settings::default() };
    let of = |target: &str, lines: &str, by: &str| settings.key_of(key(target), &fields(lines), by);
    assert_eq!(of("/a?utm_x=1&b=2", "", ""), key("/a?b=2"));
    assert_eq!(
        of("/a?b=2", "cookie: a=1", "\nproto: https"),
        key("/a?b=2").apart("\nproto: https")
    );
    let apart = "\nproto: https\ncookie lang: de";
    assert_eq!(of("/a", "cookie: lang=de", "\nproto: https"), key("/a").apart(apart));
    let usual = Settings::default();
    assert_eq!(usual.key_of(key("/a?b"), &fields("cookie: a"), "x"), key("/a?b").apart("x"));
}
