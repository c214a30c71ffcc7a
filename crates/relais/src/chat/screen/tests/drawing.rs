//! The whole screen, in each of its sizes, and in each language.

use super::*;

#[test]
fn a_screen_shows_rooms_what_is_said_and_who_writes() {
    let mut stage = Stage::new((72, 12));
    stage.said("#lab", "bob", "salut @ana, ça va ? 日本語 👍");
    stage.said("#lab", "eve", "rows are broken between words, and what follows stands below");
    stage.said("#tea", "eve", "tea is ready");
    stage.hear(News::Happened(Event::Typing { room: place("#lab"), user: "bob".into(), on: true }));
    stage.type_in("oui");
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea           1│
●@bob            │
                 │
                 │
                 │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob salut @ana, ça va ? 日本語 👍
                 │12:24        eve rows are broken between words, and
                 │                 what follows stands below
 bob is writing…
> oui",
    );
}

#[test]
fn a_wide_screen_shows_who_is_there_and_roles() {
    let mut stage = Stage::new((100, 8));
    stage.said("#lab", "bob", "salut");
    stage.check(
        "
 #lab  what we build                                                                            ana
 #lab                  │                                                          │●ana +
 #tea                  │                                                          │●bob
●@bob                  │                                                          │ eve
                       │──────────────────── Sat 22 Nov 2025 ─────────────────────│
                       │12:22        bob salut                                    │

>",
    );
    stage.press(&[Key::Members, Key::List]);
    stage.check(
        "
 #lab  what we build                                                                            ana



───────────────────────────────────────── Sat 22 Nov 2025 ──────────────────────────────────────────
12:22            bob salut

>",
    );
}

#[test]
fn a_narrow_screen_has_all_in_one_column() {
    let mut stage = Stage::new((40, 12));
    stage.said("#lab", "bob", "salut, and some more words than fit");
    stage.said("@bob", "bob", "psst");
    stage.check(
        "
 #lab  what we build                ana






─────────── Sat 22 Nov 2025 ────────────
12:22 bob: salut, and some more words
  than fit
                                 @bob 1
>",
    );
    stage.press(&[Key::List, Key::Down, Key::Down]);
    stage.check(
        "
 #lab  what we build                ana
─ rooms ── Enter goes there, Esc closes
 #lab
 #tea
●@bob                                 1





                                 @bob 1
>",
    );
    stage.press(&[Key::Enter]);
    stage.sees("psst");
}

#[test]
fn no_size_of_a_screen_is_too_small_or_too_large() {
    let mut stage = Stage::new((80, 24));
    stage.said("#lab", "bob", &"日本語 words ".repeat(30));
    stage.type_in(&"typed ".repeat(99));
    for columns in [0, 1, 2, 3, 7, 40, 59, 60, 99, 100, 300] {
        for rows in (0..=6).chain([50]) {
            stage.model.resize((columns, rows));
            for pane in [
                Pane::None,
                Pane::Rooms { chosen: 2 },
                Pane::Found {
                    hub: 0,
                    words: "x".into(),
                    found: Some(vec![stage.message("#lab", "bob", "found")]),
                    chosen: 0,
                },
            ] {
                stage.model.pane = pane;
                if columns > 0 && rows > 0 {
                    stage.screen();
                }
            }
            stage.press(&[
                Key::Help,
                Key::PageUp,
                Key::PageDown,
                Key::Escape,
                Key::PageUp,
                Key::PageDown,
            ]);
        }
    }
}

#[test]
fn the_mouse_goes_to_rooms_and_can_be_given_back() {
    let mut stage = Stage::new((72, 10));
    stage.deeds.extend(stage.model.point(Point::Press(3, 2), stage.now));
    assert_eq!(stage.model.here.as_ref().map(|here| here.place.clone()), Some(place("#tea")));
    stage.deeds.clear();
    stage.press(&[Key::Mouse]);
    assert_eq!(stage.deeds, [Deed::Mouse(Mouse::Terminals)]);
}

#[test]
fn the_screen_speaks_the_language_that_is_chosen() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/lang fr");
    assert_eq!(stage.model.notice, Some(Notice::Said("en français désormais".into())));
    stage.said("#lab", "bob", "salut");
    stage.sees("sam. 22 novembre 2025");
    stage.model.lose(0);
    stage.press(&[Key::Escape]);
    stage.sees("pas de connexion");
    stage.press(&[Key::Help]);
    stage.sees("Échap ferme");
}

#[test]
fn nothing_that_a_hub_tells_reaches_the_terminal_as_it_is() {
    let mut stage = Stage::new((100, 10));
    let evil = "x\u{1b}[2J\u{9b}31m\u{7}\u{202e}\u{200b}y";
    stage.said("#lab", evil, evil);
    stage.said(&format!("#{evil}"), evil, evil);
    let at = stage.at("#lab", evil);
    stage.hear(News::Happened(Event::Topic { at, topic: evil.into() }));
    let at = stage.at("#lab", evil);
    stage.hear(News::Happened(Event::Join(at)));
    stage.hear(News::Happened(Event::Typing { room: place("#lab"), user: evil.into(), on: true }));
    let at = stage.at("#lab", evil);
    stage.hear(News::Happened(Event::React { at, of: Seq(11), emoji: evil.into(), on: true }));
    let screen = stage.screen();
    assert!(!screen.contains(|char: char| char.is_control() && char != '\n'), "{screen:?}");
    assert!(!screen.contains(['\u{202e}', '\u{200b}']), "{screen:?}");
    assert!(screen.contains("x[2J31my"), "{screen}");
}
