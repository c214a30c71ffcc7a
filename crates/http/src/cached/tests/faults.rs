//! Servers that lie, break off, or are not there; clients that leave.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    FRESH,
    world::{Act, World, ok, request, says},
};

/// Whatever of it came through, nothing of it is stored.
#[tokio::test]
async fn what_is_cut_is_not_stored() {
    let world = World::new().await;
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{FRESH}\r\n{lines}\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let long = "x".repeat(200_000);
    for act in [
        Act::Ends(head("Content-Length: 9\r\n") + "hi"),
        Act::Resets(head("Content-Length: 9\r\n") + "hi"),
        Act::Ends(head("Content-Length: 200001\r\n") + &long),
        Act::Ends(head(chunked)),
        Act::Ends(head(chunked) + "2\r\nhi\r\n"),
        Act::Ends(head(chunked) + "2\r\nhi\r\n0\r\n"),
        Act::Resets(head(chunked) + "2\r\nhi\r\n"),
        Act::Ends(head(chunked) + "2\r\nhi\r\nx\r\n"),
        Act::Resets(head("") + &long),
    ] {
        let shown = format!("{act:?}")[..20].to_owned();
        let came = world.get_then(act, "/a", "").await;
        // Who is reset may not have read even the head.
        assert!(came.contains("CUT") || came.starts_with("502 "), "{shown}: {came}");
        assert_eq!((world.cache.keys(), world.cache.bytes()), (0, 0), "{shown}");
    }
}

#[tokio::test]
async fn lengths_that_lie_are_not_stored() {
    let world = World::new().await;
    for lines in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
    ] {
        let act = Act::Says(format!("HTTP/1.1 200 OK\r\n{FRESH}\r\n{lines}\r\n0\r\n\r\n"));
        let came = world.get_then(act, "/a", "").await;
        assert!(came.starts_with("502 "), "{lines:?}: {came}");
        assert_eq!(world.cache.keys(), 0);
    }
    // What is behind an answer is not of it, nor the answer to what is asked next.
    let more = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\n";
    let came = world.get_then(Act::Says(format!("{more}hi{more}no")), "/a", "").await;
    assert_eq!(came, "200 hi | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    assert_eq!(world.get("/a", "").await, "200 hi | hit; ttl=60, age 0");
    let next = world.get_then(ok(FRESH, "next"), "/b", "").await;
    assert_eq!(next, "200 next | fwd=uri-miss; fwd-status=200; ttl=60; stored");
}

#[tokio::test]
async fn what_a_client_did_not_wait_for_is_not_stored() {
    let world = World::new().await;
    let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 1000\r\n\r\n");
    world.then(Act::Says(head + &"x".repeat(500)));
    let mut client = world.client();
    client.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
    let mut came = [0; 400];
    client.read_exact(&mut came).await.unwrap();
    drop(client);
    // Others would join what is under way until that is noticed.
    let anew = world.get_then(ok(FRESH, "new"), "/a", "Cache-Control: no-cache").await;
    assert_eq!(anew, "200 new | fwd=uri-miss; fwd-status=200; ttl=60; stored");
}

#[tokio::test]
async fn a_server_that_fails_is_stood_in_for() {
    let world = World::new().await;
    let lines = "Cache-Control: max-age=5, stale-if-error=20";
    world.get_then(ok(lines, "x"), "/a", "").await;
    world.at(10);
    let failing = || says("503 Service Unavailable", "", "sorry");
    let came = world.get_then(failing(), "/a", "").await;
    assert_eq!(came, "200 x | hit; ttl=-5, age 10");
    world.at(26);
    let came = world.get_then(failing(), "/a", "").await;
    assert_eq!(came, "503 sorry | fwd=stale; fwd-status=503");
    let came = world.get_then(Act::Ends(String::new()), "/a", "").await;
    assert!(came.starts_with("502 ") && came.ends_with(" | fwd=stale"), "{came}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_stood_in_for_unless_that_is_forbidden() {
    let world = World::new().await;
    world.get_then(ok("Cache-Control: max-age=5", "x"), "/a", "").await;
    world.get_then(ok("Cache-Control: max-age=5, must-revalidate", "y"), "/b", "").await;
    world.at(10);
    let came = world.get_then(Act::Ends(String::new()), "/a", "").await;
    assert_eq!(came, "200 x | hit; ttl=-5, age 10");
    world.then(Act::Ends(String::new()));
    let came = world.get_then(Act::Ends(String::new()), "/b", "").await;
    assert!(came.starts_with("502 ") && came.ends_with(" | fwd=stale"), "{came}");
}

#[tokio::test]
async fn without_a_server_there_is_no_answer_to_store() {
    let world = World::with_nobody_there().await;
    let came = world.get("/a", "").await;
    assert!(came.starts_with("502 ") && came.ends_with(" | fwd=uri-miss"), "{came}");
    let came = world.ask("POST", "/a", "Content-Length: 0").await;
    assert!(came.starts_with("502 ") && came.ends_with(" | fwd=method"), "{came}");
    assert_eq!(world.cache.keys(), 0);
}
