//! Dialogues: who may speak when, and what ends them.

use proptest::prelude::*;

use super::*;
use crate::model::{Dialogue, Mode};

fn dialogue(with: &str, mode: Option<Mode>) -> Ask {
    Ask::Dialogue { with: with.into(), mode }
}

#[test]
fn in_a_dialogue_in_turns_who_asked_begins_and_nobody_speaks_twice() {
    let mut world = World::of(&["root", "ana", "bob"]);
    assert_eq!(world.does("ana", &dialogue("bob", Some(Mode::Turns))), Ok(2));
    assert_eq!(world.says("bob", "@ana", "hi"), Err(Code::NotYourTurn));
    assert_eq!(world.says("ana", "@bob", "hi"), Ok(1));
    assert_eq!(world.says("ana", "@bob", "and"), Err(Code::NotYourTurn));
    let said = world.state.last.0;
    // Neither is said; an edit is of what was.
    assert_eq!(world.does("ana", &edit("@bob", said)), Ok(1));
    assert_eq!(world.does("ana", &redact("@bob", said)), Ok(1));
    assert_eq!(world.says("bob", "@ana", "hi"), Ok(1));
    assert_eq!(world.says("ana", "@bob", "fine"), Ok(1));
    // Rooms are another matter.
    assert_eq!(world.does("ana", &join("#lab")), Ok(1));
    assert_eq!(world.says("ana", "#lab", "fin"), Ok(1));
}

#[test]
fn in_a_free_dialogue_both_speak_whenever_they_like() {
    let mut world = World::of(&["root", "ana", "bob"]);
    assert_eq!(world.does("ana", &dialogue("bob", Some(Mode::Free))), Ok(2));
    for who in [("bob", "@ana"), ("bob", "@ana"), ("ana", "@bob"), ("ana", "@bob")] {
        assert_eq!(world.says(who.0, who.1, "hi"), Ok(1));
    }
}

/// The talk of Ana and Bob, as it stands.
fn held(world: &World) -> Option<Dialogue> {
    let who = |name| world.state.account_named(name).unwrap();
    world.state.room(world.state.talk_of(who("ana"), who("bob")).unwrap()).dialogue
}

#[test]
fn the_last_word_ends_a_dialogue_whoevers_turn_it_is() {
    for (word, ends) in [
        ("fin", true),
        ("quit", true),
        (" Fin ", true),
        ("QUIT", true),
        ("fin.", false),
        ("la fin", false),
    ] {
        for (who, to) in [("ana", "@bob"), ("bob", "@ana")] {
            let mut world = World::of(&["root", "ana", "bob"]);
            world.does("ana", &dialogue("bob", Some(Mode::Turns))).unwrap();
            let expect = if ends || who == "ana" { Ok(1) } else { Err(Code::NotYourTurn) };
            assert_eq!(world.says(who, to, word), expect, "{who} {word:?}");
            assert_eq!(held(&world).is_none(), ends, "{who} {word:?}");
        }
    }
    // Where no dialogue is held it is a word as any, the first one of a talk, too.
    let mut world = World::of(&["root", "ana", "bob"]);
    assert_eq!(
        [world.says("ana", "@bob", "fin"), world.says("ana", "@bob", "fin")],
        [Ok(2), Ok(1)]
    );
    // What somebody does is no word.
    world.does("ana", &dialogue("bob", Some(Mode::Free))).unwrap();
    let (to, body) = (at("@bob"), "fin".to_owned());
    let does = Ask::Message { to, kind: Kind::Action, body, reply: None, cid: None };
    assert_eq!(world.does("ana", &does), Ok(1));
    assert!(held(&world).is_some());
}

#[test]
fn a_dialogue_ends_when_one_of_the_two_asks_for_it_or_leaves() {
    let mut world = World::of(&["root", "ana", "bob"]);
    assert_eq!(world.does("bob", &dialogue("ana", None)), Ok(0), "none is held");
    assert!(world.state.talk_of(AccountId(Seq(2)), AccountId(Seq(3))).is_none());
    for end in [dialogue("ana", None), Ask::Part { room: at("@ana") }] {
        world.does("ana", &dialogue("bob", Some(Mode::Turns))).unwrap();
        assert_eq!(world.does("bob", &end), Ok(1));
        assert_eq!(held(&world), None);
    }
    assert_eq!(world.does("bob", &Ask::Part { room: at("@ana") }), Err(Code::Forbidden));
    assert_eq!(world.does("bob", &dialogue("ana", None)), Ok(0));
}

#[test]
fn of_two_who_ask_for_a_dialogue_at_once_the_first_begins() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &dialogue("bob", Some(Mode::Turns))).unwrap();
    assert_eq!(world.does("bob", &dialogue("ana", Some(Mode::Turns))), Ok(0));
    assert_eq!(held(&world), world.state.account_named("ana").map(Dialogue::Turns));
    assert_eq!(world.does("bob", &dialogue("ana", Some(Mode::Free))), Err(Code::Forbidden));
}

#[test]
fn a_dialogue_takes_two() {
    let mut world = World::of(&["root", "ana", "bob"]);
    let oneself = dialogue("Ana", Some(Mode::Free));
    assert_eq!(world.does("ana", &oneself), Err(Code::BadField));
    let nobody = dialogue("nobody", Some(Mode::Free));
    assert_eq!(world.does("ana", &nobody), Err(Code::NoSuchUser));
    world.limits.talks_an_account_max = 0;
    assert_eq!(world.does("ana", &dialogue("bob", Some(Mode::Free))), Err(Code::TooMany));
}

#[test]
fn a_last_word_that_is_said_twice_is_known() {
    let mut world = World::of(&["root", "ana", "bob"]);
    world.does("ana", &dialogue("bob", Some(Mode::Turns))).unwrap();
    world.says("ana", "@bob", "Fin").unwrap();
    let deed = world.log.last().unwrap().deed.clone();
    let by = world.state.account_named("ana").unwrap();
    let World { state, log: past, limits, now, .. } = &world;
    let judge = Judge { state, past, limits, by, now: *now, next: world.next() };
    assert!(judge.is_the_same(&deed, &say("@bob", "fin")));
    assert!(!judge.is_the_same(&deed, &say("@bob", "quit")));
    assert!(!judge.is_the_same(&deed, &say("@root", "fin")));
}

/// What one of the two does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say(&'static str),
    Hold(Option<Mode>),
    Part,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Say("hi")),
        1 => Just(Step::Say("Quit")),
        1 => Just(Step::Hold(Some(Mode::Turns))),
        1 => Just(Step::Hold(Some(Mode::Free))),
        1 => Just(Step::Hold(None)),
        1 => Just(Step::Part),
    ]
}

/// What is to come of it, and of the dialogue that is `held`.
fn expected(
    step: Step,
    who: AccountId,
    (other, held): (AccountId, Option<Dialogue>),
) -> (Result<usize, Code>, Option<Dialogue>) {
    let begun = |mode| match mode {
        Mode::Turns => Dialogue::Turns(who),
        Mode::Free => Dialogue::Free,
    };
    match (step, held) {
        (Step::Say("Quit") | Step::Part | Step::Hold(None), Some(_)) => (Ok(1), None),
        (Step::Part, None) => (Err(Code::Forbidden), None),
        (Step::Hold(None), None) => (Ok(0), None),
        (Step::Hold(Some(mode)), None) => (Ok(1), Some(begun(mode))),
        (Step::Hold(Some(mode)), Some(held)) if held.mode() == mode => (Ok(0), Some(held)),
        (Step::Hold(Some(_)), Some(held)) => (Err(Code::Forbidden), Some(held)),
        (Step::Say(_), Some(Dialogue::Turns(turn))) if turn == who => {
            (Ok(1), Some(Dialogue::Turns(other)))
        }
        (Step::Say(_), Some(Dialogue::Turns(_))) => (Err(Code::NotYourTurn), held),
        (Step::Say(_), held) => (Ok(1), held),
    }
}

proptest! {
    #[test]
    fn whatever_two_do_the_turn_is_where_it_belongs(
        steps in proptest::collection::vec((any::<bool>(), step()), 0..40)
    ) {
        let mut world = World::of(&["ana", "bob"]);
        world.says("ana", "@bob", "hi").unwrap();
        let who = ["ana", "bob"].map(|name| world.state.account_named(name).unwrap());
        for (is_ana, step) in steps {
            let (name, other) = if is_ana { ("ana", "bob") } else { ("bob", "ana") };
            let (by, to) = if is_ana { (who[0], who[1]) } else { (who[1], who[0]) };
            let (expect, held_then) = expected(step, by, (to, held(&world)));
            let room = at(&format!("@{other}"));
            let done = match step {
                Step::Say(body) => world.does(name, &say(&format!("@{other}"), body)),
                Step::Hold(mode) => world.does(name, &dialogue(other, mode)),
                Step::Part => world.does(name, &Ask::Part { room }),
            };
            prop_assert_eq!((done, held(&world)), (expect, held_then), "{} {:?}", name, step);
        }
    }
}
