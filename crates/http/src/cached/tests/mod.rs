//! A cache between clients and a server, from end to end.

mod damaged;
mod desk;
mod faults;
mod joining;
mod others;
mod partial;
mod sent;
mod sizes;
mod slow_disk;
mod stale;
mod ways;
mod world;

use std::sync::Arc;

use relais_cache::{SetCookie, Settings};
use tokio::sync::Notify;

use self::world::{Act, World, fields, ok, request, says};

const FRESH: &str = "Cache-Control: max-age=60";

#[tokio::test]
async fn the_second_get_never_reaches_the_server() {
    let world = World::new().await;
    let first = world.get_then(ok(FRESH, "x"), "/a", "").await;
    assert_eq!(first, "200 x | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    world.at(7);
    assert_eq!(world.get("/a", "").await, "200 x | hit; ttl=53, age 7");
    assert_eq!(world.asked(), ["GET /a"]);
}

#[tokio::test]
async fn what_says_nothing_is_fresh_for_a_minute() {
    let world = World::new().await;
    world.get_then(ok("", "x"), "/a", "").await;
    world.at(59);
    assert_eq!(world.get("/a", "").await, "200 x | hit; ttl=1, age 59");
    world.at(60);
    let later = world.get_then(ok("", "y"), "/a", "").await;
    assert_eq!(later, "200 y | fwd=stale; fwd-status=200; ttl=60; stored");
}

/// However long they are and however that is told.
#[tokio::test]
async fn answers_are_stored_however_they_are_framed() {
    let world = World::new().await;
    let long = "x".repeat(300_000);
    let chunked = "Transfer-Encoding: chunked\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let chunks = chunk("one") + &chunk("two") + "0\r\n\r\n";
    let long_chunks = chunk(&long) + &chunk("y") + "0\r\nX-Poison: 1\r\n\r\n";
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{FRESH}\r\n{lines}\r\n");
    let long_length = format!("Content-Length: {}\r\n", long.len());
    for (path, act, body) in [
        ("/a", Act::Says(head("Content-Length: 5\r\n") + "hello"), "hello"),
        ("/a0", Act::Says(head("Content-Length: 0\r\n")), ""),
        ("/a1", Act::Says(head(&long_length) + &long), "x...300000"),
        ("/a2", Act::Says(head(chunked) + &chunks), "onetwo"),
        ("/a3", Act::Says(head(chunked) + &long_chunks), "x...300001"),
        ("/a4", Act::Ends(head("") + "until the end"), "until the end"),
        ("/a5", Act::Ends(head("") + &long), "x...300000"),
        (
            "/a6",
            Act::Says("HTTP/1.1 204 No Content\r\nCache-Control: max-age=60\r\n\r\n".into()),
            "",
        ),
    ] {
        let first = world.get_then(act, path, "").await;
        let status = &first[..3];
        let said = format!("fwd=uri-miss; fwd-status={status}; ttl=60; stored");
        assert_eq!(first, format!("{status} {body} | {said}"), "{path}");
        let second = world.get(path, "").await;
        assert_eq!(second, format!("{status} {body} | hit; ttl=60, age 0"), "{path}");
        let raw = world.raw(&[&request("GET", path, "")]).await;
        assert!(!raw.contains("poison") && !raw.contains("chunked"), "{path}");
    }
}

#[tokio::test]
async fn each_of_several_variants_is_for_those_who_ask_for_it() {
    let world = World::new().await;
    let vary = "Vary: Accept-Language\nCache-Control: max-age=60";
    world.get_then(ok(vary, "hallo"), "/a", "Accept-Language: de").await;
    let english = world.get_then(ok(vary, "hello"), "/a", "Accept-Language: en, fr").await;
    assert_eq!(english, "200 hello | fwd=vary-miss; fwd-status=200; ttl=60; stored");
    for (language, expect) in [("de", "hallo"), ("en,fr", "hello"), ("EN , FR", "hello")] {
        let hit = world.get("/a", &format!("Accept-Language: {language}")).await;
        assert_eq!(hit, format!("200 {expect} | hit; ttl=60, age 0"), "{language}");
    }
    world.get_then(ok("Vary: *\nCache-Control: max-age=60", "x"), "/b", "").await;
    let again = world.get_then(ok("", "y"), "/b", "").await;
    assert_eq!(again, "200 y | fwd=uri-miss; fwd-status=200; ttl=60; stored");
}

#[tokio::test]
async fn what_is_stale_is_asked_about_and_made_new_by_a_304() {
    let world = World::new().await;
    let lines = "ETag: \"1\"\nCache-Control: max-age=5\nX-Old: 1\nX-Both: old";
    world.get_then(ok(lines, "x"), "/a", "").await;
    world.at(6);
    world.then(Act::Says(
        "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nCache-Control: max-age=9\r\nX-Both: new\r\n\r\n"
            .into(),
    ));
    let came = world.raw(&[&request("GET", "/a", "")]).await;
    let expect = "200 x | fwd=stale; fwd-status=304; ttl=9; stored, age 0";
    assert_eq!(world::told(&came), expect);
    let value = |name| fields(&came, name).collect::<Vec<_>>();
    assert_eq!((value("x-old"), value("x-both")), (vec!["1"], vec!["new"]));
    world.at(14);
    assert_eq!(world.get("/a", "").await, "200 x | hit; ttl=1, age 8");
    assert_eq!(world.asked(), ["GET /a", "GET /a, if-none-match: \"1\""]);
}

/// A server that speaks of something else than what it was asked about is asked again.
#[tokio::test]
async fn a_304_about_something_else_is_not_believed() {
    let world = World::new().await;
    world.get_then(ok("ETag: \"1\"\nCache-Control: max-age=5", "x"), "/a", "").await;
    world.at(6);
    world.then(Act::Says("HTTP/1.1 304 Not Modified\r\nETag: \"2\"\r\n\r\n".into()));
    let came = world.get_then(ok("ETag: \"2\"", "y"), "/a", "").await;
    assert_eq!(came, "200 y | fwd=stale; fwd-status=200; ttl=60; stored");
    assert_eq!(world.asked()[1..], ["GET /a, if-none-match: \"1\"", "GET /a"]);
}

#[tokio::test]
async fn a_change_takes_out_what_it_may_have_changed() {
    let world = World::new().await;
    for path in ["/a", "/a1", "/b"] {
        world.get_then(ok(FRESH, "old"), path, "").await;
    }
    world.then(says("201 Created", "Location: /a1", ""));
    let post = world.ask("POST", "/a", "Content-Length: 0").await;
    assert_eq!(post, "201  | fwd=method; fwd-status=201");
    for path in ["/a", "/a1"] {
        let anew = world.get_then(ok(FRESH, "new"), path, "").await;
        assert_eq!(anew, "200 new | fwd=uri-miss; fwd-status=200; ttl=60; stored", "{path}");
    }
    world.then(says("403 Forbidden", "", ""));
    world.ask("DELETE", "/b", "").await;
    assert_eq!(world.get("/b", "").await, "200 old | hit; ttl=60, age 0");
}

/// An answer that was asked for before the change may be of the state before.
#[tokio::test]
async fn what_comes_in_while_it_is_changed_is_not_stored() {
    let world = World::new().await;
    let change = async |path: &str| {
        let go_on = Arc::new(Notify::new());
        let begin = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 6\r\n\r\nold");
        world.then(Act::Pauses(begin, Arc::clone(&go_on), "old".into()));
        let changing = async {
            world.until(|world| world.count() == 1).await;
            world.then(says("204 No Content", "", ""));
            world.ask("POST", path, "Content-Length: 0").await;
            go_on.notify_one();
        };
        let (came, ()) = tokio::join!(world.get("/a", ""), changing);
        assert_eq!(came, "200 oldold | fwd=uri-miss; fwd-status=200; ttl=60; stored");
        world.asked();
    };
    change("/a").await;
    let anew = world.get_then(ok(FRESH, "new"), "/a", "").await;
    assert_eq!(anew, "200 new | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    world.cache.clear();
    world.asked();
    change("/b").await;
    assert_eq!(world.get("/a", "").await, "200 oldold | hit; ttl=60, age 0");
}

#[tokio::test]
async fn a_head_is_answered_by_what_get_has_stored() {
    let world = World::new().await;
    world.get_then(ok(FRESH, "four"), "/a", "").await;
    let came = world.raw(&[&request("HEAD", "/a", "")]).await;
    assert_eq!(world::told_of_head(&came), "200  | hit; ttl=60, age 0");
    assert_eq!(fields(&came, "content-length").collect::<Vec<_>>(), ["4"]);
    world.then(Act::Says(format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 9\r\n\r\n")));
    let miss = world.ask("HEAD", "/b", "").await;
    assert_eq!(miss, "200  | fwd=uri-miss; fwd-status=200");
    assert_eq!(world.asked(), ["GET /a", "HEAD /b"]);
}

#[tokio::test]
async fn clients_that_have_it_and_clients_that_want_a_part_get_what_they_need() {
    let world = World::new().await;
    let lines = "ETag: \"1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\nContent-Type: a/b";
    world.get_then(ok(&format!("{lines}\n{FRESH}"), "0123456789"), "/a", "").await;
    let same = world.raw(&[&request("GET", "/a", "If-None-Match: \"1\"")]).await;
    assert_eq!(world::told(&same), "304  | hit; ttl=60, age 0");
    assert_eq!(fields(&same, "content-type").count(), 0);
    let since = world.get("/a", "If-Modified-Since: Mon, 07 Nov 1994 08:49:37 GMT").await;
    assert_eq!(since, "304  | hit; ttl=60, age 0");
    let other = world.get("/a", "If-None-Match: \"2\"").await;
    assert_eq!(other, "200 0123456789 | hit; ttl=60, age 0");
    let part = world.raw(&[&request("GET", "/a", "Range: bytes=2-4")]).await;
    assert_eq!(world::told(&part), "206 234 | hit; ttl=60, age 0");
    assert_eq!(fields(&part, "content-range").collect::<Vec<_>>(), ["bytes 2-4/10"]);
    assert_eq!(world.get("/a", "Range: bytes=20-").await, "416  | hit; ttl=60, age 0");
    assert_eq!(world.asked(), ["GET /a"]);
}

/// A part is passed on and stored.
#[tokio::test]
async fn a_part_that_comes_from_the_server_is_not_taken_for_the_whole() {
    let world = World::new().await;
    let part = says("206 Partial Content", &format!("{FRESH}\nContent-Range: bytes 0-1/4"), "ab");
    let came = world.get_then(part, "/a", "Range: bytes=0-1").await;
    assert_eq!(came, "206 ab | fwd=uri-miss; fwd-status=206; ttl=60; stored");
    let whole = world.get_then(ok(FRESH, "abcd"), "/a", "").await;
    assert_eq!(whole, "200 abcd | fwd=partial; fwd-status=200; ttl=60; stored");
    assert_eq!(world.asked(), ["GET /a, range: bytes=0-1", "GET /a, range: bytes=2-"]);
}

#[tokio::test]
async fn what_is_somebodys_own_is_not_shared() {
    let world = World::new().await;
    let who = "Authorization: Basic YTpi";
    let own = world.get_then(ok(FRESH, "mine"), "/a", who).await;
    assert_eq!(own, "200 mine | fwd=uri-miss; fwd-status=200");
    let public = ok("Cache-Control: public, max-age=60", "ours");
    world.get_then(public, "/b", who).await;
    assert_eq!(world.get("/b", "").await, "200 ours | hit; ttl=60, age 0");
    let private = world.get_then(ok("Cache-Control: private, max-age=60", "mine"), "/c", "").await;
    assert_eq!(private, "200 mine | fwd=uri-miss; fwd-status=200");
    let guessed = world.get_then(ok("", "mine"), "/c", "Cookie: id=1").await;
    assert_eq!(guessed, "200 mine | fwd=uri-miss; fwd-status=200");
}

#[tokio::test]
async fn cookies_are_given_to_all_only_where_that_is_meant() {
    let check = async |set_cookie, lines: &str, expect: &str| {
        let world = World::with(Settings { set_cookie, ..Settings::default() }).await;
        let lines = format!("Set-Cookie: id=1\n{lines}");
        let came = world.get_then(ok(&lines, "x"), "/a", "").await;
        assert_eq!(came, format!("200 x | fwd=uri-miss; fwd-status=200{expect}"), "{lines}");
    };
    check(SetCookie::SharedOnly, FRESH, "").await;
    check(SetCookie::SharedOnly, "Cache-Control: s-maxage=60", "; ttl=60; stored").await;
    check(SetCookie::Refused, "Cache-Control: s-maxage=60", "").await;
    check(SetCookie::Explicit, FRESH, "; ttl=60; stored").await;
    check(SetCookie::Explicit, "", "").await;
}

#[tokio::test]
async fn who_wants_nobody_asked_is_told_that_nothing_is_there() {
    let world = World::new().await;
    let only = "Cache-Control: only-if-cached";
    let came = world.get("/a", only).await;
    assert!(came.starts_with("504 ") && came.ends_with(" | detail=only-if-cached"), "{came}");
    world.get_then(ok(FRESH, "x"), "/a", "").await;
    assert_eq!(world.get("/a", only).await, "200 x | hit; ttl=60, age 0");
}

#[tokio::test]
async fn requests_that_no_cache_answers_pass_by() {
    let world = World::new().await;
    world.get_then(ok(FRESH, "x"), "/a", "").await;
    let fat = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".replace("POST", "GET");
    world.then(ok(FRESH, "poison"));
    // The server of these tests takes what follows a head for the next one's.
    let came = world.raw(&[&fat]).await;
    assert_eq!(world::told(&came), "200 poison | fwd=bypass; fwd-status=200");
    let switch = "Connection: upgrade\nUpgrade: chat";
    let came = world.get_then(says("426 Upgrade Required", FRESH, "no"), "/a", switch).await;
    assert_eq!(came, "426 no | fwd=bypass; fwd-status=426");
    assert_eq!(world.get("/a", "").await, "200 x | hit; ttl=60, age 0");
}

#[tokio::test]
async fn an_upgrade_still_makes_a_tunnel() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let switch = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    world.then(Act::Ends(format!("HTTP/1.1 101 Switching Protocols\r\n{switch}\r\nearly")));
    let mut client = world.client();
    let get = format!("GET /a HTTP/1.1\r\nHost: a\r\n{switch}\r\n");
    client.write_all(get.as_bytes()).await.unwrap();
    let mut came = String::new();
    client.read_to_string(&mut came).await.unwrap();
    assert!(came.starts_with("HTTP/1.1 101 ") && came.ends_with("\r\n\r\nearly"), "{came}");
}

#[tokio::test]
async fn what_is_too_large_is_passed_on_and_not_stored() {
    let settings = Settings { object_max: 100_000, ..Settings::default() };
    let world = World::with(settings).await;
    let long = "x".repeat(300_000);
    let known = world.get_then(ok(FRESH, &long), "/a", "").await;
    assert_eq!(known, "200 x...300000 | fwd=uri-miss; fwd-status=200");
    let unknown = Act::Ends(format!("HTTP/1.1 200 OK\r\n{FRESH}\r\n\r\n{long}"));
    let came = world.get_then(unknown, "/b", "").await;
    // That it was too large came out when its head was sent.
    assert_eq!(came, "200 x...300000 | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    assert_eq!((world.cache.keys(), world.cache.bytes()), (0, 0));
}

#[tokio::test]
async fn memory_has_an_end() {
    let memory = 1 << 20;
    let settings = Settings { memory, object_max: 100_000, ..Settings::default() };
    let world = World::with(settings).await;
    let body = "x".repeat(50_000);
    for number in 0..60 {
        world.get_then(ok(FRESH, &body), &format!("/a{number}"), "").await;
        assert!(world.cache.bytes() <= memory);
    }
    assert!(world.cache.keys() > 10, "{}", world.cache.keys());
}
