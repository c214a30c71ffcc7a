//! What the screen makes of what hubs tell.

use std::time::Duration;

use relais_hub::{
    client::News,
    model::{Role, Seq},
    protocol::{Ask, Event, Listed, Place, Told, Where},
    words::{self, sentence},
};
use tokio::time::Instant;

use super::{
    hub::{Link, Presence, Then},
    item::Note,
    model::{Deed, Eyes, Model, is_counted},
    phrases::SAYS_TO_YOU,
    room::{Behind, Member, Standing},
    text,
};
use crate::chat::{
    ends::is_out,
    phrases::{BACK, OUT_OF, UNSURE},
};

/// How many of a room are known by name. The hub lists no more.
const MEMBERS_MAX: usize = 1000;

/// How many are told of who write at once.
const TYPING_MAX: usize = 20;

/// How long somebody writes who does not say so again.
const TYPING_LASTS: Duration = Duration::from_secs(8);

impl Model {
    /// Hears news of a hub.
    pub(super) fn hear(&mut self, hub: usize, news: News, now: Instant) -> Vec<Deed> {
        match news {
            News::Entered { user, rooms, wishes, token: _ } => {
                self.hubs[hub].words = wishes.words;
                self.be_quiet(hub, wishes.quiet, now);
                self.entered(hub, user, rooms);
            }
            News::Refused(refusal) => {
                let why = text::line(&sentence(&refusal, self.lang));
                self.hubs[hub].link = Link::Ended(why);
            }
            News::Happened(event) => self.happened(hub, &event, now),
            News::Answered(ask, answer) => {
                self.count_off(hub, &ask);
                self.answered(hub, ask, answer);
            }
            News::Unsure(ask) => {
                self.count_off(hub, &ask);
                self.wrong(UNSURE.of(self.lang).to_owned());
            }
        }
        self.settle(now);
        self.take_deeds()
    }

    /// The connection of a hub is lost, and is being made again.
    pub(super) fn lose(&mut self, hub: usize) {
        self.hubs[hub].link = Link::Lost;
        self.hubs[hub].rooms.iter_mut().for_each(|room| room.typing.clear());
        if self.told_typing.as_ref().is_some_and(|(here, _)| here.hub == hub) {
            self.told_typing = None;
        }
    }

    fn count_off(&mut self, hub: usize, ask: &Ask) {
        let asked = &mut self.hubs[hub].asked;
        *asked = asked.saturating_sub(usize::from(is_counted(ask)));
    }

    fn entered(&mut self, hub: usize, user: String, rooms: Vec<Listed>) {
        let was_in = !self.hubs[hub].me.is_empty();
        let left = self.hubs[hub].enter(user, rooms);
        if was_in {
            self.say(BACK);
        }
        if !left.is_empty() {
            let names: Vec<_> = left.iter().map(|room| text::line(&room.to_string())).collect();
            self.wrong(format!("{} {}", self.word(OUT_OF), names.join(", ")));
        }
        self.ask_invitations(hub);
        let Some(here) = self.here.clone().filter(|here| here.hub == hub) else {
            if self.here.is_none() {
                self.go_to_nth(0);
            }
            return;
        };
        match self.room() {
            // Who is there may be others now.
            Some(_) => self.ask_members(hub, &here.place),
            None => self.here = None,
        }
    }

    fn happened(&mut self, hub: usize, event: &Event, now: Instant) {
        if event.room().is_some_and(|room| !self.hubs[hub].has_place_for(room)) {
            return;
        }
        if self.heard_wish(hub, event, now) {
            return;
        }
        match event {
            Event::Message { .. } => self.heard_message(hub, event),
            Event::Turn { .. } => self.heard_dialogue(hub, event),
            Event::Typing { room, user, on } => {
                self.heard_typing(hub, (room, user), on.then_some(now + TYPING_LASTS));
            }
            Event::Presence { user, state, .. } => {
                self.hubs[hub].set_presence(user, presence(state));
            }
            Event::Read { room, last } => self.read_elsewhere(hub, (room, *last)),
            Event::Announce { from, body, .. } => {
                let note = self.in_words(hub, event, None);
                self.tell(note);
                self.alert(text::line(from), text::line(body));
            }
            Event::Rewound { .. } => self.begin_anew(hub, event),
            Event::Gap(_) | Event::Lagged { .. } | Event::Bye(_) => {}
            event => self.heard_in_room(hub, event),
        }
    }

    /// Somebody writes, which is believed for so long, or does no more.
    fn heard_typing(&mut self, hub: usize, (room, user): (&Place, &str), until: Option<Instant>) {
        let until = until.filter(|_| self.hubs[hub].me != *user);
        let Some(room) = self.hubs[hub].room_mut(room) else { return };
        room.typing.remove(user);
        if let Some(until) = until.filter(|_| room.typing.len() < TYPING_MAX) {
            room.typing.insert(user.to_owned(), until);
        }
    }

    fn heard_message(&mut self, hub: usize, event: &Event) {
        let Event::Message { at, notify, .. } = event else { return };
        let is_mine = self.hubs[hub].me == at.from;
        let cid = at.cid.as_ref().filter(|_| is_mine);
        let pending = cid.and_then(|cid| self.hubs[hub].acknowledged(cid));
        self.hubs[hub].pending.retain(|pending| pending.seq != Some(at.seq));
        let is_seen = self.eyes == Eyes::Here && self.is_here(hub, &at.room);
        let room = self.hubs[hub].room_to(&at.room);
        let last = room.last().map(|(seq, _)| seq);
        let is_new = room.hear(event);
        if pending.is_some_and(|pending| pending.then == Then::Go) {
            return self.go(hub, &at.room);
        }
        let Some(room) = self.hubs[hub].room_mut(&at.room) else { return };
        if is_mine || (!is_new && room.behind == Behind::Nothing) || at.seq <= room.read {
            return;
        }
        // What was there when the hub counted is counted.
        if at.seq > room.counted {
            room.unread += 1;
            room.mentions += u64::from(notify.is_some());
        }
        if !is_seen && room.marker.is_none() {
            room.marker = last.filter(|last| *last >= room.read).or(Some(room.read));
        }
        if notify.is_some() && !is_seen {
            self.alert_of(event);
        }
    }

    /// Has somebody look who does not see a message.
    fn alert_of(&mut self, message: &Event) {
        let Event::Message { at, body, .. } = message else { return };
        let body = body.as_deref().map(text::line).unwrap_or_default();
        let place = match &at.room {
            Place::Room(room) => text::line(room),
            Place::Person(_) => self.word(SAYS_TO_YOU).to_owned(),
        };
        self.alert(format!("{} ({place})", text::line(&at.from)), body);
    }

    /// What happened in a room and is no message.
    fn heard_in_room(&mut self, hub: usize, event: &Event) {
        let Some(at) = event.at() else { return };
        if is_out(event, &self.hubs[hub].me) {
            return self.heard_of_an_end(hub, (event, at));
        }
        if self.heard_invitation(hub, (event, at)) {
            return;
        }
        let note = self.note_of(hub, event);
        // Some words do something, and are seen as that.
        self.hubs[hub].pending.retain(|pending| pending.seq != Some(at.seq));
        let is_entry = matches!(event, Event::Join(_) | Event::Create(_));
        let is_mine = self.hubs[hub].me == at.from;
        let room = self.hubs[hub].room_to(&at.room);
        if is_mine && is_entry {
            room.standing = Standing::In;
        }
        room.hear(event);
        come_and_go(&mut room.members, event, at);
        if let Some(note) = note {
            room.note_at(at.seq, note);
        }
        self.heard_dialogue(hub, event);
        if is_entry {
            self.hubs[hub].set_presence(&at.from, Presence::Online);
        }
    }

    /// Who looks is in the room no more.
    fn heard_of_an_end(&mut self, hub: usize, (event, at): (&Event, &Where)) {
        if !matches!(event, Event::Part(_)) {
            let note = self.in_words(hub, event, None);
            self.wrong(note);
        }
        self.be_out_of(hub, &at.room);
    }

    /// What stands for something that happened in a room, if it is to be told in words.
    pub(super) fn note_of(&self, hub: usize, event: &Event) -> Option<Note> {
        let is_shown_elsewhere = matches!(
            event,
            Event::Message { .. } | Event::React { .. } | Event::Edit { .. } | Event::Redact { .. }
        );
        let text = self.in_words(hub, event, event.room());
        let at = event.at().map(|at| at.at);
        (!is_shown_elsewhere && !text.is_empty()).then_some(Note { at, text })
    }

    pub(super) fn in_words(&self, hub: usize, event: &Event, here: Option<&Place>) -> String {
        let shown = words::show(&Told::Event(event.clone()), self.reader(hub, here));
        unmarked(&shown).join("\n")
    }

    /// Another device read so far.
    fn read_elsewhere(&mut self, hub: usize, (place, last): (&Place, Seq)) {
        let me = self.hubs[hub].me.clone();
        if let Some(room) = self.hubs[hub].room_mut(place) {
            room.be_read(last, &me);
        }
    }

    /// Puts a note where it is seen.
    pub(super) fn tell(&mut self, note: String) {
        match self.room_mut() {
            Some(room) if room.behind == Behind::Nothing => room.note(note),
            _ => self.tell_briefly(note.replace('\n', "  ")),
        }
    }

    pub(super) fn alert(&mut self, title: String, body: String) {
        self.deeds.push(Deed::Alert { title, body });
    }
}

/// The lines that the hub's words show, without the mark of the hub's own.
pub(super) fn unmarked(shown: &str) -> Vec<String> {
    shown.lines().map(|line| text::line(line.strip_prefix("# ").unwrap_or(line))).collect()
}

fn come_and_go(members: &mut Vec<Member>, event: &Event, at: &Where) {
    let gone = match event {
        Event::Part(at) => &at.from,
        Event::About { what: "kick" | "ban", user, .. } => user,
        Event::Join(_) => {
            let is_new = members.iter().all(|member| member.name != at.from);
            if is_new && members.len() < MEMBERS_MAX {
                members.push(Member { name: at.from.clone(), role: Role::Member });
            }
            return;
        }
        Event::Role { user, role, .. } => {
            members.iter_mut().filter(|member| member.name == *user).for_each(|it| it.role = *role);
            return;
        }
        _ => return,
    };
    members.retain(|member| member.name != *gone);
}

fn presence(state: &str) -> Presence {
    match state {
        "offline" => Presence::Offline,
        "away" => Presence::Away,
        _ => Presence::Online,
    }
}
