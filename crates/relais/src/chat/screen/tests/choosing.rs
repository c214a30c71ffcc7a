//! Messages that are chosen, found and scrolled to, and what becomes of them.

use super::*;

#[test]
fn a_message_is_chosen_and_answered_edited_signed_or_taken_out() {
    let mut stage = Stage::new((72, 12));
    let mine = stage.said("#lab", "ana", "helo");
    let seq = stage.said("#lab", "bob", "what?");
    stage.press(&[Key::Earlier, Key::Char('r')]);
    stage.sees("reply to bob");
    stage.enter("nothing");
    let [Ask::Message { reply, body, .. }] = &stage.asked()[..] else { panic!("no message") };
    assert_eq!((*reply, &**body), (Some(seq), "nothing"));
    stage.press(&[Key::Earlier, Key::Char('e')]);
    stage.sees("only its author");
    stage.press(&[Key::Earlier, Key::Char('e')]);
    stage.sees("> helo");
    stage.press(&[Key::Backspace]);
    stage.enter("lo");
    let (room, cid) = (place("#lab"), Some(Stage::cid()));
    let edit = Ask::Edit { room: room.clone(), seq: mine, body: "hello".into(), cid: cid.clone() };
    assert_eq!(stage.asked(), [edit]);
    stage.press(&[Key::Earlier, Key::Char('+')]);
    stage.enter("👍");
    let sign =
        |on| Ask::React { room: room.clone(), seq, emoji: "👍".into(), on, cid: cid.clone() };
    assert_eq!(stage.asked(), [sign(true)]);
    let at = stage.at("#lab", "ana");
    stage.hear(News::Happened(Event::React { at, of: seq, emoji: "👍".into(), on: true }));
    stage.sees("👍 ana");
    stage.press(&[Key::Earlier, Key::Char('+')]);
    stage.enter("👍");
    assert_eq!(stage.asked(), [sign(false)]);
    stage.press(&[Key::Earlier, Key::Earlier, Key::Char('d')]);
    stage.sees("delete?");
    stage.press(&[Key::Escape, Key::Char('d')]);
    stage.enter("");
    let redact = Ask::Redact { room: room.clone(), seq: mine, reason: None, cid };
    assert_eq!(stage.asked(), [redact]);
}

#[test]
fn edits_answers_and_what_was_taken_out_are_shown() {
    let mut stage = Stage::new((72, 12));
    let of = stage.said("#lab", "bob", "what time is it?");
    let mut reply = stage.message("#lab", "ana", "noon");
    if let Event::Message { reply, .. } = &mut reply {
        *reply = Some(of);
    }
    stage.hear(News::Happened(reply));
    let at = stage.at("#lab", "ana");
    stage.hear(News::Happened(Event::Edit { at, of: Seq(12), body: "one".into() }));
    let gone = stage.said("#lab", "eve", "oops");
    let at = stage.at("#lab", "eve");
    stage.hear(News::Happened(Event::Redact { at, of: gone, reason: None }));
    let mut action = stage.message("#lab", "eve", "laughs");
    if let Event::Message { kind, .. } = &mut action {
        *kind = Kind::Action;
    }
    stage.hear(News::Happened(action));
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea            │
●@bob            │
                 │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob what time is it?
                 │                 ↪ bob: what time is it?
                 │12:24        ana one (edited)
                 │12:28        eve (taken out)
                 │12:32          * eve laughs

>",
    );
}

#[test]
fn older_messages_are_asked_for_when_one_scrolls_to_the_first() {
    let mut stage = Stage::new((72, 8));
    let ask =
        Ask::History { room: place("#lab"), page: Page::Latest, limit: Some(50), messages: None };
    stage.model.room_mut().unwrap().before = super::super::room::Before::Asked;
    let events: Vec<_> =
        (0..9).map(|nth| stage.message("#lab", "bob", &format!("m{nth}"))).collect();
    stage.answer(ask, Ok(Answer::Page { events, more: true }));
    stage.sees("m8");
    stage.press(&[Key::PageUp]);
    stage.sees_not("m8");
    stage.sees("more below");
    assert_eq!(stage.asked(), []);
    stage.press(&[Key::PageUp]);
    let ask = Ask::History {
        room: place("#lab"),
        page: Page::Before(Seq(11)),
        limit: Some(50),
        messages: None,
    };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    // What is said meanwhile does not move what is read.
    let middle = |stage: &Stage| -> Vec<_> {
        stage.screen().lines().filter_map(|row| row.split('│').nth(1).map(str::to_owned)).collect()
    };
    let before = middle(&stage);
    stage.said("#lab", "bob", "at the end");
    assert_eq!(middle(&stage), before);
    let mut older = stage.message("#lab", "bob", "older");
    if let Event::Message { at, .. } = &mut older {
        at.seq = Seq(3);
    }
    stage.answer(ask, Ok(Answer::Page { events: vec![older], more: false }));
    stage.press(&[Key::PageUp]);
    stage.sees("older");
    assert_eq!(stage.asked(), []);
    for _ in 0..9 {
        stage.deeds.extend(stage.model.point(Point::WheelDown, stage.now));
    }
    stage.sees("at the end");
}

#[test]
fn what_a_search_finds_is_gone_to() {
    let mut stage = Stage::new((72, 10));
    stage.said("#lab", "bob", "now");
    stage.enter("/search report");
    let ask = stage.asked().remove(0);
    stage.sees("searching…");
    let mut found = stage.message("#lab", "bob", "the report");
    if let Event::Message { at, .. } = &mut found {
        at.seq = Seq(4);
    }
    stage.answer(ask, Ok(Answer::Page { events: vec![found.clone()], more: false }));
    stage.sees("found (1): report");
    stage.press(&[Key::Enter]);
    let ask = Ask::History {
        room: place("#lab"),
        page: Page::Around(Seq(4)),
        limit: Some(50),
        messages: None,
    };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    stage.answer(ask, Ok(Answer::Page { events: vec![found], more: true }));
    stage.sees("the report");
    stage.sees_not("now");
    // What happens does not stand behind what is old.
    stage.said("#lab", "bob", "later");
    stage.sees_not("later");
    stage.press(&[Key::Escape]);
    let ask =
        Ask::History { room: place("#lab"), page: Page::Latest, limit: Some(50), messages: None };
    assert_eq!(stage.asked(), [ask]);
}
