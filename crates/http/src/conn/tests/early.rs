//! Answers that come before the bodies of their requests: whether they say that the connection ends.

use super::*;
use crate::conn::head::Behind;

/// The head that comes back for the first of what is said, which has no end here.
async fn head_of_first(input: &[u8]) -> String {
    let Served { mut client, shutdown: _shutdown } = serve(Limits::default());
    client.write_all(input).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    undated(&String::from_utf8(head).unwrap())
}

async fn check(input: &str, expect: Behind) {
    let head = head_of_first(input.as_bytes()).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let is_last = head.contains("connection: close\r\n");
    assert_eq!(is_last, expect == Behind::End, "{input:?}: {head}");
}

fn post(path: &str, framing: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")
}

const CHUNKED: &str = "Transfer-Encoding: chunked";

#[tokio::test]
async fn where_much_of_a_body_may_be_to_come_the_head_says_that_the_connection_ends() {
    for path in ["/now", "/later"] {
        check(&post(path, "Content-Length: 20000000"), Behind::End).await;
        check(&format!("{}some", post(path, "Content-Length: 1048581")), Behind::End).await;
        check(&format!("{}1\r\na\r\n", post(path, CHUNKED)), Behind::End).await;
    }
}

#[tokio::test]
async fn where_little_of_a_body_is_to_come_or_nothing_the_connection_goes_on() {
    for path in ["/now", "/later"] {
        check(&post(path, "Content-Length: 0"), Behind::Next).await;
        check(&format!("{}some", post(path, "Content-Length: 1048580")), Behind::Next).await;
        check(&format!("{}1\r\na\r\n0\r\n", post(path, CHUNKED)), Behind::Next).await;
        check(&format!("{}1\r\na\r\n0\r\n\r\n", post(path, CHUNKED)), Behind::Next).await;
    }
    check(&format!("{}0\r\n\r\n", post("/echo", CHUNKED)), Behind::Next).await;
}

#[tokio::test]
async fn the_body_of_a_later_request_ends_nothing() {
    let long = post("/now", "Content-Length: 20000000");
    check(&format!("{}{long}", post("/later", "Content-Length: 0")), Behind::Next).await;
    check(&format!("{}body{long}", post("/echo", "Content-Length: 4")), Behind::Next).await;
    check(&format!("GET /now HTTP/1.1\r\nHost: a\r\n\r\n{long}"), Behind::Next).await;
}

#[tokio::test(start_paused = true)]
async fn behind_others_it_is_said_of_the_one_whose_body_it_is() {
    let Served { client, shutdown: _shutdown } = serve(Limits::default());
    let (mut output, mut input) = tokio::io::split(client);
    let mut bytes = String::new();
    // By the straight way, and by hyper's, a long body taken whole before.
    bytes += "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";
    bytes += &post("/echo", "Content-Length: 1500000");
    bytes += &"x".repeat(1_500_000);
    bytes += "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    bytes += &post("/later", "Content-Length: 20000000");
    tokio::spawn(async move {
        _ = input.write_all(bytes.as_bytes()).await;
        std::future::pending::<()>().await;
    });
    let mut text = Vec::new();
    output.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 4);
    let (before, last) = text.rsplit_once("HTTP/1.1 200 OK\r\n").unwrap();
    assert!(!before.contains("connection: close"));
    assert!(last.starts_with("connection: close\r\n"), "{last}");
}
