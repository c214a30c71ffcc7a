//! What outlives leaving a room and a start: who is muted there, who spoke when, who ranks how.

use super::*;
use crate::model::{Role, Said, Standing, Voice};

fn rows(written: &Written) -> i64 {
    let count = |row: &rusqlite::Row<'_>| row.get(0);
    written.store.conn.query_row("SELECT count(*) FROM absent", [], count).unwrap()
}

/// Ana's room, in which bob is.
fn two() -> (Written, AccountId, AccountId, RoomId) {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.act(bob, lab, Act::Join);
    (written, ana, bob, lab)
}

#[test]
fn when_somebody_spoke_in_a_slow_room_is_known_after_a_start() {
    let (mut written, ana, bob, lab) = two();
    written.say(ana, lab, "too fast to count");
    written.act(ana, lab, Act::Slow { seconds: 5 });
    let seq = written.say(bob, lab, "one");
    let before = written.state.clone();
    let written = written.anew();
    assert_eq!(written.state, before);
    let spoke = |who| written.state.room(lab).members[&who].spoke;
    assert_eq!((spoke(ana), spoke(bob)), (Millis(0), Millis(seq.0)));
}

#[test]
fn what_is_kept_of_who_left_is_known_after_a_start() {
    let (mut written, ana, bob, lab) = two();
    written.act(ana, lab, Act::Slow { seconds: 5 });
    let seq = written.say(bob, lab, "one");
    written.act(ana, lab, Act::Role { who: bob, role: Role::Moderator });
    for until in [None, Some(Millis(99)), Some(Millis(u64::MAX))] {
        written.act(ana, lab, Act::Mute { who: bob, until });
        written.act(bob, lab, Act::Part);
        let before = written.state.clone();
        written = written.anew();
        assert_eq!(written.state, before);
        let (role, spoke) = (Role::Moderator, Millis(seq.0));
        let expect = Standing { role, spoke, voice: Voice::Muted(until) };
        assert_eq!(written.state.room(lab).absent.get(bob), Some(expect));
    }
    written.act(bob, lab, Act::Join);
    assert_eq!((rows(&written), written.store.reload().unwrap()), (0, written.state.clone()));
}

#[test]
fn what_the_room_forgets_goes_from_the_disk_and_no_more() {
    let (mut written, ana, bob, lab) = two();
    written.act(ana, lab, Act::Mute { who: bob, until: Some(Millis(written.state.last.0 + 2)) });
    written.act(bob, lab, Act::Part);
    let moderator = written.register("eve");
    written.act(ana, lab, Act::Role { who: moderator, role: Role::Moderator });
    for number in 0..255 {
        let who = written.register(&format!("guest{number}"));
        let until = Some(Millis(if number == 0 { u64::MAX } else { 100_000 + number }));
        written.act(ana, lab, Act::Mute { who, until });
    }
    assert_eq!((rows(&written), written.state.room(lab).absent.get(bob).is_some()), (257, true));
    assert_eq!(written.store.reload().unwrap(), written.state);
    let who = written.register("last");
    written.act(ana, lab, Act::Mute { who, until: Some(Millis(200_000)) });
    assert_eq!((rows(&written), written.state.room(lab).absent.get(bob)), (257, None));
    assert_eq!(written.store.reload().unwrap(), written.state);
}

#[test]
fn with_a_room_and_with_an_account_goes_what_was_kept() {
    let (mut written, ana, bob, lab) = two();
    let den = written.create(ana, "#den");
    for room in [lab, den] {
        written.act(ana, room, Act::Mute { who: bob, until: None });
    }
    written.act(bob, lab, Act::Part);
    assert_eq!(rows(&written), 2);
    written.write(Some(ana), Deed::Delete { room: den });
    assert_eq!(rows(&written), 1);
    written.write(Some(bob), Deed::Unregister { who: bob, said: Said::Stays });
    assert_eq!((rows(&written), written.store.reload().unwrap()), (0, written.state.clone()));
}

#[test]
fn who_looks_after_a_hub_reads_who_ranks_or_is_muted_without_being_there() {
    let (mut written, ana, bob, lab) = two();
    let [cleo, dan] = ["cleo", "dan"].map(|name| {
        let who = written.register(name);
        written.act(who, lab, Act::Join);
        who
    });
    written.act(ana, lab, Act::Slow { seconds: 5 });
    written.say(dan, lab, "one");
    written.act(ana, lab, Act::Role { who: bob, role: Role::Moderator });
    let until = Some(Millis(99));
    written.act(ana, lab, Act::Mute { who: cleo, until });
    let ledger = written.store.ledger().unwrap();
    let absent = |after| ledger.absent(lab, after, 1).unwrap();
    assert_eq!(absent(AccountId::default()), [], "all are there");
    for who in [bob, cleo, dan] {
        written.act(who, lab, Act::Part);
    }
    let named = |after| {
        let found = absent(after);
        found.first().map(|one| (one.who, one.name.clone(), one.standing.role, one.standing.voice))
    };
    let first = (bob, "bob".to_owned(), Role::Moderator, Voice::Free);
    let second = (cleo, "cleo".to_owned(), Role::Member, Voice::Muted(until));
    assert_eq!([AccountId::default(), bob, cleo].map(named), [Some(first), Some(second), None]);
}
