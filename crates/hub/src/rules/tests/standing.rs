//! What outlives leaving a room: a mute, a wait, a rank.

use super::*;

fn muted_for(room: &str, user: &str, seconds: u64) -> Ask {
    Ask::Mute { room: at(room), user: user.into(), on: true, seconds: Some(seconds) }
}

fn part(room: &str) -> Ask {
    Ask::Part { room: at(room) }
}

fn slow(room: &str, seconds: u32) -> Ask {
    Ask::Slow { room: at(room), seconds }
}

fn retain(room: &str, days: u32) -> Ask {
    Ask::Retain { room: at(room), days: Some(days) }
}

/// Ana's room, in which bob and eve are.
fn lab() -> World {
    let mut world = World::of(&["root", "ana", "bob", "eve"]);
    for who in ["ana", "bob", "eve"] {
        world.does(who, &join("#lab")).unwrap();
    }
    world
}

impl World {
    fn role_of(&self, who: &str) -> Option<Role> {
        let room = self.state.room(self.state.room_named("#lab").unwrap());
        let who = self.state.account_named(who).unwrap();
        room.members.get(&who).map(|member| member.role)
    }

    fn kept(&self) -> usize {
        self.state.room(self.state.room_named("#lab").unwrap()).absent.len()
    }
}

#[test]
fn nobody_is_rid_of_a_mute_by_leaving() {
    for leave in [part("#lab"), kick("#lab", "bob"), ban("#lab", "bob", Some(1))] {
        let mut world = lab();
        world.does("ana", &mute("#lab", "bob", true)).unwrap();
        let who = if matches!(leave, Ask::Part { .. }) { "bob" } else { "ana" };
        world.does(who, &leave).unwrap();
        world.now.0 += 1000 * HOUR;
        world.does("bob", &join("#lab")).unwrap();
        assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::Muted), "{leave:?}");
        assert_eq!(world.does("ana", &mute("#lab", "bob", false)), Ok(1));
        assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
    }
}

#[test]
fn a_mute_ends_while_who_is_muted_is_away() {
    let mut world = lab();
    world.does("ana", &muted_for("#lab", "bob", 60)).unwrap();
    world.does("bob", &part("#lab")).unwrap();
    world.now.0 += 59_999;
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::Muted));
    world.does("bob", &part("#lab")).unwrap();
    world.now.0 += 1;
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
}

#[test]
fn who_is_not_in_the_room_is_muted_for_when_it_comes() {
    let mut world = lab();
    world.does("bob", &part("#lab")).unwrap();
    assert_eq!(world.does("eve", &mute("#lab", "bob", true)), Err(Code::Forbidden));
    for (who, on, expect) in
        [("bob", true, 1), ("root", true, 1), ("bob", false, 1), ("bob", false, 0)]
    {
        assert_eq!(world.does("ana", &mute("#lab", who, on)), Ok(expect), "{who}, {on}");
    }
    world.does("root", &join("#lab")).unwrap();
    assert_eq!(
        world.says("root", "#lab", "hi"),
        Err(Code::Muted),
        "administers, but is a guest here"
    );
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "hi"), Ok(1));
}

#[test]
fn nobody_waits_less_in_a_slow_room_for_leaving_it() {
    let mut world = lab();
    world.does("ana", &slow("#lab", SLOW_SECONDS_MAX)).unwrap();
    world.says("bob", "#lab", "one").unwrap();
    world.does("bob", &part("#lab")).unwrap();
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "two"), Err(Code::RateLimited));
    world.does("ana", &kick("#lab", "bob")).unwrap();
    world.now.0 += 6 * HOUR;
    assert_eq!(world.kept(), 1);
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "two"), Ok(1));
}

#[test]
fn who_is_muted_says_nothing_in_any_way() {
    let mut world = lab();
    world.does("ana", &role("#lab", "bob", Role::Moderator)).unwrap();
    world.says("bob", "#lab", "hi").unwrap();
    let said = world.state.last;
    let hi = || "hi".to_owned();
    world.does("ana", &mute("#lab", "bob", true)).unwrap();
    let react = Ask::React { room: at("#lab"), seq: said, emoji: "+".into(), on: true, cid: None };
    let user = || "eve".to_owned();
    for ask in [
        say("#lab", "hi"),
        edit("#lab", said.0),
        react,
        Ask::Redact { room: at("#lab"), seq: said, reason: Some(hi()), cid: None },
        Ask::Topic { room: at("#lab"), topic: hi() },
        Ask::Kick { room: at("#lab"), user: user(), reason: Some(hi()) },
        Ask::Ban { room: at("#lab"), user: user(), seconds: None, reason: Some(hi()) },
    ] {
        assert_eq!(world.does("bob", &ask), Err(Code::Muted), "{ask:?}");
    }
    // What says nothing it may do.
    for ask in [redact("#lab", said.0), kick("#lab", "eve"), slow("#lab", 1)] {
        assert_eq!(world.does("bob", &ask), Ok(1), "{ask:?}");
    }
}

#[test]
fn an_owner_who_is_away_stays_above_moderators() {
    let mut world = lab();
    world.does("ana", &role("#lab", "bob", Role::Moderator)).unwrap();
    world.does("ana", &part("#lab")).unwrap();
    for ask in [ban("#lab", "ana", None), mute("#lab", "ana", true)] {
        assert_eq!(world.does("bob", &ask), Err(Code::Forbidden), "{ask:?}");
    }
    assert_eq!(world.does("bob", &kick("#lab", "ana")), Err(Code::NotInRoom));
    // Nor has it a say meanwhile.
    assert_eq!(world.does("ana", &kick("#lab", "eve")), Err(Code::Forbidden));
    assert_eq!(world.does("ana", &join("#lab")), Ok(2), "all are told what it may do");
    assert_eq!(world.role_of("ana"), Some(Role::Owner));
}

#[test]
fn who_left_as_a_moderator_is_made_less_by_an_owner_and_not_by_another_moderator() {
    let mut world = lab();
    for who in ["bob", "eve"] {
        world.does("ana", &role("#lab", who, Role::Moderator)).unwrap();
        world.does(who, &part("#lab")).unwrap();
    }
    world.does("eve", &join("#lab")).unwrap();
    assert_eq!(world.does("eve", &ban("#lab", "bob", None)), Err(Code::Forbidden));
    assert_eq!(world.does("ana", &role("#lab", "bob", Role::Member)), Ok(1));
    assert_eq!(world.kept(), 0);
    assert_eq!(world.does("ana", &role("#lab", "bob", Role::Moderator)), Err(Code::NotInRoom));
    assert_eq!(world.does("eve", &ban("#lab", "bob", None)), Ok(1));
}

#[test]
fn who_was_sent_out_comes_back_as_a_member() {
    for out in [kick("#lab", "bob"), ban("#lab", "bob", Some(1))] {
        let mut world = lab();
        world.does("ana", &role("#lab", "bob", Role::Moderator)).unwrap();
        world.does("ana", &out).unwrap();
        world.now.0 += HOUR;
        assert_eq!(world.does("bob", &join("#lab")), Ok(1));
        assert_eq!(world.role_of("bob"), Some(Role::Member), "{out:?}");
    }
    // Also who was away already.
    let mut world = lab();
    world.does("ana", &role("#lab", "bob", Role::Owner)).unwrap();
    world.does("bob", &part("#lab")).unwrap();
    assert_eq!(world.does("ana", &ban("#lab", "bob", Some(1))), Err(Code::Forbidden));
    world.does("root", &ban("#lab", "bob", Some(1))).unwrap();
    world.now.0 += HOUR;
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.role_of("bob"), Some(Role::Member));
}

#[test]
fn of_a_deleted_account_no_room_keeps_anything() {
    let mut world = lab();
    world.does("ana", &mute("#lab", "bob", true)).unwrap();
    world.does("bob", &part("#lab")).unwrap();
    let bob = world.state.account_named("bob").unwrap();
    world.write(bob, Deed::Unregister { who: bob, said: Said::Stays });
    assert_eq!(world.kept(), 0);
}

#[test]
fn a_room_is_no_slower_and_keeps_no_longer_than_anybody_means() {
    let mut world = lab();
    assert_eq!(world.does("ana", &slow("#lab", SLOW_SECONDS_MAX + 1)), Err(Code::BadField));
    assert_eq!(world.does("ana", &slow("#lab", SLOW_SECONDS_MAX)), Ok(1));
    assert_eq!(world.does("ana", &retain("#lab", 36_501)), Err(Code::BadField));
    assert_eq!(world.does("ana", &retain("#lab", 36_500)), Ok(1));
}
