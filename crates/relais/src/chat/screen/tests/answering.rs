//! What is asked and answered, and where that leads.

use super::*;

#[test]
fn short_answers_are_told_and_long_ones_shown() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/calc 2^64");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Value("18446744073709551616".into())));
    stage.sees("· 18446744073709551616");
    stage.enter("/rooms");
    let rooms = ["#a", "#b", "#c", "#d"].map(|name| listed(name, 0)).into();
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Rooms { rooms, more: false }));
    stage.sees("─ answer ─");
    stage.sees("#d (2)");
    stage.press(&[Key::Escape]);
    stage.sees("· 18446744073709551616");
    stage.press(&[Key::Help]);
    stage.sees("─ help ─");
    stage.sees(" above");
}

#[test]
fn how_many_were_said_last_are_shown_with_their_numbers() {
    let mut stage = Stage::new((72, 12));
    let said = ["one", "two"].map(|body| stage.message("#lab", "bob", body));
    stage.enter("/history 2");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Page { events: said.to_vec(), more: true }));
    stage.sees("11 ");
    stage.sees("<bob> two");
    stage.sees("there is more: /history 2 11");
    stage.press(&[Key::Escape]);
    stage.enter("/history 2 11");
    let (room, page) = (place("#lab"), Page::Before(Seq(11)));
    let ask = Ask::History { room, page, limit: None, messages: Some(2) };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    stage.answer(ask, Ok(Answer::Page { events: Vec::new(), more: false }));
    stage.sees("there is nothing");
    // Without a number it is scrolled.
    stage.enter("/history");
    assert_eq!(stage.asked(), []);
}

#[test]
fn who_is_sent_out_sees_it_and_who_comes_in_goes_there() {
    let mut stage = Stage::new((72, 10));
    let at = stage.at("#lab", "bob");
    let kick = Event::About {
        at,
        what: "kick",
        user: "ana".into(),
        until: None,
        reason: Some("noise".into()),
    };
    stage.hear(News::Happened(kick));
    stage.sees("bob sent out ana (#lab): noise");
    stage.sees("You are in no room yet.");
    stage.enter("/join den");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Joined(listed("#den", 0))));
    stage.sees(" #den ");
    stage.said("#den", "bob", "welcome");
    stage.sees("bob welcome");
}

#[test]
fn of_a_log_that_was_set_back_nothing_is_shown_that_it_does_not_have() {
    let mut stage = Stage::new((72, 10));
    stage.said("#lab", "bob", "lost");
    stage.sees("bob lost");
    stage.model.lose(0);
    let mut lab = listed("#lab", 3);
    (lab.last, lab.mine) = (Seq(7), Some((Seq(4), Role::Member)));
    let (user, wishes) = ("ana".to_owned(), Wishes::default());
    stage.hear(News::Entered { user, token: None, rooms: vec![lab], wishes });
    stage.asked();
    stage.hear(News::Happened(Event::Rewound { last: Seq(8) }));
    stage.sees("the hub's log was set back");
    stage.sees_not("bob lost");
    let (room, page) = (place("#lab"), Page::Latest);
    let ask = Ask::History { room, page, limit: Some(50), messages: None };
    assert_eq!(stage.asked(), [ask]);
    assert_eq!(stage.model.room().unwrap().read, Seq(4));
}

#[test]
fn who_was_in_a_room_that_is_deleted_is_in_it_no_more() {
    let mut stage = Stage::new((72, 10));
    let at = stage.at("#lab", "bob");
    stage.hear(News::Happened(Event::Delete(at)));
    stage.sees("bob deleted #lab");
    stage.sees("You are in no room yet.");
}
