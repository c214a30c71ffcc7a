use std::{net::IpAddr, num::NonZeroU16};

use tokio::net::UdpSocket;

use super::*;

/// As in a process of its own.
fn open(endpoint: &str) -> (Datagrams, u16) {
    open_among(endpoint, Box::leak(Box::new(Sockets::none())))
}

fn open_among(endpoint: &str, ours: &'static Sockets) -> (Datagrams, u16) {
    let listener = DatagramListener::bind(&endpoint.parse().unwrap()).unwrap();
    let port = listener.local().host_port().unwrap().port;
    (listener.open_among(ours).unwrap(), port)
}

/// Hears until `count` datagrams came: their bytes.
async fn hear(socket: &Datagrams, count: usize) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    let mut batch = Batch::new();
    while heard.len() < count {
        socket.hear_batch(&mut batch).await.unwrap();
        let datagrams = batch.heard().flat_map(|heard| heard.train.datagrams());
        heard.extend(datagrams.map(<[u8]>::to_vec));
    }
    heard
}

#[tokio::test]
async fn a_datagram_comes_and_is_answered() {
    for (endpoint, at) in [
        ("udp://127.0.0.1:0", "127.0.0.1"),
        ("udp://:0", "127.0.0.1"),
        ("udp://[::1]:0", "::1"),
        ("udp://:0", "::1"),
    ] {
        let (socket, port) = open(endpoint);
        let client = UdpSocket::bind((at, 0)).await.unwrap();
        client.send_to(b"hi", (at, port)).await.unwrap();
        let mut buffer = [0; 8];
        let (length, from) = socket.hear(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], from), (&b"hi"[..], client.local_addr().unwrap()));
        socket.send(b"ho", from).await.unwrap();
        assert_eq!(client.recv(&mut buffer).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn what_says_that_it_comes_from_ourselves_is_not_heard() {
    for (endpoint, at) in
        [("udp://127.0.0.1:0", "127.0.0.1"), ("udp://:0", "127.0.0.1"), ("udp://:0", "::1")]
    {
        for in_batches in [false, true] {
            let (socket, port) = open(endpoint);
            let at: SocketAddr = (at.parse::<IpAddr>().unwrap(), port).into();
            socket.send(b"forged", at).await.unwrap();
            let client = UdpSocket::bind((at.ip(), 0)).await.unwrap();
            client.send_to(b"hi", at).await.unwrap();
            let mut buffer = [0; 8];
            let heard = if in_batches {
                hear(&socket, 1).await.remove(0)
            } else {
                let (length, _) = socket.hear(&mut buffer).await.unwrap();
                buffer[..length].to_vec()
            };
            assert_eq!((&heard[..], socket.forged()), (&b"hi"[..], 1), "{endpoint}");
        }
    }
}

#[tokio::test]
async fn what_says_that_it_comes_from_another_of_ours_is_not_heard() {
    for (endpoint, other) in [
        ("udp://127.0.0.1:0", "udp://127.0.0.1:0"),
        ("udp://:0", "udp://127.0.0.1:0"),
        ("udp://127.0.0.1:0", "udp://:0"),
    ] {
        let (socket, port) = open_among(endpoint, &OF_PROCESS);
        let (other, _) = open_among(other, &OF_PROCESS);
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        other.send(b"forged", at).await.unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.send_to(b"hi", at).await.unwrap();
        assert_eq!((hear(&socket, 1).await.remove(0), socket.forged()), (b"hi".to_vec(), 1));
    }
}

#[test]
fn streams_are_not_heard() {
    let error = DatagramListener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn who_hears_trains_does_not_hear_single_datagrams() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(b"hi", ("127.0.0.1", port)).await.unwrap();
    socket.ready().await.unwrap();
    assert_eq!(socket.hear(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn datagrams_of_any_length_come_whole_and_in_order() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let conn = DatagramConn::new(([127, 0, 0, 1], port).into(), None).unwrap();
    let lengths = [0, 1, 64, 64, 64, 10, 64, 0, 0, 1452, 1452, 1453, 1453, 65_507, 3];
    let sent: Vec<_> = (0..).zip(lengths).map(|(n, length)| vec![n; length]).collect();
    let told = conn.send_batch(sent.iter().map(|datagram| Train::of_one(datagram)));
    let bytes = u64::try_from(lengths.iter().sum::<usize>()).unwrap();
    assert_eq!(told, Sent { datagrams: 15, bytes, ..Sent::default() });
    assert_eq!(hear(&socket, sent.len()).await, sent);
}

#[tokio::test]
async fn more_than_a_train_takes_goes_in_several() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let conn = DatagramConn::new(([127, 0, 0, 1], port).into(), None).unwrap();
    for length in [64, 1400] {
        let sent: Vec<_> = (0..200).map(|n| vec![n; length]).collect();
        let told = conn.send_batch(sent.iter().map(|datagram| Train::of_one(datagram)));
        assert_eq!((told.datagrams, told.dropped), (200, 0));
        assert_eq!(hear(&socket, sent.len()).await, sent);
    }
}

#[tokio::test]
async fn a_train_is_heard_as_such_and_passed_on_as_such() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let (next, next_port) = open("udp://127.0.0.1:0");
    // Trains are asked for before any come.
    let nobody = [socket.ready(), next.ready()]
        .map(|ready| tokio::time::timeout(std::time::Duration::from_millis(1), ready));
    for ready in nobody {
        ready.await.unwrap_err();
    }
    let conn = DatagramConn::new(([127, 0, 0, 1], port).into(), None).unwrap();
    let bytes = [7; 100];
    let train = Train::of_segments(&bytes, NonZeroU16::new(30).unwrap());
    assert_eq!(conn.send_batch([train]).datagrams, 4);
    let mut batch = Batch::new();
    socket.hear_batch(&mut batch).await.unwrap();
    let heard: Vec<_> = batch.heard().map(|heard| heard.train).collect();
    assert_eq!(heard, [train]);
    let to = ([127, 0, 0, 1], next_port).into();
    let sent = socket.send_batch([Outgoing { train: heard[0], to, from: None }]);
    assert_eq!(sent, Sent { datagrams: 4, bytes: 100, ..Sent::default() });
    assert_eq!(hear(&next, 4).await, train.datagrams().map(<[u8]>::to_vec).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_is_to_hear_next_changes_nothing_before_it_does() {
    let ours = Box::leak(Box::new(Sockets::none()));
    let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.local().host_port().unwrap().port;
    let first = listener.open_among(ours).unwrap();
    let nobody = tokio::time::timeout(std::time::Duration::from_millis(1), first.ready());
    nobody.await.unwrap_err();
    let conn = DatagramConn::new(([127, 0, 0, 1], port).into(), None).unwrap();
    let train = Train::of_segments(&[7; 100], NonZeroU16::new(30).unwrap());
    assert_eq!(conn.send_batch([train]).datagrams, 4);
    let _next = listener.open_among(ours).unwrap();
    let mut batch = Batch::new();
    first.hear_batch(&mut batch).await.unwrap();
    let heard: Vec<_> = batch.heard().map(|heard| heard.train).collect();
    assert_eq!(heard, [train]);
}

#[tokio::test]
async fn without_trains_datagrams_go_one_by_one() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let conn = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let way = sending::Outlet { family: Family::V4, takes_trains: false.into() };
    let train = Train::of_segments(b"abcde", NonZeroU16::new(2).unwrap());
    let sent = way.send(conn.as_fd(), [(train, Some(to), None)].into_iter());
    assert_eq!(sent, Sent { datagrams: 3, bytes: 5, ..Sent::default() });
    assert_eq!(hear(&socket, 3).await, [b"ab".to_vec(), b"cd".to_vec(), b"e".to_vec()]);
}

#[tokio::test]
async fn who_hears_at_every_address_answers_from_the_one_that_was_asked() {
    for (endpoint, at) in [
        ("udp://0.0.0.0:0", "127.0.0.1"),
        ("udp://0.0.0.0:0", "127.0.0.77"),
        ("udp://:0", "127.0.0.77"),
        ("udp://:0", "::1"),
    ] {
        let (socket, port) = open(endpoint);
        let at: IpAddr = at.parse().unwrap();
        // A connected socket hears nobody else.
        let client = DatagramConn::new((at, port).into(), None).unwrap();
        client.send_batch([Train::of_one(b"hi"), Train::of_one(b"hello")]);
        let mut batch = Batch::new();
        socket.hear_batch(&mut batch).await.unwrap();
        let mine = batch.heard().filter(|heard| heard.at == Some(at)).count();
        assert_eq!(mine, 2, "{endpoint} {at}");
        let answers = batch.heard().map(|heard| heard.answer(heard.train));
        assert_eq!(socket.send_batch(answers).datagrams, 2);
        client.ready().await.unwrap();
        assert_eq!(client.try_hear(&mut batch).unwrap(), Word::Datagrams);
        let heard: Vec<_> = batch.heard().map(|heard| (heard.train.bytes(), heard.from)).collect();
        let from = client.peer();
        assert_eq!(heard, [(&b"hi"[..], from), (&b"hello"[..], from)], "{endpoint} {at}");
    }
}

#[tokio::test]
async fn an_answer_leaves_from_another_address_where_it_cannot_from_the_asked_one() {
    let (socket, _) = open("udp://0.0.0.0:0");
    let (client, port) = open("udp://127.0.0.1:0");
    let to = ([127, 0, 0, 1], port).into();
    // Nobody's (RFC 5737).
    let from = "192.0.2.1".parse().ok();
    let train = Train::of_segments(b"abc", NonZeroU16::new(2).unwrap());
    let sent = socket.send_batch([Outgoing { train, to, from }]);
    assert_eq!(sent, Sent { datagrams: 2, bytes: 3, ..Sent::default() });
    assert_eq!(hear(&client, 2).await, [b"ab".to_vec(), b"c".to_vec()]);
}

#[tokio::test]
async fn what_the_system_does_not_take_is_counted_and_holds_up_nothing() {
    let (socket, _) = open("udp://127.0.0.1:0");
    let (other, port) = open("udp://127.0.0.1:0");
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let long = vec![0; 65_508];
    let outgoing = |bytes, to| Outgoing { train: Train::of_one(bytes), to, from: None };
    let sent = socket.send_batch([
        outgoing(b"a", to),
        outgoing(&long, to),
        outgoing(b"bb", "[2001:db8::1]:9".parse().unwrap()),
        outgoing(b"ccc", ([127, 0, 0, 1], 0).into()),
        outgoing(b"dddd", to),
    ]);
    assert_eq!(sent, Sent { datagrams: 2, bytes: 5, dropped: 3, refusals: 0 });
    assert_eq!(hear(&other, 2).await, [b"a".to_vec(), b"dddd".to_vec()]);
}

#[tokio::test]
async fn that_nobody_is_there_is_heard_once_and_the_next_datagram_goes() {
    let at = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let conn = DatagramConn::new(at, None).unwrap();
    let mut batch = Batch::new();
    conn.send_batch([Train::of_one(b"lost")]);
    conn.ready().await.unwrap();
    let word = conn.try_hear(&mut batch).unwrap();
    assert_eq!(word, Word::Refused(ErrorKind::ConnectionRefused));
    assert_eq!(conn.try_hear(&mut batch).unwrap(), Word::Silence);
    // What is told of one is not taken for the fate of the next.
    conn.send_batch([Train::of_one(b"lost")]);
    let somebody = UdpSocket::bind(at).await.unwrap();
    let sent = conn.send_batch([Train::of_one(b"hi")]);
    assert_eq!((sent.datagrams, sent.refusals), (1, 1));
    let mut buffer = [0; 8];
    assert_eq!(somebody.recv(&mut buffer).await.unwrap(), 2);
}

#[tokio::test]
async fn what_nobody_hears_in_time_is_lost_and_no_fault() {
    let (socket, port) = open("udp://127.0.0.1:0");
    let conn = DatagramConn::new(([127, 0, 0, 1], port).into(), None).unwrap();
    let long = vec![0; 60_000];
    // More than the system keeps for one socket: what nobody hears is lost there, unseen.
    for _ in 0..300 {
        conn.send_batch([Train::of_one(&long)]);
    }
    let mut batch = Batch::new();
    socket.hear_batch(&mut batch).await.unwrap();
    let mut heard = batch.heard().count();
    while socket.try_hear(&mut batch).unwrap() == Word::Datagrams {
        heard += batch.heard().count();
    }
    assert!((1..300).contains(&heard), "{heard}");
}

#[test]
fn a_batch_that_is_lent_twice_is_two() {
    Batch::lend(|one| {
        Batch::lend(|two| assert!(!std::ptr::eq(one, two)));
    });
}
