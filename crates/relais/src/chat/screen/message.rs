//! What stands in a room, as rows of text: messages with their time, author, what they answer and their signs;
//! days and notes between them.

use std::ops::Bound;

use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};
use relais_hub::{
    Lang,
    model::{Kind, Seq},
    words::clock,
};

use super::{
    dates::{day, days},
    hub::Pending,
    item::{Item, Said},
    phrases::{AN_OLDER, EDITED, NEW, TAKEN_OUT},
    room::{Before, Key, Room},
    text::{self, Begins, Row, columns, cut, wrap_out},
    theme::Look,
};

/// How and on what a room is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper<'a> {
    pub(super) room: &'a Room,
    /// Who reads.
    pub(super) me: &'a str,
    pub(super) look: &'a Look,
    pub(super) lang: Lang,
    pub(super) columns: usize,
}

/// How wide a time is, with the blank behind it.
const TIME: usize = 6;

/// With fewer columns a name has a row of its own.
const NARROW: usize = 32;

/// From so many columns on, names have a column of their own.
const WIDE: usize = 48;

/// Behind so many columns of names the column is wider.
const WIDER: usize = 76;

impl Paper<'_> {
    /// The rows of an item, and of what stands above it. At least one.
    pub(super) fn rows(&self, key: Key) -> Vec<Line<'static>> {
        let Some(item) = self.room.items.get(&key) else { return vec![Line::default()] };
        let mut rows = self.above(key, item);
        match item {
            Item::Note(note) => rows.extend(self.note(&note.text)),
            Item::Said(said) => {
                let begin = rows.len();
                rows.extend(self.said(key.0, said));
                if self.room.chosen == Some(key.0) {
                    let all = rows.iter_mut().skip(begin);
                    all.for_each(|row| *row = row.clone().patch_style(self.look.chosen));
                }
            }
        }
        rows
    }

    /// The rows of a message that the hub does not have yet.
    pub(super) fn pending(&self, pending: &Pending) -> Vec<Line<'static>> {
        let head = Head { time: "  …  ".to_owned(), from: self.me, kind: pending.kind };
        let mark = if pending.seq.is_some() { Style::new() } else { self.look.faint };
        self.body(&head, (&text::body(&pending.body), mark))
    }

    /// The day, if it is another, and the line above what is new.
    fn above(&self, key: Key, item: &Item) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        let before = self.room.items.range(..key).rev().find_map(|(_, item)| item.at());
        if let Some(at) = item.at().filter(|at| before.is_none_or(|it| days(it) != days(*at))) {
            rows.push(self.rule(&day(at, self.lang), self.look.faint));
        }
        if self.is_new(item) && self.is_behind_marker(key) {
            rows.push(self.rule(NEW.of(self.lang), self.look.new));
        }
        rows
    }

    /// Whether it is news to who reads: what others said.
    fn is_new(&self, item: &Item) -> bool {
        matches!(item, Item::Said(said) if said.from != self.me)
    }

    /// Whether it stands behind all that was read, with nothing new between.
    fn is_behind_marker(&self, key: Key) -> bool {
        let Some(marker) = self.room.marker.filter(|marker| key.0 > *marker) else { return false };
        let read = (marker, u32::MAX);
        let has_read = self.room.items.range(..=read).next().is_some();
        let mut between = self.room.items.range((Bound::Excluded(read), Bound::Excluded(key)));
        let is_first = !between.any(|(_, item)| self.is_new(item));
        is_first && (has_read || self.room.before == Before::Nothing)
    }

    /// A line across, with a word in it.
    fn rule(&self, word: &str, style: Style) -> Line<'static> {
        let room = self.columns.saturating_sub(columns(word) + 2);
        let (left, right) = (room / 2, room - room / 2);
        Line::styled(format!("{} {word} {}", "─".repeat(left), "─".repeat(right)), style)
    }

    fn note(&self, note: &str) -> Vec<Line<'static>> {
        let indent = self.indent();
        let mark = if indent > TIME {
            format!("{:>width$} ", "·", width = indent - 1)
        } else {
            "· ".into()
        };
        let room = self.columns.saturating_sub(columns(&mark));
        let rows = wrap_out(&text::body(note), (room, room), self.columns);
        let row = |(nth, row): (usize, Row)| {
            let before = if nth == 0 { mark.clone() } else { blank(&row, columns(&mark)) };
            Line::styled(format!("{before}{}", row.text), self.look.faint)
        };
        rows.into_iter().enumerate().map(row).collect()
    }

    fn said(&self, seq: Seq, said: &Said) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        if let Some(of) = said.reply {
            rows.push(self.answered(of));
        }
        let head = Head { time: clock(said.at), from: &said.from, kind: said.kind };
        let style = if said.mention { self.look.mention } else { Style::new() };
        match &said.body {
            Some(body) => {
                let mut body = text::body(body);
                if said.edited {
                    body.push_str(EDITED.of(self.lang));
                }
                rows.extend(self.body(&head, (&body, style)));
            }
            None => rows.extend(self.body(&head, (TAKEN_OUT.of(self.lang), self.look.faint))),
        }
        rows.extend(self.signs(seq));
        rows
    }

    /// What is answered.
    fn answered(&self, of: Seq) -> Line<'static> {
        let begin = match self.room.said(of) {
            Some(said) => {
                let body = said.body.as_deref().unwrap_or(TAKEN_OUT.of(self.lang));
                format!("{}: {}", text::line(&said.from), text::line(body))
            }
            None => AN_OLDER.of(self.lang).to_owned(),
        };
        let blank = " ".repeat(self.indent());
        let room = self.columns.saturating_sub(self.indent() + 2);
        Line::styled(format!("{blank}↪ {}", cut(&begin, room)), self.look.faint)
    }

    fn signs(&self, seq: Seq) -> Option<Line<'static>> {
        let signs = self.room.signs.of(seq);
        let named = |(sign, users): &(&str, Vec<&str>)| {
            let users: Vec<_> = users.iter().map(|user| text::line(user)).collect();
            let users = if users.len() > 3 { users.len().to_string() } else { users.join(", ") };
            format!("{} {users}", text::line(sign))
        };
        let all: Vec<_> = signs.iter().map(named).collect();
        let blank = " ".repeat(self.indent());
        let room = self.columns.saturating_sub(self.indent());
        let row = format!("{blank}{}", cut(&all.join("   "), room));
        (!all.is_empty()).then(|| Line::styled(row, self.look.faint))
    }

    /// Where texts begin, in rows that have no head.
    fn indent(&self) -> usize {
        match self.columns {
            ..NARROW => 1,
            NARROW..WIDE => 2,
            _ => TIME + self.name_columns() + 1,
        }
    }

    fn name_columns(&self) -> usize {
        if self.columns < WIDER { 10 } else { 14 }
    }

    /// A text behind its head, or below it where there is no room for both.
    fn body(&self, head: &Head<'_>, (body, style): (&str, Style)) -> Vec<Line<'static>> {
        let (name, body) = head.with(body);
        let mut before = Some(self.head(head, &name));
        let rest = self.columns.saturating_sub(self.indent());
        let mut rows = Vec::new();
        let first = if self.columns < NARROW {
            rows.extend(before.take().map(Line::from));
            rest
        } else {
            let taken = before.iter().flatten().map(Span::width).sum();
            self.columns.saturating_sub(taken)
        };
        let italic = Style { add_modifier: Modifier::ITALIC, ..Style::new() };
        let style = if head.kind == Kind::Action { style.patch(italic) } else { style };
        let mut texts = wrap_out(&body, (first, rest), self.columns);
        if before.is_none() && texts.len() > 1 && texts[0].text.is_empty() {
            // Its first word has a row of its own anyway.
            texts.remove(0);
        }
        for row in texts {
            let blank = || vec![Span::raw(blank(&row, self.indent()))];
            let mut spans = before.take().unwrap_or_else(blank);
            spans.push(Span::styled(row.text, style));
            rows.push(Line::from(spans));
        }
        rows
    }

    /// What stands before a text, or above it: when it was said, and by whom.
    fn head(&self, head: &Head<'_>, name: &str) -> Vec<Span<'static>> {
        let (author, faint) = (self.look.author(head.from), self.look.faint);
        let time = Span::styled(format!("{} ", head.time), faint);
        let name = match self.columns {
            ..NARROW => {
                let name = cut(name, self.columns.saturating_sub(TIME));
                let time = Span::styled(format!(" {}", head.time.trim()), faint);
                return vec![Span::styled(name, author), time];
            }
            NARROW..WIDE => {
                let colon = if head.kind == Kind::Text { ": " } else { " " };
                format!("{}{colon}", cut(name, self.columns / 3))
            }
            _ => {
                let name = cut(name, self.name_columns());
                format!("{}{name} ", " ".repeat(self.name_columns() - columns(&name)))
            }
        };
        vec![time, Span::styled(name, author)]
    }
}

/// What stands before a row that has no head.
fn blank(row: &Row, indent: usize) -> String {
    match row.begins {
        Begins::Indented => " ".repeat(indent),
        Begins::AtTheEdge => String::new(),
    }
}

/// What stands before a text.
struct Head<'a> {
    time: String,
    from: &'a str,
    kind: Kind,
}

impl Head<'_> {
    /// What stands for the author, and `body` as it is said by them.
    fn with(&self, body: &str) -> (String, String) {
        let name = text::line(self.from);
        match self.kind {
            Kind::Text => (name, body.to_owned()),
            Kind::Action => ("*".to_owned(), format!("{name} {body}")),
            Kind::Notice => (format!("-{name}-"), body.to_owned()),
        }
    }
}
