//! Going from room to room, and what of it the hub is told: what is wanted, how far was read, who writes.

use std::time::Duration;

use relais_hub::{
    model::Seq,
    protocol::{Ask, Page, Place},
};
use tokio::time::Instant;

use super::{
    hub::Link,
    model::{Eyes, Here, Model, Pane},
    room::{Before, Behind},
};

/// How much of what was said is asked for at once.
const PAGE: usize = 50;

/// How long is waited before it is told how far was read: more may come.
const READ_AFTER: Duration = Duration::from_secs(1);

/// How long a word in the row of what goes on stands there.
const NOTICE_LASTS: Duration = Duration::from_secs(12);

/// How often others are told that somebody still writes.
const TYPING_EVERY: Duration = Duration::from_secs(4);

impl Model {
    /// Goes to a room, which is put into the list if it is not there.
    pub(super) fn go(&mut self, hub: usize, place: &Place) {
        if let Some(room) = self.room_mut() {
            (room.marker, room.chosen) = (None, None);
        }
        self.stop_typing();
        self.tell_read();
        let room = self.hubs[hub].room_to(place);
        room.marker = (room.unread > 0).then_some(room.read);
        let place = room.place.clone();
        self.here = Some(Here { hub, place: place.clone() });
        (self.pane, self.notice, self.completing) = (Pane::None, None, None);
        if self.is_in() && self.room().is_some_and(|room| room.before == Before::Unknown) {
            self.ask_page(Page::Latest);
            self.ask_members(hub, &place);
        } else if self.room().is_some_and(|room| room.items.is_empty()) {
            self.ask_older();
        }
    }

    /// Asks for a part of what was said here.
    pub(super) fn ask_page(&mut self, page: Page) {
        let hub = self.hub_at();
        let Some(room) = self.room_mut() else { return };
        room.ask(page);
        let room = room.place.clone();
        self.ask(hub, Ask::History { room, page, limit: Some(PAGE), messages: None });
    }

    pub(super) fn ask_members(&mut self, hub: usize, place: &Place) {
        if let Place::Room(_) = place {
            self.hubs[hub].looks_who.push(place.clone());
            self.ask(hub, Ask::Who { room: place.clone() });
        }
    }

    /// Goes to what was said there, whether it is here or not.
    pub(super) fn jump(&mut self, (hub, place): (usize, &Place), seq: Seq) {
        if !self.is_here(hub, place) {
            self.go(hub, place);
        }
        self.pane = Pane::None;
        let Some(room) = self.room_mut() else { return };
        if room.said(seq).is_none() {
            room.empty(Behind::More);
            self.ask_page(Page::Around(seq));
        }
        if let Some(room) = self.room_mut() {
            room.chosen = Some(seq);
        }
        self.show_chosen();
    }

    /// Goes to what was said last.
    pub(super) fn go_to_end(&mut self) {
        let Some(room) = self.room_mut() else { return };
        (room.scroll, room.chosen) = (None, None);
        if room.behind != Behind::Nothing {
            room.empty(Behind::Nothing);
        }
        if room.before == Before::Unknown {
            self.ask_older();
        }
    }

    /// All rooms, hub by hub.
    pub(super) fn all_rooms(&self) -> Vec<Here> {
        let hubs = self.hubs.iter().enumerate();
        let of_hub = |(hub, rooms): (usize, &super::hub::Hub)| {
            let places = rooms.rooms.iter().map(|room| room.place.clone());
            places.map(move |place| Here { hub, place }).collect::<Vec<_>>()
        };
        hubs.flat_map(of_hub).collect()
    }

    /// Goes so many rooms on in the list, round its end.
    pub(super) fn go_on(&mut self, step: isize) {
        let rooms = self.all_rooms();
        let at = rooms.iter().position(|room| self.is_here(room.hub, &room.place));
        let length = isize::try_from(rooms.len()).unwrap_or(0);
        let next = match at.and_then(|at| isize::try_from(at).ok()) {
            Some(at) if length > 0 => (at + step).rem_euclid(length),
            _ => 0,
        };
        self.go_to_nth(usize::try_from(next).unwrap_or(0));
    }

    pub(super) fn go_to_nth(&mut self, nth: usize) {
        if let Some(Here { hub, place }) = self.all_rooms().get(nth).cloned() {
            self.go(hub, &place);
        }
    }

    /// Goes to the next room with something new; first to one where somebody speaks to who looks.
    pub(super) fn go_to_unread(&mut self) {
        let rooms = self.all_rooms();
        let at = rooms
            .iter()
            .position(|room| self.is_here(room.hub, &room.place))
            .map_or(0, |at| at + 1);
        let round = rooms.iter().cycle().skip(at).take(rooms.len());
        let rank = |here: &&Here| {
            let room = self.hubs[here.hub].room(&here.place)?;
            (room.unread > 0).then_some(u8::from(room.mentions > 0 || room.is_talk()))
        };
        let best = round.clone().filter_map(|here| rank(&here)).max();
        let next = round.clone().find(|here| best.is_some() && rank(here) == best);
        if let Some(Here { hub, place }) = next.cloned() {
            self.go(hub, &place);
        }
    }

    /// The room is there no more: goes to none.
    pub(super) fn be_out_of(&mut self, hub: usize, place: &Place) {
        if self.is_here(hub, place) {
            self.told_typing = None;
            self.here = None;
        }
        self.hubs[hub].leave(place);
    }

    /// Does what follows from all that was heard and pressed.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.notice.is_none() {
            self.notice_ends = None;
        } else if *self.notice_ends.get_or_insert(now + NOTICE_LASTS) <= now {
            (self.notice, self.notice_ends) = (None, None);
        }
        self.count_read(now);
    }

    /// Counts what is seen as read, and has the hub be told of it in a while.
    fn count_read(&mut self, now: Instant) {
        let newest = self.newest();
        let is_up = self.hub().link == Link::Up;
        let does_look = self.eyes == Eyes::Here && self.pane == Pane::None;
        let Some(room) = self
            .room_mut()
            .filter(|room| does_look && room.scroll.is_none() && room.behind == Behind::Nothing)
        else {
            self.read_at = None;
            return;
        };
        (room.unread, room.mentions) = (0, 0);
        if newest.is_none_or(|newest| newest <= room.read) || !is_up {
            self.read_at = None;
        } else if *self.read_at.get_or_insert(now + READ_AFTER) <= now {
            self.tell_read();
        }
    }

    /// Tells the hub how far was read, if it is to be told.
    fn tell_read(&mut self) {
        if self.read_at.take().is_none() {
            return;
        }
        let (hub, newest) = (self.hub_at(), self.newest());
        if let (Some(room), Some(seq)) = (self.room_mut(), newest) {
            room.read = seq;
            let room = room.place.clone();
            self.ask(hub, Ask::Read { room, seq });
        }
    }

    /// What is typed is another text: tells others, now and then.
    pub(super) fn tell_typing(&mut self, now: Instant) {
        let text = self.composer().text();
        if text.is_empty() || text.starts_with('/') {
            self.stop_typing();
            return;
        }
        let Some(here) = self.here.clone().filter(|here| self.hubs[here.hub].link == Link::Up)
        else {
            return;
        };
        let is_told = !self.is_in()
            || self.told_typing.as_ref().is_some_and(|(_, at)| now < *at + TYPING_EVERY);
        if !is_told {
            let Here { hub, place: room } = here.clone();
            self.told_typing = Some((here, now));
            self.ask(hub, Ask::Typing { room, on: true });
        }
    }

    fn stop_typing(&mut self) {
        if let Some((Here { hub, place: room }, _)) = self.told_typing.take()
            && self.hubs[hub].link == Link::Up
        {
            self.ask(hub, Ask::Typing { room, on: false });
        }
    }

    /// When something is due, if nothing happens before.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let typing = self.room().into_iter().flat_map(|room| room.typing.values().copied());
        let quiet = self.hubs.iter().filter_map(|hub| hub.quiet_ends);
        typing.chain(self.read_at).chain(self.notice_ends).chain(quiet).min()
    }

    /// Does what is due.
    pub(super) fn wake(&mut self, now: Instant) -> Vec<super::model::Deed> {
        if let Some(room) = self.room_mut() {
            room.typing.retain(|_, until| *until > now);
        }
        self.end_quiet(now);
        self.settle(now);
        self.take_deeds()
    }
}
