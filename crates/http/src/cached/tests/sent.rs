//! Whom an answer is for that varies by what the proxy changes on the way.

use http::{HeaderName, HeaderValue};

use super::world::{World, ok};
use crate::proxy::Edits;

const NEW: &str = "fwd=uri-miss; fwd-status=200; ttl=60; stored";
const OTHER: &str = "fwd=vary-miss; fwd-status=200; ttl=60; stored";
const HIT: &str = "hit; ttl=60, age 0";

fn varies(by: &str, body: &str) -> super::Act {
    ok(&format!("Vary: {by}\nCache-Control: max-age=60"), body)
}

#[tokio::test]
async fn what_is_said_of_a_client_is_for_that_client() {
    for by in ["X-Forwarded-For", "Forwarded", "Accept-Encoding, x-forwarded-for"] {
        let world = World::new().await;
        world.then(varies(by, "you are 1"));
        let one = world.get_from("192.0.2.1", "/a", "").await;
        assert_eq!(one, format!("200 you are 1 | {NEW}"), "{by}");
        world.then(varies(by, "you are 2"));
        let two = world.get_from("192.0.2.2", "/a", "").await;
        assert_eq!(two, format!("200 you are 2 | {OTHER}"), "{by}");
        // What clients say themselves is not sent, and counts for nothing.
        let lines = "X-Forwarded-For: 192.0.2.2\nForwarded: for=192.0.2.2";
        let one = world.get_from("192.0.2.1", "/a", lines).await;
        assert_eq!(one, format!("200 you are 1 | {HIT}"), "{by}");
    }
}

#[tokio::test]
async fn what_names_the_host_or_the_way_is_judged_as_it_is_sent() {
    let world = World::new().await;
    world.then(varies("Host, X-Forwarded-Proto, X-Forwarded-Host", "x"));
    world.get("/a", "X-Forwarded-Proto: https").await;
    assert_eq!(world.get("/a", "X-Forwarded-Host: b").await, format!("200 x | {HIT}"));
    world.then(varies("Via", "x"));
    world.get("/b", "").await;
    world.then(varies("Via", "y"));
    assert_eq!(world.get("/b", "Via: 1.1 before").await, format!("200 y | {OTHER}"));
    assert_eq!(world.get("/b", "").await, format!("200 x | {HIT}"));
}

/// It is not sent: the answer is for those who do not say it.
#[tokio::test]
async fn what_connection_names_was_not_said() {
    let world = World::new().await;
    let named = "Accept-Language: de\nConnection: accept-language";
    world.then(varies("Accept-Language", "no language"));
    assert_eq!(world.get("/a", named).await, format!("200 no language | {NEW}"));
    world.then(varies("Accept-Language", "deutsch"));
    let german = world.get("/a", "Accept-Language: de").await;
    assert_eq!(german, format!("200 deutsch | {OTHER}"));
    for lines in ["", named, "Accept-Language: fr\nConnection: keep-alive, Accept-Language"] {
        assert_eq!(world.get("/a", lines).await, format!("200 no language | {HIT}"), "{lines}");
    }
    let kept = "Accept-Language: de\nConnection: keep-alive";
    assert_eq!(world.get("/a", kept).await, format!("200 deutsch | {HIT}"));
}

#[tokio::test]
async fn what_is_edited_is_judged_as_it_is_sent() {
    let name = |name: &'static str| HeaderName::from_static(name);
    let set = vec![(name("x-tenant"), HeaderValue::from_static("us"))];
    let edits = Edits::new(vec![name("accept-language")], set, Vec::new()).unwrap();
    let world = World::with_edits(edits).await;
    world.then(varies("Accept-Language, X-Tenant, X-Other", "x"));
    world.get("/a", "Accept-Language: de\nX-Tenant: them\nX-Other: 1").await;
    let other = world.get("/a", "Accept-Language: en\nX-Other: 1").await;
    assert_eq!(other, format!("200 x | {HIT}"));
    world.then(varies("X-Other", "y"));
    assert_eq!(world.get("/a", "X-Other: 2").await, format!("200 y | {OTHER}"));
}

/// A 304 makes it new for the same client alone, too.
#[tokio::test]
async fn what_is_made_new_stays_with_whom_it_is_for() {
    let world = World::new().await;
    let lines = "ETag: \"1\"\nVary: X-Forwarded-For\nCache-Control: max-age=5";
    world.then(ok(lines, "you are 1"));
    world.get_from("192.0.2.1", "/a", "").await;
    world.at(6);
    let same = "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n";
    world.then(super::Act::Says(same.to_owned()));
    let one = world.get_from("192.0.2.1", "/a", "").await;
    assert_eq!(one, "200 you are 1 | fwd=stale; fwd-status=304; ttl=5; stored, age 0");
    world.then(ok(lines, "you are 2"));
    let two = world.get_from("192.0.2.2", "/a", "").await;
    assert_eq!(two, "200 you are 2 | fwd=vary-miss; fwd-status=200; ttl=5; stored");
}
