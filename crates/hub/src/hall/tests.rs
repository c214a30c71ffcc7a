//! Who is told what, as it happens.

use std::{
    collections::VecDeque,
    task::{Context, Waker},
};

use super::*;
use crate::{
    model::{Kind, Millis},
    protocol::Where,
};

const ANA: AccountId = AccountId(Seq(1));
const BOB: AccountId = AccountId(Seq(2));
const LAB: RoomId = RoomId(Seq(3));

/// A client of `who`, in a hall.
struct Guest {
    id: ClientId,
    outbox: Arc<Outbox>,
}

impl Guest {
    fn of(hall: &Hall, who: AccountId, rooms: &[RoomId]) -> Self {
        let outbox = Outbox::new(4000);
        let id = hall.enter(Arc::clone(&outbox));
        let upto = Seq(4);
        hall.hear(&vec![Post::Seat { who: id, account: who, rooms: rooms.to_vec(), upto }]);
        Self { id, outbox }
    }

    /// The bodies, or names, of what it was told since.
    fn told(&self) -> Vec<String> {
        let mut taken = VecDeque::new();
        let polled = self.outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken);
        _ = polled;
        taken.iter().map(|spoken| name(&spoken.told)).collect()
    }
}

fn name(told: &Told) -> String {
    match told {
        Told::Event(Event::Message { body, .. }) => body.clone().unwrap_or_default(),
        Told::Event(Event::Lagged { last, .. }) => format!("lagged {last}"),
        other => format!("{other:?}"),
    }
}

fn said(seq: u64, body: &str) -> Arc<Spoken> {
    let at = Where {
        room: Place::Room("#lab".into()),
        seq: Seq(seq),
        prev: Seq(seq - 1),
        at: Millis(0),
        from: "ana".into(),
        cid: None,
    };
    let (kind, body) = (Kind::Text, Some(body.to_owned()));
    let event =
        Event::Message { at, kind, body, reply: None, mention: false, notify: None, edited: false };
    Spoken::new(Told::Event(event))
}

fn post(seq: u64, body: &str) -> RoomPost {
    let (own, moves) = (Vec::new(), Vec::new());
    RoomPost {
        room: LAB,
        seq: Some(Seq(seq)),
        common: said(seq, body),
        own,
        haste: Haste::default(),
        moves,
    }
}

#[test]
fn members_are_told_and_nobody_else() {
    let hall = Hall::new(0);
    let guests = [
        Guest::of(&hall, ANA, &[LAB]),
        Guest::of(&hall, BOB, &[LAB]),
        Guest::of(&hall, BOB, &[LAB]),
        Guest::of(&hall, AccountId(Seq(9)), &[]),
    ];
    let own = vec![(BOB, said(5, "hi, bob"))];
    hall.hear(&vec![Post::Room(RoomPost { own, ..post(5, "hi") })]);
    assert_eq!(
        guests.each_ref().map(Guest::told),
        [vec!["hi"], vec!["hi, bob"], vec!["hi, bob"], vec![]]
    );
    hall.hear(&vec![Post::Account { who: BOB, spoken: said(6, "you"), but: Some(guests[1].id) }]);
    hall.hear(&vec![Post::One(guests[0].id, said(7, "one"))]);
    hall.hear(&vec![Post::One(ClientId { hall: 1, ..guests[0].id }, said(7, "another's"))]);
    assert_eq!(guests.each_ref().map(Guest::told), [vec!["one"], vec![], vec!["you"], vec![]]);
    hall.leave(guests[0].id.key);
    hall.hear(&vec![Post::Unseat(guests[1].id), Post::Room(post(8, "last"))]);
    assert_eq!(guests.each_ref().map(Guest::told), [vec![], vec![], vec!["last"], vec![]]);
    hall.hear(&vec![Post::Everybody(said(9, "all"))]);
    assert_eq!(guests.each_ref().map(Guest::told), [vec![], vec![], vec!["all"], vec!["all"]]);
}

#[test]
fn what_is_told_of_a_room_is_counted_for_each_who_hears_it() {
    let hall = Hall::new(0);
    let guests = [ANA, BOB, BOB].map(|who| Guest::of(&hall, who, &[LAB]));
    let group = vec![Post::Room(post(5, "hi")), Post::One(guests[0].id, said(6, "one"))];
    assert_eq!(hall.hear(&group), Handed { events: 3, lagged: 0 });
    assert_eq!(hall.hear(&vec![Post::Room(post(7, &"x".repeat(1 << 20)))]).lagged, 3);
    assert_eq!(hall.hear(&vec![Post::Room(post(8, "gone"))]), Handed::default());
}

#[test]
fn who_comes_in_and_who_leaves_hears_of_it() {
    let hall = Hall::new(0);
    let bob = Guest::of(&hall, BOB, &[]);
    let moving = |seq, way| {
        Post::Room(RoomPost { moves: vec![(BOB, way)], ..post(seq, &format!("{way:?}")) })
    };
    hall.hear(&vec![Post::Room(post(1, "before")), moving(2, Move::In), Post::Room(post(3, "hi"))]);
    hall.hear(&vec![moving(4, Move::Out), Post::Room(post(5, "after"))]);
    assert_eq!(bob.told(), ["In", "hi", "Out"]);
}

#[test]
fn who_reads_too_slowly_is_told_so_once_and_nothing_more_of_the_room() {
    let hall = Hall::new(0);
    let [slow, quick] = [ANA, BOB].map(|who| Guest::of(&hall, who, &[LAB]));
    let long = "x".repeat(1500);
    for seq in 10..20 {
        hall.hear(&vec![Post::Room(post(seq, &long))]);
        assert_eq!(quick.told().len(), 1);
    }
    assert_eq!(slow.told(), [&*long, &*long, "lagged 11"]);
    hall.hear(&vec![Post::Room(post(20, "more"))]);
    assert_eq!(slow.told(), [""; 0]);
    hall.hear(&vec![
        Post::Again { who: slow.id, room: LAB, upto: Seq(20) },
        Post::Room(post(21, "again")),
    ]);
    assert_eq!(slow.told(), ["again"]);
    // Who was told nothing yet has what was there when it came.
    let new = Guest::of(&hall, ANA, &[LAB]);
    hall.hear(&vec![Post::Room(post(22, &"x".repeat(4000)))]);
    assert_eq!(new.told(), ["lagged 4"]);
}

#[test]
fn what_was_missed_is_told_before_what_happens_meanwhile() {
    let hall = Hall::new(0);
    let ana = Guest::of(&hall, ANA, &[LAB]);
    hall.hear(&vec![Post::Hold(ana.id), Post::Room(post(9, "new"))]);
    assert_eq!(ana.told(), [""; 0]);
    hall.hear(&vec![Post::One(ana.id, said(8, "old")), Post::Release(ana.id)]);
    hall.hear(&vec![Post::Room(post(10, "newer"))]);
    assert_eq!(ana.told(), ["old", "new", "newer"]);
}

#[test]
fn who_falls_behind_is_told_so_behind_what_was_held_back() {
    let hall = Hall::new(0);
    let ana = Guest::of(&hall, ANA, &[LAB]);
    let long = "x".repeat(1500);
    hall.hear(&vec![Post::Hold(ana.id)]);
    for seq in 10..14 {
        hall.hear(&vec![Post::Room(post(seq, &long))]);
    }
    hall.hear(&vec![Post::One(ana.id, said(8, "old")), Post::Release(ana.id)]);
    assert_eq!(ana.told(), ["old", &*long, &*long, "lagged 11"]);
}

#[test]
fn of_a_room_whose_last_fell_behind_nothing_is_kept() {
    let hall = Hall::new(0);
    let slow = Guest::of(&hall, ANA, &[LAB]);
    hall.hear(&vec![Post::Room(post(5, &"x".repeat(1 << 20)))]);
    assert_eq!(slow.told(), ["lagged 4"]);
    assert!(hall.seats().rooms.is_empty());
}
