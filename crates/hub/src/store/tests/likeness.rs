//! Whatever is written: what is read is what a simple model, which keeps all in a list, says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    model::{Level, Mark, Mode, Quiet, Role, Said, Title, Wish, Words},
    protocol::Page,
    store::{More, Past},
};

/// One step, whose numbers choose among what there is.
type Step = (u8, u8, u8, u8);

/// The log as a list, and what was taken out of it.
#[derive(Clone, Default)]
struct Model {
    entries: Vec<Entry>,
    edits: BTreeMap<Seq, String>,
    redacted: BTreeSet<Seq>,
    /// What is told without the words that who was deleted gave it.
    wordless: BTreeSet<Seq>,
    forgotten: BTreeSet<Seq>,
    /// What is for whom, and was not read.
    marked: BTreeSet<(RoomId, AccountId, Seq)>,
    /// Who was deleted, whose words are to be taken out.
    owed: Vec<AccountId>,
}

impl Model {
    fn accounts(&self) -> Vec<AccountId> {
        let made = |entry: &&Entry| matches!(entry.deed, Deed::Register { .. });
        let made = self.entries.iter().filter(made).map(|entry| AccountId(entry.seq));
        let is_gone = |id: &AccountId| {
            let gone =
                |entry: &Entry| matches!(entry.deed, Deed::Unregister { who, .. } if who == *id);
            self.entries.iter().any(gone)
        };
        made.filter(|id| !is_gone(id)).collect()
    }

    fn rooms(&self) -> Vec<RoomId> {
        let made = |entry: &&Entry| matches!(entry.deed, Deed::Create { .. } | Deed::Talk { .. });
        let made = self.entries.iter().filter(made).map(|entry| RoomId(entry.seq));
        let is_gone = |id: &RoomId| {
            let gone = |entry: &Entry| matches!(entry.deed, Deed::Delete { room } if room == *id);
            self.entries.iter().any(gone)
        };
        made.filter(|id| !is_gone(id)).collect()
    }

    fn said(&self) -> Vec<(Seq, RoomId)> {
        let rooms = self.rooms();
        let said = self.entries.iter().filter_map(|entry| match entry.deed {
            Deed::In { room, act: Act::Say { .. } } if rooms.contains(&room) => {
                Some((entry.seq, room))
            }
            _ => None,
        });
        said.collect()
    }

    fn is_open(&self, (seq, room): (Seq, RoomId)) -> bool {
        self.said().contains(&(seq, room))
            && !self.redacted.contains(&seq)
            && !self.forgotten.contains(&seq)
    }

    fn write(&mut self, entry: &Entry) {
        match &entry.deed {
            Deed::In { room, act: Act::Edit { of, body } } if self.is_open((*of, *room)) => {
                self.edits.insert(*of, body.clone());
            }
            Deed::In { room, act: Act::Redact { of, .. } } if self.is_open((*of, *room)) => {
                self.redact((*of, *room));
            }
            Deed::Unregister { who, said: Said::Goes } => self.owed.push(*who),
            _ => {}
        }
        self.entries.push(entry.clone());
    }

    /// Notes who is to notice `entry`, `after` it, and of what it says that it was read or left.
    fn mark(&mut self, entry: &Entry, after: &State) {
        let Some(room) = entry.room() else { return };
        let marks = after.marks(entry).into_iter().filter(Mark::is_counted);
        self.marked.extend(marks.map(|mark| (room, mark.who, entry.seq)));
        if let Deed::In { act: Act::Read { last }, .. } = entry.deed {
            self.marked.retain(|(at, who, seq)| (*at, *who) != (room, entry.by) || *seq > last);
        }
        let is_in =
            |who: &AccountId| after.has_room(room) && after.room(room).members.contains_key(who);
        self.marked.retain(|(at, who, _)| *at != room || is_in(who));
    }

    /// How much is for `who` in `room` that is still there.
    fn count(&self, room: RoomId, who: AccountId) -> u64 {
        let is_counted = |(at, one, seq): &&(RoomId, AccountId, Seq)| {
            (*at, *one) == (room, who) && self.is_open((*seq, room)) && !self.is_owed(*seq)
        };
        self.marked.iter().filter(is_counted).count() as u64
    }

    /// Whether it is to be taken out, as who said it was deleted.
    fn is_owed(&self, said: Seq) -> bool {
        self.entries.iter().any(|entry| entry.seq == said && self.owed.contains(&entry.by))
    }

    /// Whether who wrote `entry` may ask for it once more: nobody and nothing was deleted.
    fn is_known(&self, entry: &Entry) -> bool {
        let has_room = entry.room().is_none_or(|room| self.rooms().contains(&room));
        has_room && self.accounts().contains(&entry.by)
    }

    fn redact(&mut self, (of, room): (Seq, RoomId)) {
        self.redacted.insert(of);
        let edits = self.entries.iter().filter(|entry| {
            entry.room() == Some(room)
                && matches!(&entry.deed, Deed::In { act: Act::Edit { of: what, .. }, .. } if *what == of)
        });
        self.redacted.extend(edits.map(|entry| entry.seq).collect::<Vec<_>>());
    }

    fn take_out(&mut self) {
        let said = self.said().into_iter().filter(|said| self.is_open(*said));
        let out: Vec<_> = said.filter(|(seq, _)| self.is_owed(*seq)).collect();
        for said in out {
            self.redact(said);
        }
        let owed = self.entries.iter().filter(|entry| self.owed.contains(&entry.by));
        let wordless: Vec<_> =
            owed.filter(|entry| !self.is_topic(entry)).map(|entry| entry.seq).collect();
        self.wordless.extend(wordless);
        self.owed.clear();
    }

    /// Whether that is what a room is about now.
    fn is_topic(&self, entry: &Entry) -> bool {
        let topic = |entry: &Entry| match &entry.deed {
            Deed::In { room, act: Act::Topic { text } } => Some((*room, text.clone())),
            _ => None,
        };
        let Some((room, text)) = topic(entry) else { return false };
        let mut topics = self.entries.iter().rev().filter_map(topic);
        topics.find(|(of, _)| *of == room).is_some_and(|(_, last)| last == text)
    }

    fn forget(&mut self, room: RoomId, before: Millis) {
        let old = self.entries.iter().filter(|entry| {
            let is_said = matches!(
                &entry.deed,
                Deed::In {
                    act: Act::Say { .. }
                        | Act::Edit { .. }
                        | Act::Redact { .. }
                        | Act::React { .. },
                    ..
                }
            );
            is_said && entry.room() == Some(room) && entry.at < before
        });
        self.forgotten.extend(old.map(|entry| entry.seq));
    }

    fn page(&self, room: RoomId) -> Vec<Past> {
        let mut prev = Seq(0);
        let seen = self.entries.iter().filter(|entry| {
            let is_read = matches!(entry.deed, Deed::In { act: Act::Read { .. }, .. });
            entry.room() == Some(room) && !is_read && !self.forgotten.contains(&entry.seq)
        });
        let past = seen.map(|entry| {
            let mut entry = entry.clone();
            let redacted = self.redacted.contains(&entry.seq);
            let edit = self.edits.get(&entry.seq);
            if let Deed::In { act: Act::Say { body, .. } | Act::Edit { body, .. }, .. } =
                &mut entry.deed
            {
                if let Some(edit) = edit {
                    body.clone_from(edit);
                }
                if redacted {
                    body.clear();
                }
            }
            if self.wordless.contains(&entry.seq) {
                take_words(&mut entry.deed);
            }
            let prev = std::mem::replace(&mut prev, entry.seq);
            Past { entry, prev, edited: edit.is_some(), redacted }
        });
        past.collect()
    }
}

/// What was said is taken out as such.
fn take_words(deed: &mut Deed) {
    let Deed::In { act, .. } = deed else { return };
    match act {
        Act::React { sign, on, .. } => (*sign, *on) = (String::new(), false),
        Act::Topic { text } => text.clear(),
        Act::Redact { reason, .. } | Act::Kick { reason, .. } | Act::Ban { reason, .. } => {
            *reason = None;
        }
        _ => {}
    }
}

fn choose<T: Copy>(all: &[T], number: u8) -> Option<T> {
    (!all.is_empty()).then(|| all[usize::from(number) % all.len()])
}

/// What a step does, if it can be done.
fn deed(state: &State, model: &Model, step: Step) -> Option<(Option<AccountId>, Deed)> {
    let (what, a, b, c) = step;
    let next = state.last.0 + 1;
    if what % 12 == 0 || model.accounts().is_empty() {
        return Some((None, Deed::Register { name: format!("u{next}") }));
    }
    let (accounts, rooms) = (model.accounts(), model.rooms());
    let (by, who) = (choose(&accounts, a)?, choose(&accounts, c)?);
    if (236..).contains(&what) {
        return Some((Some(by), leaving(state, by, &rooms, (what, b))));
    }
    if what % 12 == 1 || rooms.is_empty() {
        let access = if c % 2 == 0 { Access::Public } else { Access::Private };
        return Some((Some(by), Deed::Create { name: format!("#r{next}"), access }));
    }
    if what % 12 == 2 {
        let is_new = by != who && state.talk_of(by, who).is_none();
        return is_new.then_some((Some(by), Deed::Talk { with: who }));
    }
    let room = choose(&rooms, b)?;
    if what % 12 == 10 && b.is_multiple_of(2) {
        return Some((Some(by), Deed::Wish(wish(room, b, c))));
    }
    let (room, act) = match what % 12 {
        3..=5 => (room, said(c)),
        9 if b.is_multiple_of(4) => dialogue(state, (by, a, c))?,
        11 if b.is_multiple_of(2) => (room, Act::Read { last: Seq(c.into()) }),
        6..=8 => {
            let (of, home) = choose(&model.said(), c)?;
            // Now and then, of a room that it was not said in.
            (if b % 8 == 0 { room } else { home }, about(what, of, b))
        }
        _ => (room, standing(b, who, c)),
    };
    Some((Some(by), Deed::In { room, act }))
}

/// One that two hold, or end.
fn dialogue(state: &State, (by, a, c): (AccountId, u8, u8)) -> Option<(RoomId, Act)> {
    let is_talk = |room: &&RoomId| matches!(state.room(**room).title, Title::Talk(..));
    let talks: BTreeSet<RoomId> = state.account(by).rooms.iter().filter(is_talk).copied().collect();
    let talks: Vec<_> = talks.into_iter().collect();
    let mode = if a.is_multiple_of(2) { Mode::Turns } else { Mode::Free };
    let act = match c % 3 {
        0 => Act::DialogueEnd { word: None },
        1 => Act::DialogueEnd { word: Some("fin".to_owned()) },
        _ => Act::Dialogue { mode },
    };
    Some((choose(&talks, c)?, act))
}

fn wish(room: RoomId, b: u8, c: u8) -> Wish {
    match b % 5 {
        0 => {
            let level = [Level::All, Level::Mentions, Level::Nothing][usize::from(c) % 3];
            Wish::Level { room, level }
        }
        1 => {
            let until = Quiet::Until(Millis(c.into()));
            Wish::Quiet([Quiet::Off, Quiet::On, until][usize::from(c) % 3])
        }
        _ => Wish::Words(Words::read(["", "salut", "salut fin"][usize::from(c) % 3])),
    }
}

/// Somebody who is in no room goes; a room does; somebody administers.
fn leaving(state: &State, by: AccountId, rooms: &[RoomId], (what, b): (u8, u8)) -> Deed {
    let is_named = |room: &&RoomId| matches!(state.room(**room).title, Title::Named(..));
    match (what % 4, rooms.iter().find(is_named)) {
        (0, Some(room)) => Deed::Delete { room: *room },
        (1, _) => Deed::Administer { who: by, on: b.is_multiple_of(2) },
        _ => {
            let said = if b.is_multiple_of(2) { Said::Goes } else { Said::Stays };
            let room = state.account(by).rooms.iter().min();
            let part = room.map(|room| Deed::In { room: *room, act: Act::Part });
            part.unwrap_or(Deed::Unregister { who: by, said })
        }
    }
}

fn said(c: u8) -> Act {
    Act::Say { kind: Kind::Text, body: words(c), reply: None }
}

fn words(c: u8) -> String {
    ["salut", "été", "salut été", "fin"][usize::from(c) % 4].to_owned()
}

fn about(what: u8, of: Seq, b: u8) -> Act {
    match what % 12 {
        6 => Act::Redact { of, reason: None },
        7 => Act::React { of, sign: "+".to_owned(), on: b.is_multiple_of(2) },
        _ => Act::Edit { of, body: words(b) },
    }
}

fn standing(b: u8, who: AccountId, c: u8) -> Act {
    let until = c.is_multiple_of(2).then_some(Millis(c.into()));
    match b % 14 {
        0..=2 => Act::Join,
        3 => Act::Part,
        4 => Act::Topic { text: words(c) },
        5 => Act::Role { who, role: [Role::Owner, Role::Moderator][usize::from(c) % 2] },
        6 => Act::Invite { who },
        7 => Act::Kick { who, reason: Some(words(c)) },
        8 => Act::Ban { who, until, reason: None },
        9 => Act::Unban { who },
        10 => Act::Mute { who, until },
        11 => Act::Unmute { who },
        12 => Act::Slow { seconds: c.into() },
        _ if c.is_multiple_of(3) => Act::Retain { days: Some(c.into()) },
        _ => Act::Read { last: Seq(c.into()) },
    }
}

/// Writes in groups, some of which are forgotten; between them the index goes on, rooms are settled, old
/// things are deleted, and the store is closed and opened.
fn run(groups: &[(u8, Vec<Step>)]) -> (Written, Model) {
    let (mut written, mut model) = (Written::new(), Model::default());
    for (end, steps) in groups {
        let before = (written.state.clone(), model.clone());
        written.store.begin().unwrap();
        for step in steps {
            let Some((by, deed)) = deed(&written.state, &model, *step) else { continue };
            let entry = written.entry(by, deed);
            written.state.apply(&entry);
            model.write(&entry);
            model.mark(&entry, &written.state);
            written.store.write(&entry, &written.state).unwrap();
        }
        if end % 5 == 0 {
            written.store.roll_back();
            (written.state, model) = before;
        } else {
            written.store.commit().unwrap();
        }
        written = between(written, &mut model, *end);
    }
    (written, model)
}

fn between(mut written: Written, model: &mut Model, end: u8) -> Written {
    match end % 7 {
        0 => _ = written.store.index_some(usize::from(end) % 9 + 1).unwrap(),
        1 | 5 => seen::settle(&mut written, usize::from(end) % 8),
        2 => {
            let expect = written.state.clone();
            written = written.anew();
            assert_eq!(written.state, expect);
        }
        4 => {
            while written.store.take_out_some(3).unwrap() == More::Yes {}
            model.take_out();
        }
        3 => {
            let Some(room) = choose(&model.rooms(), end) else { return written };
            let before = Millis(written.state.last.0 / 2);
            while written.store.forget(room, old(before), 2).unwrap() == More::Yes {}
            model.forget(room, before);
        }
        _ => {}
    }
    written
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_is_read_is_what_was_written(
        groups in proptest::collection::vec(
            (any::<u8>(), proptest::collection::vec(any::<Step>(), 0..24)), 0..8)
    ) {
        let (written, model) = run(&groups);
        prop_assert_eq!(written.store.reload().unwrap(), written.state.clone());
        seen::is_whole(&written);
        let archive = written.archive();
        for room in model.rooms() {
            let (past, more) = archive.page(room, Page::Latest, usize::MAX).unwrap();
            prop_assert_eq!((&past, more), (&model.page(room), More::No));
            let is_unread = |past: &&Past| {
                matches!(past.entry.deed, Deed::In { act: Act::Say { .. }, .. })
                    && !past.redacted
                    && !model.is_owed(past.entry.seq)
            };
            let span = (Seq(0), Seq(u64::MAX));
            let unread = archive.unread(room, AccountId(Seq(0)), span, u64::MAX).unwrap();
            prop_assert_eq!(unread, past.iter().filter(is_unread).count() as u64);
            for who in model.accounts() {
                let found = archive.marked(room, who, (Seq(0), Seq(u64::MAX)), u64::MAX).unwrap();
                prop_assert_eq!(found, model.count(room, who));
            }
            for word in ["salut", "ete", "fin"] {
                let found = archive.search(&[room], word, None, usize::MAX).unwrap();
                let has = |past: &&Past| {
                    matches!(past.entry.deed, Deed::In { act: Act::Say { .. }, .. })
                        && !model.is_owed(past.entry.seq)
                        && body(&past.entry).replace('é', "e").split(' ').any(|one| one == word)
                };
                let expect: Vec<_> = past.iter().rev().filter(has).cloned().collect();
                prop_assert_eq!(found, expect);
            }
        }
        for entry in &model.entries {
            let found = written.store.with_cid(entry.by, entry.cid.as_ref().unwrap()).unwrap();
            let is_read = matches!(entry.deed, Deed::In { act: Act::Read { .. }, .. });
            match written.store.entry(entry.seq).unwrap() {
                // Of what was read before nothing is kept, and of what was forgotten what it is called.
                None if is_read => {}
                None => {
                    let expect = model.is_known(entry).then_some(entry.seq);
                    prop_assert_eq!(found.map(|entry| entry.seq), expect);
                }
                kept => prop_assert_eq!(found, kept),
            }
        }
    }
}
