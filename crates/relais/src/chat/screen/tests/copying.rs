//! What one wants to copy stands whole, or can be shown so.

use relais_hub::protocol::{Answer, Secret};

use super::{super::room::Behind, *};

const PATH: &str = "/hook/hk_AbC-dEf.GhI/0123456789";

fn bare(stage: &mut Stage) -> Option<String> {
    let shown = stage.deeds.drain(..).find_map(|deed| match deed {
        Deed::ShowBare(text) => Some(text),
        _ => None,
    });
    shown.map(|text| text.split("\n\n—").next().unwrap().to_owned())
}

#[test]
fn a_path_is_broken_only_where_it_is_longer_than_a_row() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/hook build");
    let ask = stage.asked().remove(0);
    let (path, session) = (Secret(PATH.into()), "s_1".to_owned());
    stage.answer(ask, Ok(Answer::Hooked { path, session }));
    stage.sees(PATH);
    stage.model.resize((40, 10));
    stage.sees(PATH);
}

#[test]
fn a_path_stands_whole_where_older_messages_are_looked_at() {
    let mut stage = Stage::new((40, 10));
    stage.enter("/hook build");
    let ask = stage.asked().remove(0);
    stage.model.room_mut().unwrap().behind = Behind::More;
    let (path, session) = (Secret(PATH.into()), "s_1".to_owned());
    stage.answer(ask, Ok(Answer::Hooked { path, session }));
    stage.sees(PATH);
}

#[test]
fn what_is_seen_is_shown_bare_until_a_key_is_pressed() {
    let mut stage = Stage::new((30, 10));
    stage.said("#lab", "bob", "one two three four five six seven eight nine\nten");
    let mut action = stage.message("#lab", "eve", "laughs");
    if let Event::Message { kind, .. } = &mut action {
        *kind = Kind::Action;
    }
    stage.hear(News::Happened(action));
    stage.press(&[Key::Bare]);
    let expect = "12:22 bob: one two three four five six seven eight nine\nten\n12:24 * eve laughs";
    assert_eq!(bare(&mut stage).as_deref(), Some(expect));
    stage.press(&[Key::Char('x')]);
    assert_eq!(stage.deeds, [Deed::ShowScreen]);
    assert_eq!(stage.model.composer().text(), "", "the key only goes back");
    stage.press(&[Key::Char('x')]);
    assert_eq!(stage.model.composer().text(), "x");
}

#[test]
fn a_message_that_is_chosen_is_shown_bare_alone() {
    let mut stage = Stage::new((72, 10));
    stage.said("#lab", "bob", PATH);
    stage.said("#lab", "bob", "below");
    stage.press(&[Key::Earlier, Key::Earlier, Key::Bare]);
    assert_eq!(bare(&mut stage).as_deref(), Some(PATH));
}

#[test]
fn an_answer_and_what_was_found_are_shown_bare_and_a_list_of_rooms_is_not_in_the_way() {
    let mut stage = Stage::new((72, 10));
    stage.model.show_lines("answer".into(), vec!["a b".into(), PATH.into()]);
    stage.press(&[Key::Bare]);
    assert_eq!(bare(&mut stage), Some(format!("a b\n{PATH}")));
    stage.press(&[Key::Escape]);
    let found = Some(vec![stage.message("#lab", "bob", "found")]);
    stage.model.pane = Pane::Found { hub: 0, words: "f".into(), found, chosen: 0 };
    stage.deeds.clear();
    stage.press(&[Key::Bare]);
    assert_eq!(bare(&mut stage).as_deref(), Some("found"));
    stage.press(&[Key::Escape]);
    stage.model.pane = Pane::Found { hub: 0, words: "f".into(), found: None, chosen: 0 };
    stage.deeds.clear();
    stage.press(&[Key::Bare]);
    assert_eq!(bare(&mut stage), None);
}

#[test]
fn nothing_that_a_terminal_would_obey_is_shown_bare() {
    let mut stage = Stage::new((72, 10));
    stage.said("#lab", "e\u{1b}[2Jve", "x\u{1b}[2J\u{9b}31m\u{202e}y");
    stage.press(&[Key::Bare]);
    let shown = bare(&mut stage).unwrap();
    assert_eq!(shown, "12:22 e[2Jve: x[2J31my");
}
