//! The screen as its user has it: keys go in, and rows come out. All scenes are in one file, as all are
//! played on one stage (`Stage`), which is half of what each would have to say anew.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};
use relais_hub::{
    Lang,
    client::News,
    model::{Access, Cid, Kind, Level, Millis, Role, Seq, Why, Wishes},
    protocol::{Answer, Ask, Code, Event, InvitedBy, Listed, Page, Place, Refusal, Where},
};
use tokio::time::Instant;

use super::{
    drawing::draw,
    keys::Key,
    model::{Deed, Eyes, Model, Mouse, Notice, Outside, Pane},
    pressing::Point,
    theme::{Depth, Look, Theme},
};

mod copying;
mod inviting;
mod laying_out;
mod marking;
mod wishing;

/// A screen, and the time.
struct Stage {
    model: Model,
    now: Instant,
    deeds: Vec<Deed>,
    seq: u64,
}

const HOUR: u64 = 3_600_000;

/// Noon of a day.
const NOON: u64 = 1_763_812_800_000;

fn place(name: &str) -> Place {
    Place::read(name).unwrap()
}

fn listed(name: &str, unread: u64) -> Listed {
    Listed {
        room: place(name),
        topic: if name == "#lab" { "what we build".into() } else { String::new() },
        access: Access::Public,
        last: Seq(10),
        mine: Some((Seq(10 - unread), Role::Member)),
        unread,
        members: 2,
        mentions: 0,
        level: Level::default(),
        dialogue: None,
        invited: None,
    }
}

impl Stage {
    /// Somebody called ana, in two rooms and a talk.
    fn new(size: (u16, u16)) -> Self {
        let look = Look::of(Theme::Plain, Depth::None);
        let random = |bytes: &mut [u8]| bytes.fill(7);
        let outside = Outside { random, clock: || Millis(NOON) };
        let model = Model::new(["here:6680".to_owned()], (Lang::En, look), size, outside);
        let mut stage = Self { model, now: Instant::now(), deeds: Vec::new(), seq: 10 };
        let rooms = ["#lab", "#tea", "@bob"].map(|name| listed(name, 0)).into();
        stage.hear(News::Entered {
            user: "ana".into(),
            token: None,
            rooms,
            wishes: Wishes::default(),
        });
        stage.page(Page::Latest, Vec::new());
        let members =
            [("ana", Role::Owner, true), ("bob", Role::Member, true), ("eve", Role::Member, false)];
        let members = members.map(|(name, role, there)| (name.to_owned(), role, there)).into();
        stage.answer(Ask::Who { room: place("#lab") }, Ok(Answer::Members(members)));
        stage.deeds.clear();
        stage
    }

    fn hear(&mut self, news: News) {
        self.deeds.extend(self.model.hear(0, news, self.now));
    }

    fn answer(&mut self, ask: Ask, answer: Result<Answer, Refusal>) {
        self.hear(News::Answered(ask, answer));
    }

    fn page(&mut self, page: Page, events: Vec<Event>) {
        let ask = Ask::History { room: place("#lab"), page, limit: Some(50), messages: None };
        self.answer(ask, Ok(Answer::Page { events, more: false }));
    }

    fn at(&mut self, room: &str, from: &str) -> Where {
        self.seq += 1;
        let (seq, at) = (Seq(self.seq), Millis(NOON + self.seq * HOUR / 30));
        Where { room: place(room), seq, prev: Seq(self.seq - 1), at, from: from.into(), cid: None }
    }

    fn message(&mut self, room: &str, from: &str, body: &str) -> Event {
        let (at, kind, mention) = (self.at(room, from), Kind::Text, body.contains("@ana"));
        let direct = room.starts_with('@').then_some(Why::Direct);
        let notify = direct.or(mention.then_some(Why::Mention)).filter(|_| from != "ana");
        let (body, reply) = (Some(body.into()), None);
        Event::Message { at, kind, body, reply, mention, notify, edited: false }
    }

    /// Somebody says something.
    fn said(&mut self, room: &str, from: &str, body: &str) -> Seq {
        let event = self.message(room, from, body);
        self.hear(News::Happened(event));
        Seq(self.seq)
    }

    fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.deeds.extend(self.model.press(key, self.now));
        }
    }

    fn type_in(&mut self, text: &str) {
        text.chars().for_each(|char| self.press(&[Key::Char(char)]));
    }

    /// Types a line, and forgets what came of typing it.
    fn enter(&mut self, text: &str) {
        self.type_in(text);
        self.deeds.clear();
        self.press(&[Key::Enter]);
    }

    fn later(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.deeds.extend(self.model.wake(self.now));
    }

    /// What is asked of the hub since it was looked at last.
    fn asked(&mut self) -> Vec<Ask> {
        let asked = self.deeds.drain(..).filter_map(|deed| match deed {
            Deed::Ask(_, ask) => Some(ask),
            _ => None,
        });
        asked.collect()
    }

    fn alerts(&mut self) -> Vec<(String, String)> {
        let alerts = self.deeds.drain(..).filter_map(|deed| match deed {
            Deed::Alert { title, body } => Some((title, body)),
            _ => None,
        });
        alerts.collect()
    }

    /// The screen as text, without blanks at the ends of rows.
    fn screen(&self) -> String {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        let shown = terminal.backend().to_string();
        // Behind a row with wide characters it is said which columns they take.
        let row = |row: &str| {
            let end = row.rfind('"').filter(|end| *end > 0).unwrap_or(row.len());
            let end = row.find("\" Hidden by").unwrap_or(end);
            row[..end].trim_start_matches('"').trim_end().to_owned()
        };
        shown.lines().map(row).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(&self, expect: &str) {
        let (found, expect) = (self.screen(), expect.trim_start_matches('\n'));
        assert_eq!(found.trim_end(), expect.trim_end(), "found:\n{found}\n");
    }

    #[track_caller]
    fn sees(&self, text: &str) {
        assert!(self.screen().contains(text), "no {text:?} in:\n{}", self.screen());
    }

    #[track_caller]
    fn sees_not(&self, text: &str) {
        assert!(!self.screen().contains(text), "{text:?} in:\n{}", self.screen());
    }

    fn cid() -> Cid {
        Cid::new(&"07".repeat(16)).unwrap()
    }
}

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
fn what_is_said_is_shown_until_the_hub_has_it_and_not_twice() {
    let mut stage = Stage::new((72, 10));
    stage.model.lose(0);
    stage.enter("hello");
    let to = place("#lab");
    let ask = Ask::Message {
        to,
        kind: Kind::Text,
        body: "hello".into(),
        reply: None,
        cid: Some(Stage::cid()),
    };
    assert_eq!(stage.asked(), std::slice::from_ref(&ask));
    stage.sees("  …          ana hello");
    stage.sees("1 not with the hub yet");
    stage.model.resize((40, 10));
    stage.sees(" …1");
    stage.model.resize((72, 10));
    stage.sees("not connected");
    let rooms = ["#lab", "#tea", "@bob"].map(|name| listed(name, 0)).into();
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    stage.sees("connected again");
    stage.later(20);
    stage.sees_not("connected again");
    // The event, then the answer.
    let mut event = stage.message("#lab", "ana", "hello");
    if let Event::Message { at, .. } = &mut event {
        at.cid = Some(Stage::cid());
    }
    stage.hear(News::Happened(event));
    let seq = Seq(stage.seq);
    stage.answer(ask.clone(), Ok(Answer::Written { seq, at: Millis(NOON), dup: false }));
    assert_eq!(stage.screen().matches("hello").count(), 1);
    stage.sees_not("not with the hub");
    // The answer, then the event.
    stage.enter("again");
    let answer = Answer::Written { seq: Seq(stage.seq + 1), at: Millis(NOON), dup: true };
    stage.answer(ask, Ok(answer));
    stage.sees_not("not with the hub");
    stage.said("#lab", "ana", "again");
    assert_eq!(stage.screen().matches("again").count(), 1);
}

#[test]
fn what_is_refused_is_told_with_its_reason_and_can_be_typed_again() {
    let mut stage = Stage::new((72, 8));
    stage.enter("why?");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Err(Refusal::of(Code::Muted)));
    stage.sees("not said: ");
    stage.sees(": why?");
    stage.press(&[Key::Up]);
    stage.sees("> why?");
}

#[test]
fn somebody_who_leaves_with_words_unsaid_is_asked_once() {
    let mut stage = Stage::new((72, 8));
    stage.enter("hello");
    stage.press(&[Key::Interrupt]);
    stage.sees("once more leaves without it");
    assert!(!stage.deeds.contains(&Deed::Leave));
    stage.press(&[Key::Interrupt]);
    assert!(stage.deeds.contains(&Deed::Leave));
}

#[test]
fn rooms_count_what_is_new_and_show_where_it_begins() {
    let mut stage = Stage::new((72, 12));
    stage.said("#lab", "bob", "read");
    stage.press(&[Key::NextRoom]);
    stage.said("#lab", "bob", "one");
    stage.said("#lab", "eve", "two for @ana");
    stage.sees(" #lab          @2│");
    stage.deeds.clear();
    stage.press(&[Key::NextUnread]);
    stage.check(
        "
 #lab  what we build                                                ana
 #lab            │
 #tea            │
●@bob            │
                 │
                 │────────────────── Sat 22 Nov 2025 ───────────────────
                 │12:22        bob read
                 │──────────────────────── new ─────────────────────────
                 │12:24        bob one
                 │12:26        eve two for @ana

>",
    );
    // The hub is told, but not for each of them.
    assert_eq!(stage.asked(), []);
    stage.later(2);
    assert_eq!(stage.asked(), [Ask::Read { room: place("#lab"), seq: Seq(13) }]);
}

#[test]
fn what_was_missed_is_counted_once() {
    let mut stage = Stage::new((72, 8));
    stage.model.lose(0);
    let mut rooms = vec![listed("#lab", 0), listed("#tea", 0)];
    (rooms[1].unread, rooms[1].mentions, rooms[1].last) = (1, 1, Seq(11));
    stage.hear(News::Entered {
        user: "ana".into(),
        token: None,
        rooms: rooms.clone(),
        wishes: Wishes::default(),
    });
    stage.said("#tea", "bob", "@ana, you missed this");
    stage.sees(" #tea          @1│");
    stage.said("#tea", "bob", "and heard this");
    stage.sees(" #tea          @2│");
    // It is read here, and the hub does not know yet.
    stage.press(&[Key::NextRoom, Key::NextRoom]);
    (rooms[1].unread, rooms[1].last) = (2, Seq(12));
    stage.hear(News::Entered { user: "ana".into(), token: None, rooms, wishes: Wishes::default() });
    stage.sees(" #tea            │");
}

#[test]
fn what_another_device_read_is_read() {
    let mut stage = Stage::new((72, 8));
    stage.said("#tea", "bob", "one");
    stage.said("#tea", "bob", "@ana");
    stage.hear(News::Happened(Event::Read { room: place("#tea"), last: Seq(11) }));
    stage.sees(" #tea          @1│");
    stage.hear(News::Happened(Event::Read { room: place("#tea"), last: Seq(12) }));
    stage.sees(" #tea            │");
}

#[test]
fn who_does_not_look_is_told_of_what_is_for_them() {
    let mut stage = Stage::new((72, 8));
    stage.said("#lab", "bob", "@ana, you look");
    assert_eq!(stage.alerts(), []);
    stage.said("#tea", "bob", "@ana: tea\u{7}");
    stage.said("@bob", "bob", "just us");
    stage.said("#tea", "bob", "not you");
    let told = |title: &str, body: &str| (title.to_owned(), body.to_owned());
    assert_eq!(stage.alerts(), [told("bob (#tea)", "@ana: tea"), told("bob (to you)", "just us")]);
    let deeds = stage.model.look(Eyes::Elsewhere, stage.now);
    assert_eq!(deeds, []);
    stage.said("#lab", "bob", "@ana, are you there?");
    assert_eq!(stage.alerts().len(), 1);
    stage.sees(" #lab          @1│");
    stage.model.look(Eyes::Here, stage.now);
    stage.sees(" #lab            │");
    stage.sees("── new ──");
}

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
    stage.model.room_mut().unwrap().before = super::room::Before::Asked;
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

#[test]
fn words_are_completed_one_after_the_other() {
    let mut stage = Stage::new((72, 10));
    let mut check = |typed: &str, times: usize, expect: &str| {
        stage.type_in(typed);
        (0..times).for_each(|_| stage.press(&[Key::Complete]));
        assert_eq!(stage.model.composer().text(), expect);
        stage.press(&[Key::CutBefore]);
    };
    check("/sea", 1, "/search ");
    check("/join t", 1, "/join #tea ");
    check("say it in #l", 1, "say it in #lab ");
    check("hi b", 1, "hi @bob ");
    check("hi @E", 1, "hi @eve ");
    check("/m", 1, "/msg ");
    check("/m", 2, "/me ");
    check("zzz", 1, "zzz");
    check("", 1, "");
}

#[test]
fn what_is_typed_in_a_room_stays_there() {
    let mut stage = Stage::new((72, 10));
    stage.type_in("draft");
    stage.press(&[Key::NextRoom]);
    stage.sees(" #lab           ✎│");
    assert_eq!(stage.model.composer().text(), "");
    stage.press(&[Key::RoomAt(1)]);
    stage.sees("> draft");
}

#[test]
fn that_somebody_writes_is_told_now_and_then_and_that_they_stopped() {
    let mut stage = Stage::new((72, 10));
    let typing = |on| Ask::Typing { room: place("#lab"), on };
    stage.type_in("/me");
    assert_eq!(stage.asked(), []);
    stage.press(&[Key::CutBefore]);
    stage.type_in("hello");
    assert_eq!(stage.asked(), [typing(true)]);
    stage.now += Duration::from_secs(5);
    stage.type_in("!");
    assert_eq!(stage.asked(), [typing(true)]);
    stage.press(&[Key::CutBefore]);
    assert_eq!(stage.asked(), [typing(false)]);
    let bob = Event::Typing { room: place("#lab"), user: "bob".into(), on: true };
    stage.hear(News::Happened(bob));
    stage.sees("bob is writing");
    stage.later(9);
    stage.sees_not("bob is writing");
}

#[test]
fn short_answers_are_told_and_long_ones_shown() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/calc 2^64");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Value("18446744073709551616".into())));
    stage.sees("· 18446744073709551616");
    stage.enter("/rooms");
    let rooms = ["#a", "#b", "#c", "#d"].map(|name| listed(name, 0)).into();
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Rooms { rooms, more: false }));
    stage.sees("─ answer ─");
    stage.sees("#d (2)");
    stage.press(&[Key::Escape]);
    stage.sees("· 18446744073709551616");
    stage.press(&[Key::Help]);
    stage.sees("─ help ─");
    stage.sees(" above");
}

#[test]
fn who_is_sent_out_sees_it_and_who_comes_in_goes_there() {
    let mut stage = Stage::new((72, 10));
    let at = stage.at("#lab", "bob");
    let kick = Event::About {
        at,
        what: "kick",
        user: "ana".into(),
        until: None,
        reason: Some("noise".into()),
    };
    stage.hear(News::Happened(kick));
    stage.sees("bob sent out ana (#lab): noise");
    stage.sees("You are in no room yet.");
    stage.enter("/join den");
    let ask = stage.asked().remove(0);
    stage.answer(ask, Ok(Answer::Joined(listed("#den", 0))));
    stage.sees(" #den ");
    stage.said("#den", "bob", "welcome");
    stage.sees("bob welcome");
}

#[test]
fn who_was_in_a_room_that_is_deleted_is_in_it_no_more() {
    let mut stage = Stage::new((72, 10));
    let at = stage.at("#lab", "bob");
    stage.hear(News::Happened(Event::Delete(at)));
    stage.sees("bob deleted #lab");
    stage.sees("You are in no room yet.");
}

#[test]
fn a_word_to_somebody_goes_to_where_it_is_said() {
    let mut stage = Stage::new((72, 10));
    stage.enter("/msg eve psst");
    let mut event = stage.message("@eve", "ana", "psst");
    if let Event::Message { at, .. } = &mut event {
        at.cid = Some(Stage::cid());
    }
    stage.hear(News::Happened(event));
    assert_eq!(stage.model.here.as_ref().map(|here| here.place.clone()), Some(place("@eve")));
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
}

#[test]
fn what_waits_for_the_hub_is_bounded() {
    let mut stage = Stage::new((72, 10));
    stage.model.lose(0);
    for _ in 0..super::hub::PENDING_MAX {
        stage.enter("hello");
    }
    stage.deeds.clear();
    stage.enter("one more");
    assert_eq!(stage.asked(), []);
    stage.sees("wait for it");
    stage.sees("> one more");
}

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
