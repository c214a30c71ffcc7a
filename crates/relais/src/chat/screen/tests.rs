//! The screen as its user has it: keys go in, and rows come out. All scenes are played on one stage
//! ([`Stage`]), which is here.

use std::time::Duration;

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

mod answering;
mod any;
mod choosing;
mod copying;
mod counting;
mod drawing;
mod inviting;
mod laying_out;
mod marking;
mod paging;
mod saying;
mod several;
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
        slow: 0,
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
        stage
            .answer(Ask::Who { room: place("#lab") }, Ok(Answer::Members { members, more: false }));
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
