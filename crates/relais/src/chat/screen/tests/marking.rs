//! Where days begin, and what is new.

use super::*;

#[test]
fn what_is_new_begins_with_what_others_say() {
    let mut stage = Stage::new((72, 11));
    stage.said("#lab", "bob", "read");
    stage.model.look(Eyes::Elsewhere, stage.now);
    stage.said("#lab", "eve", "one");
    stage.press(&[Key::NextRoom, Key::RoomBefore]);
    let rows = |stage: &Stage| stage.screen();
    assert!(rows(&stage).contains("── new ──"));
    // Said by oneself, on another device, say, and then by somebody.
    stage.model.look(Eyes::Here, stage.now);
    stage.press(&[Key::NextRoom]);
    stage.said("#lab", "ana", "mine");
    stage.said("#lab", "bob", "theirs");
    stage.press(&[Key::RoomBefore]);
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea            │
●@bob            │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob read
                 │12:24        eve one
                 │12:26        ana mine
                 │──────────────────────── new ─────────────────────────
                 │12:28        bob theirs

>",
    );
}

#[test]
fn a_day_begins_above_what_happened_first_on_it() {
    let mut stage = Stage::new((72, 8));
    let at = stage.at("#lab", "eve");
    stage.hear(News::Happened(Event::Join(at)));
    stage.said("#lab", "eve", "hello");
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea            │
●@bob            │────────────────── Sat 22 Nov 2025 ───────────────────
                 │               · eve came into #lab
                 │12:24        eve hello

>",
    );
}

#[test]
fn an_answer_has_no_time_and_begins_no_day() {
    let mut stage = Stage::new((72, 8));
    stage.enter("/calc 1");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Value("1".into())));
    stage.sees_not("Nov 2025");
    stage.said("#lab", "eve", "hello");
    assert_eq!(stage.screen().matches("Nov 2025").count(), 1);
}
