//! Several hubs on one screen.

use super::*;

#[test]
fn several_hubs_stand_one_below_the_other() {
    let look = Look::of(Theme::Plain, Depth::None);
    let names = ["one:1".to_owned(), "two:2".to_owned()];
    let mut stage = Stage::new((72, 10));
    let outside = stage.model.outside;
    stage.model = Model::new(names, (Lang::En, look), (72, 10), outside);
    for (hub, me) in [(0, "ana"), (1, "anna")] {
        let rooms = vec![listed("#lab", 0)];
        stage.model.hear(
            hub,
            News::Entered { user: me.into(), token: None, rooms, wishes: Wishes::default() },
            stage.now,
        );
    }
    let event = stage.message("#lab", "bob", "over there");
    stage.model.hear(1, News::Happened(event), stage.now);
    stage.press(&[Key::NextUnread]);
    stage.model.lose(0);
    stage.check(
        "
 #lab  what we build                                        anna, two:2
one:1 ×          │
 #lab            │
two:2            │
 #lab            │
                 │
                 │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob over there

>",
    );
    stage.enter("here");
    assert!(
        matches!(stage.deeds.last(), Some(Deed::Ask(1, Ask::Message { .. }))),
        "{:?}",
        stage.deeds
    );
    // What a hub that is over would never hear stays where it was typed.
    stage.model.hear(1, News::Refused(Refusal::of(Code::SessionRevoked)), stage.now);
    stage.enter("and there");
    assert_eq!(stage.asked(), []);
    stage.sees("> and there");
    stage.sees("this device was logged out");
}
