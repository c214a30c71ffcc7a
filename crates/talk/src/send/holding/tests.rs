//! Dialogues in memory, with time that stands still.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use relais_net::Stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    net::UdpSocket,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role as Side, frame::coding::CloseCode},
    },
};

use super::*;

const FREE: Manner = Manner {
    turns: Turns::Free,
    wait: Duration::from_secs(2),
    once_ended: OnceEnded::SaysOn,
    once_answered: OnceAnswered::HangsUp,
};
const TURNS: Manner = Manner { turns: Turns::EachAnswered, wait: Duration::from_secs(1), ..FREE };

fn input(messages: &[&'static str]) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(16);
    for message in messages {
        sender.try_send(Bytes::from_static(message.as_bytes())).unwrap();
    }
    receiver
}

#[tokio::test(start_paused = true)]
async fn all_is_said_then_the_half_close_and_the_rest_is_heard() {
    let (ours, mut theirs) = duplex(64);
    let server = async {
        let mut said = String::new();
        theirs.read_to_string(&mut said).await.unwrap();
        theirs.write_all(said.to_uppercase().as_bytes()).await.unwrap();
        drop(theirs);
    };
    let mut heard = String::new();
    let mut audience = |told: Told<'_>| {
        if let Told::Heard(bytes) = told {
            heard.push_str(str::from_utf8(bytes).unwrap());
        }
        ControlFlow::Continue(())
    };
    let mut lines = input(&["a\n", "b\n"]);
    let call = Call::of_stream(Stream::Memory(ours));
    let (ended, ()) = tokio::join!(call.hold(&mut lines, FREE, &mut audience), server);
    assert_eq!((ended.unwrap(), heard.as_str()), (Ended::ByPeer(None), "A\nB\n"));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_after_the_end_is_waited_for_so_long() {
    let (ours, theirs) = duplex(64);
    let begin = Instant::now();
    let call = Call::of_stream(Stream::Memory(ours));
    let mut audience = |_: Told<'_>| ControlFlow::Continue(());
    let ended = call.hold(&mut input(&["a\n"]), FREE, &mut audience).await.unwrap();
    assert_eq!((ended, begin.elapsed()), (Ended::AllSaid, FREE.wait));
    drop(theirs);
}

/// How a dialogue ends in which this is said, with somebody who says at once that nothing more
/// comes from it, and takes so many bytes; and what it took.
async fn with_one_who_ends(once_ended: OnceEnded, takes: usize) -> (Ended, usize) {
    let (ours, theirs) = duplex(16);
    let server = async {
        let (mut read, mut write) = tokio::io::split(theirs);
        write.shutdown().await.unwrap();
        drop(write);
        let mut took = Vec::new();
        (&mut read).take(takes as u64).read_to_end(&mut took).await.unwrap();
        took.len()
    };
    let call = Call::of_stream(Stream::Memory(ours));
    let mut audience = |_: Told<'_>| ControlFlow::Continue(());
    let mut lines = input(&["some bytes\n"; 10]);
    let manner = Manner { once_ended, ..FREE };
    let (took, ended) = tokio::join!(server, call.hold(&mut lines, manner, &mut audience));
    (ended.unwrap(), took)
}

#[tokio::test(start_paused = true)]
async fn who_says_that_nothing_more_comes_is_told_the_rest() {
    assert_eq!(with_one_who_ends(OnceEnded::SaysOn, 200).await, (Ended::ByPeer(None), 110));
    assert_eq!(with_one_who_ends(OnceEnded::SaysOn, 50).await, (Ended::Unsaid(None), 50));
    assert_eq!(with_one_who_ends(OnceEnded::HangsUp, 50).await.0, Ended::Unsaid(None));
}

/// How a dialogue over a WebSocket ends in which this is said, and after so long that, to who answers
/// each message but `fin`, which ends it; and what was heard.
async fn with_one_who_knows_fin(
    said: &[&'static str],
    (after, later): (Duration, &[&'static str]),
) -> String {
    let (ours, theirs) = duplex(1 << 16);
    let server = async {
        let mut socket = WebSocketStream::from_raw_socket(theirs, Side::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) if text.as_str() == "fin" => {
                    let code = CloseCode::Normal;
                    let reason = "its last word".into();
                    _ = socket.close(Some(CloseFrame { code, reason })).await;
                }
                // What comes behind its own goodbye it cannot answer.
                Message::Text(text) => _ = socket.send(Message::Text(text)).await,
                _ => {}
            }
        }
    };
    let (sender, mut input) = mpsc::channel(16);
    let telling = async move {
        for message in said {
            sender.send(Bytes::from_static(message.as_bytes())).await.unwrap();
        }
        tokio::time::sleep(after).await;
        for message in later {
            sender.send(Bytes::from_static(message.as_bytes())).await.unwrap();
        }
    };
    let ours = Stream::Memory(ours);
    let call =
        Call::of_web_socket(WebSocketStream::from_raw_socket(ours, Side::Client, None).await);
    let mut heard = 0;
    let mut audience = |told: Told<'_>| {
        heard += u32::from(matches!(told, Told::Heard(_)));
        ControlFlow::Continue(())
    };
    let hold = call.hold(&mut input, FREE, &mut audience);
    let (ended, (), ()) = tokio::join!(hold, server, telling);
    match ended.unwrap() {
        Ended::Unsaid(Some(goodbye)) => format!("{heard}, unsaid: {goodbye}"),
        Ended::ByPeer(Some(goodbye)) => format!("{heard}, said: {goodbye}"),
        ended => format!("{heard}, {ended:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_the_last_word_of_a_web_socket_is_told_not_to_have_been_heard() {
    let (unsaid, end) = (r#"1, unsaid: code 1000, "its last word""#, (FREE.wait / 2, &[][..]));
    assert_eq!(with_one_who_knows_fin(&["1", "fin", "2"], end).await, unsaid);
    assert_eq!(with_one_who_knows_fin(&["1", "fin", "2", "3"], end).await, unsaid);
    assert_eq!(with_one_who_knows_fin(&["1", "fin"], (FREE.wait / 2, &["2"])).await, unsaid);
    let none = r#"0, unsaid: code 1000, "its last word""#;
    assert_eq!(with_one_who_knows_fin(&["fin", "2"], end).await, none);
    let said = |heard| format!("{heard}, said: code 1000, \"its last word\"");
    assert_eq!(with_one_who_knows_fin(&["1", "fin"], end).await, said(1));
    assert_eq!(with_one_who_knows_fin(&["fin"], end).await, said(0));
    assert_eq!(with_one_who_knows_fin(&["1", "2"], end).await, "2, AllAnswered");
}

#[tokio::test(start_paused = true)]
async fn an_input_that_does_not_end_is_waited_for_no_longer_than_an_answer() {
    let late = (Duration::from_mins(1), &["2"][..]);
    let said = |heard| format!("{heard}, said: code 1000, \"its last word\"");
    assert_eq!(with_one_who_knows_fin(&["1", "fin"], late).await, said(1));
    assert_eq!(with_one_who_knows_fin(&["fin"], late).await, said(0));
}

/// What a dialogue by datagrams is like with who answers each message by these, so many
/// milliseconds later.
async fn by_datagrams(messages: &[&'static str], answers: &'static [(u64, &str)]) -> String {
    let server = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(server.local_addr().unwrap()).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 64];
        for (millis, answer) in answers {
            let (_, from) = server.recv_from(&mut buffer).await.unwrap();
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
                server.send_to(answer.as_bytes(), from).await.unwrap();
            });
        }
    });
    let mut order = Vec::new();
    let mut audience = |told: Told<'_>| {
        order.push(match told {
            Told::Saying(bytes) => format!(">{}", str::from_utf8(bytes).unwrap()),
            Told::Heard(bytes) => format!("<{}", str::from_utf8(bytes).unwrap()),
            Told::Unanswered => "?".to_owned(),
        });
        ControlFlow::Continue(())
    };
    let call = Call::of_datagrams(Arc::new(client));
    let manner = Manner { wait: Duration::from_secs(1), ..TURNS };
    let ended = call.hold(&mut input(messages), manner, &mut audience).await.unwrap();
    assert_eq!(ended, Ended::AllSaid);
    order.join(" ")
}

#[tokio::test]
async fn who_listens_on_hears_what_comes_behind_the_last_answer() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(server.local_addr().unwrap()).await.unwrap();
    let telling = async {
        let mut buffer = [0; 64];
        let (_, from) = server.recv_from(&mut buffer).await.unwrap();
        for _ in 0..3 {
            server.send_to(b"news", from).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut count = 0;
    let mut audience = |told: Told<'_>| {
        count += u32::from(matches!(told, Told::Heard(_)));
        ControlFlow::Continue(())
    };
    let wait = Duration::from_secs(1);
    let manner = Manner { wait, once_answered: OnceAnswered::ListensOn, ..TURNS };
    let mut said = input(&["subscribe"]);
    let call = Call::of_datagrams(Arc::new(client));
    let (ended, ()) = tokio::join!(call.hold(&mut said, manner, &mut audience), telling);
    assert_eq!((ended.unwrap(), count), (Ended::AllSaid, 3));
}

/// How many messages are heard of who greets, and takes a second to answer.
async fn of_one_who_greets(once_answered: OnceAnswered) -> u32 {
    let (ours, theirs) = duplex(1 << 10);
    let server = async {
        let mut socket = WebSocketStream::from_raw_socket(theirs, Side::Server, None).await;
        socket.send(Message::text("welcome")).await.unwrap();
        let asked = socket.next().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Nobody may hear it any more.
        _ = socket.send(asked).await;
        while let Some(Ok(_)) = socket.next().await {}
    };
    let ours = WebSocketStream::from_raw_socket(Stream::Memory(ours), Side::Client, None).await;
    let mut heard = 0;
    let mut audience = |told: Told<'_>| {
        heard += u32::from(matches!(told, Told::Heard(_)));
        ControlFlow::Continue(())
    };
    let (mut said, manner) = (input(&["1"]), Manner { once_answered, ..FREE });
    let hold = Call::of_web_socket(ours).hold(&mut said, manner, &mut audience);
    let (ended, ()) = tokio::join!(hold, server);
    assert_eq!(ended.unwrap(), Ended::AllAnswered);
    heard
}

#[tokio::test(start_paused = true)]
async fn who_listens_on_hears_the_answer_behind_a_greeting() {
    assert_eq!(of_one_who_greets(OnceAnswered::ListensOn).await, 2);
    assert_eq!(of_one_who_greets(OnceAnswered::HangsUp).await, 1);
}

#[tokio::test]
async fn an_answer_that_comes_late_does_not_take_the_place_of_the_last() {
    assert_eq!(by_datagrams(&["1", "2"], &[(0, "a"), (0, "b")]).await, ">1 <a >2 <b");
    // The first is late, and the second waited for all the same.
    let order = by_datagrams(&["1", "2"], &[(1_300, "a"), (600, "b")]).await;
    assert_eq!(order, ">1 ? >2 <a <b");
}

#[tokio::test]
async fn each_datagram_is_answered_before_the_next() {
    let order = by_datagrams(&["1", "2"], &[(0, "1"), (0, "2")]).await;
    assert_eq!(order, ">1 <1 >2 <2");
}
