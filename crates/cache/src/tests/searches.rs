//! `No-Vary-Search`: what makes no difference in a query.

use super::world::World;

const NOBODY: (u16, &str, &str) = (0, "", "");
const SAID: &str = "cache-control: max-age=60\nno-vary-search: params=(\"x\")";

#[test]
fn what_makes_no_difference_finds_the_same() {
    let world = World::twice();
    let told = world.ask(0, "GET /a?x=1&id=7", (200, SAID, "seven"));
    assert!(told.ends_with("stored"), "{told}");
    for path in ["/a?x=1&id=7", "/a?id=7", "/a?id=7&x=2", "/a?x&id=7&x"] {
        assert_eq!(world.ask(1, &format!("GET {path}"), NOBODY), "200 seven | hit; ttl=59");
    }
    for path in ["/a?id=8", "/a", "/b?x=1&id=7", "/a?id=7&y=1"] {
        let told = world.ask(1, &format!("GET {path}"), NOBODY);
        assert_eq!(told, "502 nothing is stored", "for {path}");
    }
}

#[test]
fn a_change_of_one_is_a_change_of_all() {
    let world = World::twice();
    world.ask(0, "GET /a?x=1", (200, SAID, "old"));
    world.ask(1, "POST /a?x=9", (200, "", ""));
    assert_eq!(world.ask(2, "GET /a?x=1", NOBODY), "502 nothing is stored");
}

#[test]
fn the_last_word_counts_and_finds_nothing_of_the_one_before() {
    let world = World::twice();
    world.ask(0, "GET /a?x=1&id=7", (200, SAID, "seven"));
    let other = SAID.replace("\"x\"", "\"y\"");
    world.ask(1, "GET /a?x=1&id=8", (200, &other, "eight"));
    assert_eq!(world.ask(2, "GET /a?id=7&y=1", NOBODY), "502 nothing is stored");
    assert_eq!(world.ask(2, "GET /a?y=2&x=1&id=8", NOBODY), "200 eight | hit; ttl=59");
    world.ask(3, "GET /a?x=1&id=9", (200, "cache-control: max-age=60", "nine"));
    assert_eq!(world.ask(4, "GET /a?x=1&id=9", NOBODY), "200 nine | hit; ttl=59");
    assert_eq!(world.ask(4, "GET /a?y=2&x=1&id=8", NOBODY), "502 nothing is stored");
}

#[test]
fn what_is_stale_is_asked_about_under_its_key() {
    let world = World::twice();
    world.ask(0, "GET /a?x=1", (200, &format!("{SAID}\netag: \"a\""), "body"));
    let told = world.ask(61, "GET /a?x=2", (304, "cache-control: max-age=9", ""));
    assert!(told.starts_with("200 body | fwd=stale; fwd-status=304; ttl=9; stored"), "{told}");
    assert_eq!(world.ask(62, "GET /a?x=3", NOBODY), "200 body | hit; ttl=8");
}
