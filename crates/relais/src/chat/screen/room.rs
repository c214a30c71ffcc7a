//! A room as this client knows it: what was said there, as far as it was asked for, and how far it was read.

use std::collections::{BTreeMap, BTreeSet};

use relais_hub::{
    model::{Level, Role, Seq, Why},
    protocol::{Event, Held, Listed, Page, Place},
};
use tokio::time::Instant;

use super::{
    composer::Composer,
    item::{Item, Note, Said},
    signs::{Last, Signs},
};

/// How much of a room is held. What is older is asked for again.
pub(super) const ITEMS_MAX: usize = 5000;

/// The same while one looks at what is older: of what is newer the end is asked for again, then.
pub(super) const ITEMS_MAX_ABOVE: usize = 2 * ITEMS_MAX;

/// Of how many messages it is held that they were changed while a page was on its way.
const REWORDED_MAX: usize = 200;

/// How much of a message is held.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// Where something stands in a room: at its place in the log; notes of our own behind that.
pub(super) type Key = (Seq, u32);

/// A room, or what is said with somebody.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) place: Place,
    pub(super) topic: String,
    pub(super) standing: Standing,
    /// How much of it is to be noticed.
    pub(super) level: Level,
    /// The dialogue that is held there.
    pub(super) dialogue: Option<Held>,
    pub(super) items: BTreeMap<Key, Item>,
    /// From where to where pages were told: of what is in them, not all makes an item.
    pub(super) told: Option<(Seq, Seq)>,
    pub(super) signs: Signs,
    /// What is behind this was not read when one came here.
    pub(super) marker: Option<Seq>,
    /// The last that was read, as the hub was told.
    pub(super) read: Seq,
    pub(super) unread: u64,
    /// Up to here the hub counted what is unread; what it tells of that later is not counted again.
    pub(super) counted: Seq,
    pub(super) mentions: u64,
    pub(super) before: Before,
    pub(super) behind: Behind,
    /// Around which message a page was asked for last.
    pub(super) around: Option<Seq>,
    /// What messages came to, or that they were taken out, since a page was asked for, which may be older.
    reworded: BTreeMap<Seq, Option<String>>,
    /// Who writes, and until when that holds.
    pub(super) typing: BTreeMap<String, Instant>,
    pub(super) members: Vec<Member>,
    pub(super) composer: Composer,
    /// What is in the last row, unless it is the end.
    pub(super) scroll: Option<Anchor>,
    /// The message that is chosen.
    pub(super) chosen: Option<Seq>,
}

/// What who looks is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    In,
    /// It may come in.
    Invited,
}

/// What there is before the first item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nobody knows: nothing was asked for.
    Unknown,
    /// A page is asked for.
    Asked,
    More,
    /// It begins there.
    Nothing,
}

/// What there is behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// What will happen.
    Nothing,
    /// Something: an old part is looked at.
    More,
    /// The same, and a page of it is asked for.
    Asked,
}

/// Which row is the last on the screen: there are `hidden` more of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) key: Key,
    pub(super) hidden: usize,
}

/// Somebody who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) role: Role,
}

impl Room {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            topic: String::new(),
            standing: Standing::In,
            level: Level::default(),
            dialogue: None,
            items: BTreeMap::new(),
            told: None,
            signs: Signs::default(),
            marker: None,
            read: Seq::default(),
            unread: 0,
            counted: Seq::default(),
            mentions: 0,
            before: Before::Unknown,
            behind: Behind::Nothing,
            around: None,
            reworded: BTreeMap::new(),
            typing: BTreeMap::new(),
            members: Vec::new(),
            composer: Composer::default(),
            scroll: None,
            chosen: None,
        }
    }

    /// Takes what the hub says of it.
    pub(super) fn list(&mut self, listed: Listed) {
        let Listed { room, topic, last, mine, unread, mentions, level, dialogue, .. } = listed;
        (self.level, self.dialogue) = (level, dialogue);
        (self.place, self.topic, self.counted) = (room, topic, last);
        self.standing = if mine.is_some() { Standing::In } else { Standing::Invited };
        if let Some((read, _)) = mine {
            // What was read behind its end, was in a log that was set back since.
            self.read = if self.read > last { read } else { self.read.max(read) };
        }
        // The hub may not know yet what was read here.
        (self.unread, self.mentions) = if self.read >= last { (0, 0) } else { (unread, mentions) };
    }

    /// Takes in what happened just now. Whether it is a message that was not here.
    pub(super) fn hear(&mut self, event: &Event) -> bool {
        match event {
            Event::Edit { of, body, .. } => {
                self.reword(*of, Some(begin(body)));
                false
            }
            Event::Redact { of, .. } => {
                self.reword(*of, None);
                false
            }
            Event::Topic { topic, .. } => {
                self.topic.clone_from(topic);
                false
            }
            event => {
                let is_new = self.behind == Behind::Nothing && self.take(event);
                match self.scroll {
                    None => self.drop_oldest(),
                    Some(_) => self.drop_newest(),
                }
                is_new
            }
        }
    }

    /// Notes that a page is asked for.
    pub(super) fn ask(&mut self, page: Page) {
        if !self.is_asked() {
            self.reworded.clear();
        }
        match page {
            Page::After(_) => self.behind = Behind::Asked,
            Page::Around(seq) => (self.before, self.around) = (Before::Asked, Some(seq)),
            _ => self.before = Before::Asked,
        }
    }

    fn is_asked(&self) -> bool {
        self.before == Before::Asked || self.behind == Behind::Asked
    }

    /// Has a message read so, or be taken out; in a page that is on its way, too.
    fn reword(&mut self, of: Seq, body: Option<String>) {
        self.change(of, body.clone());
        if self.is_asked() {
            self.reworded.insert(of, body);
            if self.reworded.len() > REWORDED_MAX {
                self.reworded.pop_first();
            }
        }
    }

    fn change(&mut self, of: Seq, body: Option<String>) {
        if let Some(Item::Said(said)) = self.items.get_mut(&(of, 0)) {
            said.edited |= body.is_some();
            said.body = body;
        }
    }

    /// Takes in an entry of a page, which has messages as they read now. Whether it is a message that was
    /// not here.
    fn take(&mut self, event: &Event) -> bool {
        match event {
            Event::Message { at, kind, body, reply, mention, edited, notify } => {
                let (at_time, from) = (at.at, at.from.clone());
                let (kind, body, reply) = (*kind, body.as_deref().map(begin), *reply);
                let said = Said {
                    at: at_time,
                    from,
                    kind,
                    body,
                    reply,
                    mention: *mention || *notify == Some(Why::Keyword),
                    edited: *edited,
                };
                self.typing.remove(&said.from);
                self.items.insert((at.seq, 0), Item::Said(said)).is_none()
            }
            Event::React { at, of, emoji, on } => {
                let last = if *on { Last::Put } else { Last::TakenBack };
                self.signs.hear(*of, (emoji, &at.from), (at.seq, last));
                false
            }
            _ => false,
        }
    }

    /// Takes in a page, and notes of what in it is no message.
    pub(super) fn take_page(&mut self, events: &[Event], notes: BTreeMap<Seq, Note>) {
        for event in events {
            self.take(event);
        }
        for (of, body) in self.reworded.clone() {
            self.change(of, body);
        }
        self.reach(events);
        let notes = notes.into_iter().map(|(seq, note)| ((seq, 0), Item::Note(note)));
        self.items.extend(notes);
    }

    /// Puts a note behind all that is here.
    pub(super) fn note(&mut self, text: String) {
        let key =
            self.last().map_or((Seq::default(), 1), |(seq, nth)| (seq, nth.saturating_add(1)));
        self.items.insert(key, Item::Note(Note { at: None, text }));
    }

    /// Puts a note where the event stands that it is about.
    pub(super) fn note_at(&mut self, seq: Seq, note: Note) {
        if self.behind == Behind::Nothing {
            self.items.insert((seq, 0), Item::Note(note));
        }
    }

    /// Forgets what was said: another part of it will be looked at.
    pub(super) fn empty(&mut self, behind: Behind) {
        self.items.clear();
        self.told = None;
        self.signs = Signs::default();
        (self.before, self.behind) = (Before::Unknown, behind);
        (self.scroll, self.chosen) = (None, None);
    }

    /// Holds no more than may be, of which the newest.
    pub(super) fn drop_oldest(&mut self) {
        while self.items.len() > ITEMS_MAX {
            let Some(((seq, _), _)) = self.items.pop_first() else { return };
            (self.before, self.told) = (Before::More, None);
            self.signs.forget(seq);
        }
    }

    /// The same, of which the oldest.
    pub(super) fn drop_newest(&mut self) {
        while self.items.len() > ITEMS_MAX_ABOVE {
            self.items.pop_last();
            (self.behind, self.told) = (Behind::More, None);
        }
    }

    pub(super) fn said(&self, seq: Seq) -> Option<&Said> {
        match self.items.get(&(seq, 0))? {
            Item::Said(said) => Some(said),
            Item::Note(_) => None,
        }
    }

    /// The messages, as they stand.
    pub(super) fn all_said(&self) -> impl DoubleEndedIterator<Item = (Seq, &Said)> {
        self.items.iter().filter_map(|((seq, _), item)| match item {
            Item::Said(said) => Some((*seq, said)),
            Item::Note(_) => None,
        })
    }

    pub(super) fn last(&self) -> Option<Key> {
        self.items.last_key_value().map(|(key, _)| *key)
    }

    pub(super) fn is_talk(&self) -> bool {
        matches!(self.place, Place::Person(_))
    }

    /// Who spoke here or is here, each once.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let members = self.members.iter().map(|member| &*member.name);
        let partner = match &self.place {
            Place::Person(name) => Some(&**name),
            Place::Room(_) => None,
        };
        members.chain(self.all_said().map(|(_, said)| &*said.from)).chain(partner).collect()
    }
}

/// As much of a message as is held.
fn begin(body: &str) -> String {
    body[..body.floor_char_boundary(BODY_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use relais_hub::{
        model::{Kind, Millis},
        protocol::Where,
    };

    use super::*;

    fn at(seq: u64, from: &str) -> Where {
        let room = Place::Room("#lab".into());
        Where {
            room,
            seq: Seq(seq),
            prev: Seq(seq - 1),
            at: Millis(0),
            from: from.into(),
            cid: None,
        }
    }

    fn message(seq: u64, body: &str) -> Event {
        let (at, kind, body) = (at(seq, "ana"), Kind::Text, Some(body.into()));
        let (mention, notify) = (false, None);
        Event::Message { at, kind, body, reply: None, mention, notify, edited: false }
    }

    fn room() -> Room {
        Room::new(Place::Room("#lab".into()))
    }

    #[test]
    fn an_edit_of_a_page_does_not_make_a_message_older() {
        let mut room = room();
        let edit =
            |seq, body: &str| Event::Edit { at: at(seq, "ana"), of: Seq(1), body: body.into() };
        room.take_page(&[message(1, "second"), edit(2, "first")], BTreeMap::new());
        assert_eq!(room.said(Seq(1)).unwrap().body.as_deref(), Some("second"));
        room.hear(&edit(4, "third"));
        let said = room.said(Seq(1)).unwrap();
        assert_eq!((said.body.as_deref(), said.edited), (Some("third"), true));
        room.hear(&Event::Redact { at: at(5, "ana"), of: Seq(1), reason: None });
        assert_eq!(room.said(Seq(1)).unwrap().body, None);
    }

    #[test]
    fn what_was_changed_while_a_page_was_on_its_way_is_not_shown_as_it_was() {
        let mut room = room();
        room.ask(Page::Latest);
        let edit = |of| Event::Edit { at: at(9, "ana"), of: Seq(of), body: "new".into() };
        let redact = |of| Event::Redact { at: at(10, "ana"), of: Seq(of), reason: None };
        room.hear(&edit(1));
        room.hear(&redact(2));
        let page = [1, 2, 3].map(|seq| message(seq, "old"));
        room.take_page(&page, BTreeMap::new());
        let said = [1, 2, 3].map(|seq| room.said(Seq(seq)).unwrap());
        assert_eq!(said.map(|said| said.body.as_deref()), [Some("new"), None, Some("old")]);
        assert_eq!(said.map(|said| said.edited), [true, false, false]);
        // What a page has that is asked for later is newer.
        room.before = Before::More;
        room.hear(&redact(3));
        room.ask(Page::Before(Seq(1)));
        room.take_page(&[message(1, "newer")], BTreeMap::new());
        assert_eq!(room.said(Seq(1)).unwrap().body.as_deref(), Some("newer"));
        for seq in 20..=20 + REWORDED_MAX as u64 {
            room.hear(&edit(seq));
        }
        assert_eq!(room.reworded.len(), REWORDED_MAX);
    }

    #[test]
    fn notes_stand_behind_what_they_were_told_after() {
        let mut room = room();
        room.hear(&message(4, "a"));
        room.note("one".into());
        room.note("two".into());
        room.hear(&message(9, "b"));
        let keys: Vec<_> = room.items.keys().map(|(seq, nth)| (seq.0, *nth)).collect();
        assert_eq!(keys, [(4, 0), (4, 1), (4, 2), (9, 0)]);
    }

    #[test]
    fn of_a_long_talk_the_oldest_is_dropped_and_can_be_asked_for() {
        let mut room = room();
        room.before = Before::Nothing;
        for seq in 1..=ITEMS_MAX as u64 + 2 {
            assert!(room.hear(&message(seq, "a")));
        }
        assert_eq!(
            (room.items.len(), room.first(), room.before),
            (ITEMS_MAX, Some(Seq(3)), Before::More)
        );
        assert!(!room.hear(&message(9, "a")), "it is there already");
    }

    #[test]
    fn while_older_is_looked_at_the_newest_is_dropped_and_can_be_asked_for() {
        let mut room = room();
        room.hear(&message(1, "a"));
        room.scroll = Some(Anchor { key: (Seq(1), 0), hidden: 0 });
        let last = ITEMS_MAX_ABOVE as u64;
        for seq in 2..=last + 2 {
            room.hear(&message(seq, "a"));
        }
        let found = (room.items.len(), room.first(), room.last(), room.behind);
        let end = Some((Seq(last), 0));
        assert_eq!(found, (ITEMS_MAX_ABOVE, Some(Seq(1)), end, Behind::More));
        // Pages of what is older still have room.
        let mut room = Room::new(Place::Room("#lab".into()));
        let pages: Vec<_> = (1..=last + 5).map(|seq| message(seq, "a")).collect();
        room.take_page(&pages, BTreeMap::new());
        room.drop_newest();
        assert_eq!((room.items.len(), room.behind), (ITEMS_MAX_ABOVE, Behind::More));
    }

    #[test]
    fn what_is_too_much_is_not_held() {
        let mut room = room();
        room.hear(&message(1, &"é".repeat(BODY_BYTES_MAX)));
        let body = room.said(Seq(1)).unwrap().body.as_deref().unwrap_or_default();
        assert_eq!(body.len(), BODY_BYTES_MAX);
    }

    #[test]
    fn while_an_old_part_is_looked_at_nothing_new_stands_behind_it() {
        let mut room = room();
        room.empty(Behind::More);
        room.take_page(&[message(3, "old")], BTreeMap::new());
        assert!(!room.hear(&message(900, "new")));
        assert_eq!(room.last(), Some((Seq(3), 0)));
    }
}
