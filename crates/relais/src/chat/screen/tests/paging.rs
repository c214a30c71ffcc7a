//! Pages of what was said before, whatever they have in them, and whether they come or not.

use super::*;

const PAGE: Option<usize> = Some(50);

fn ask(page: Page) -> Ask {
    Ask::History { room: place("#lab"), page, limit: PAGE, messages: None }
}

impl Stage {
    /// So many signs on what was said long ago.
    fn signs(&mut self, many: usize) -> Vec<Event> {
        let sign = |stage: &mut Self| {
            let (at, emoji) = (stage.at("#lab", "bob"), "👍".into());
            Event::React { at, of: Seq(1), emoji, on: true }
        };
        (0..many).map(|_| sign(self)).collect()
    }

    #[track_caller]
    fn given(&mut self, page: Page, events: Vec<Event>, then: &[Page]) {
        self.answer(ask(page), Ok(Answer::Page { events, more: true }));
        assert_eq!(self.asked(), then.iter().copied().map(ask).collect::<Vec<_>>());
    }

    fn go(&mut self, name: &str) {
        self.model.go(0, &place(name));
        self.deeds.extend(self.model.take_deeds());
    }

    /// Goes to what was said once, for which it is asked.
    fn jump(&mut self, seq: Seq) {
        self.model.jump((0, &place("#lab")), seq);
        self.deeds.extend(self.model.take_deeds());
        assert_eq!(self.asked(), [ask(Page::Around(seq))]);
    }

    fn refused(&mut self, page: Page) {
        self.answer(ask(page), Err(Refusal::of(Code::Internal)));
        self.asked();
    }

    /// One who has the room shown that nothing is known of yet.
    fn afresh() -> Self {
        let mut stage = Self::new((72, 10));
        stage.model.room_mut().unwrap().empty(super::super::room::Behind::Nothing);
        stage.go("#lab");
        assert_eq!(stage.asked(), [ask(Page::Latest), Ask::Who { room: place("#lab") }]);
        stage
    }
}

#[test]
fn behind_pages_of_nothing_but_signs_it_is_asked_on() {
    let mut stage = Stage::afresh();
    let old = stage.message("#lab", "bob", "what we say");
    let (further, last) = (stage.signs(50), stage.signs(50));
    let first_of = |events: &[Event]| events[0].at().unwrap().seq;
    let (first, next) = (first_of(&last), first_of(&further));
    stage.given(Page::Latest, last, &[Page::Before(first)]);
    stage.given(Page::Before(first), further, &[Page::Before(next)]);
    stage.given(Page::Before(next), vec![old], &[]);
    stage.sees("bob what we say");
}

#[test]
fn a_part_that_nobody_looks_for_any_more_is_not_taken_for_the_one_that_is() {
    let mut stage = Stage::afresh();
    let [one, other] = ["one", "other"].map(|body| stage.message("#lab", "bob", body));
    let [first, last] = [Seq(stage.seq - 1), Seq(stage.seq)];
    stage.jump(first);
    stage.jump(last);
    stage.given(Page::Around(first), vec![one], &[]);
    stage.sees_not("bob one");
    stage.given(Page::Around(last), vec![other], &[]);
    stage.sees("bob other");
}

#[test]
fn behind_what_is_looked_at_it_is_asked_on_too() {
    let mut stage = Stage::afresh();
    let old = stage.message("#lab", "bob", "what we say");
    let seq = Seq(stage.seq);
    stage.jump(seq);
    stage.given(Page::Around(seq), vec![old], &[]);
    let signs = stage.signs(50);
    let last = signs[49].at().unwrap().seq;
    stage.press(&[Key::PageDown]);
    assert_eq!(stage.asked(), [ask(Page::After(seq))]);
    stage.given(Page::After(seq), signs, &[Page::After(last)]);
}

#[test]
fn what_is_in_no_room_that_is_looked_at_is_asked_for_there() {
    let mut stage = Stage::afresh();
    let signs = stage.signs(50);
    let first = signs[0].at().unwrap().seq;
    stage.go("#tea");
    stage.asked();
    stage.given(Page::Latest, signs, &[]);
    stage.go("#lab");
    assert_eq!(stage.asked(), [ask(Page::Before(first))]);
}

#[test]
fn what_was_refused_is_asked_again_by_who_looks_again() {
    let mut stage = Stage::afresh();
    stage.refused(Page::Latest);
    stage.press(&[Key::PageUp]);
    assert_eq!(stage.asked(), [ask(Page::Latest)]);
    stage.refused(Page::Latest);
    stage.press(&[Key::Escape]);
    assert_eq!(stage.asked(), [ask(Page::Latest)]);
    let said = stage.message("#lab", "bob", "what we say");
    stage.given(Page::Latest, vec![said], &[]);
    // So is the end, where an old part was to be looked at.
    stage.jump(Seq(3));
    stage.refused(Page::Around(Seq(3)));
    stage.press(&[Key::Escape, Key::Escape]);
    assert_eq!(stage.asked(), [ask(Page::Latest)]);
}

#[test]
fn what_was_refused_of_an_old_part_leaves_it_an_old_part() {
    let mut stage = Stage::afresh();
    let old = stage.message("#lab", "bob", "what we say");
    let seq = Seq(stage.seq);
    stage.jump(seq);
    stage.given(Page::Around(seq), vec![old], &[]);
    stage.press(&[Key::PageUp]);
    assert_eq!(stage.asked(), [ask(Page::Before(seq))]);
    stage.refused(Page::Before(seq));
    stage.said("#lab", "bob", "just now");
    stage.sees_not("just now");
    stage.press(&[Key::PageUp]);
    assert_eq!(stage.asked(), [ask(Page::Before(seq))]);
    stage.press(&[Key::PageDown]);
    assert_eq!(stage.asked(), [ask(Page::After(seq))]);
    stage.refused(Page::After(seq));
    stage.press(&[Key::PageDown]);
    assert_eq!(stage.asked(), [ask(Page::After(seq))]);
}
