use std::{pin::pin, task::Waker};

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::*;

/// How long a message may be here.
const BYTES_MAX: usize = 200;

type Client = WebSocketStream<DuplexStream>;

async fn pair() -> (Client, WebSocket) {
    let (client, server) = duplex(1 << 10);
    let client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    (client, web_socket(server, "").await)
}

async fn web_socket(server: DuplexStream, early: &'static str) -> WebSocket {
    WebSocket::new(Stream::Memory(server), early.into(), BYTES_MAX).await
}

async fn hear(socket: &mut WebSocket) -> io::Result<Heard> {
    poll_fn(|cx| socket.poll_hear(cx)).await
}

async fn tell(socket: &mut WebSocket, mut lines: &[u8]) -> io::Result<()> {
    poll_fn(|cx| socket.poll_tell(cx, &mut lines)).await
}

async fn say(client: &mut Client, message: Message) {
    poll_fn(|cx| Pin::new(&mut *client).poll_ready(cx)).await.unwrap();
    Pin::new(&mut *client).start_send(message).unwrap();
    poll_fn(|cx| Pin::new(&mut *client).poll_flush(cx)).await.unwrap();
}

async fn heard_by(client: &mut Client) -> Option<Message> {
    poll_fn(|cx| Pin::new(&mut *client).poll_next(cx)).await.map(Result::unwrap)
}

fn text(said: &str) -> Message {
    Message::Text(Utf8Bytes::from(said))
}

/// A frame as a client sends it, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let head = if length < 126 { vec![first, 0x80 | low] } else { vec![first, 0xfe, high, low] };
    [&head, &[0; 4][..], payload].concat()
}

const TEXT: u8 = 0x81;
const TEXT_BEGUN: u8 = 0x01;
const GONE_ON: u8 = 0x00;
const PING: u8 = 0x89;

#[tokio::test]
async fn each_message_is_a_frame_and_each_line_a_message() {
    let (mut client, mut socket) = pair().await;
    say(&mut client, Message::Ping(Bytes::from_static(b"there?"))).await;
    say(&mut client, text("{\"a\":1}")).await;
    assert_eq!(hear(&mut socket).await.unwrap(), Heard::Bytes(7));
    assert_eq!(socket.next(), Some(Line::Whole(b"{\"a\":1}".to_vec())));
    assert_eq!(socket.next(), None);
    tell(&mut socket, b"{\"b\":2}\n{\"c\":3}\n").await.unwrap();
    assert_eq!(heard_by(&mut client).await, Some(Message::Pong(Bytes::from_static(b"there?"))));
    assert_eq!(heard_by(&mut client).await, Some(text("{\"b\":2}")));
    assert_eq!(heard_by(&mut client).await, Some(text("{\"c\":3}")));
}

#[tokio::test]
async fn what_came_behind_the_opening_is_heard_first() {
    let (_client, server) = duplex(64);
    let mut socket = web_socket(server, "\u{1}\0").await;
    // Half of a frame that no client may send: unmasked.
    assert!(matches!(hear(&mut socket).await.unwrap(), Heard::Over((By::Relais, _))));
}

/// What the client is told last, if it says this.
#[track_caller]
fn check(said: &[u8], code: CloseCode, why: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut raw, server) = duplex(1 << 10);
        raw.write_all(said).await.unwrap();
        let mut socket = web_socket(server, "").await;
        let end = loop {
            match hear(&mut socket).await.unwrap() {
                Heard::Over(end) => break end,
                heard => assert!(matches!(heard, Heard::Bytes(_)), "{heard:?}"),
            }
        };
        assert_eq!(end.1, why);
        let mut client = WebSocketStream::from_raw_socket(raw, Role::Client, None).await;
        let closing = async {
            let goodbye = heard_by(&mut client).await;
            while heard_by(&mut client).await.is_some() {}
            drop(client);
            goodbye
        };
        let ((), goodbye) = tokio::join!(socket.close(&end), closing);
        let Some(Message::Close(Some(frame))) = goodbye else { panic!("{goodbye:?}") };
        assert_eq!((frame.code, frame.reason.as_str()), (code, why));
    });
}

#[test]
fn who_breaks_a_rule_is_told_which() {
    let why = "Message too long: 201 > 200";
    check(&frame(TEXT, &[b'a'; BYTES_MAX + 1]), CloseCode::Size, why);
    let parts = [frame(TEXT_BEGUN, &[b'a'; BYTES_MAX]), frame(GONE_ON, b"a")].concat();
    check(&parts, CloseCode::Size, why);
    let why = "a binary message: expected text";
    check(&frame(0x82, b"{}"), CloseCode::Unsupported, why);
    check(&frame(TEXT, b"a\xff"), CloseCode::Invalid, "a text that is no UTF-8");
    check(&[TEXT, 1, b'a'], CloseCode::Protocol, "Received an unmasked frame from client");
    let why = "Fragmented control frame";
    check(&frame(0x09, b""), CloseCode::Protocol, why);
    check(&frame(GONE_ON, b"a"), CloseCode::Protocol, "Continue frame but nothing to continue");
    let why = "Reserved bits are non-zero";
    check(&frame(0xc1, b"a"), CloseCode::Protocol, why);
    let why = "Control frame too big (payload must be 125 bytes or less)";
    check(&frame(PING, &[b'a'; 126]), CloseCode::Protocol, why);
}

#[tokio::test]
async fn a_message_of_all_that_it_may_have_is_heard_in_parts_or_at_once() {
    let (mut raw, server) = duplex(1 << 10);
    let mut socket = web_socket(server, "").await;
    for said in [
        frame(TEXT, &[b'a'; BYTES_MAX]),
        [frame(TEXT_BEGUN, &[b'a'; 150]), frame(PING, b""), frame(0x80, &[b'a'; 50])].concat(),
    ] {
        raw.write_all(&said).await.unwrap();
        assert_eq!(hear(&mut socket).await.unwrap(), Heard::Bytes(BYTES_MAX));
        assert_eq!(socket.next(), Some(Line::Whole(vec![b'a'; BYTES_MAX])));
    }
}

#[tokio::test]
async fn a_long_line_goes_in_parts_and_arrives_as_one_message() {
    let (mut client, mut socket) = pair().await;
    for length in [0, 1, PART_BYTES_MAX, PART_BYTES_MAX + 1, 5 * PART_BYTES_MAX] {
        let said = "é".repeat(length / 2) + &"a".repeat(length % 2);
        let lines = format!("{said}\nlast\n");
        let telling = async { tell(&mut socket, lines.as_bytes()).await.unwrap() };
        let hearing = async { (heard_by(&mut client).await, heard_by(&mut client).await) };
        let ((), heard) = tokio::join!(telling, hearing);
        assert!(heard == (Some(text(&said)), Some(text("last"))), "{length}");
    }
}

#[tokio::test]
async fn a_goodbye_is_returned_and_nothing_is_heard_behind_it() {
    let (mut client, mut socket) = pair().await;
    say(&mut client, Message::Close(None)).await;
    let Heard::Over(end) = hear(&mut socket).await.unwrap() else { panic!("it said goodbye") };
    assert_eq!(end, (By::Client, "closed".into()));
    tokio::join!(socket.close(&end), async {
        assert_eq!(heard_by(&mut client).await, Some(Message::Close(None)));
        assert_eq!(heard_by(&mut client).await, None);
        drop(client);
    });
}

#[tokio::test]
async fn who_is_gone_without_a_goodbye_is_over() {
    let (client, mut socket) = pair().await;
    drop(client);
    assert_eq!(hear(&mut socket).await.unwrap(), Heard::Over(closed()));
}

#[tokio::test]
async fn of_a_long_reason_the_front_is_told() {
    let (mut client, mut socket) = pair().await;
    let end = (By::Relais, "é".repeat(100).into());
    tokio::join!(socket.close(&end), async {
        let goodbye = heard_by(&mut client).await;
        let Some(Message::Close(Some(frame))) = goodbye else { panic!("{goodbye:?}") };
        assert_eq!((frame.code, frame.reason.len()), (CloseCode::Away, REASON_BYTES_MAX - 1));
        drop(client);
    });
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_asked_and_gone_if_it_does_not_answer() {
    let (mut raw, server) = duplex(1 << 10);
    let mut socket = web_socket(server, "").await;
    socket.keep_alive(&Limits::default());
    let begun = tokio::time::Instant::now();
    let error = hear(&mut socket).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let lasted = begun.elapsed();
    let gone_after = Limits::default().gone_after;
    assert!(lasted >= gone_after && lasted < gone_after + Duration::from_secs(10), "{lasted:?}");
    drop(socket);
    let mut told = Vec::new();
    raw.read_to_end(&mut told).await.unwrap();
    assert_eq!(told, [PING, 0, PING, 0]);
}

#[tokio::test(start_paused = true)]
async fn who_answers_when_it_is_asked_stays() {
    let (mut client, mut socket) = pair().await;
    socket.keep_alive(&Limits::default());
    let answering = async {
        let begun = tokio::time::Instant::now();
        // Pings are answered by who reads them.
        while begun.elapsed() < Duration::from_mins(10) {
            assert_eq!(heard_by(&mut client).await, Some(Message::Ping(Bytes::new())));
        }
        say(&mut client, text("still here")).await;
    };
    let ((), heard) = tokio::join!(answering, hear(&mut socket));
    assert_eq!(heard.unwrap(), Heard::Bytes(10));
}

#[tokio::test]
async fn who_pings_and_reads_nothing_takes_little_memory() {
    let (mut raw, server) = duplex(1 << 10);
    let mut socket = web_socket(server, "").await;
    let pings = frame(PING, &[b'a'; 125]).repeat(5_000);
    let pinging = async {
        raw.write_all(&pings).await.unwrap();
        // One that was heard says that the pings were, too.
        raw.write_all(&frame(TEXT, b"a")).await.unwrap();
    };
    let ((), heard) = tokio::join!(pinging, hear(&mut socket));
    assert_eq!(heard.unwrap(), Heard::Bytes(1));
    drop(socket);
    let mut told = Vec::new();
    raw.read_to_end(&mut told).await.unwrap();
    assert!(told.len() <= 1 << 10, "only what the pipe holds: {}", told.len());
}

#[tokio::test]
async fn what_is_told_waits_for_who_reads_slowly_and_takes_bounded_memory() {
    let (mut client, mut socket) = pair().await;
    let lines = [&b"a".repeat(PART_BYTES_MAX)[..], b"\n"].concat().repeat(20);
    let mut left = &lines[..];
    let mut told = pin!(poll_fn(|cx| socket.poll_tell(cx, &mut left)));
    assert!(told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let reading = async {
        for _ in 0..20 {
            assert_eq!(heard_by(&mut client).await.unwrap().len(), PART_BYTES_MAX);
        }
    };
    let (told, ()) = tokio::join!(told, reading);
    told.unwrap();
}

proptest! {
    #[test]
    fn nothing_panics(said in proptest::collection::vec(any::<u8>(), 0..600)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut raw, server) = duplex(1 << 10);
            raw.write_all(&said).await.unwrap();
            drop(raw);
            let mut socket = web_socket(server, "").await;
            while let Ok(Heard::Bytes(bytes)) = hear(&mut socket).await {
                assert!(bytes <= BYTES_MAX);
                assert!(socket.next().is_some());
            }
        });
    }
}
