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

const LAST: &str = "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Says each of `pieces` once the server has done what it wants with those before, and the last request
/// then. `expect` is what all of the answers are.
async fn check_goes_on(served: Served, pieces: &[String], expect: &[&str]) {
    let Served { mut client, shutdown: _shutdown } = served;
    for piece in pieces.iter().map(String::as_str).chain([LAST]) {
        // Nobody reads it where the connection has ended.
        _ = client.write_all(piece.as_bytes()).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut text = Vec::new();
    client.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let answers = text.split("HTTP/1.1 200 OK\r\n").skip(1);
    let (heads, bodies): (Vec<_>, Vec<_>) =
        answers.map(|answer| answer.split_once("\r\n\r\n").unwrap()).unzip();
    assert_eq!(bodies, expect);
    let say_an_end = heads.iter().filter(|head| head.contains("connection: close")).count();
    assert_eq!(say_an_end, 1, "{heads:?}");
}

#[tokio::test(start_paused = true)]
async fn however_much_hyper_holds_of_an_unwanted_body_the_connection_goes_on_as_was_said() {
    let head = HeadLimits { head_bytes_max: 1 << 20, ..Limits::default().head };
    let served = serve_through(1 << 24, Limits { head, ..Limits::default() });
    // A long body, so that hyper reads as much at a time as it may: 2 MiB. Its last byte comes with the
    // body that nobody wants.
    let before = "x".repeat(1 << 23);
    let begun = post("/echo", "Content-Length: 8388608") + &before[1..];
    let unwanted = ["x", &post("/now", "Content-Length: 3000000"), &before[..2_200_000]].concat();
    let rest = before[..800_000].to_owned();
    check_goes_on(served, &[begun, unwanted, rest], &[&before, "now", "now"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_of_an_unwanted_body_before_its_answer_is_not_held_against_the_rest() {
    let body = |bytes| "x".repeat(bytes);
    let begun = post("/heedless", "Content-Length: 6000000") + &body(5_000_000);
    let served = serve(Limits::default());
    check_goes_on(served, &[begun, body(1_000_000)], &["heedless", "now"]).await;
}
