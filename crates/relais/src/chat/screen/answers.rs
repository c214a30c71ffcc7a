//! What the screen makes of what hubs answer.

use std::collections::{BTreeMap, BTreeSet};

use relais_hub::{
    model::Kind,
    protocol::{Answer, Ask, Event, Page, Place, Refusal, Told},
    words::{self, sentence},
};

use super::{
    composer::Purpose,
    hearing::unmarked,
    hub::{Link, Pending, Presence, Then, is_same},
    model::{Deed, Model, Pane},
    phrases::{ANSWER, NOT_SAID},
    room::{Before, Behind, Member, Room},
    text,
};
use crate::chat::invitations;

/// Answers of so many lines are told where one is; longer ones are shown instead of it.
const TOLD_LINES_MAX: usize = 3;

impl Model {
    pub(super) fn answered(&mut self, hub: usize, ask: Ask, answer: Result<Answer, Refusal>) {
        match (ask, answer) {
            (ask @ Ask::Message { cid: Some(_), .. }, answer) => self.said(hub, &ask, answer),
            (Ask::History { room, page, messages: None, .. }, answer) => {
                self.heard_page(hub, (&room, page), answer);
            }
            (Ask::Who { room }, answer) => self.heard_who(hub, &room, answer),
            (Ask::Search { words, .. }, Ok(Answer::Page { events, .. })) => {
                self.found(hub, &words, events);
            }
            (ask, answer) if invitations::are_asked(&ask) => {
                if let Ok(Answer::Rooms { rooms: listed, .. }) = answer {
                    self.heard_invitations(hub, listed);
                }
            }
            (Ask::Typing { .. } | Ask::Read { .. }, _) => {}
            (_, Err(refusal)) => {
                if matches!(self.pane, Pane::Found { found: None, .. }) {
                    self.pane = Pane::None;
                }
                self.wrong(text::line(&sentence(&refusal, self.lang)));
            }
            (
                Ask::Join { .. } | Ask::Create { .. } | Ask::Dialogue { .. },
                Ok(Answer::Joined(listed)),
            ) => {
                let place = listed.room.clone();
                self.hubs[hub].room_to(&place).list(listed);
                self.go(hub, &place);
            }
            (Ask::Part { room }, Ok(_)) => self.be_out_of(hub, &room),
            (Ask::Logout { .. }, Ok(_)) => self.logged_out(hub),
            (_, Ok(answer)) => self.show_answer(hub, answer),
        }
    }

    /// A message of ours is written down, or is not.
    fn said(&mut self, hub: usize, ask: &Ask, answer: Result<Answer, Refusal>) {
        let Ask::Message { cid: Some(cid), .. } = ask else { return };
        let is_meant = |pending: &&mut Pending| pending.cid == *cid;
        let Some(pending) = self.hubs[hub].pending.iter_mut().find(is_meant) else { return };
        let (place, then) = (pending.place.clone(), pending.then);
        match answer {
            Ok(Answer::Written { seq, .. }) => {
                pending.seq = Some(seq);
                let is_there = |room: &Room| {
                    room.items.contains_key(&(seq, 0)) || room.behind != Behind::Nothing
                };
                if self.hubs[hub].room(&place).is_some_and(is_there) {
                    self.hubs[hub].acknowledged(cid);
                }
                if then == Then::Go && !self.is_here(hub, &place) {
                    self.go(hub, &place);
                }
            }
            Ok(_) => _ = self.hubs[hub].acknowledged(cid),
            Err(refusal) => {
                let body = self.hubs[hub].acknowledged(cid).map(|pending| pending.body);
                let body = match give_back(self.hubs[hub].room_mut(&place), ask) {
                    GivenBack::Yes => None,
                    GivenBack::No => Some(body.unwrap_or_default()),
                };
                self.not_said(&refusal, body);
            }
        }
    }

    /// Tells why a message was not written down; and what it said, where that is not typed again.
    fn not_said(&mut self, refusal: &Refusal, body: Option<String>) {
        let (colon, why) = (self.lang.colon(), text::line(&sentence(refusal, self.lang)));
        let body = body.map(|body| format!("{colon}{}", text::line(&body))).unwrap_or_default();
        self.wrong(format!("{}{colon}{why}{body}", self.word(NOT_SAID)));
    }

    fn heard_page(
        &mut self,
        hub: usize,
        (place, page): (&Place, Page),
        answer: Result<Answer, Refusal>,
    ) {
        let (events, more) = match answer {
            Ok(Answer::Page { events, more }) => (events, more),
            Ok(_) => return,
            Err(refusal) => {
                let room = self.hubs[hub].room_mut(place);
                if let Some(room) = room.filter(|room| expects(room, page)) {
                    room.be_refused();
                }
                return self.wrong(text::line(&sentence(&refusal, self.lang)));
            }
        };
        let notes =
            events.iter().filter_map(|event| Some((event.at()?.seq, self.note_of(hub, event)?)));
        let notes: BTreeMap<_, _> = notes.collect();
        let has_said = events.iter().any(|event| matches!(event, Event::Message { .. }));
        let is_bare = more && !events.is_empty() && !has_said && notes.is_empty();
        let Some(room) = self.hubs[hub].room_mut(place) else { return };
        if !expects(room, page) {
            return;
        }
        room.take_page(&events, notes);
        match page {
            Page::After(_) => room.drop_oldest(),
            _ => room.drop_newest(),
        }
        let found: BTreeSet<_> = room.items.keys().map(|(seq, _)| *seq).collect();
        self.hubs[hub]
            .pending
            .retain(|pending| pending.seq.is_none_or(|seq| !found.contains(&seq)));
        self.end_page(hub, place, (page, more));
        // What makes no item is seen by nobody.
        if is_bare
            && self.is_here(hub, place)
            && let Some(beyond) = self.room().and_then(|room| room.page_beyond(page))
        {
            self.ask_page(beyond);
        }
    }

    /// What there is before and behind a page.
    fn end_page(&mut self, hub: usize, place: &Place, (page, more): (Page, bool)) {
        let Some(room) = self.hubs[hub].room_mut(place) else { return };
        let there = if more { Before::More } else { Before::Nothing };
        match page {
            Page::Latest | Page::Before(_) => room.before = there,
            Page::After(_) if more => room.behind = Behind::More,
            Page::After(_) => {
                // At the end. What was told meanwhile is not here: all of it is asked for.
                room.empty(Behind::Nothing);
                if self.is_here(hub, place) {
                    self.ask_page(Page::Latest);
                }
            }
            Page::Around(_) | Page::Between(..) => {
                (room.before, room.behind) = (Before::More, Behind::More);
                self.show_chosen();
            }
        }
    }

    fn heard_who(&mut self, hub: usize, place: &Place, answer: Result<Answer, Refusal>) {
        let of_hub = &mut self.hubs[hub];
        let own = of_hub.looks_who.iter().position(|room| is_same(room, place));
        if let Some(own) = own {
            of_hub.looks_who.swap_remove(own);
        }
        if let Ok(Answer::Members { members, .. }) = &answer {
            for (name, _, online) in members {
                let there = if *online { Presence::Online } else { Presence::Offline };
                // That somebody is away is told by events alone.
                let is_away = of_hub.presence(name) == Some(Presence::Away);
                if !(is_away && *online) {
                    of_hub.set_presence(name, there);
                }
            }
            if let Some(room) = of_hub.room_mut(place) {
                let member =
                    |(name, role, _): &(String, _, _)| Member { name: name.clone(), role: *role };
                room.members = members.iter().map(member).collect();
            }
        }
        match answer {
            Ok(answer) if own.is_none() => self.show_answer(hub, answer),
            Err(refusal) if own.is_none() => self.wrong(text::line(&sentence(&refusal, self.lang))),
            _ => {}
        }
    }

    fn found(&mut self, hub: usize, asked: &str, events: Vec<Event>) {
        if let Pane::Found { hub: searched, words, found, chosen } = &mut self.pane
            && (*searched, &**words) == (hub, asked)
        {
            (*found, *chosen) = (Some(events), 0);
        }
    }

    fn logged_out(&mut self, hub: usize) {
        self.deeds.push(Deed::Forget(hub));
        self.hubs[hub].link = Link::Ended(String::new());
        if self.hubs.iter().all(|hub| matches!(hub.link, Link::Ended(_))) {
            self.deeds.push(Deed::Leave);
        }
    }

    /// Shows an answer in the hub's words.
    pub(super) fn show_answer(&mut self, hub: usize, answer: Answer) {
        let is_done = answer == Answer::Done;
        let told = Told::Answer { re: None, answer: Ok(answer) };
        let place = self.here.as_ref().map(|here| &here.place);
        let lines = unmarked(&words::show(&told, self.reader(hub, place)));
        // Where older messages are looked at there is one row for it, and a path would be cut.
        let has_room = self.room().is_some_and(|room| room.behind == Behind::Nothing);
        match lines.len() {
            0 => {}
            1 if is_done => self.tell_briefly(lines.concat()),
            1 => self.tell(lines.concat()),
            2..=TOLD_LINES_MAX if has_room => self.tell(lines.join("\n")),
            _ => self.show_lines(self.word(ANSWER).to_owned(), lines),
        }
    }

    pub(super) fn show_lines(&mut self, title: String, lines: Vec<String>) {
        self.pane = Pane::Lines { title, lines, top: 0 };
    }
}

/// Whether what was not said can be typed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenBack {
    Yes,
    No,
}

/// Puts what was to be said in `room` back where it was typed, unless something else is typed there by now.
pub(super) fn give_back(room: Option<&mut Room>, ask: &Ask) -> GivenBack {
    let (Some(room), Ask::Message { kind, body, reply, .. }) = (room, ask) else {
        return GivenBack::No;
    };
    let composer = &mut room.composer;
    if !composer.text().is_empty() || composer.purpose != Purpose::Say {
        return GivenBack::No;
    }
    composer.set(&match kind {
        Kind::Action => format!("/me {body}"),
        // Else it would be a command.
        _ if body.starts_with('/') && reply.is_none() => format!("/{body}"),
        _ => body.clone(),
    });
    composer.purpose = reply.map_or(Purpose::Say, Purpose::Reply);
    GivenBack::Yes
}

/// Whether a page is still wanted: who asked for it may have gone to another part of the room since.
fn expects(room: &Room, page: Page) -> bool {
    let (is_asked, is_old) = (room.before == Before::Asked, room.behind != Behind::Nothing);
    match page {
        Page::Latest => is_asked && !is_old,
        Page::Before(seq) => is_asked && room.first() == Some(seq),
        Page::After(seq) => room.behind == Behind::Asked && room.end() == Some(seq),
        Page::Around(seq) => {
            let is_meant = room.around == Some(seq) && room.all_said().next().is_none();
            is_asked && is_old && is_meant
        }
        // Of no part of a room.
        Page::Between(..) => false,
    }
}
