//! Rooms as they are listed, and those that go because nobody ever used them.

use std::{fs, time::Duration};

use super::{limits, stand, stand::Stand};
use crate::{
    limits::Limits,
    model::{Access, AccountId, Act, Deed, Kind, Millis, RoomId, Said, Seq},
    protocol::{Answer, Ask, Event, Place, Resume, Told},
    store::Invitation,
};

const DAY: u64 = 24 * 3600 * 1000;

/// A hub where ana and bob are.
fn hub(limits: Limits) -> (Stand, AccountId, AccountId) {
    let mut stand = Stand::new(limits);
    stand::set_clock(Millis(7));
    let [ana, bob] = ["ana", "bob"].map(|name| {
        let guest = stand.connect();
        stand.register((guest, 1), name);
        stand.settle();
        stand.desk().state.account_named(name).unwrap()
    });
    (stand, ana, bob)
}

fn at(room: &str) -> Place {
    Place::Room(room.to_owned())
}

fn join(room: &str) -> Ask {
    Ask::Join { room: at(room) }
}

fn part(room: &str) -> Ask {
    Ask::Part { room: at(room) }
}

fn say(room: &str) -> Ask {
    let (to, body) = (at(room), "hi".to_owned());
    Ask::Message { to, body, kind: Kind::Text, reply: None, cid: None }
}

fn create(room: &str, access: Access, topic: Option<&str>) -> Ask {
    Ask::Create { room: room.to_owned(), access, topic: topic.map(str::to_owned) }
}

impl Stand {
    fn ana(&mut self, ana: AccountId, asks: &[Ask]) {
        for ask in asks {
            self.ask((0, 9), ana, ask.clone());
        }
        self.settle();
    }

    /// Which of these there are, `ms` from the beginning.
    async fn left(&mut self, ms: u64, rooms: &[&'static str]) -> Vec<&'static str> {
        self.wait_until(Millis(ms)).await;
        (0..3).for_each(|_| self.keep_up());
        let state = &self.desk().state;
        rooms.iter().copied().filter(|room| state.room_named(room).is_some()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_deleted_account_said_is_in_no_file_once_it_is_taken_out() {
    let (mut stand, ana, bob) = hub(limits());
    stand.ana(ana, &[join("#lab")]);
    let (to, body) = (at("#lab"), "zanzibar".to_owned());
    let said = Ask::Message { to, body, kind: Kind::Text, reply: None, cid: None };
    for ask in [join("#lab"), said] {
        stand.ask((1, 9), bob, ask);
    }
    stand.settle();
    stand.unregister((1, 9), bob, Said::Goes);
    stand.settle();
    assert!(is_on_disk(&stand, "zanzibar"));
    for seconds in [5, 10, 15, 20] {
        stand.wait_until(Millis(seconds * 1000)).await;
        stand.keep_up();
    }
    assert!(!is_on_disk(&stand, "zanzibar"));
}

/// A hub where ana said `many` things in a room for each of `rooms`, and `later` in the first of them, so long
/// ago that all but that is too old now.
async fn hub_of_old(rooms: &[&str], many: usize, later: &str) -> (Stand, AccountId) {
    let (mut stand, ana, _) = hub(limits());
    for room in rooms {
        stand.ana(ana, &[join(room), Ask::Retain { room: at(room), days: Some(30) }]);
        stand.ana(ana, &vec![say(room); many]);
    }
    stand.wait_until(Millis(29 * DAY)).await;
    let (to, body) = (at(rooms[0]), later.to_owned());
    stand.ana(ana, &[Ask::Message { to, body, kind: Kind::Text, reply: None, cid: None }]);
    stand.wait_until(Millis(31 * DAY)).await;
    (stand, ana)
}

/// How much was said in a room that is in the log yet.
fn said_in(stand: &mut Stand, room: &str) -> usize {
    let desk = stand.desk();
    let id = desk.state.room_named(room).unwrap();
    let entries = (1..=desk.state.last.0).filter_map(|seq| desk.store.entry(Seq(seq)).unwrap());
    let is_said = |deed: &Deed| match deed {
        Deed::In { room, act: Act::Say { .. } } => *room == id,
        _ => false,
    };
    entries.filter(|entry| is_said(&entry.deed)).count()
}

#[tokio::test(start_paused = true)]
async fn of_much_that_is_too_old_some_goes_twenty_times_a_second_until_none_is_left() {
    let (mut stand, _) = hub_of_old(&["#lab", "#pub"], 100, "later").await;
    let mut left = Vec::new();
    for ms in (0..=3000).step_by(50) {
        stand::set_clock(Millis(31 * DAY + ms));
        // However often it is looked: others are not to wait for it.
        (0..5).for_each(|_| stand.keep_up());
        left.push((said_in(&mut stand, "#lab"), said_in(&mut stand, "#pub")));
    }
    assert_eq!(left[..4], [(97, 100), (97, 96), (93, 96), (93, 92)], "they take turns");
    assert_eq!(left.last(), Some(&(1, 0)));
    // What is not too old stays, and nothing is left to be done.
    assert!(stand.desk().upkeep.patience() > Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_while_much_is_too_old_is_in_no_file_some_seconds_later() {
    let (mut stand, ana) = hub_of_old(&["#lab"], 2000, "zanzibar").await;
    let seq = stand.desk().state.last;
    for ms in (0..15_000).step_by(50) {
        stand::set_clock(Millis(31 * DAY + ms));
        stand.keep_up();
        if ms == 1000 {
            stand.ana(ana, &[Ask::Redact { room: at("#lab"), seq, reason: None, cid: None }]);
        }
    }
    assert!(said_in(&mut stand, "#lab") > 100, "much is left");
    assert!(!is_on_disk(&stand, "zanzibar"));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_while_a_deleted_account_is_is_in_no_file_a_minute_later() {
    let (mut stand, ana, bob) = hub(limits());
    stand.ana(ana, &[join("#lab")]);
    let (to, body) = (at("#lab"), "zanzibar".to_owned());
    stand.ana(ana, &[Ask::Message { to, body, kind: Kind::Text, reply: None, cid: None }]);
    let seq = stand.desk().state.last;
    for ask in [join("#lab")].into_iter().chain(vec![say("#lab"); 2500]) {
        stand.ask((1, 9), bob, ask);
    }
    stand.unregister((1, 9), bob, Said::Goes);
    stand.settle();
    stand.ana(ana, &[Ask::Redact { room: at("#lab"), seq, reason: None, cid: None }]);
    for step in 1..=140 {
        stand::set_clock(Millis(step * 500));
        stand.keep_up();
    }
    assert!(said_in(&mut stand, "#lab") > 100, "much is left");
    assert!(!is_on_disk(&stand, "zanzibar"));
}

/// Whether these bytes are in any file of the store.
fn is_on_disk(stand: &Stand, bytes: &str) -> bool {
    let file = stand.file();
    fs::read_dir(file.parent().unwrap()).unwrap().any(|file| {
        let found = fs::read(file.unwrap().path()).unwrap();
        found.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    })
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_ever_used_goes_a_day_after_the_last_left_it() {
    let (mut stand, ana, bob) = hub(limits());
    stand.ana(ana, &[join("#typo"), part("#typo")]);
    stand.ask((1, 9), bob, join("#typo"));
    stand.settle();
    assert_eq!(stand.left(2 * DAY, &["#typo"]).await, ["#typo"], "bob is in it");
    stand.ask((1, 9), bob, part("#typo"));
    // Who made it comes back as its owner: nothing happens there by that.
    stand.ana(ana, &[join("#typo"), part("#typo")]);
    assert_eq!(stand.left(3 * DAY - 1, &["#typo"]).await, ["#typo"]);
    assert_eq!(stand.left(3 * DAY + 60_000, &["#typo"]).await, [""; 0]);
    stand.restart();
    assert_eq!(stand.left(4 * DAY, &["#typo"]).await, [""; 0]);
    assert_eq!(stand.desk().state.rooms().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_room_in_which_anything_happened_stays() {
    let (mut stand, ana, _) = hub(Limits { rooms_an_account_max: 9, ..limits() });
    let rooms = ["#said", "#den", "#topic", "#slow", "#kept", "#led", "#hooked"];
    stand.ana(ana, &[join("#said"), say("#said")]);
    stand.ana(ana, &[create("#den", Access::Private, None)]);
    stand.ana(ana, &[create("#topic", Access::Public, Some("tea"))]);
    stand.ana(ana, &[join("#slow"), Ask::Slow { room: at("#slow"), seconds: 1 }]);
    stand.ana(ana, &[join("#kept"), Ask::Retain { room: at("#kept"), days: Some(1) }]);
    stand.ana(ana, &[join("#led")]);
    let room = stand.desk().state.room_named("#led");
    stand.desk().store.add_invitation(&invitation(1, room)).unwrap();
    stand.ana(ana, &[join("#hooked")]);
    stand.hook((0, ana), "#hooked", 2);
    stand.ana(ana, &rooms.map(part));
    assert_eq!(stand.left(9 * DAY, &rooms).await, rooms);
    stand.restart();
    assert_eq!(stand.left(10 * DAY, &rooms).await, rooms);
}

fn invitation(number: u8, room: Option<RoomId>) -> Invitation {
    let (name, since) = (format!("i_{number}"), Millis(7));
    Invitation { hash: [number; 32], name, since, until: None, uses: 1, room }
}

#[tokio::test(start_paused = true)]
async fn rooms_that_stay_keep_none_behind_them_from_going() {
    let (mut stand, ana, _) = hub(limits());
    for number in 0..64 {
        let name = format!("#led{number}");
        stand.ana(ana, &[join(&name), part(&name)]);
        let room = stand.desk().state.room_named(&name);
        stand.desk().store.add_invitation(&invitation(number, room)).unwrap();
    }
    // By a clock that was ahead for a while.
    stand::set_clock(Millis(900 * DAY));
    stand.ana(ana, &[join("#ahead"), part("#ahead")]);
    stand::set_clock(Millis(DAY));
    stand.ana(ana, &[join("#typo"), part("#typo")]);
    assert_eq!(stand.left(2 * DAY + 60_000, &["#ahead", "#typo"]).await, ["#ahead"]);
    assert_eq!(stand.desk().state.rooms().count(), 65);
}

#[tokio::test(start_paused = true)]
async fn no_more_rooms_go_at_once_than_may_while_somebody_waits() {
    let (mut stand, ana, _) = hub(limits());
    for number in 0..70 {
        let name = format!("#typo{number}");
        stand.ana(ana, &[join(&name), part(&name)]);
    }
    stand.left(2 * DAY, &[]).await;
    assert_eq!(stand.desk().state.rooms().count(), 6);
    stand.left(2 * DAY + 60_000, &[]).await;
    assert_eq!(stand.desk().state.rooms().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn rooms_are_listed_by_how_many_are_in_them_and_no_more_than_may_be() {
    let most = Limits { rooms_listed_max: 3, rooms_an_account_max: 9, ..limits() };
    let (mut stand, ana, bob) = hub(most);
    let mut listed = |asks: &[(AccountId, Ask)], matching: Option<&str>| {
        for (by, ask) in asks {
            stand.ask((usize::from(*by == bob), 9), *by, ask.clone());
        }
        stand.settle();
        drop(stand.told(0));
        let matching = matching.map(str::to_owned);
        stand.ask((0, 10), ana, Ask::Rooms { matching });
        stand.settle();
        let told = stand.told(0);
        let [Told::Answer { answer: Ok(Answer::Rooms { rooms, more }), .. }] = &told[..] else {
            panic!("no list: {told:?}");
        };
        (rooms.iter().map(|listed| listed.room.to_string()).collect::<Vec<_>>().join(" "), *more)
    };
    let mut made = Vec::new();
    for room in ["#old", "#new", "#own", "#empty"] {
        made.push((if room == "#own" { ana } else { bob }, join(room)));
    }
    made.push((bob, part("#empty")));
    assert_eq!(listed(&made, None), ("#own #new #old".to_owned(), true));
    assert_eq!(listed(&[], Some("E")), ("#new #empty".to_owned(), false));
    assert_eq!(listed(&[(bob, say("#old"))], None), ("#own #old #new".to_owned(), true));
    let invite = Ask::Invite { room: at("#new"), user: "ana".to_owned() };
    assert_eq!(listed(&[(bob, invite)], None), ("#new #own #old".to_owned(), true));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_a_room_has_is_told_whoever_set_it() {
    let (mut stand, ana, bob) = hub(limits());
    stand.ask((1, 2), bob, create("#lab", Access::Public, Some("first")));
    stand.ana(ana, &[join("#lab")]);
    let since = stand.desk().state.last;
    for topic in ["second", "third"] {
        stand.ask((1, 3), bob, Ask::Topic { room: at("#lab"), topic: topic.to_owned() });
    }
    stand.unregister((1, 4), bob, Said::Goes);
    stand.settle();
    drop(stand.told(0));
    stand.ana(ana, &[Ask::Resume(Resume::Since(since))]);
    let topic = |told| match told {
        Told::Event(Event::Topic { topic, .. }) => Some(topic),
        _ => None,
    };
    let topics: Vec<_> = stand.told(0).into_iter().filter_map(topic).collect();
    assert_eq!(topics, ["", "third"]);
}
