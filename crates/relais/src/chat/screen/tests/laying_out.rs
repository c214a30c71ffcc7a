//! The screen in few columns and rows, and its parts shown or not.

use super::*;

#[test]
fn in_very_few_columns_a_name_has_a_row_of_its_own() {
    let mut stage = Stage::new((20, 10));
    stage.said("#lab", "bob", "salut, and some more words");
    let mut action = stage.message("#lab", "eve", "laughs");
    if let Event::Message { kind, .. } = &mut action {
        *kind = Kind::Action;
    }
    stage.hear(News::Happened(action));
    stage.check(
        "
 #lab  what we… ana

─ Sat 22 Nov 2025 ──
bob 12:22
 salut, and some
 more words
* 12:24
 eve laughs

>",
    );
}

#[test]
fn each_part_is_shown_and_hidden_by_its_key_in_any_width() {
    for columns in [30, 72, 120] {
        let mut stage = Stage::new((columns, 12));
        let before = stage.screen();
        for key in [Key::List, Key::Members, Key::Help] {
            let key = [key];
            stage.press(&key);
            assert_ne!(stage.screen(), before, "{key:?} at {columns}");
            stage.press(&key);
            assert_eq!(stage.screen(), before, "{key:?} twice at {columns}");
        }
    }
}

#[test]
fn a_long_word_about_what_was_typed_has_the_rows_that_it_takes() {
    let mut stage = Stage::new((40, 12));
    stage.said("#lab", "bob", "salut");
    stage.enter("/ban");
    stage.check(
        "
 #lab  what we build                ana





─────────── Sat 22 Nov 2025 ────────────
12:22 bob: salut
 NAME is missing: /ban NAME
 [30s|10m|2h|7d] [REASON], as in /ban
 bob 7d too loud
>",
    );
    stage.press(&[Key::Escape]);
    stage.sees_not("NAME is missing");
    // Where there are few rows, what is said is not pushed out.
    stage.model.resize((40, 8));
    stage.enter("/ban");
    stage.sees("12:22 bob: salut");
    stage.sees(" NAME is missing: /ban NAME [30s|10m|2…");
}

#[test]
fn who_is_in_the_room_is_seen_where_there_is_no_room_beside_it() {
    let mut stage = Stage::new((40, 10));
    stage.press(&[Key::Members]);
    stage.sees("who is in the room");
    stage.sees(" ●ana +");
    stage.sees("  eve");
}

#[test]
fn help_can_be_read_to_its_end_however_small_the_screen_is() {
    for size in [(20, 10), (40, 12), (80, 24), (200, 100)] {
        let mut stage = Stage::new(size);
        stage.press(&[Key::Help]);
        let mut seen = String::new();
        while !seen.ends_with(&stage.screen()) {
            seen.push_str(&stage.screen());
            stage.press(&[Key::PageDown]);
        }
        for word in ["above", "Alt-C", "/help", "/bye"] {
            assert!(seen.contains(word), "{word} at {size:?}");
        }
        // The last row is the last, and nothing is below it.
        let end = stage.screen();
        stage.press(&[Key::Down, Key::End]);
        assert_eq!(stage.screen(), end);
        stage.press(&[Key::Home]);
        stage.sees("above");
        stage.press(&[Key::Escape]);
    }
}
