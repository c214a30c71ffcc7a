//! Relays between sockets, and between pipes of memory.

use std::time::SystemTime;

use relais_tap::{Ends, Flow, Tap};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::*;
use crate::{
    shape::{Noise, Rates},
    streams::shape::{Cuts, Shape, Shaping},
};

mod tls;

const LASTS: Lasts = Lasts {
    idle_max: Duration::from_mins(2),
    half_closed_max: Duration::from_mins(1),
    total_max: None,
};

fn flow() -> Flow {
    let names = || Ends { client: String::new(), server: String::new() };
    Tap::new(1).open(names, SystemTime::UNIX_EPOCH)
}

async fn tcp() -> (Stream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let theirs = listener.accept().await.unwrap().0;
    // What was written is at the other side.
    ours.set_nodelay(true).unwrap();
    theirs.set_nodelay(true).unwrap();
    (Stream::Tcp(ours), Stream::Tcp(theirs))
}

fn unix() -> (Stream, Stream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Stream::Unix(ours), Stream::Unix(theirs))
}

fn memory() -> (Stream, Stream) {
    let (ours, theirs) = duplex(1000);
    (Stream::Memory(ours), Stream::Memory(theirs))
}

async fn alone(pair: Pair, lasts: Lasts) -> Passed {
    shaped(pair, lasts, (b"", Shape::default())).await
}

async fn shaped(pair: Pair, lasts: Lasts, (early, shape): (&[u8], Shape)) -> Passed {
    let (flow, shaping) = (flow(), Shaping::new(shape));
    let along = Along { flow: &flow, shaping: &shaping, number: 1 };
    pass(pair, early.to_vec(), lasts, (along, &Record::default())).await
}

/// A relay between two pairs, and their outer ends.
fn relay(
    (client, near): (Stream, Stream),
    (far, server): (Stream, Stream),
    lasts: Lasts,
) -> (Stream, Stream, JoinHandle<Passed>) {
    let pair = Pair { client: near, server: far };
    (client, server, tokio::spawn(alone(pair, lasts)))
}

async fn each_kind() -> [(Stream, Stream, JoinHandle<Passed>); 4] {
    [
        relay(tcp().await, tcp().await, LASTS),
        relay(tcp().await, unix(), LASTS),
        relay(unix(), memory(), LASTS),
        relay(memory(), tcp().await, LASTS),
    ]
}

#[tokio::test]
async fn an_end_is_passed_on_and_the_other_direction_goes_on() {
    for (mut client, mut server, passing) in each_kind().await {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        server.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        heard.clear();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "answer");
        let expect = Passed { by: By::Client, why: "closed".into(), to_server: 8, to_client: 6 };
        assert_eq!(passing.await.unwrap(), expect);
    }
}

#[tokio::test]
async fn what_came_with_its_end_passes_whole_however_much_there_is_room_for() {
    for length in [1, (16 << 10) - 1, 16 << 10, (16 << 10) + 1, 40_000] {
        let ((mut client, near), (far, mut server)) = (tcp().await, tcp().await);
        client.write_all(&vec![7; length]).await.unwrap();
        client.shutdown().await.unwrap();
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        let passing = tokio::spawn(alone(Pair { client: near, server: far }, LASTS));
        assert_eq!(heard(&mut server).await, (vec![7; length], None));
        assert_eq!(heard(&mut client).await, (b"answer".to_vec(), None));
        let passed = passing.await.unwrap();
        assert_eq!((passed.to_server, passed.to_client), (length as u64, 6));
    }
}

/// Says much, hears as much meanwhile, and that it is the same.
async fn talk(stream: Stream) {
    let (mut read, mut write) = tokio::io::split(stream);
    let byte = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0];
    let bytes: Vec<u8> = (0..5_000_011).map(byte).collect();
    let mut heard = Vec::new();
    let saying = async {
        write.write_all(&bytes).await.unwrap();
        write.shutdown().await.unwrap();
    };
    tokio::join!(saying, async { read.read_to_end(&mut heard).await.unwrap() });
    assert!(heard == bytes);
}

#[tokio::test]
async fn much_passes_both_ways_at_once() {
    for (client, server, passing) in each_kind().await {
        tokio::join!(talk(client), talk(server));
        let passed = passing.await.unwrap();
        assert_eq!((passed.to_server, passed.to_client), (5_000_011, 5_000_011));
    }
}

#[tokio::test]
async fn who_takes_nothing_holds_up_who_sends() {
    let (mut client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
    // Until nothing moves any more: sockets and a pipe are full.
    let mut sent = 0_u64;
    let block = vec![7; 1 << 16];
    while let Ok(wrote) =
        tokio::time::timeout(Duration::from_millis(200), client.write(&block)).await
    {
        sent += wrote.unwrap() as u64;
    }
    assert!(sent < 64 << 20, "{sent}");
    client.shutdown().await.unwrap();
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.len() as u64, sent);
    drop((client, server));
    assert_eq!(passing.await.unwrap().to_server, sent);
}

#[tokio::test]
async fn a_reset_is_passed_on_as_one() {
    let (client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
    client.reset();
    let error = server.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Client, "reset"));

    let (mut client, server, passing) = relay(tcp().await, tcp().await, LASTS);
    server.reset();
    let error = client.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Server, "reset"));
}

/// All that comes, and how it ends.
async fn heard(stream: &mut Stream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut heard = Vec::new();
    let end = stream.read_to_end(&mut heard).await;
    (heard, end.err().map(|error| error.kind()))
}

/// What both are told when one says `half`, is reset, and hears more before that is known: the writing
/// hears of the reset, and the reading of none.
async fn reset_while_written_to(side: By) -> ((Vec<u8>, Option<ErrorKind>), Passed) {
    let ((mut client, near), (far, mut server)) = (tcp().await, tcp().await);
    let (broken, other) = match side {
        By::Client => (&mut client, &mut server),
        By::Server | By::Relais => (&mut server, &mut client),
    };
    broken.write_all(b"half").await.unwrap();
    other.write_all(b"more").await.unwrap();
    let (reset, mut other) = if side == By::Client { (client, server) } else { (server, client) };
    reset.reset();
    let passing = tokio::spawn(alone(Pair { client: near, server: far }, LASTS));
    (heard(&mut other).await, passing.await.unwrap())
}

#[tokio::test]
async fn who_is_reset_while_it_is_written_to_does_not_seem_to_have_ended() {
    for side in [By::Server, By::Client] {
        let (heard, passed) = reset_while_written_to(side).await;
        assert_eq!(heard, (b"half".to_vec(), Some(ErrorKind::ConnectionReset)), "{side:?}");
        assert_eq!((passed.by, &*passed.why), (side, "reset"));
    }
}

#[tokio::test]
async fn what_was_said_before_a_side_went_deaf_still_comes() {
    let (mut client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
    client.write_all(&[1; 100]).await.unwrap();
    server.read_exact(&mut [0; 50]).await.unwrap();
    server.write_all(b"too much").await.unwrap();
    // With bytes unread, which makes it a reset.
    drop(server);
    assert_eq!(heard(&mut client).await, (b"too much".to_vec(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(passing.await.unwrap().by, By::Server);
}

/// Says `many` and its end, and is gone while the other still says something; the other hears it slowly.
async fn gone_after_its_end(side: By) -> (usize, Option<ErrorKind>, Passed) {
    const MANY: usize = 3_000_000;
    let (client, server, passing) = relay(tcp().await, tcp().await, LASTS);
    let (mut gone, slow) = if side == By::Client { (client, server) } else { (server, client) };
    let (mut hears, mut says) = tokio::io::split(slow);
    let saying = async { while says.write_all(&[1; 10_000]).await.is_ok() {} };
    let going = async {
        gone.read_exact(&mut [0; 1000]).await.unwrap();
        gone.write_all(&vec![2; MANY]).await.unwrap();
        gone.shutdown().await.unwrap();
        while gone.has_unsent() {
            sleep(Duration::from_millis(1)).await;
        }
        // With bytes unread.
        drop(gone);
    };
    let hearing = async {
        let (mut count, mut part) = (0, vec![0; 10_000]);
        loop {
            sleep(Duration::from_millis(1)).await;
            match hears.read(&mut part).await {
                Ok(0) => break (count, None),
                Ok(came) => count += came,
                Err(error) => break (count, Some(error.kind())),
            }
        }
    };
    let (count, end) = tokio::select! {
        ((), ()) = async { tokio::join!(saying, going) } => panic!("heard before all is said"),
        end = hearing => end,
    };
    drop((hears, says));
    assert_eq!(count, MANY);
    (count, end, passing.await.unwrap())
}

#[tokio::test]
async fn who_said_all_and_went_is_heard_to_the_end_by_who_still_speaks() {
    for side in [By::Server, By::Client] {
        let (_, end, passed) = gone_after_its_end(side).await;
        assert_eq!((end, passed.by, &*passed.why), (None, side, "closed"));
    }
}

#[tokio::test(start_paused = true)]
async fn of_who_has_ended_the_other_is_not_waited_for_as_long() {
    let (mut client, near) = memory();
    let (far, mut server) = memory();
    let began = Instant::now();
    let passing = tokio::spawn(alone(Pair { client: near, server: far }, LASTS));
    sleep(Duration::from_secs(90)).await;
    client.shutdown().await.unwrap();
    // What passes the other way counts.
    sleep(Duration::from_secs(50)).await;
    server.write_all(b"still here").await.unwrap();
    client.read_exact(&mut [0; 10]).await.unwrap();
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Relais, "half closed and idle for 60s"));
    let lasted = began.elapsed().as_secs();
    assert!((200..=202).contains(&lasted), "{lasted}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_passes_for_long_both_are_cut_off() {
    let lasts = Lasts { idle_max: Duration::from_secs(5), ..LASTS };
    let (mut client, mut server, passing) = relay(memory(), memory(), lasts);
    for _ in 0..4 {
        sleep(Duration::from_secs(4)).await;
        client.write_all(b"a").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
    }
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Relais, "idle for 5s"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_open_for_longer_than_in_all() {
    let total_max = Some(Duration::from_secs(9));
    let lasts = Lasts { idle_max: Duration::from_secs(5), total_max, ..LASTS };
    let (mut client, mut server, passing) = relay(memory(), memory(), lasts);
    let start = Instant::now();
    while client.write_all(b"a").await.is_ok() && server.read_exact(&mut [0]).await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    assert!((9..=12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let passed = passing.await.unwrap();
    assert_eq!((passed.by, &*passed.why), (By::Relais, "open for 9s"));
}

#[tokio::test]
async fn what_came_early_goes_first() {
    let ((mut client, near), (far, mut server)) = (tcp().await, tcp().await);
    let pair = Pair { client: near, server: far };
    let passing = tokio::spawn(shaped(pair, LASTS, (b"hel", Shape::default())));
    client.write_all(b"lo").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(heard(&mut server).await.0, b"hello");
    drop(server);
    assert_eq!(passing.await.unwrap().to_server, 5);
}

#[tokio::test(start_paused = true)]
async fn what_came_early_comes_as_late_as_all_else() {
    let ((_client, near), (far, mut server)) = (memory(), memory());
    let late = noisy(Noise { delay: Duration::from_millis(50), ..Noise::default() });
    let pair = Pair { client: near, server: far };
    let _passing = tokio::spawn(shaped(pair, LASTS, (b"early", late)));
    let start = Instant::now();
    server.read_exact(&mut [0; 5]).await.unwrap();
    assert!((50..55).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

fn noisy(noise: Noise) -> Shape {
    Shape { noise, ..Shape::default() }
}

/// A relay of memory that does this to bytes.
fn impaired(shape: Shape) -> (Stream, Stream, JoinHandle<Passed>) {
    let ((client, near), (far, server)) = (memory(), memory());
    let pair = Pair { client: near, server: far };
    let passing = tokio::spawn(shaped(pair, LASTS, (b"", shape)));
    (client, server, passing)
}

#[tokio::test(start_paused = true)]
async fn bytes_and_ends_come_later_by_the_delay() {
    let delay = Duration::from_millis(50);
    let (mut client, mut server, passing) = impaired(noisy(Noise { delay, ..Noise::default() }));
    let start = Instant::now();
    client.write_all(b"a").await.unwrap();
    server.read_exact(&mut [0]).await.unwrap();
    assert!((50..55).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    assert!((100..110).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    client.shutdown().await.unwrap();
    assert_eq!(passing.await.unwrap().why, "closed");
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_each_way_by_itself() {
    let ((mut client, near), (far, mut server)) = (memory(), memory());
    let pair = Pair { client: near, server: far };
    let shape = Shape { rates: Rates { up: Some(10_000), down: None }, ..Shape::default() };
    let passing = tokio::spawn(shaped(pair, LASTS, (b"", shape)));
    let start = Instant::now();
    let saying = async {
        client.write_all(&vec![1; 20_000]).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    tokio::join!(saying, async { server.read_to_end(&mut heard).await.unwrap() });
    assert_eq!(heard.len(), 20_000);
    assert!((1950..2100).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let start = Instant::now();
    let saying = async {
        server.write_all(&vec![1; 20_000]).await.unwrap();
        server.shutdown().await.unwrap();
    };
    tokio::join!(saying, async { client.read_to_end(&mut heard).await.unwrap() });
    assert!(start.elapsed() < Duration::from_millis(20), "{:?}", start.elapsed());
    assert_eq!(passing.await.unwrap().to_server, 20_000);
}

#[tokio::test]
async fn a_connection_ends_where_it_is_to_end() {
    let reset = Cuts { reset_after: Some(1500), ..Cuts::default() };
    let close = Cuts { close_after: Some(1500), ..Cuts::default() };
    for (own, why) in [(reset, "reset on purpose"), (close, "closed on purpose")] {
        let (mut client, mut server, passing) = impaired(Shape { own, ..Shape::default() });
        // As much as there is room for, and more.
        let saying = client.write_all(&[1; 5000]);
        let mut heard = Vec::new();
        let (said, _) = tokio::join!(saying, server.read_to_end(&mut heard));
        assert_eq!(said.is_err(), own.reset_after.is_some());
        drop((client, server));
        assert_eq!(heard.len(), 1500);
        let passed = passing.await.unwrap();
        assert_eq!((passed.by, &*passed.why, passed.to_server), (By::Relais, why, 1500));
    }
}

#[tokio::test]
async fn who_says_more_than_is_passed_on_is_closed_and_not_reset() {
    let ((client, near), (far, mut server)) = (tcp().await, tcp().await);
    let own = Cuts { close_after: Some(10), ..Cuts::default() };
    let shape = Shape { own, ..Shape::default() };
    let passing = tokio::spawn(async move {
        shaped(Pair { client: near, server: far }, LASTS, (b"", shape)).await
    });
    let (mut hearing, mut saying) = tokio::io::split(client);
    let saying = async move {
        saying.write_all(&vec![1; 1 << 20]).await.unwrap();
        saying.shutdown().await.unwrap();
    };
    let (to_server, to_client) = (&mut Vec::new(), &mut Vec::new());
    let (said, one, other) =
        tokio::join!(saying, server.read_to_end(to_server), hearing.read_to_end(to_client));
    assert_eq!(((), 10, 0), (said, one.unwrap(), other.unwrap()));
    drop(server);
    let passed = passing.await.unwrap();
    assert_eq!((&*passed.why, passed.to_server), ("closed on purpose", 10));
}

#[tokio::test]
async fn what_is_corrupted_is_no_longer_and_no_shorter() {
    let own = Cuts { slice: Some(7), ..Cuts::default() };
    let shape = Shape { own, ..noisy(Noise { corrupt: 0.01, seed: 3, ..Noise::default() }) };
    let (mut client, mut server, _passing) = impaired(shape);
    let saying = async {
        client.write_all(&vec![0; 100_000]).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    tokio::join!(saying, async { server.read_to_end(&mut heard).await.unwrap() });
    let changed = heard.iter().filter(|byte| **byte != 0).count();
    assert!(heard.len() == 100_000 && (900..1100).contains(&changed), "{changed}");
}

#[tokio::test]
async fn what_is_done_may_change_while_it_is_open() {
    let ((mut client, near), (far, mut server)) = (tcp().await, tcp().await);
    let shaping = std::sync::Arc::new(Shaping::default());
    let (pair, now) = (Pair { client: near, server: far }, std::sync::Arc::clone(&shaping));
    let passing = tokio::spawn(async move {
        let flow = flow();
        let along = Along { flow: &flow, shaping: &now, number: 1 };
        pass(pair, Vec::new(), LASTS, (along, &Record::default())).await
    });
    let mut heard = [0; 4];
    let all = noisy(Noise { corrupt: 1.0, ..Noise::default() });
    for shape in [Shape::default(), all, Shape::default(), all] {
        shaping.set(shape);
        client.write_all(&[0; 4]).await.unwrap();
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard == [0; 4], shape.is_nothing());
    }
    drop((client, server));
    assert_eq!(passing.await.unwrap().to_server, 16);
}

/// Has many connections of one core wait, all of whom say as much as is taken.
async fn waiting_bytes(count: usize, shape: Shape) -> usize {
    let mut said = 0;
    let mut relays = Vec::new();
    for _ in 0..count {
        let (mut client, server, passing) = impaired(shape);
        let saying = async {
            loop {
                said += client.write(&[1; 1000]).await.unwrap();
            }
        };
        // Until nothing more is taken.
        _ = tokio::time::timeout(Duration::from_millis(10), saying).await;
        relays.push((client, server, passing));
    }
    said
}

#[tokio::test(start_paused = true)]
async fn little_is_read_ahead_where_nothing_is_late() {
    // Who may send 1 byte a second has what its sockets hold, and one read.
    let slow = Shape { rates: Rates { up: Some(1), down: None }, ..Shape::default() };
    let said = waiting_bytes(20, slow).await;
    assert!(said <= 20 * 3000, "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_is_late_has_a_bound_for_each_and_one_for_all() {
    let late = noisy(Noise { delay: Duration::from_hours(1), ..Noise::default() });
    let said = waiting_bytes(1, late).await;
    assert!((1 << 20..(1 << 20) + 20_000).contains(&said), "{said}");
    let said = waiting_bytes(100, late).await;
    assert!((63 << 20..66 << 20).contains(&said), "{said}");
}
