use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use relais_net::{
    Balance, DatagramListener, DatagramService, Drained, Endpoint, Fault, Room, Shutdown,
};
use relais_tap::{By, Detail, Event, Tap};
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};

use super::*;
use crate::streams::Callers;

const LONG: Duration = Duration::from_mins(1);

/// A relay that runs, and where.
struct Running {
    relay: Arc<Relay>,
    at: SocketAddr,
    tap: Tap,
    shutdown: Shutdown,
    serving: JoinHandle<Result<(), Fault>>,
}

fn options(upstreams: &[SocketAddr]) -> Options {
    let endpoints: Vec<Endpoint> =
        upstreams.iter().map(|at| format!("udp://{at}").parse().unwrap()).collect();
    Options {
        upstreams: Arc::new(Upstreams::new(&endpoints, Balance::Round).unwrap()),
        limits: Limits { senders_max: 100, senders_a_client_max: 100, idle_max: LONG },
        callers: Callers::default(),
        shared: vec![Arc::new(Room::new(1000))],
        shape: Shape::default(),
        tap: Tap::new(1024),
        clock: || SystemTime::UNIX_EPOCH,
    }
}

fn run(options: Options) -> Running {
    let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.local().host_port().unwrap().port;
    let (shutdown, drain) = Shutdown::new();
    let tap = options.tap.clone();
    let relay = Arc::new(Relay::new(options));
    let (serving, socket) = (Arc::clone(&relay), Arc::new(listener.open().unwrap()));
    let serving = tokio::spawn(async move { serving.serve(socket, drain).await });
    Running { relay, at: ([127, 0, 0, 1], port).into(), tap, shutdown, serving }
}

/// A server that answers what comes with its name before it.
async fn server(name: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let answer = [name.as_bytes(), &buffer[..length]].concat();
            // Longest first: what has no room for a name goes back without.
            let answer = if answer.len() > 65_507 { &buffer[..length] } else { &answer };
            socket.send_to(answer, from).await.unwrap();
        }
    });
    at
}

async fn client() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

async fn hear(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = timeout(LONG, client.recv(&mut buffer)).await.expect("an answer").unwrap();
    buffer.truncate(length);
    buffer
}

async fn ask(client: &UdpSocket, at: SocketAddr, question: &[u8]) -> Vec<u8> {
    client.send_to(question, at).await.unwrap();
    hear(client).await
}

#[tokio::test]
async fn each_sender_gets_its_own_answers_whatever_their_length() {
    let relay = run(options(&[server("").await]));
    let clients = [client().await, client().await, client().await];
    for (client, n) in clients.iter().zip(0..) {
        for length in [0, 1, 64, 1472, 9000, 65_507] {
            let question = vec![n; length];
            assert!(ask(client, relay.at, &question).await == question, "{length}");
        }
    }
    let counts = relay.relay.counts();
    assert_eq!(counts, Counts { to_server: 18, to_client: 18, ..Counts::default() });
}

#[tokio::test]
async fn the_answers_of_one_sender_keep_their_order() {
    let relay = run(options(&[server("").await]));
    let client = client().await;
    for n in 0..100_u8 {
        client.send_to(&vec![n; 64 + usize::from(n / 30)], relay.at).await.unwrap();
    }
    for n in 0..100_u8 {
        assert_eq!(hear(&client).await, vec![n; 64 + usize::from(n / 30)]);
    }
}

#[tokio::test]
async fn a_full_table_turns_newcomers_away_and_serves_those_it_knows() {
    let mut options = options(&[server("").await]);
    options.limits.senders_max = 2;
    let relay = run(options);
    let known = [client().await, client().await];
    for client in &known {
        ask(client, relay.at, b"hi").await;
        // However slow this is, it makes no room.
        ask(client, relay.at, b"talking").await;
    }
    for _ in 0..300 {
        client().await.send_to(b"flood", relay.at).await.unwrap();
    }
    for client in &known {
        assert_eq!(ask(client, relay.at, b"still").await, b"still");
    }
    assert_eq!(relay.relay.counts().full, 300);
}

#[tokio::test]
async fn senders_are_shared_out_and_stay_where_they_are() {
    let relay = run(options(&[server("a").await, server("b").await]));
    let clients = [client().await, client().await];
    let mut who = BTreeSet::new();
    for client in &clients {
        let first = ask(client, relay.at, b"").await;
        assert_eq!(ask(client, relay.at, b"").await, first);
        who.insert(first);
    }
    assert_eq!(who, BTreeSet::from([b"a".to_vec(), b"b".to_vec()]));
}

#[tokio::test]
async fn who_may_not_be_served_is_not() {
    let mut options = options(&[server("").await]);
    options.callers.deny = vec!["127.0.0.0/8".parse().unwrap()];
    let relay = run(options);
    let client = client().await;
    for _ in 0..3 {
        client.send_to(b"hi", relay.at).await.unwrap();
    }
    while relay.relay.counts().denied < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(relay.relay.counts(), Counts { denied: 3, ..Counts::default() });
}

#[tokio::test]
async fn what_says_it_comes_from_an_upstream_is_dropped() {
    let (one, other) = (client().await, client().await);
    let relay = run(options(&[one.local_addr().unwrap(), other.local_addr().unwrap()]));
    for (upstream, n) in [(&one, 1), (&other, 2)] {
        upstream.send_to(b"forged", relay.at).await.unwrap();
        loop {
            let Counts { forged, to_server, .. } = relay.relay.counts();
            if forged + to_server >= n {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(relay.relay.counts(), Counts { forged: 2, ..Counts::default() });
    // Of the same machine, and somebody else.
    client().await.send_to(b"well", relay.at).await.unwrap();
    assert_eq!(hear(&one).await, b"well");
}

#[tokio::test]
async fn an_association_is_a_flow_until_it_is_idle() {
    let mut options = options(&[server("a").await]);
    options.limits.idle_max = Duration::from_secs(50);
    let relay = run(options);
    let mut watcher = relay.tap.watch(Detail::Bytes);
    let client = client().await;
    assert_eq!(ask(&client, relay.at, b"hi").await, b"ahi");
    let Some(Event::Opened { ends, .. }) = watcher.next().await else { panic!("a flow") };
    assert_eq!(ends.client, client.local_addr().unwrap().to_string());
    assert!(ends.server.starts_with("udp://127.0.0.1:"));
    for expect in ["hi", "ahi"] {
        let event = watcher.next().await;
        assert!(matches!(&event, Some(Event::Bytes { bytes, .. }) if bytes == expect), "{event:?}");
    }
    tokio::time::pause();
    let closed = watcher.next().await;
    tokio::time::resume();
    let Some(Event::Closed { ending: Some(ending), .. }) = closed else { panic!("{closed:?}") };
    assert_eq!((ending.by, &*ending.why), (By::Relais, "idle for 50s"));
    assert_eq!((ending.to_server, ending.to_client), (2, 3));
    // Whoever comes back is a new sender.
    assert_eq!(ask(&client, relay.at, b"again").await, b"aagain");
}

#[tokio::test]
async fn an_upstream_that_refuses_holds_up_nobody_and_may_come_back() {
    let at = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay = run(options(&[at]));
    let client = client().await;
    for _ in 0..5 {
        client.send_to(b"nobody", relay.at).await.unwrap();
        tokio::task::yield_now().await;
    }
    while relay.relay.counts().to_server < 5 {
        tokio::task::yield_now().await;
    }
    let back = UdpSocket::bind(at).await.unwrap();
    client.send_to(b"now", relay.at).await.unwrap();
    assert_eq!(hear(&back).await, b"now");
}

#[tokio::test]
async fn where_one_refuses_the_sender_comes_to_another() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay = run(options(&[nobody, server("b").await]));
    let mut watcher = relay.tap.watch(Detail::Flows);
    let client = client().await;
    client.send_to(b"lost", relay.at).await.unwrap();
    loop {
        match timeout(LONG, watcher.next()).await.unwrap() {
            Some(Event::Closed { ending: Some(ending), .. }) => {
                assert_eq!((ending.by, &*ending.why), (By::Server, "refused"));
                break;
            }
            Some(_) => (),
            None => panic!("the flow was not closed"),
        }
    }
    assert_eq!(ask(&client, relay.at, b"hi").await, b"bhi");
}

/// Where no system has a way: an address of a link, and none said.
const NO_WAY: &str = "[fe80::1]:9";

#[tokio::test]
async fn where_there_is_no_way_to_one_the_sender_comes_to_another() {
    let relay = run(options(&[NO_WAY.parse().unwrap(), server("b").await]));
    for _ in 0..6 {
        assert_eq!(ask(&client().await, relay.at, b"hi").await, b"bhi");
    }
    assert_eq!(relay.relay.counts().nowhere, 0);
    let relay = run(options(&[NO_WAY.parse().unwrap(); 2]));
    client().await.send_to(b"lost", relay.at).await.unwrap();
    while relay.relay.counts().nowhere == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_asks_two_of_our_addresses_hears_from_each() {
    let listener = DatagramListener::bind(&"udp://0.0.0.0:0".parse().unwrap()).unwrap();
    let port = listener.local().host_port().unwrap().port;
    let (_shutdown, drain) = Shutdown::new();
    let (relay, socket) = (Relay::new(options(&[server("").await])), listener.open().unwrap());
    tokio::spawn(async move { relay.serve(Arc::new(socket), drain).await });
    let client = client().await;
    for last in [2, 3, 2] {
        let at = SocketAddr::from(([127, 0, 0, last], port));
        client.send_to(b"hi", at).await.unwrap();
        let heard = timeout(LONG, client.recv_from(&mut [0; 8])).await.unwrap().unwrap();
        assert_eq!(heard, (2, at));
    }
}

#[tokio::test]
async fn a_bad_network_loses_doubles_and_delays() {
    let mut options = options(&[server("").await]);
    options.shape.own.duplicate = 1.0;
    options.shape.noise.delay = Duration::from_millis(20);
    let relay = run(options);
    let client = client().await;
    let start = tokio::time::Instant::now();
    ask(&client, relay.at, b"hi").await;
    assert!(start.elapsed() >= Duration::from_millis(40));
    // Twice there, and each answer twice back.
    for _ in 0..3 {
        assert_eq!(hear(&client).await, b"hi");
    }
    let own = Losses { loss: 1.0, ..Losses::default() };
    relay.relay.reshape(Shape { own, ..Shape::default() });
    client.send_to(b"lost", relay.at).await.unwrap();
    while relay.relay.counts().impaired < 1 {
        tokio::task::yield_now().await;
    }
    relay.relay.reshape(Shape::default());
    assert_eq!(ask(&client, relay.at, b"well").await, b"well");
}

#[tokio::test]
async fn told_to_stop_it_waits_for_the_last_answer_and_closes_every_flow() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let relay = run(options(&[upstream.local_addr().unwrap()]));
    let mut watcher = relay.tap.watch(Detail::Flows);
    let client = client().await;
    client.send_to(b"question", relay.at).await.unwrap();
    let mut buffer = [0; 16];
    let (_, from) = upstream.recv_from(&mut buffer).await.unwrap();
    relay.shutdown.request();
    tokio::task::yield_now().await;
    upstream.send_to(b"answer", from).await.unwrap();
    assert_eq!(hear(&client).await, b"answer");
    assert_eq!(relay.shutdown.finish(LONG).await, Drained::InTime);
    relay.serving.await.unwrap().unwrap();
    assert!(matches!(watcher.next().await, Some(Event::Opened { .. })));
    let closed = watcher.next().await;
    let Some(Event::Closed { ending: Some(ending), .. }) = closed else { panic!("{closed:?}") };
    assert_eq!((ending.by, &*ending.why), (By::Relais, "stopped"));
}

#[tokio::test]
async fn told_to_stop_it_sends_what_is_held_for_a_while() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(&[upstream.local_addr().unwrap()]);
    options.shape.noise.delay = Duration::from_millis(50);
    let relay = run(options);
    let client = client().await;
    client.send_to(b"question", relay.at).await.unwrap();
    let (_, from) = upstream.recv_from(&mut [0; 16]).await.unwrap();
    relay.shutdown.request();
    upstream.send_to(b"answer", from).await.unwrap();
    // However it ends, nothing comes after that.
    relay.serving.await.unwrap().unwrap();
    assert_eq!(relay.relay.counts().to_client, 1);
    assert_eq!(hear(&client).await, b"answer");
}

#[tokio::test]
async fn told_to_stop_it_does_not_wait_where_nobody_waits() {
    let relay = run(options(&[server("").await]));
    let client = client().await;
    ask(&client, relay.at, b"hi").await;
    // From here on only what is waited for takes time, however slow the machine is.
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    assert_eq!(relay.shutdown.finish(LONG).await, Drained::InTime);
    relay.serving.await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_millis(900));
}

#[tokio::test]
async fn who_was_never_answered_makes_room_for_all_and_for_its_own_client() {
    makes_room(2, 100).await;
    makes_room(100, 2).await;
}

#[tokio::test]
async fn who_was_answered_makes_room_until_it_goes_on() {
    let mut options = options(&[server("").await]);
    options.limits.senders_max = 2;
    let relay = run(options);
    let [talks, asked, newcomer] = [client().await, client().await, client().await];
    for question in [&b"one"[..], b"another"] {
        ask(&talks, relay.at, question).await;
    }
    let mut watcher = relay.tap.watch(Detail::Flows);
    ask(&asked, relay.at, b"all").await;
    tokio::time::sleep(Duration::from_millis(1010)).await;
    assert_eq!(ask(&newcomer, relay.at, b"now").await, b"now");
    loop {
        let Some(event) = watcher.next().await else { panic!("nobody made room") };
        if let Event::Closed { ending: Some(ending), .. } = event {
            assert_eq!((ending.to_server, &*ending.why), (3, "made room for another"));
            break;
        }
    }
    assert_eq!(ask(&talks, relay.at, b"still").await, b"still");
    assert_eq!(relay.relay.counts().full, 0);
}

/// Where there is room for two of one client: either for two in all, or for two of each client.
async fn makes_room(senders_max: usize, senders_a_client_max: usize) {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(&[silent.local_addr().unwrap()]);
    options.limits = Limits { senders_max, senders_a_client_max, ..options.limits };
    let relay = run(options);
    let mut watcher = relay.tap.watch(Detail::Flows);
    let clients = [client().await, client().await, client().await];
    for client in &clients[..2] {
        client.send_to(b"nobody's", relay.at).await.unwrap();
        hear(&silent).await;
    }
    clients[2].send_to(b"too soon", relay.at).await.unwrap();
    while relay.relay.counts().full == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(1010)).await;
    clients[2].send_to(b"now", relay.at).await.unwrap();
    assert_eq!(hear(&silent).await, b"now");
    loop {
        let Some(event) = watcher.next().await else { panic!("nobody made room") };
        if let Event::Closed { ending: Some(ending), .. } = event {
            assert_eq!((ending.by, &*ending.why), (By::Relais, "made room for another"));
            break;
        }
    }
}

#[tokio::test]
async fn what_the_system_says_of_one_sender_keeps_nobody_from_being_heard() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (at, same) = (socket.local_addr().unwrap(), socket.try_clone().unwrap());
    let endpoint = format!("udp://{at}").parse().unwrap();
    let listener = DatagramListener::adopt(socket.into(), &endpoint).unwrap();
    let (_shutdown, drain) = Shutdown::new();
    let relay = Relay::new(options(&[server("").await]));
    let hearing = Arc::new(listener.open().unwrap());
    tokio::spawn(async move { relay.serve(hearing, drain).await });
    let client = client().await;
    assert_eq!(ask(&client, at, b"before").await, b"before");
    // Nobody is there, which the socket is told: it says so to who hears next.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    same.connect(nobody).unwrap();
    same.send(b"lost").unwrap();
    same.connect(client.local_addr().unwrap()).unwrap();
    assert_eq!(ask(&client, at, b"after").await, b"after");
}

#[tokio::test]
async fn an_upstream_is_well_again_with_whatever_it_says() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let options = options(&[upstream.local_addr().unwrap(), server("b").await]);
    let (upstreams, relay) = (Arc::clone(&options.upstreams), run(options));
    let client = client().await;
    client.send_to(b"question", relay.at).await.unwrap();
    let mut buffer = [0; 16];
    let (_, from) = upstream.recv_from(&mut buffer).await.unwrap();
    upstream.send_to(b"one", from).await.unwrap();
    assert_eq!(hear(&client).await, b"one");
    for _ in 0..3 {
        upstreams.refused(0, upstream.local_addr().unwrap());
    }
    let of_somebody = || upstreams.choose(relais_net::Peer::Local.client(), &[]).unwrap().0;
    assert_eq!([of_somebody(), of_somebody()], [1, 1]);
    // To one that was answered before.
    upstream.send_to(b"two", from).await.unwrap();
    assert_eq!(hear(&client).await, b"two");
    assert_ne!(of_somebody(), of_somebody());
}

#[tokio::test]
async fn what_a_sender_alone_is_told_counts_for_health_too() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = options(&[nobody]);
    let upstreams = Arc::clone(&options.upstreams);
    let common = Arc::new(options::Common::new(options));
    let sender = sender::Sender { from: ([127, 0, 0, 1], 9).into(), at: None };
    let association = association::Association::new(sender, &common).unwrap();
    // Whoever hears is never asked: each time it is told to who sends the next.
    for _ in 0..4 {
        association.send_on(std::iter::once(relais_net::Train::of_one(b"lost")));
    }
    assert!(!upstreams.is_well(0));
}
