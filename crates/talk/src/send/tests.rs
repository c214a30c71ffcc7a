//! With who says much, or more and more: it is heard for as long as is promised.

use std::ops::ControlFlow;

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _};
use relais_net::Stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, copy, duplex, sink},
    join,
    sync::mpsc,
    time::{Duration, Instant, advance, sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Call, Ended, Manner, OnceAnswered, OnceEnded, Patience, Told, Turns};

/// How long somebody talks who is heard for less than a second.
const TALKS: Duration = Duration::from_secs(3);

/// How much is on its way at most: more than is read in one turn, so that nobody ever waits for more.
const WAY_BYTES: usize = 256 << 10;

const MANNER: Manner = Manner {
    turns: Turns::Free,
    wait: Duration::from_secs(2),
    once_ended: OnceEnded::SaysOn,
    once_answered: OnceAnswered::HangsUp,
};

async fn web_socket(ours: DuplexStream) -> Call {
    let config = WebSocketConfig::default().read_buffer_size(256);
    let ours = Stream::Memory(ours);
    Call::of_web_socket(WebSocketStream::from_raw_socket(ours, Role::Client, Some(config)).await)
}

/// A WebSocket with who never pauses.
async fn with_one_who_never_pauses() -> Call {
    let (ours, mut theirs) = duplex(WAY_BYTES);
    let end = Instant::now() + TALKS;
    tokio::spawn(async move {
        let messages = b"\x81\x04spam".repeat(WAY_BYTES / 6);
        while Instant::now() < end && theirs.write_all(&messages).await.is_ok() {
            // As nobody ever waits, time does not pass by itself.
            advance(Duration::from_millis(100)).await;
        }
    });
    web_socket(ours).await
}

/// An input of one message.
fn input() -> mpsc::Receiver<Bytes> {
    let (sender, input) = mpsc::channel(1);
    sender.try_send(Bytes::from_static(b"hi")).unwrap();
    input
}

/// How a dialogue ends in which one message is said to who talks on, if the audience has enough after so
/// many that are heard; and whether that is before the other is done.
async fn hold(call: Call, enough: u64) -> (Ended, bool) {
    let (mut heard, begin) = (0, Instant::now());
    let mut audience = |told: Told<'_>| {
        heard += u64::from(matches!(told, Told::Heard(_)));
        if heard < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let ended = call.hold(&mut input(), MANNER, &mut audience).await.unwrap();
    (ended, begin.elapsed() < TALKS)
}

#[tokio::test]
async fn others_have_their_turn_while_much_is_heard_that_came_at_once() {
    let message = b"\x81\x04spam".as_slice();
    for (much, messages) in
        [(message.repeat(1000), 1000), ([&b"\x89\x00".repeat(1000), message].concat(), 1)]
    {
        let (ours, mut theirs) = duplex(WAY_BYTES);
        theirs.write_all(&much).await.unwrap();
        let (mut call, others) = (web_socket(ours).await, tokio::spawn(async {}));
        for _ in 0..messages {
            call.ear.hear().await.unwrap();
        }
        assert!(others.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_pauses_is_not_heard_for_ever_when_all_is_said() {
    let (call, begin) = (with_one_who_never_pauses().await, Instant::now());
    call.finish(Duration::from_millis(500), &mut |_| {}).await;
    assert!(begin.elapsed() < TALKS);
}

#[tokio::test(start_paused = true)]
async fn who_never_pauses_is_left_by_an_audience_that_has_enough() {
    let call = with_one_who_never_pauses().await;
    assert_eq!(hold(call, 1).await, (Ended::ByAudience, true));
}

#[tokio::test(start_paused = true)]
async fn who_never_pauses_is_left_once_all_is_answered() {
    let call = with_one_who_never_pauses().await;
    assert_eq!(hold(call, u64::MAX).await, (Ended::AllAnswered, true));
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_sending_is_left_once_all_is_answered() {
    let (ours, theirs) = duplex(WAY_BYTES);
    let end = Instant::now() + TALKS;
    tokio::spawn(async move {
        let mut feed = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        while Instant::now() < end && feed.send(Message::text("news")).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    assert_eq!(hold(web_socket(ours).await, u64::MAX).await, (Ended::AllAnswered, true));
}

/// How many messages come at once: more than are heard in one turn.
const MESSAGES: u64 = 1000;

fn messages() -> Vec<u8> {
    b"\x81\x04spam".repeat(1000)
}

/// Takes longer for all the messages than anybody is heard who says nothing.
fn read_slowly() {
    _ = advance(Duration::from_millis(10)).now_or_never();
}

/// How a dialogue ends in which one message is said, and all that comes is read slowly; and how much came.
async fn hold_slowly(call: Call) -> (std::io::Result<Ended>, u64) {
    let mut heard = 0;
    let mut audience = |told: Told<'_>| {
        if let Told::Heard(_) = told {
            heard += 1;
            read_slowly();
        }
        ControlFlow::Continue(())
    };
    let ended = call.hold(&mut input(), MANNER, &mut audience).await;
    (ended, heard)
}

#[tokio::test(start_paused = true)]
async fn what_came_with_the_last_answer_is_heard_however_slowly_it_is_read() {
    let (ours, mut theirs) = duplex(WAY_BYTES);
    let server = async {
        theirs.read_exact(&mut [0; 8]).await.unwrap();
        theirs.write_all(&messages()).await.unwrap();
        copy(&mut theirs, &mut sink()).await.unwrap();
    };
    let ((ended, heard), ()) = join!(hold_slowly(web_socket(ours).await), server);
    assert_eq!((ended.unwrap(), heard), (Ended::AllAnswered, MESSAGES));
}

#[tokio::test(start_paused = true)]
async fn what_came_behind_an_answer_is_heard_however_slowly_it_is_read() {
    let (ours, mut theirs) = duplex(WAY_BYTES);
    theirs.write_all(&messages()).await.unwrap();
    let mut heard = 0;
    let mut hear = |_: &[u8]| {
        heard += 1;
        read_slowly();
    };
    web_socket(ours).await.finish(Duration::from_millis(500), &mut hear).await;
    assert_eq!(heard, MESSAGES);
}

#[tokio::test(start_paused = true)]
async fn last_words_are_heard_however_slowly_they_are_read() {
    let gone = async || {
        let (ours, mut theirs) = duplex(WAY_BYTES);
        theirs.write_all(&messages()).await.unwrap();
        web_socket(ours).await
    };
    let (ended, heard) = hold_slowly(gone().await).await;
    assert_eq!((ended.is_err(), heard), (true, MESSAGES));
    let mut heard = 0;
    let mut hear = |_: &[u8]| {
        heard += 1;
        read_slowly();
        ControlFlow::Continue(())
    };
    let second = Duration::from_secs(1);
    let patience = Patience { first: second, next: second, stall: second };
    assert!(gone().await.ask(b"hi", patience, &mut hear).await.is_err());
    assert_eq!(heard, MESSAGES);
}
