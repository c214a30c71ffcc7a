//! What a text that was typed asks for.

use relais_hub::{
    model::{Kind, Seq},
    protocol::{Ask, Code, Place, Refusal},
    words::{self, Line, Phrase, Stand, Wanted, sentence},
};

use super::{
    answers::give_back,
    composer::Purpose,
    hearing::unmarked,
    hub::{Link, PENDING_MAX, Pending, Then, is_same},
    layout,
    model::{Deed, Model, Pane},
    phrases::TOO_MUCH,
    room::Room,
    text,
};
use crate::chat::phrases::{HOW_TO_UNREGISTER, SOMEBODY_ALREADY};

impl Model {
    /// Does what was typed.
    pub(super) fn enter(&mut self) {
        self.notice = None;
        let purpose = self.composer().purpose;
        let is_empty = self.composer().text().trim().is_empty();
        if is_empty && !matches!(purpose, Purpose::Delete(_)) {
            self.accept();
            return;
        }
        if self.hub().pending.len() >= PENDING_MAX {
            return self.say(TOO_MUCH);
        }
        if let Some(why) = self.why_too_early() {
            // It stays where it is, to be said later.
            return self.wrong(why);
        }
        let text = self.composer_mut().enter();
        self.composer_mut().purpose = Purpose::Say;
        self.told_typing = None;
        let Some((hub, room)) = self.here.clone().map(|here| (here.hub, here.place)) else {
            return self.read_line(&text);
        };
        let Some(ask) = self.about_a_message(purpose, room, &text) else {
            return self.read_line(&text);
        };
        if let Some(room) = self.room_mut() {
            room.chosen = None;
        }
        self.want(hub, ask, Then::Stay);
    }

    /// What `text` asks for in `room` whose purpose is some message there; `None` if it has none.
    fn about_a_message(&self, purpose: Purpose, room: Place, text: &str) -> Option<Ask> {
        let (cid, words) = (Some(self.draw_cid()), text.trim());
        Some(match purpose {
            Purpose::Say => return None,
            Purpose::Reply(seq) => {
                let (kind, body) = (Kind::Text, text.to_owned());
                Ask::Message { to: room, kind, body, reply: Some(seq), cid }
            }
            Purpose::Edit(seq) => Ask::Edit { room, seq, body: text.to_owned(), cid },
            Purpose::React(seq) => {
                let emoji = words.to_owned();
                let on = !self.has_sign(seq, &emoji);
                Ask::React { room, seq, emoji, on, cid }
            }
            Purpose::Delete(seq) => {
                let reason = (!words.is_empty()).then(|| words.to_owned());
                Ask::Redact { room, seq, reason, cid }
            }
        })
    }

    /// Why what is typed is not to be said now, if it is the other's turn in a dialogue.
    fn why_too_early(&self) -> Option<String> {
        let (room, composer) = (self.room()?, self.composer());
        let turn = room.dialogue.as_ref()?.turn.as_ref().filter(|who| **who != self.hub().me)?;
        let is_said = match composer.purpose {
            Purpose::Reply(_) => true,
            Purpose::Say if words::is_last_word(composer.text()) => false,
            Purpose::Say => match words::read_at(composer.text(), &self.stand()) {
                Line::Ask(Ask::Message { to, .. }) => is_same(&to, &room.place),
                _ => false,
            },
            Purpose::Edit(_) | Purpose::React(_) | Purpose::Delete(_) => false,
        };
        let why = format!("it is the turn of {turn:?}");
        let refusal = Refusal::of(Code::NotYourTurn).why(why);
        is_said.then(|| text::line(&sentence(&refusal, self.lang)))
    }

    /// Where what is typed is said.
    fn stand(&self) -> Stand {
        let stand = |room: &Room| Stand::entered(room.place.clone(), room.dialogue.as_ref());
        self.room().map_or(Stand::Nowhere, stand)
    }

    /// Whether who looks put this sign there already: once more takes it back.
    fn has_sign(&self, seq: Seq, emoji: &str) -> bool {
        let me = &*self.hub().me;
        let signs = self.room().map(|room| room.signs.of(seq)).unwrap_or_default();
        signs.iter().any(|(sign, users)| *sign == emoji && users.contains(&me))
    }

    fn read_line(&mut self, line: &str) {
        let hub = self.hub_at();
        match words::read_at(line, &self.stand()) {
            Line::Secret(Wanted::Unregister) => self.say(HOW_TO_UNREGISTER),
            Line::Ask(Ask::Login { .. } | Ask::Register { .. }) | Line::Secret(_) => {
                self.say(SOMEBODY_ALREADY);
            }
            Line::Ask(Ask::Bye { .. }) | Line::End => self.leave(),
            Line::Ask(Ask::Help) => self.pane = Pane::Help { top: 0 },
            // With how many it is asked for their numbers.
            Line::Ask(Ask::History { messages: None, .. }) => {
                self.scroll_up(layout::page_rows(self));
            }
            Line::Ask(Ask::Search { words, room, from, limit }) => {
                self.pane = Pane::Found { hub, words: words.clone(), found: None, chosen: 0 };
                self.ask(hub, Ask::Search { words, room, from, limit });
            }
            Line::Ask(ask) => {
                let goes = matches!(&ask, Ask::Message { to: Place::Person(_), .. });
                self.want(hub, ask, if goes { Then::Go } else { Then::Stay });
            }
            Line::Lang(lang) => {
                self.lang = lang;
                self.tell_phrase(Phrase::Language);
            }
            Line::Export(path) => self.deeds.push(Deed::Export(hub, path)),
            Line::NameStays => self.tell_phrase(Phrase::NameStays),
            Line::Wrong(misuse) => self.wrong(text::line(&misuse.sentence(self.lang))),
            Line::Nothing => {}
        }
    }

    /// Tells what the hub would where lines are typed to it.
    fn tell_phrase(&mut self, phrase: Phrase) {
        self.tell_briefly(unmarked(&phrase.line(self.lang)).concat());
    }

    /// Asks for it; what is said is shown until the hub has it.
    fn want(&mut self, hub: usize, mut ask: Ask, then: Then) {
        if let (Link::Ended(_), Ask::Message { to, .. }) = (&self.hubs[hub].link, &ask) {
            let to = to.clone();
            // Nobody would hear it: it stays where it was typed, above the reason.
            give_back(self.hubs[hub].room_mut(&to), &ask);
            return;
        }
        if let Ask::Message { to, kind, body, cid, .. } = &mut ask {
            let cid = cid.get_or_insert_with(|| self.draw_cid()).clone();
            let (place, kind, body) = (to.clone(), *kind, body.clone());
            let then = if self.is_here(hub, &place) { Then::Stay } else { then };
            self.hubs[hub].pending.push_back(Pending { cid, place, kind, body, seq: None, then });
            if then == Then::Stay {
                self.go_to_end();
            }
        }
        self.ask(hub, ask);
    }
}
