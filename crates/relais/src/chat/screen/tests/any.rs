//! Whatever happens: nothing panics, and nothing reaches the terminal as it is.

use proptest::prelude::*;

use super::*;

/// Something that happens to a screen.
#[derive(Clone, Debug)]
enum Step {
    Press(Key),
    Said(&'static str, &'static str, String),
    React(u64),
    Redact(u64),
    Page(bool),
    Join,
    Kick(&'static str),
    Lose,
    Enter,
    Resize(u16, u16),
    Click(u16, u16),
    Wheel,
    Later(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let rooms = prop::sample::select(vec!["#lab", "#tea", "@bob", "#new"]);
    let names = prop::sample::select(vec!["ana", "bob"]);
    let keys = vec![
        Key::Enter,
        Key::Complete,
        Key::Escape,
        Key::PageUp,
        Key::PageDown,
        Key::Bottom,
        Key::Earlier,
        Key::Later,
        Key::RoomBefore,
        Key::NextRoom,
        Key::NextUnread,
        Key::RoomAt(9),
        Key::Help,
        Key::List,
        Key::Members,
        Key::Bare,
        Key::Up,
        Key::Down,
        Key::Char('r'),
        Key::Char('e'),
        Key::Char('d'),
        Key::Char('+'),
        Key::Char('x'),
        Key::Paste("/search x".into()),
        Key::Paste("/history 9 3".into()),
        Key::Paste("/leave".into()),
    ];
    prop_oneof![
        8 => prop::sample::select(keys).prop_map(Step::Press),
        4 => (rooms, names.clone(), any::<String>()).prop_map(|(room, name, body)| Step::Said(room, name, body)),
        1 => (0..40_u64).prop_map(Step::React),
        1 => (0..40_u64).prop_map(Step::Redact),
        2 => any::<bool>().prop_map(Step::Page),
        1 => Just(Step::Join),
        1 => names.prop_map(Step::Kick),
        1 => Just(Step::Lose),
        1 => Just(Step::Enter),
        1 => (1..130_u16, 1..40_u16).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => (0..130_u16, 0..40_u16).prop_map(|(column, row)| Step::Click(column, row)),
        1 => Just(Step::Wheel),
        1 => (0..20_u64).prop_map(Step::Later),
    ]
}

impl Stage {
    fn step(&mut self, step: Step) {
        match step {
            Step::Press(key) => self.press(&[key]),
            Step::Said(room, name, body) => _ = self.said(room, name, &body),
            Step::React(of) => {
                let (at, emoji) = (self.at("#lab", "bob"), "👍".to_owned());
                self.hear(News::Happened(Event::React { at, of: Seq(of), emoji, on: true }));
            }
            Step::Redact(of) => {
                let at = self.at("#lab", "bob");
                self.hear(News::Happened(Event::Redact { at, of: Seq(of), reason: None }));
            }
            // Whatever page is asked for.
            Step::Page(more) => {
                let events =
                    vec![self.message("#lab", "bob", "page"), self.message("#lab", "ana", "page")];
                for ask in self.asked() {
                    self.answer(ask, Ok(Answer::Page { events: events.clone(), more }));
                }
            }
            Step::Join => {
                let at = self.at("#lab", "eve");
                self.hear(News::Happened(Event::Join(at)));
            }
            Step::Kick(user) => {
                let (at, user) = (self.at("#lab", "eve"), user.to_owned());
                let kick = Event::About { at, what: "kick", user, until: None, reason: None };
                self.hear(News::Happened(kick));
            }
            Step::Lose => self.model.lose(0),
            Step::Enter => {
                let rooms = ["#lab", "@bob"].map(|name| listed(name, 1)).into();
                self.hear(News::Entered {
                    user: "ana".into(),
                    token: None,
                    rooms,
                    wishes: Wishes::default(),
                });
            }
            Step::Resize(columns, rows) => self.model.resize((columns, rows)),
            Step::Click(column, row) => _ = self.model.point(Point::Press(column, row), self.now),
            Step::Wheel => _ = self.model.point(Point::WheelUp, self.now),
            Step::Later(seconds) => self.later(seconds),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics(steps in prop::collection::vec(any_step(), 0..60)) {
        let mut stage = Stage::new((80, 24));
        for step in steps {
            stage.step(step);
            let screen = stage.screen();
            prop_assert!(!screen.contains(|char: char| char.is_control() && char != '\n'));
        }
    }
}
