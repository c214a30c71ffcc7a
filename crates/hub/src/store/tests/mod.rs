//! The store as its callers see it: each file asks something else of it.

mod keeping;
mod leaving;
mod likeness;
mod noticing;
mod opening;
mod passing_over;
mod pausing;
mod reading;
mod searching;
mod seen;
mod standing;

use std::path::PathBuf;

use tempfile::TempDir;

use super::{Archive, Broken, Old, Store, Sync, is_in_use};
use crate::model::{Access, AccountId, Act, Cid, Deed, Entry, Kind, Millis, RoomId, Seq, State};

/// A store in a folder of its own, and what its log comes to.
struct Written {
    folder: TempDir,
    store: Store,
    state: State,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, state) = Store::open(&folder.path().join("hub.db"), Sync::Normal).unwrap();
        Self { folder, store, state }
    }

    /// With an account and a room of its.
    fn with_room() -> (Self, AccountId, RoomId) {
        let mut written = Self::new();
        let ana = written.register("ana");
        let lab = written.create(ana, "#lab");
        (written, ana, lab)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("hub.db")
    }

    /// The same, closed and opened again.
    fn anew(self) -> Self {
        let file = self.file();
        let Self { folder, store, .. } = self;
        drop(store);
        let (store, state) = Store::open(&file, Sync::Full).unwrap();
        Self { folder, store, state }
    }

    fn archive(&self) -> Archive {
        self.store.archive().unwrap()
    }

    /// The next entry, at a time that is its place.
    fn entry(&self, by: Option<AccountId>, deed: Deed) -> Entry {
        let seq = Seq(self.state.last.0 + 1);
        let cid = Cid::new(&format!("c{seq}"));
        Entry { seq, at: Millis(seq.0), by: by.unwrap_or(AccountId(seq)), cid, deed }
    }

    fn write(&mut self, by: Option<AccountId>, deed: Deed) -> Seq {
        let entry = self.entry(by, deed);
        self.put(&entry)
    }

    fn put(&mut self, entry: &Entry) -> Seq {
        self.state.apply(entry);
        self.store.begin().unwrap();
        self.store.write(entry, &self.state).unwrap();
        self.store.commit().unwrap();
        entry.seq
    }

    fn register(&mut self, name: &str) -> AccountId {
        AccountId(self.write(None, Deed::Register { name: name.to_owned() }))
    }

    fn create(&mut self, by: AccountId, name: &str) -> RoomId {
        let deed = Deed::Create { name: name.to_owned(), access: Access::Public };
        RoomId(self.write(Some(by), deed))
    }

    fn act(&mut self, by: AccountId, room: RoomId, act: Act) -> Seq {
        self.write(Some(by), Deed::In { room, act })
    }

    fn say(&mut self, by: AccountId, room: RoomId, body: &str) -> Seq {
        let body = body.to_owned();
        self.act(by, room, Act::Say { kind: Kind::Text, body, reply: None })
    }

    /// The same by a clock that says something else.
    fn say_at(&mut self, by: AccountId, room: RoomId, at: Millis) -> Seq {
        let act = Act::Say { kind: Kind::Text, body: "hi".to_owned(), reply: None };
        let entry = self.entry(Some(by), Deed::In { room, act });
        self.put(&Entry { at, ..entry })
    }

    fn edit(&mut self, by: AccountId, room: RoomId, of: Seq, body: &str) -> Seq {
        self.act(by, room, Act::Edit { of, body: body.to_owned() })
    }

    fn redact(&mut self, by: AccountId, room: RoomId, of: Seq) -> Seq {
        self.act(by, room, Act::Redact { of, reason: None })
    }

    /// Whether these bytes are in any of the store's files.
    fn has_on_disk(&self, bytes: &str) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().any(|file| {
            let found = std::fs::read(file.unwrap().path()).unwrap();
            found.windows(bytes.len()).any(|window| window == bytes.as_bytes())
        })
    }
}

impl Store {
    /// Has its disk take no more, or again.
    pub(crate) fn set_full(&self, is_full: bool) {
        let pages_max = if is_full { 1 } else { u32::MAX - 1 };
        self.conn.pragma_update(None, "max_page_count", pages_max).unwrap();
    }
}

/// What was written before then, of which every name is kept.
fn old(before: Millis) -> Old {
    Old { now: Millis(u64::MAX), written_before: before, named_before: Millis(0) }
}

/// What a deed's text is, if it says something.
fn body(entry: &Entry) -> &str {
    match &entry.deed {
        Deed::In { act: Act::Say { body, .. } | Act::Edit { body, .. }, .. } => body,
        _ => "",
    }
}

#[track_caller]
fn says(broken: &Broken, expect: &str) {
    let text = broken.to_string();
    assert!(text.contains(expect), "{text}");
}
