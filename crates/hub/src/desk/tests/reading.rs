//! What is read once all is written: pages, searches, what was missed, what was not read.

use super::model::{Later, Model, listed};
use crate::{
    model::{AccountId, Act, Deed, Entry, RoomId, Seq},
    protocol::{Answer, Event, Gap, Page, Told},
};

impl Model {
    /// Reads what was asked for, once all is written.
    pub(super) fn settle(&mut self) {
        for (guest, session) in std::mem::take(&mut self.dismissed) {
            if self.guests[guest].who.as_ref().is_some_and(|(_, own)| *own == session) {
                self.leave(guest);
            }
        }
        for (guest, re, by, later) in std::mem::take(&mut self.later) {
            let answer = match &later {
                Later::Page(room, page, limit) => self.page((*room, by), *page, *limit),
                Later::Found(rooms, words, from, limit) => {
                    self.found(by, (rooms, words, *from), *limit)
                }
                Later::Missed(rooms, known, upto) => {
                    if known > upto {
                        let rewound = Event::Rewound { last: *upto };
                        self.guests[guest].told.push(Told::Event(rewound));
                    }
                    let missed = self.missed(by, rooms, *upto);
                    self.guests[guest].told.extend(missed.into_iter().map(Told::Event));
                    Answer::Live { cursor: *upto }
                }
                Later::Counted(answer, upto) => self.counted(by, answer.clone(), *upto),
            };
            self.answer(guest, re, Ok(answer));
            self.release(guest, &later);
        }
    }

    /// Has a client hear again what it did not hear because of `later`.
    pub(super) fn release(&mut self, guest: usize, later: &Later) {
        let guest = &mut self.guests[guest];
        if matches!(later, Later::Missed(..) | Later::Counted(Answer::LoggedIn { .. }, _)) {
            guest.holds -= 1;
        }
        if guest.holds == 0 {
            guest.told.extend(guest.held.drain(..).map(Told::Event));
        }
    }

    pub(super) fn counted(&self, by: AccountId, mut answer: Answer, upto: Seq) -> Answer {
        for listed in listed(&mut answer) {
            let room = self.at(by, &listed.room).expect("a room in a list");
            if let Some((read, _)) = listed.mine {
                (listed.unread, listed.mentions) = self.unread(room, by, (read, upto));
            }
        }
        answer
    }

    pub(super) fn page(
        &self,
        (room, by): (RoomId, AccountId),
        page: Page,
        (limit, upto): (usize, Seq),
    ) -> Answer {
        let mut seen = self.seen(room);
        seen.retain(|entry| entry.seq <= upto);
        let before = |seq: Seq| seen.iter().filter(move |entry| entry.seq < seq).copied();
        let from = |seq: Seq| seen.iter().filter(move |entry| entry.seq >= seq).copied();
        let last = |entries: Vec<_>, most: usize| {
            (entries[entries.len().saturating_sub(most)..].to_vec(), entries.len() > most)
        };
        let first = |entries: Vec<_>, most: usize| {
            (entries[..entries.len().min(most)].to_vec(), entries.len() > most)
        };
        let (entries, more): (Vec<&Entry>, bool) = match page {
            Page::Latest => last(seen.clone(), limit),
            Page::Before(seq) => last(before(seq).collect(), limit),
            Page::After(seq) => first(from(Seq(seq.0 + 1)).collect(), limit),
            Page::Between(one, other) => {
                first(from(one).filter(|entry| entry.seq <= other).collect(), limit)
            }
            Page::Around(seq) => {
                let (mut one, more) = last(before(seq).collect(), limit / 2);
                let (other, more_yet) = first(from(seq).collect(), limit - limit / 2);
                one.extend(other);
                (one, more || more_yet)
            }
        };
        Answer::Page {
            events: entries.into_iter().map(|entry| self.past(entry, by)).collect(),
            more,
        }
    }

    pub(super) fn found(
        &self,
        by: AccountId,
        (rooms, word, from): (&[RoomId], &str, Option<AccountId>),
        (limit, upto): (usize, Seq),
    ) -> Answer {
        let has = |entry: &&Entry| {
            let Deed::In { room, act: Act::Say { body, .. } } = &entry.deed else { return false };
            let now =
                self.edited(entry.seq).unwrap_or(body.clone()).to_lowercase().replace('é', "e");
            rooms.contains(room)
                && entry.seq <= upto
                && from.is_none_or(|from| from == entry.by)
                && !self.is_redacted(entry.seq)
                && now.split(|char: char| !char.is_alphanumeric()).any(|one| one == word)
        };
        let found: Vec<_> = self.log.iter().rev().filter(has).collect();
        let events = found.iter().take(limit).map(|entry| self.past(entry, by));
        Answer::Page { events: events.collect(), more: found.len() > limit }
    }

    pub(super) fn missed(&self, by: AccountId, rooms: &[(RoomId, Seq)], upto: Seq) -> Vec<Event> {
        let (mut gaps, mut entries) = (Vec::new(), Vec::new());
        for (room, since) in rooms {
            let seen = self.seen(*room);
            let missed: Vec<_> =
                seen.iter().filter(|one| one.seq > *since && one.seq <= upto).collect();
            let told = missed.len().min(self.limits.missed_a_room_max);
            if told < missed.len() {
                let to = missed[missed.len() - told - 1].seq;
                gaps.push(Event::Gap(Gap { room: self.place(*room, by), from: *since, to }));
            }
            entries.extend(missed[missed.len() - told..].iter().map(|entry| (**entry).clone()));
        }
        entries.sort_by_key(|entry| entry.seq);
        let told = |entry: &Entry| {
            let mut event = self.past(entry, by);
            if let Event::Message { body: Some(body), notify, .. } = &mut event {
                *notify = self.why(entry, by, body);
            }
            event
        };
        gaps.into_iter().chain(entries.iter().map(told)).collect()
    }
}
