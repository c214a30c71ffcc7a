//! What keys and the mouse do.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use relais_hub::model::Seq;
use tokio::time::Instant;

use super::{
    composer::{Did, Purpose},
    hub::{Hub, Link},
    keys::Key,
    layout::{self, Entry},
    model::{Deed, Eyes, Here, Model, Mouse, Pane, Warned},
    panes,
    phrases::{LEAVE_ANYWAY, MOUSE_GIVEN, MOUSE_TAKEN, NOT_YOURS, TOO_LONG},
    room::{Before, Behind, Room},
};

/// How many rows the wheel turns.
const WHEEL_ROWS: usize = 3;

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// Pressed there: column and row.
    Press(u16, u16),
    WheelUp,
    WheelDown,
}

impl Point {
    /// What the terminal says of the mouse, if it is of any use here.
    pub(super) fn of(mouse: MouseEvent) -> Option<Self> {
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Self::Press(mouse.column, mouse.row)),
            MouseEventKind::ScrollUp => Some(Self::WheelUp),
            MouseEventKind::ScrollDown => Some(Self::WheelDown),
            _ => None,
        }
    }
}

impl Model {
    /// Does what a key says.
    pub(super) fn press(&mut self, key: &Key, now: Instant) -> Vec<Deed> {
        if self.end_bare() {
            return self.take_deeds();
        }
        if *key != Key::Complete {
            self.completing = None;
        }
        if *key != Key::Interrupt && *key != Key::Finish {
            self.warned = Warned::No;
        }
        if !self.press_pane(key) && !self.press_chosen(key) {
            self.press_here(key, now);
        }
        self.settle(now);
        self.take_deeds()
    }

    /// Does what the mouse says.
    pub(super) fn point(&mut self, point: Point, now: Instant) -> Vec<Deed> {
        match (point, &self.pane) {
            (Point::WheelUp, Pane::None) => self.scroll_up(WHEEL_ROWS),
            (Point::WheelDown, Pane::None) => self.scroll_down(WHEEL_ROWS),
            (Point::WheelUp, _) => _ = self.press_pane(&Key::Up),
            (Point::WheelDown, _) => _ = self.press_pane(&Key::Down),
            (Point::Press(column, row), _) => {
                if let Some(Entry::Room(Here { hub, place }, _)) =
                    layout::entry_at(self, (column, row))
                {
                    self.go(hub, &place);
                }
            }
        }
        self.settle(now);
        self.take_deeds()
    }

    /// Somebody looks, or does no more.
    pub(super) fn look(&mut self, eyes: Eyes, now: Instant) -> Vec<Deed> {
        self.eyes = eyes;
        self.settle(now);
        self.take_deeds()
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
    }

    fn press_here(&mut self, key: &Key, now: Instant) {
        match key {
            Key::Enter => self.enter(),
            Key::Complete => self.complete(),
            Key::Escape => self.escape(),
            Key::PageUp => self.scroll_up(layout::page_rows(self)),
            Key::PageDown => self.scroll_down(layout::page_rows(self)),
            Key::Bottom => self.go_to_end(),
            Key::Earlier => self.choose_earlier(),
            Key::Later => self.choose_later(),
            Key::RoomBefore => self.go_on(-1),
            Key::NextRoom => self.go_on(1),
            Key::NextUnread => self.go_to_unread(),
            Key::RoomAt(nth) => self.go_to_nth(nth.saturating_sub(1)),
            Key::Interrupt => self.leave(),
            Key::Finish if self.composer().text().is_empty() => self.leave(),
            Key::Suspend => self.deeds.push(Deed::Suspend),
            Key::Redraw => self.deeds.push(Deed::Redraw),
            Key::Help => self.toggle_help(),
            Key::List => self.toggle_list(),
            Key::Members => self.toggle_members(),
            Key::Mouse => self.toggle_mouse(),
            Key::Bare => self.show_bare(),
            key => match self.composer_mut().press(key) {
                Did::Change => self.tell_typing(now),
                Did::Move => {}
                Did::Nothing => self.say(TOO_LONG),
            },
        }
    }

    /// Whether the pane took the key.
    fn press_pane(&mut self, key: &Key) -> bool {
        let (page, last) = (layout::page_rows(self), panes::last(self));
        let is_typing = !self.composer().text().is_empty();
        let at = match &mut self.pane {
            Pane::Lines { top: at, .. }
            | Pane::Help { top: at }
            | Pane::Members { top: at }
            | Pane::Found { chosen: at, .. }
            | Pane::Rooms { chosen: at } => at,
            Pane::None => return false,
        };
        match key {
            Key::Up => *at = at.saturating_sub(1),
            Key::Down => *at = (*at + 1).min(last),
            Key::PageUp => *at = at.saturating_sub(page),
            Key::PageDown => *at = (*at + page).min(last),
            Key::Home if !is_typing => *at = 0,
            Key::End if !is_typing => *at = last,
            Key::Escape => self.pane = Pane::None,
            Key::Enter if !is_typing => self.enter_pane(),
            _ => return false,
        }
        true
    }

    /// Goes to what is chosen in a pane.
    fn enter_pane(&mut self) {
        match std::mem::take(&mut self.pane) {
            Pane::Found { hub, found, chosen, .. } => {
                let found = found.unwrap_or_default();
                if let Some(at) = found.get(chosen).and_then(|event| event.at()) {
                    self.jump((hub, &at.room), at.seq);
                }
            }
            Pane::Rooms { chosen } => self.go_to_nth(chosen),
            Pane::Lines { .. } | Pane::Help { .. } | Pane::Members { .. } | Pane::None => {}
        }
    }

    /// Whether the message that is chosen took the key.
    fn press_chosen(&mut self, key: &Key) -> bool {
        let Some(seq) = self.room().and_then(|room| room.chosen) else { return false };
        let is_free = self.composer().text().is_empty() && self.composer().purpose == Purpose::Say;
        match key {
            Key::Up if is_free => self.choose_earlier(),
            Key::Down if is_free => self.choose_later(),
            Key::Enter | Key::Char('r') if is_free => self.intend(Purpose::Reply(seq)),
            Key::Char('e') if is_free => self.edit(seq),
            Key::Char('+') if is_free => self.intend(Purpose::React(seq)),
            Key::Char('d') if is_free => self.intend(Purpose::Delete(seq)),
            _ => return false,
        }
        true
    }

    fn intend(&mut self, purpose: Purpose) {
        self.composer_mut().purpose = purpose;
    }

    fn edit(&mut self, seq: Seq) {
        let me = self.hub().me.clone();
        let body = self.room().and_then(|room| room.said(seq)).filter(|said| said.from == me);
        let Some(body) = body.and_then(|said| said.body.clone()) else {
            return self.say(NOT_YOURS);
        };
        let composer = self.composer_mut();
        composer.set(&body);
        composer.purpose = Purpose::Edit(seq);
    }

    fn choose_earlier(&mut self) {
        let Some(room) = self.room_mut() else { return };
        let chosen = room.chosen;
        let next = match chosen {
            Some(seq) => room.all_said().rev().map(|(at, _)| at).find(|at| *at < seq).or(Some(seq)),
            None => room.all_said().next_back().map(|(at, _)| at),
        };
        room.chosen = next;
        if next == chosen && room.before == Before::More {
            self.ask_older();
        }
        self.show_chosen();
    }

    fn choose_later(&mut self) {
        let Some(room) = self.room_mut() else { return };
        let Some(seq) = room.chosen else { return };
        let next = room.all_said().map(|(at, _)| at).find(|at| *at > seq);
        room.chosen = next;
        if room.chosen.is_none() && room.behind == Behind::Nothing {
            room.scroll = None;
        }
        self.show_chosen();
    }

    /// Asks for what was said before all that is here.
    pub(super) fn ask_older(&mut self) {
        let page = self.room().and_then(Room::page_before);
        if let Some(page) = page.filter(|_| self.is_in()) {
            self.ask_page(page);
        }
    }

    /// Gives up one thing after the other.
    fn escape(&mut self) {
        self.notice = None;
        let Some(room) = self.room_mut() else { return };
        if room.composer.purpose != Purpose::Say {
            room.composer.forget_purpose();
        } else if room.chosen.take().is_none() || room.scroll.is_none() {
            self.go_to_end();
        }
    }

    pub(super) fn leave(&mut self) {
        let is_waiting =
            |hub: &Hub| !matches!(hub.link, Link::Ended(_)) && hub.unacknowledged() > 0;
        if self.warned == Warned::No && self.hubs.iter().any(is_waiting) {
            self.warned = Warned::Yes;
            self.say(LEAVE_ANYWAY);
        } else {
            self.deeds.push(Deed::Leave);
        }
    }

    pub(super) fn toggle_help(&mut self) {
        self.pane = match self.pane {
            Pane::Help { .. } => Pane::None,
            _ => Pane::Help { top: 0 },
        };
    }

    fn toggle_list(&mut self) {
        match self.pane {
            Pane::Rooms { .. } => self.pane = Pane::None,
            _ if layout::is_narrow(self) => {
                let rooms = self.all_rooms();
                let here = rooms.iter().position(|here| self.is_here(here.hub, &here.place));
                self.pane = Pane::Rooms { chosen: here.unwrap_or(0) };
            }
            _ => self.list = layout::other_list(self),
        }
    }

    fn toggle_members(&mut self) {
        match self.pane {
            Pane::Members { .. } => self.pane = Pane::None,
            _ if self.room().is_none_or(Room::is_talk) => {}
            _ if layout::is_narrow(self) => self.pane = Pane::Members { top: 0 },
            _ => self.members = layout::other_members(self),
        }
    }

    fn toggle_mouse(&mut self) {
        let (mouse, text) = match self.mouse {
            Mouse::Ours => (Mouse::Terminals, MOUSE_GIVEN),
            Mouse::Terminals => (Mouse::Ours, MOUSE_TAKEN),
        };
        self.mouse = mouse;
        self.deeds.push(Deed::Mouse(mouse));
        self.say(text);
    }
}
