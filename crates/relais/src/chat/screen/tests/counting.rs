//! What is new, how much of it there is, and who is told.

use super::*;

#[test]
fn rooms_count_what_is_new_and_show_where_it_begins() {
    let mut stage = Stage::new((72, 12));
    stage.said("#lab", "bob", "read");
    stage.press(&[Key::NextRoom]);
    stage.said("#lab", "bob", "one");
    stage.said("#lab", "eve", "two for @ana");
    stage.sees(" #lab          @2│");
    stage.deeds.clear();
    stage.press(&[Key::NextUnread]);
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea            │
●@bob            │
                 │
                 │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob read
                 │──────────────────────── new ─────────────────────────
                 │12:24        bob one
                 │12:26        eve two for @ana

>",
    );
    // The hub is told, but not for each of them.
    assert_eq!(stage.asked(), []);
    stage.later(2);
    assert_eq!(stage.asked(), [Ask::Read { room: place("#lab"), seq: Seq(13) }]);
}

#[test]
fn what_was_missed_is_counted_once() {
    let mut stage = Stage::new((72, 8));
    stage.model.lose(0);
    let mut rooms = vec![listed("#lab", 0), listed("#tea", 0)];
    (rooms[1].unread, rooms[1].mentions, rooms[1].last) = (1, 1, Seq(11));
    stage.hear(News::Entered {
        user: "ana".into(),
        token: None,
        rooms: rooms.clone(),
        wishes: Wishes::default(),
    });
    stage.said("#tea", "bob", "@ana, you missed this");
    stage.sees(" #tea          @1│");
    stage.said("#tea", "bob", "and heard this");
    stage.sees(" #tea          @2│");
    // It is read here, and the hub does not know yet.
    stage.press(&[Key::NextRoom, Key::NextRoom]);
    (rooms[1].unread, rooms[1].last) = (2, Seq(12));
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    stage.sees(" #tea            │");
}

#[test]
fn what_another_device_read_is_read() {
    let mut stage = Stage::new((72, 8));
    stage.said("#tea", "bob", "one");
    stage.said("#tea", "bob", "@ana");
    stage.hear(News::Happened(Event::Read { room: place("#tea"), last: Seq(11) }));
    stage.sees(" #tea          @1│");
    stage.hear(News::Happened(Event::Read { room: place("#tea"), last: Seq(12) }));
    stage.sees(" #tea            │");
}

#[test]
fn of_what_another_device_read_in_a_room_that_was_not_opened_the_rest_is_unread() {
    let mut stage = Stage::new((72, 8));
    stage.model.lose(0);
    let mut tea = listed("#tea", 9);
    (tea.last, tea.mentions) = (Seq(20), 4);
    let (user, rooms, wishes) = ("ana".into(), vec![listed("#lab", 0), tea], Wishes::default());
    stage.hear(News::Entered { user, token: None, rooms, wishes });
    stage.seq = 20;
    stage.said("#tea", "bob", "@ana");
    let read = |last| News::Happened(Event::Read { room: place("#tea"), last: Seq(last) });
    let mut check = |last, expect| {
        stage.hear(read(last));
        let tea = stage.model.hubs[0].room(&place("#tea")).unwrap();
        assert_eq!((tea.unread, tea.mentions), expect, "read to {last}");
    };
    check(15, (10, 5));
    check(20, (1, 1));
    check(12, (1, 1));
    check(21, (0, 0));
}

#[test]
fn who_is_in_a_room_no_more_since_the_connection_was_lost_is_told() {
    let mut stage = Stage::new((72, 8));
    stage.model.lose(0);
    let (user, rooms, wishes) = ("ana".into(), vec![listed("#tea", 0)], Wishes::default());
    stage.hear(News::Entered { user, token: None, rooms, wishes });
    // A talk that is listed no more is only old.
    stage.sees("you are no longer in #lab");
    stage.sees_not("@bob");
}

#[test]
fn who_does_not_look_is_told_of_what_is_for_them() {
    let mut stage = Stage::new((72, 8));
    stage.said("#lab", "bob", "@ana, you look");
    assert_eq!(stage.alerts(), []);
    stage.said("#tea", "bob", "@ana: tea\u{7}");
    stage.said("@bob", "bob", "just us");
    stage.said("#tea", "bob", "not you");
    let told = |title: &str, body: &str| (title.to_owned(), body.to_owned());
    assert_eq!(stage.alerts(), [told("bob (#tea)", "@ana: tea"), told("bob (to you)", "just us")]);
    let deeds = stage.model.look(Eyes::Elsewhere, stage.now);
    assert_eq!(deeds, []);
    stage.said("#lab", "bob", "@ana, are you there?");
    assert_eq!(stage.alerts().len(), 1);
    stage.sees(" #lab          @1│");
    stage.model.look(Eyes::Here, stage.now);
    stage.sees(" #lab            │");
    stage.sees("── new ──");
}
