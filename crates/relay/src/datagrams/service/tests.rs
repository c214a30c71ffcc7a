//! One socket, without the drive of a service.

use std::time::SystemTime;

use relais_net::{Balance, DatagramListener, Names, Room};
use relais_tap::{Event, Tap};

use super::*;
use crate::{
    Callers, Noise,
    datagrams::{Limits, Upstreams},
};

fn running() -> Arc<Running> {
    Arc::new(running_with(common(&["udp://127.0.0.1:9"], 1)))
}

fn running_with(common: Arc<Common>) -> Running {
    let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    Running::new(common, Arc::new(listener.open().unwrap()))
}

/// With a name at 127.0.0.1, and room for so many senders.
fn common(upstreams: &[&str], senders_max: usize) -> Arc<Common> {
    let upstreams: Vec<_> = upstreams.iter().map(|text| text.parse().unwrap()).collect();
    let names = Names::asking(Arc::new(|_| Ok(vec!["127.0.0.1".parse().unwrap()])));
    let upstreams = Upstreams::new(&upstreams, Balance::Round).unwrap().with_names(names);
    let idle_max = Duration::from_secs(5);
    Arc::new(Common::new(Options {
        upstreams: Arc::new(upstreams),
        limits: Limits { senders_max, senders_a_client_max: senders_max, idle_max },
        callers: Callers::default(),
        shared: vec![Arc::new(Room::new(9))],
        shape: Shape::default(),
        tap: Tap::new(8),
        clock: || SystemTime::UNIX_EPOCH,
    }))
}

#[tokio::test]
async fn a_bug_in_a_part_is_counted_and_the_part_known() {
    let (running, mut tasks) = (running(), JoinSet::new());
    let delivering = running.deliver(&mut tasks);
    let bug = tasks.spawn(async { panic!("asked to") }).id();
    let ended = tasks.join_next_with_id().await.unwrap();
    assert_eq!(running.reap(ended), bug);
    assert_eq!(running.common.tally.counts().panicked, 1);
    tasks.abort_all();
    let ended = tasks.join_next_with_id().await.unwrap();
    assert_eq!(running.reap(ended), delivering);
    assert_eq!(running.common.tally.counts().panicked, 1);
}

#[tokio::test]
async fn a_place_is_given_back_with_the_socket_and_not_before() {
    let (running, mut tasks) = (running(), JoinSet::<()>::new());
    let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
    let association = Arc::new(Association::new(sender, &running.common).unwrap());
    let places = &running.common.places;
    let seat =
        Seat { association: Arc::clone(&association), task: tasks.spawn(std::future::pending()) };
    running.table().admit(sender, Instant::now(), |_| seat);
    // It is forgotten, and something of it is still to be sent.
    assert!(running.table().remove(sender).is_some());
    assert!(places.are_taken());
    association.close();
    assert!(!places.are_taken());
    association.send_on(std::iter::once(Train::of_one(b"late")));
    assert_eq!(running.common.tally.counts().full, 1);
}

#[tokio::test]
async fn who_turns_out_to_be_an_upstream_has_no_seat() {
    let (running, mut tasks) = (running(), JoinSet::<()>::new());
    let mut watcher = running.common.options.tap.watch(relais_tap::Detail::Flows);
    let sender = Sender { from: "127.0.0.1:9".parse().unwrap(), at: None };
    let association = Arc::new(Association::new(sender, &running.common).unwrap());
    let task = tasks.spawn(std::future::pending());
    running.table().admit(sender, Instant::now(), |_| Seat { association, task });
    running.forget_upstreams();
    assert!(running.table().find(sender).is_none());
    assert!(matches!(watcher.next().await, Some(Event::Opened { .. })));
    let closed = watcher.next().await;
    let Some(Event::Closed { ending: Some(ending), .. }) = closed else { panic!("{closed:?}") };
    assert_eq!((ending.by, &*ending.why), (By::Relais, "forged"));
}

#[tokio::test]
async fn who_turns_out_to_be_an_upstream_has_no_seat_at_any_socket() {
    let common = common(&["udp://127.0.0.1:9", "udp://name.example:10"], 2);
    let sender = Sender { from: "127.0.0.1:10".parse().unwrap(), at: None };
    let mut tasks = JoinSet::<()>::new();
    let sockets = [(); 2].map(|()| running_with(Arc::clone(&common)));
    for running in &sockets {
        let association = Arc::new(Association::new(sender, &common).unwrap());
        let task = tasks.spawn(std::future::pending());
        running.table().admit(sender, Instant::now(), |_| Seat { association, task });
    }
    // Known from here on: neither socket finds anything new.
    common.options.upstreams.resolve().await;
    tokio::time::pause();
    for running in &sockets {
        // Has no end, as there is a name.
        assert!(timeout(FIRST_NAMES_MAX, running.keep_resolved()).await.is_err());
        assert!(running.table().find(sender).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_at_the_end_is_awaited_however_long_it_was_held() {
    let (running, mut tasks) = (running(), JoinSet::new());
    let noise = Noise { delay: Duration::from_millis(1300), ..Noise::default() };
    running.common.shaping.set(Shape { noise, ..Shape::default() });
    let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
    let association = Arc::new(Association::new(sender, &running.common).unwrap());
    let (association, task) = (&association, tasks.spawn(std::future::pending()));
    let seat = Seat { association: Arc::clone(association), task };
    running.table().admit(sender, Instant::now(), |_| seat);
    running.deliver(&mut tasks);
    let question = std::iter::once(Train::of_one(b"question"));
    let tally = &running.common.tally;
    running.delivery.hold(association, (Direction::ToServer, question), tally);
    tokio::time::advance(Duration::from_millis(1200)).await;
    let start = Instant::now();
    let finish = async {
        running.finish().await;
        start.elapsed()
    };
    let answer = async {
        sleep(Duration::from_millis(500)).await;
        assert!(association.awaits());
        association.heard_upstream();
    };
    let (waited, ()) = tokio::join!(finish, answer);
    assert!((500..550).contains(&waited.as_millis()), "{waited:?}");
    // It is answered, and nobody else waits.
    let start = Instant::now();
    running.finish().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_at_the_end_is_waited_for_if_it_is_due_in_time() {
    for (delay, waited, to_client) in [(400, 400..450, 1), (1100, 0..1, 0)] {
        let (running, mut tasks) = (running(), JoinSet::new());
        let delay = Duration::from_millis(delay);
        let noise = Noise { delay, ..Noise::default() };
        running.common.shaping.set(Shape { noise, ..Shape::default() });
        let sender = Sender { from: "127.0.0.1:9".parse().unwrap(), at: None };
        let association = Arc::new(Association::new(sender, &running.common).unwrap());
        running.deliver(&mut tasks);
        let tally = &running.common.tally;
        let answer = std::iter::once(Train::of_one(b"answer"));
        running.delivery.hold(&association, (Direction::ToClient, answer), tally);
        let start = Instant::now();
        running.finish().await;
        tasks.shutdown().await;
        assert!(waited.contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        assert_eq!(tally.counts().to_client, to_client);
    }
}

#[tokio::test]
async fn what_is_sent_on_late_is_awaited_though_what_was_sent_before_is_answered() {
    let running = running();
    let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
    let association = Association::new(sender, &running.common).unwrap();
    for _ in 0..2 {
        association.send_on(std::iter::once(Train::of_one(b"question")));
        assert!(association.awaits());
        association.heard_upstream();
        assert!(!association.awaits());
    }
}

#[tokio::test]
async fn who_is_no_more_heard_has_no_seat() {
    let (running, mut tasks) = (running(), JoinSet::<()>::new());
    let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
    let association = Association::new(sender, &running.common).unwrap();
    let association = Arc::new(association);
    // Ends however it may, even before it began: as by a bug.
    let answering = Arc::clone(&running).answer(Arc::clone(&association), 0);
    let task = tasks.spawn(std::future::pending());
    running.table().admit(sender, Instant::now(), |_| Seat { association, task });
    let mut answering = Box::pin(answering);
    tokio::select! {
        biased;
        () = &mut answering => panic!("it goes on"),
        () = std::future::ready(()) => (),
    }
    assert!(running.table().find(sender).is_some());
    drop(answering);
    assert!(running.table().find(sender).is_none());
}
