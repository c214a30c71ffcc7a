//! Dialogues, and what one wants to notice.

use relais_hub::{
    model::{Mode, Quiet, Words},
    protocol::Held,
};

use super::*;

#[test]
fn a_dialogue_says_whose_turn_it_is_and_fin_ends_it_and_not_the_screen() {
    let mut stage = Stage::new((72, 8));
    stage.enter("/dialogue bob");
    let ask = stage.asked().remove(0);
    let held = Held { mode: Mode::Turns, turn: Some("ana".into()) };
    let talk = Listed { dialogue: Some(held), ..listed("@bob", 0) };
    stage.answer(ask, Ok(Answer::Joined(talk)));
    stage.sees(" @bob (dialogue: your turn) ");
    stage.sees("»│");
    let turn = |who: &str| Event::Turn { room: place("@bob"), who: who.into() };
    stage.hear(News::Happened(turn("bob")));
    stage.sees(" @bob (dialogue: the turn of bob) ");
    stage.sees_not("»");
    // What is typed too early stays where it is.
    stage.enter("and then?");
    assert_eq!(stage.asked(), []);
    stage.sees("it is not your turn");
    stage.sees("> and then?");
    stage.press(&[Key::CutBefore]);
    stage.enter("fin");
    let asked = stage.asked();
    let ask = asked.into_iter().find(|ask| matches!(ask, Ask::Message { .. })).unwrap();
    assert!(!stage.deeds.contains(&Deed::Leave));
    // What it did is told in place of it: it waits no longer, whichever comes first.
    let at = stage.at("@bob", "ana");
    let (seq, word) = (at.seq, Some("fin".to_owned()));
    stage.hear(News::Happened(Event::DialogueEnd { at, word }));
    stage.answer(ask, Ok(Answer::Written { seq, at: Millis(NOON), dup: false }));
    stage.sees_not("…");
    stage.sees("ana ended the dialogue");
    stage.sees_not("(dialogue");
    stage.enter("fin");
    assert!(stage.deeds.contains(&Deed::Leave));
}

#[test]
fn who_does_not_look_hears_that_somebody_begins_a_dialogue() {
    let mut stage = Stage::new((72, 8));
    let at = stage.at("@bob", "bob");
    stage.hear(News::Happened(Event::Dialogue { at, mode: Mode::Free }));
    assert_eq!(stage.alerts().len(), 1);
    stage.sees("bob began a dialogue, whoever likes (@bob)");
    let turn = Event::Turn { room: place("@bob"), who: "ana".into() };
    stage.hear(News::Happened(turn));
    stage.model.resize((40, 8));
    stage.later(20);
    stage.sees("@bob »");
    stage.model.resize((72, 8));
    let at = stage.at("@bob", "bob");
    stage.hear(News::Happened(Event::Dialogue { at, mode: Mode::Free }));
    stage.press(&[Key::RoomBefore]);
    stage.sees(" @bob (dialogue, whoever likes; fin ends it)");
}

#[test]
fn a_room_says_how_much_of_it_is_noticed() {
    let mut stage = Stage::new((72, 8));
    let notify = |level| Event::Notify { room: place("#lab"), level };
    stage.hear(News::Happened(notify(Level::Nothing)));
    stage.sees(" #lab (muted)  what we build");
    stage.sees("nothing is to be noticed");
    stage.hear(News::Happened(notify(Level::All)));
    stage.sees(" #lab (all is told you) ");
    stage.hear(News::Happened(notify(Level::Mentions)));
    stage.sees(" #lab  what we build");
}

#[test]
fn who_is_not_disturbed_sees_it_until_it_is_over() {
    let mut stage = Stage::new((72, 8));
    let until = |minutes: u64| Quiet::Until(Millis(NOON + minutes * 60_000));
    stage.hear(News::Happened(Event::Quiet(until(30))));
    stage.sees("ana (quiet until 12:30)");
    stage.model.resize((40, 8));
    stage.sees("ana (quiet)");
    stage.model.resize((72, 8));
    stage.later(29 * 60);
    stage.sees("ana (quiet until 12:30)");
    stage.later(60);
    stage.sees_not("quiet until");
    stage.hear(News::Happened(Event::Quiet(until(24 * 60))));
    stage.sees("ana (quiet until Sun 23 Nov 2025 12:00)");
    stage.hear(News::Happened(Event::Quiet(Quiet::On)));
    stage.sees("ana (quiet)");
    stage.hear(News::Happened(Event::Quiet(Quiet::Off)));
    stage.later(20);
    stage.sees_not("quiet");
}

#[test]
fn what_was_wished_before_is_known_from_the_first() {
    let mut stage = Stage::new((100, 20));
    let wishes = Wishes { words: Words::read("tea"), quiet: Quiet::On };
    let muted = Listed { level: Level::Nothing, ..listed("#lab", 0) };
    let (user, token, rooms) = ("ana".to_owned(), None, vec![muted]);
    stage.hear(News::Entered { user, token, rooms, wishes });
    stage.sees("(muted)");
    stage.sees("ana (quiet)");
    stage.press(&[Key::Help]);
    stage.sees("words looked out for  tea");
    stage.hear(News::Happened(Event::Keywords(Words::read("thé"))));
    stage.sees("words looked out for  thé");
}
