use std::sync::Arc;

use relais_net::{Conn, Endpoint, Peer, Service, Shutdown};
use relais_wire::web_socket::{accept_of, key_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::role::Role;

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
        call.write_all(request("").as_bytes()).await.unwrap();
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

#[test]
fn who_goes_without_a_word_ended_it() {
    let by = |error| over_by(Error::Protocol(error)).unwrap().0.0;
    assert_eq!(by(ProtocolError::ResetWithoutClosingHandshake), By::Client);
    assert_eq!(by(ProtocolError::NonZeroReservedBits), By::Relais);
}

#[tokio::test]
async fn how_a_caller_ended_is_told_as_its_doing() {
    for (opens, expect) in [(false, "closed before a request"), (true, "closed without a goodbye")]
    {
        let tap = relais_tap::Tap::new(8);
        let mut watcher = tap.watch(relais_tap::Detail::Flows);
        let mut server = Server::of(Role::Echo);
        server.all = Arc::new(Dialogues { tap, ..Dialogues::alone(Role::Echo, 100) });
        if opens {
            drop(server.client().await);
        } else {
            drop(server.call());
        }
        let ending = loop {
            match watcher.next().await {
                Some(relais_tap::Event::Closed { ending: Some(ending), .. }) => break ending,
                Some(_) => (),
                None => panic!("it did not end"),
            }
        };
        assert_eq!((ending.by, &*ending.why), (By::Client, expect));
    }
}

/// What opens a WebSocket, with these fields.
fn request(fields: &str) -> String {
    let key = key_of([7; 16]);
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{fields}\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
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
async fn an_answer_may_be_three_times_as_long_as_what_was_said() {
    let mut server = Server::of(Role::Upper);
    Arc::get_mut(&mut server.all).unwrap().limits.line_bytes_max = 64 << 10;
    let mut client = server.client().await;
    client.send(Frame::text("ΐ".repeat(30_000))).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap().len(), 3 * 60_000);
    // What is too much even then is said to be, and ends nothing.
    let mut server = Server::of(Role::Ack { reply: crate::Answer::Text("x".repeat(300_000)) });
    Arc::get_mut(&mut server.all).unwrap().limits.line_bytes_max = 1_000;
    let mut client = server.client().await;
    for _ in 0..2 {
        client.send(Frame::text("hi")).await.unwrap();
        let answer = client.next().await.unwrap().unwrap();
        assert_eq!(answer, Frame::text("error: the answer is too long"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_no_utf8_ends_it_with_the_code_for_that() {
    let mut call = Server::of(Role::Echo).client().await.into_inner();
    // Masked with nothing.
    call.write_all(b"\x81\x82\0\0\0\0\xff\xff").await.unwrap();
    let mut head = [0; 4];
    call.read_exact(&mut head).await.unwrap();
    assert_eq!((head[0], u16::from_be_bytes([head[2], head[3]])), (0x88, 1007));
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_sites_are_turned_away() {
    let server = Server::of(Role::Echo);
    for (origin, status) in [
        ("http://localhost", "101 "),
        ("http://localhost:80", "101 "),
        ("http://friend.example", "101 "),
        ("http://evil.example", "403 "),
        ("null", "403 "),
    ] {
        let mut call = server.call();
        let asked = request(&format!("Origin: {origin}\r\n"));
        call.write_all(asked.as_bytes()).await.unwrap();
        let mut begin = [0; 13];
        call.read_exact(&mut begin).await.unwrap();
        assert_eq!(str::from_utf8(&begin).unwrap(), format!("HTTP/1.1 {status}"), "{origin}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_whose_name_was_made_to_lead_here_is_turned_away() {
    let server = Server::of(Role::Echo);
    let asked = request("Origin: http://a\r\n").replace("localhost", "a");
    let mut call = server.call();
    call.write_all(asked.as_bytes()).await.unwrap();
    assert!(rest(call).await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test(start_paused = true)]
async fn in_turns_only_the_end_is_heard_while_the_person_is_awaited() {
    let (person, mut told) = crate::Person::new(crate::Manners::Turns);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let mut client = server.client().await;
    for said in ["one", "two"] {
        client.send(Frame::text(said)).await.unwrap();
    }
    told.recv().await.unwrap();
    assert!(matches!(told.recv().await, Some(crate::News::Said { bytes, .. }) if bytes == b"one"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(told.try_recv().is_err());
    person.type_line("answer");
    assert_eq!(client.next().await.unwrap().unwrap(), Frame::text("answer"));
    assert!(matches!(told.recv().await, Some(crate::News::Said { bytes, .. }) if bytes == b"two"));
    drop(client);
    assert!(matches!(told.recv().await, Some(crate::News::Went { .. })));
}

#[tokio::test(start_paused = true)]
async fn in_turns_who_spoke_twice_has_its_pings_answered_and_is_seen_to_leave() {
    let (person, mut told) = crate::Person::new(crate::Manners::Turns);
    let server = Server::of(Role::Talk(person));
    let mut client = server.client().await;
    for said in ["one", "two", "three"] {
        client.send(Frame::text(said)).await.unwrap();
    }
    client.send(Frame::Ping("there?".into())).await.unwrap();
    let pong = tokio::time::timeout(Duration::from_secs(20), client.next()).await.unwrap();
    assert_eq!(pong.unwrap().unwrap(), Frame::Pong("there?".into()));
    client.close(None).await.unwrap();
    let mut heard = Vec::new();
    while let Ok(Some(news)) = tokio::time::timeout(Duration::from_secs(2), told.recv()).await {
        heard.push(match news {
            crate::News::Said { bytes, .. } => String::from_utf8(bytes).unwrap(),
            crate::News::Came { .. } => "came".to_owned(),
            crate::News::Went { .. } => "went".to_owned(),
        });
    }
    assert_eq!(heard, ["came", "one", "two", "three", "went"]);
}

#[tokio::test(start_paused = true)]
async fn who_floods_is_answered_by_the_person_all_the_same() {
    let (person, mut told) = crate::Person::new(crate::Manners::Freely);
    let server = Server::of(Role::Talk(Arc::clone(&person)));
    let (mut say, mut hear) = server.client().await.split();
    let flood = tokio::spawn(async move { while say.send(Frame::text("x")).await.is_ok() {} });
    tokio::spawn(async move { while told.recv().await.is_some() {} });
    while matches!(person.type_line("stop it"), crate::Typed::Nobody) {
        tokio::task::yield_now().await;
    }
    assert_eq!(hear.next().await.unwrap().unwrap(), Frame::text("stop it"));
    flood.abort();
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
    let began = tokio::time::Instant::now();
    assert_eq!(rest(call).await, "");
    assert_eq!(began.elapsed().as_secs(), 10);
    // Nor when we are to stop.
    let call = server.call();
    tokio::task::yield_now().await;
    server.shutdown.request();
    let began = tokio::time::Instant::now();
    assert_eq!(rest(call).await, "");
    assert_eq!(began.elapsed().as_secs(), 0);
}
