//! One client beside another: what is one's own, and what only one of them asked for.

use std::sync::Arc;

use relais_cache::{Joining, Settings};
use tokio::sync::Notify;

use super::{
    FRESH,
    world::{Act, World, ok, says},
};

const WHO: &str = "Authorization: Basic YTpi";
const WINDOW: &str = "ETag: \"1\"\nCache-Control: max-age=5, stale-while-revalidate=10";

/// An errand asks as its client would have, and its answer is that client's own where it would have
/// been (RFC 9111 §3.5).
#[tokio::test]
async fn an_errand_for_one_client_brings_nothing_of_its_own_to_others() {
    let check = async |lines: &str, answer: Act, expect: &str| {
        let world = World::new().await;
        world.get_then(ok(WINDOW, "ours"), "/a", "").await;
        world.at(6);
        let stale = world.get_then(answer, "/a", lines).await;
        assert_eq!(stale, "200 ours | hit; ttl=-1, age 6", "{lines}");
        world.until(|world| world.count() == 2).await;
        let sent = lines.replace("Authorization", "authorization").replace("Cookie", "cookie");
        let asked = format!("GET /a, {sent}, if-none-match: \"1\"");
        assert_eq!(world.asked()[1..], [asked]);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        world.then(Act::Hangs);
        world.at(7);
        let next = world.get("/a", "").await;
        assert!(next.starts_with(expect), "{lines}: {next}");
    };
    let public = "Cache-Control: public, max-age=60";
    check(WHO, ok(FRESH, "mine"), "200 ours | hit; ttl=-").await;
    check(WHO, ok("Cache-Control: private, max-age=60", "mine"), "200 ours | hit; ttl=-").await;
    check(WHO, says("304 Not Modified", FRESH, ""), "200 ours | hit; ttl=-").await;
    check(WHO, says("401 Unauthorized", FRESH, "no"), "200 ours | hit; ttl=-").await;
    check(WHO, ok(public, "new"), "200 new | hit; ttl=").await;
    check("Cookie: id=1", ok("", "mine"), "200 ours | hit; ttl=-").await;
    let cookie = ok(&format!("Set-Cookie: id=2\n{FRESH}"), "mine");
    check("Cookie: id=1", cookie, "200 ours | hit; ttl=-").await;
    check("Cookie: id=1", ok(FRESH, "new"), "200 new | hit; ttl=").await;
}

#[tokio::test]
async fn what_only_one_client_made_a_condition_is_answered_to_it_alone() {
    for (lines, status) in [
        ("If-None-Match: \"1\"", "304 Not Modified"),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "304 Not Modified"),
        ("If-Match: \"9\"", "412 Precondition Failed"),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "412 Precondition Failed"),
        ("Range: bytes=99999-", "416 Range Not Satisfiable"),
        ("Range: bytes=0-0\nIf-Range: \"1\"", "206 Partial Content"),
        ("Expect: 100-continue", "417 Expectation Failed"),
        ("Accept: x", "406 Not Acceptable"),
        ("X-HTTP-Method-Override: POST", "405 Method Not Allowed"),
    ] {
        // Where nobody waits for what another asked for.
        let joining = Joining { waiting_max: 0, ..Joining::default() };
        let world = World::with(Settings { joining, ..Settings::default() }).await;
        let go_on = Arc::new(Notify::new());
        let begin = format!("HTTP/1.1 {status}\r\n{FRESH}\r\n");
        world.then(Act::Pauses(begin, Arc::clone(&go_on), "Content-Length: 0\r\n\r\n".into()));
        let other = async {
            world.until(|world| world.count() == 1).await;
            let whole = world.get_then(ok(FRESH, "whole"), "/a", "").await;
            go_on.notify_one();
            whole
        };
        let (one, other) = tokio::join!(world.get("/a", lines), other);
        assert_eq!(&one[..3], &status[..3], "{lines}");
        assert_eq!(other, "200 whole | fwd=uri-miss; fwd-status=200; ttl=60; stored", "{lines}");
        assert_eq!(world.get("/a", "").await, "200 whole | hit; ttl=60, age 0", "{lines}");
    }
}

/// The server is asked by what is stored, and the client answered by what it has.
#[tokio::test]
async fn who_has_something_else_gets_what_was_confirmed() {
    let world = World::new().await;
    world.get_then(ok("ETag: \"1\"\nCache-Control: max-age=5", "x"), "/a", "").await;
    world.at(6);
    world.then(says("304 Not Modified", "ETag: \"1\"", ""));
    let came = world.get("/a", "If-None-Match: \"9\"").await;
    assert_eq!(came, "200 x | fwd=stale; fwd-status=304; ttl=5; stored, age 0");
    assert_eq!(world.asked()[1..], ["GET /a, if-none-match: \"1\""]);
}
