//! What is said, until the hub has it, and what is typed meanwhile.

use super::*;

#[test]
fn what_is_said_is_shown_until_the_hub_has_it_and_not_twice() {
    let mut stage = Stage::new((72, 10));
    stage.model.lose(0);
    stage.enter("hello");
    let to = place("#lab");
    let ask = Ask::Message {
        to,
        kind: Kind::Text,
        body: "hello".into(),
        reply: None,
        cid: Some(Stage::cid()),
    };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    stage.sees("  …          ana hello");
    stage.sees("1 not with the hub yet");
    stage.model.resize((40, 10));
    stage.sees(" …1");
    stage.model.resize((72, 10));
    stage.sees("not connected");
    let rooms = ["#lab", "#tea", "@bob"].map(|name| listed(name, 0)).into();
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    stage.sees("connected again");
    stage.later(20);
    stage.sees_not("connected again");
    // The event, then the answer.
    let mut event = stage.message("#lab", "ana", "hello");
    if let Event::Message { at, .. } = &mut event {
        at.cid = Some(Stage::cid());
    }
    stage.hear(News::Happened(event));
    let seq = Seq(stage.seq);
    stage.answer(ask.clone(), Ok(Answer::Written { seq, at: Millis(NOON), dup: false }));
    assert_eq!(stage.screen().matches("hello").count(), 1);
    stage.sees_not("not with the hub");
    // The answer, then the event.
    stage.enter("again");
    let answer = Answer::Written { seq: Seq(stage.seq + 1), at: Millis(NOON), dup: true };
    stage.answer(ask, Ok(answer));
    stage.sees_not("not with the hub");
    stage.said("#lab", "ana", "again");
    assert_eq!(stage.screen().matches("again").count(), 1);
}

#[test]
fn what_is_refused_is_told_with_its_reason_and_can_be_typed_again() {
    let mut stage = Stage::new((72, 8));
    stage.enter("why?");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Err(Refusal::of(Code::Muted)));
    stage.sees("not said: ");
    stage.sees("> why?");
    // What is typed by then stays, and what was refused is told with its reason.
    stage.press(&[Key::Enter]);
    let ask = stage.asked().remove(0);
    stage.type_in("then");
    stage.answer(ask, Err(Refusal::of(Code::Muted)));
    stage.sees(": why?");
    stage.sees("> then");
}

#[test]
fn what_is_refused_is_put_back_as_it_was_typed() {
    let mut stage = Stage::new((72, 8));
    for typed in ["/me laughs", "//slash", "plain"] {
        stage.enter(typed);
        let ask = stage.asked().remove(0);
        stage.answer(ask, Err(Refusal::of(Code::Muted)));
        assert_eq!(stage.model.composer().text(), typed);
        stage.press(&[Key::CutBefore]);
    }
}

#[test]
fn an_export_is_written_by_who_has_a_disk() {
    let mut stage = Stage::new((72, 8));
    stage.enter("/export mine.jsonl");
    assert_eq!(stage.deeds, [Deed::Export(0, "mine.jsonl".into())]);
}

#[test]
fn somebody_who_leaves_with_words_unsaid_is_asked_once() {
    let mut stage = Stage::new((72, 8));
    stage.enter("hello");
    stage.press(&[Key::Interrupt]);
    stage.sees("once more leaves without it");
    assert!(!stage.deeds.contains(&Deed::Leave));
    stage.press(&[Key::Interrupt]);
    assert!(stage.deeds.contains(&Deed::Leave));
}

#[test]
fn words_are_completed_one_after_the_other() {
    let mut stage = Stage::new((72, 10));
    let mut check = |typed: &str, times: usize, expect: &str| {
        stage.type_in(typed);
        (0..times).for_each(|_| stage.press(&[Key::Complete]));
        assert_eq!(stage.model.composer().text(), expect);
        stage.press(&[Key::CutBefore]);
    };
    check("/sea", 1, "/search ");
    check("/join t", 1, "/join #tea ");
    check("say it in #l", 1, "say it in #lab ");
    check("hi b", 1, "hi @bob ");
    check("hi @E", 1, "hi @eve ");
    check("/m", 1, "/msg ");
    check("/m", 2, "/me ");
    check("zzz", 1, "zzz");
    check("", 1, "");
}

#[test]
fn what_is_typed_in_a_room_stays_there() {
    let mut stage = Stage::new((72, 10));
    stage.type_in("draft");
    stage.press(&[Key::NextRoom]);
    stage.sees(" #lab           ✎│");
    assert_eq!(stage.model.composer().text(), "");
    stage.press(&[Key::RoomAt(1)]);
    stage.sees("> draft");
}

#[test]
fn that_somebody_writes_is_told_now_and_then_and_that_they_stopped() {
    let mut stage = Stage::new((72, 10));
    let typing = |on| Ask::Typing { room: place("#lab"), on };
    stage.type_in("/me");
    assert_eq!(stage.asked(), []);
    stage.press(&[Key::CutBefore]);
    stage.type_in("hello");
    assert_eq!(stage.asked(), [typing(true)]);
    stage.now += Duration::from_secs(5);
    stage.type_in("!");
    assert_eq!(stage.asked(), [typing(true)]);
    stage.press(&[Key::CutBefore]);
    assert_eq!(stage.asked(), [typing(false)]);
    let bob = Event::Typing { room: place("#lab"), user: "bob".into(), on: true };
    stage.hear(News::Happened(bob));
    stage.sees("bob is writing");
    stage.later(9);
    stage.sees_not("bob is writing");
}

#[test]
fn a_word_to_somebody_goes_to_where_it_is_said() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/msg eve psst");
    let mut event = stage.message("@eve", "ana", "psst");
    if let Event::Message { at, .. } = &mut event {
        at.cid = Some(Stage::cid());
    }
    stage.hear(News::Happened(event));
    assert_eq!(stage.model.here.as_ref().map(|here| here.place.clone()), Some(place("@eve")));
}

#[test]
fn what_waits_for_the_hub_is_bounded() {
    let mut stage = Stage::new((72, 10));
    stage.model.lose(0);
    for _ in 0..super::super::hub::PENDING_MAX {
        stage.enter("hello");
    }
    stage.deeds.clear();
    stage.enter("one more");
    assert_eq!(stage.asked(), []);
    stage.sees("wait for it");
    stage.sees("> one more");
}
