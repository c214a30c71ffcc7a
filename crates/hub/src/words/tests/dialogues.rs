//! Dialogues, as they are shown, and where somebody stands who holds one.

use super::*;

#[test]
fn a_dialogue_says_whose_turn_it_is_and_who_ended_it() {
    let bob = || Place::Person("bob".into());
    let begun = |mode| Event::Dialogue { at: at("bob", bob()), mode };
    let expect = "# bob a commencé un dialogue, chacun son tour (@bob) : fin ou quit y met fin\n";
    shows(begun(Mode::Turns), expect);
    shows(
        begun(Mode::Free),
        "# bob a commencé un dialogue, libre (@bob) : fin ou quit y met fin\n",
    );
    let turn = |who: &str| Event::Turn { room: bob(), who: who.into() };
    shows(turn("ana"), "# à vous (@bob)\n");
    shows(turn("bob"), "# à bob (@bob)\n");
    let ended = |word: Option<&str>| {
        let (at, word) = (at("bob", bob()), word.map(str::to_owned));
        Event::DialogueEnd { at, word }
    };
    shows(ended(Some("fin")), "# bob a mis fin au dialogue (@bob) : fin\n");
    shows(ended(None), "# bob a mis fin au dialogue (@bob)\n");
    let listed = |mode, turn: Option<&str>| {
        let dialogue = Some(Held { mode, turn: turn.map(str::to_owned) });
        Answer::Joined(Listed { room: bob(), topic: String::new(), dialogue, ..listed(0) })
    };
    let head = "# @bob (3), private, owner, a dialogue";
    answers(listed(Mode::Turns, Some("ana")), &format!("{head} each in turn, your turn\n"));
    answers(listed(Mode::Turns, Some("bob")), &format!("{head} each in turn, the turn of bob\n"));
    answers(listed(Mode::Free, None), &format!("{head} whoever likes\n"));
}

#[test]
fn the_last_word_of_a_dialogue_is_said_in_it_and_elsewhere_ends_the_connection() {
    let bob = || Place::Person("bob".into());
    for line in ["fin", " QUIT \r\n"] {
        let expect = Line::Ask(say(bob(), Kind::Text, line.trim()));
        assert_eq!(read_at(line, &Stand::InDialogue(bob())), expect);
        assert_eq!(read_at(line, &Stand::In(bob())), Line::End);
        assert_eq!(read_at(line, &Stand::Nowhere), Line::End);
    }
    assert_eq!(read_at("/quit", &Stand::InDialogue(bob())), Line::End);
    let hi = Line::Ask(say(bob(), Kind::Text, "hi"));
    assert_eq!(read_at("hi", &Stand::InDialogue(bob())), hi);
}

#[test]
fn who_stands_in_a_dialogue_hears_of_its_end() {
    let bob = || Place::Person("bob".into());
    let (begun, mode) = (|room| at("bob", room), Mode::Turns);
    let mut stand = Stand::entered(bob(), None);
    stand.hear(&Event::Dialogue { at: begun(Place::Person("eve".into())), mode });
    assert_eq!(stand, Stand::In(bob()));
    stand.hear(&Event::Dialogue { at: begun(bob()), mode });
    assert_eq!(stand, Stand::InDialogue(bob()));
    stand.hear(&Event::DialogueEnd { at: begun(bob()), word: None });
    assert_eq!(stand, Stand::In(bob()));
    let held = Held { mode, turn: None };
    assert_eq!(Stand::entered(bob(), Some(&held)), Stand::InDialogue(bob()));
}
