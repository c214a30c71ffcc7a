use std::sync::Arc;

use relais_net::{Conn, Endpoint, Peer, Service, Shutdown};
use relais_wire::web_socket::{accept_of, key_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

struct Server {
    all: Arc<Dialogues>,
    shutdown: Shutdown,
    drain: Drain,
}

impl Server {
    fn of(role: Role) -> Self {
        let all = Dialogues::alone(role, 1_000);
        let (shutdown, drain) = Shutdown::new();
        Self { all: Arc::new(all), shutdown, drain }
    }

    fn call(&self) -> DuplexStream {
        let (ours, theirs) = duplex(1 << 16);
        let local: Endpoint = "ws://127.0.0.1:1".parse().unwrap();
        let stream = Stream::Memory(theirs);
        let local = Arc::new(local);
        let conn = Conn { stream, peer: Peer::Local, local, called: None, tls: None };
        let (all, drain) = (Arc::clone(&self.all), self.drain.clone());
        tokio::spawn(async move { Service::serve(&*all, conn, drain).await });
        ours
    }

    /// A caller whose WebSocket is open.
    async fn client(&self) -> WebSocketStream<DuplexStream> {
        let mut call = self.call();
        let key = key_of([7; 16]);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        call.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(call.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(&format!("Sec-WebSocket-Accept: {}\r\n", accept_of(&key))), "{head}");
        WebSocketStream::from_raw_socket(call, Part::Client, None).await
    }
}

/// What comes until the end.
async fn rest(mut call: DuplexStream) -> String {
    let mut text = String::new();
    call.read_to_string(&mut text).await.unwrap();
    text
}

/// The code with which the other side says goodbye.
async fn goodbye(client: &mut WebSocketStream<DuplexStream>) -> CloseCode {
    match client.next().await {
        Some(Ok(Frame::Close(Some(frame)))) => frame.code,
        other => panic!("no goodbye: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_of_the_kind_of_the_message() {
    let server = Server::of(Role::Echo);
    let mut client = server.client().await;
    for frame in [Frame::text("été"), Frame::text(""), Frame::binary(vec![0, 255])] {
        client.send(frame.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), frame);
    }
    client.send(Frame::text("fin")).await.unwrap();
    assert_eq!(goodbye(&mut client).await, CloseCode::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_long_ends_it() {
    let mut client = Server::of(Role::Echo).client().await;
    client.send(Frame::text("x".repeat(1_001))).await.unwrap();
    assert_eq!(goodbye(&mut client).await, CloseCode::Size);
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_let_go_and_so_is_everyone_at_the_end() {
    let server = Server::of(Role::Upper);
    let mut client = server.client().await;
    assert_eq!(goodbye(&mut client).await, CloseCode::Away);
    let mut client = server.client().await;
    server.shutdown.request();
    assert_eq!(goodbye(&mut client).await, CloseCode::Away);
}

#[tokio::test(start_paused = true)]
async fn who_speaks_something_else_is_told_what_is_spoken_here() {
    let server = Server::of(Role::Echo);
    for (said, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426 Upgrade Required"),
        ("POST / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("coucou\n", "400 Bad Request"),
        (&format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(9_000)), "431 "),
    ] {
        let mut call = server.call();
        call.write_all(said.as_bytes()).await.unwrap();
        call.shutdown().await.unwrap();
        let answer = rest(call).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{said:.20}: {answer}");
        assert!(answer.contains("this is a WebSocket"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_end_is_not_waited_for() {
    let server = Server::of(Role::Echo);
    let mut call = server.call();
    call.write_all(b"GET / HT").await.unwrap();
    assert_eq!(rest(call).await, "");
}
