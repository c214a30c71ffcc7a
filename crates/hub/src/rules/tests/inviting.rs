//! Who is invited, until one comes in, says no, or may not come in any more.

use super::*;

fn invite(room: &str, user: &str) -> Ask {
    Ask::Invite { room: at(room), user: user.into() }
}

fn part(room: &str) -> Ask {
    Ask::Part { room: at(room) }
}

/// Ana's two rooms, to which bob is invited.
fn rooms() -> World {
    let mut world = World::of(&["root", "ana", "bob", "eve"]);
    for (room, access) in [("#den", Access::Private), ("#lab", Access::Public)] {
        world.does("ana", &create(room, access)).unwrap();
        world.does("ana", &invite(room, "bob")).unwrap();
    }
    world
}

impl World {
    fn invited_to(&self, room: &str) -> usize {
        self.state.room(self.state.room_named(room).unwrap()).invited.len()
    }
}

#[test]
fn who_is_invited_may_decline() {
    for room in ["#den", "#lab"] {
        let mut world = rooms();
        assert_eq!(world.does("bob", &part(room)), Ok(1), "{room}");
        assert_eq!(world.invited_to(room), 0);
        // Of what is declined one may be invited to again.
        assert_eq!(world.does("ana", &invite(room, "bob")), Ok(1));
        assert_eq!(world.does("bob", &join(room)), Ok(1));
    }
    let mut world = rooms();
    world.does("bob", &part("#den")).unwrap();
    for ask in [part("#den"), join("#den")] {
        assert_eq!(world.does("bob", &ask), Err(Code::NoSuchRoom), "{ask:?}");
    }
    assert_eq!(world.does("eve", &part("#lab")), Err(Code::NotInRoom));
}

#[test]
fn who_declines_is_rid_of_no_mute() {
    let mut world = rooms();
    world.does("ana", &mute("#lab", "bob", true)).unwrap();
    world.does("bob", &part("#lab")).unwrap();
    world.does("bob", &join("#lab")).unwrap();
    assert_eq!(world.says("bob", "#lab", "hi"), Err(Code::Muted));
}

#[test]
fn nobody_is_invited_by_or_as_an_account_that_was_deleted() {
    for who in ["ana", "bob"] {
        let mut world = rooms();
        let who = world.state.account_named(who).unwrap();
        world.write(who, Deed::Unregister { who, said: Said::Stays });
        assert_eq!([world.invited_to("#den"), world.invited_to("#lab")], [0, 0], "{who:?}");
    }
    let mut world = rooms();
    let eve = world.state.account_named("eve").unwrap();
    world.write(eve, Deed::Unregister { who: eve, said: Said::Stays });
    assert_eq!(world.invited_to("#den"), 1);
}

#[test]
fn who_is_banned_is_not_invited_until_that_is_over() {
    let mut world = rooms();
    world.does("ana", &ban("#den", "bob", Some(60))).unwrap();
    assert_eq!(world.does("ana", &invite("#den", "bob")), Err(Code::Forbidden));
    world.now.0 += 60_000;
    assert_eq!(world.does("ana", &invite("#den", "bob")), Ok(1));
    assert_eq!(world.does("bob", &join("#den")), Ok(1));
    world.does("ana", &ban("#den", "bob", None)).unwrap();
    assert_eq!(world.does("ana", &invite("#den", "bob")), Err(Code::Forbidden));
    world.does("ana", &Ask::Unban { room: at("#den"), user: "bob".into() }).unwrap();
    assert_eq!(world.does("ana", &invite("#den", "bob")), Ok(1));
}
