//! The tables, and how a store of an earlier version comes to have them.

mod administered;
mod counted;
mod hooked;
mod inviting;
mod passing;
mod seen;
mod standing;
mod timed;
mod used;

use std::path::Path;

use rusqlite::Connection;
use tracing::info;

use super::broken::Broken;

/// What makes each format of the one before. What stands here was released and does not change:
/// what is new is one more.
const STEPS: &[&str] = &[
    FIRST,
    DIALOGUES,
    WISHES,
    FORGOTTEN,
    administered::STEP,
    standing::STEP,
    used::STEP,
    counted::STEP,
    hooked::STEP,
    inviting::STEP,
    timed::STEP,
    passing::STEP,
    seen::STEP,
];

/// The log, what it comes to, and what is known of devices.
///
/// A place in the log is the rowid of its entry. What stands in `about`, `number` and `text` depends
/// on the deed: see `row.rs`. The text of `said` is not kept there, only its words.
const FIRST: &str = "
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        by INTEGER NOT NULL,
        cid TEXT,
        room INTEGER,
        deed TEXT NOT NULL,
        about INTEGER,
        number INTEGER,
        text TEXT,
        -- Of what was said: the last edit of it.
        edit INTEGER,
        -- Whether the text was taken out.
        redacted INTEGER NOT NULL
    ) STRICT;
    -- What clients call things by begins with the time, as ULIDs do: what is new stands together.
    CREATE UNIQUE INDEX log_cid ON log (cid, by) WHERE cid IS NOT NULL;
    -- What members see of a room; all that is counted is in it.
    CREATE INDEX log_seen ON log (room, seq, deed, redacted)
        WHERE room IS NOT NULL AND deed <> 'read';
    CREATE INDEX log_read ON log (room, by) WHERE deed = 'read';
    CREATE INDEX log_edit ON log (about) WHERE deed = 'edit';

    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        since INTEGER NOT NULL,
        password TEXT
    ) STRICT;
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        -- Either a name and an access, or two who talk.
        name TEXT,
        access INTEGER,
        one INTEGER,
        other INTEGER,
        topic TEXT NOT NULL,
        -- Not before this was its last entry; the log may have a later one.
        last INTEGER NOT NULL,
        slow_seconds INTEGER NOT NULL,
        retain_days INTEGER
    ) STRICT;
    CREATE TABLE members (
        room INTEGER NOT NULL,
        account INTEGER NOT NULL,
        role INTEGER NOT NULL,
        since INTEGER NOT NULL,
        read INTEGER NOT NULL,
        muted INTEGER NOT NULL,
        muted_until INTEGER,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE invited (
        room INTEGER NOT NULL,
        account INTEGER NOT NULL,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE banned (
        room INTEGER NOT NULL,
        account INTEGER NOT NULL,
        until INTEGER,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sessions (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        account INTEGER NOT NULL,
        device TEXT NOT NULL,
        since INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        UNIQUE (account, name)
    ) STRICT, WITHOUT ROWID;

    CREATE VIRTUAL TABLE said USING fts5 (
        room, by, text,
        content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
    );
    -- What is taken out is not to stay in it until it is merged.
    INSERT INTO said (said, rank) VALUES ('secure-delete', 1);

    CREATE TABLE progress (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        -- Not before this was the last entry; the log may have a later one.
        last INTEGER NOT NULL,
        -- The entry up to which `said` has the words.
        indexed INTEGER NOT NULL
    ) STRICT;
    INSERT INTO progress VALUES (1, 0, 0);
";

/// The dialogues that are held.
const DIALOGUES: &str = "
    CREATE TABLE dialogues (
        room INTEGER PRIMARY KEY,
        -- Whose turn it is, if they take turns.
        turn INTEGER
    ) STRICT;
";

/// What accounts want to notice, and what of it they have not read yet.
const WISHES: &str = "
    CREATE TABLE wishes (
        account INTEGER PRIMARY KEY,
        words TEXT NOT NULL,
        quiet INTEGER NOT NULL,
        quiet_until INTEGER
    ) STRICT;
    ALTER TABLE members ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
    -- What was said that names somebody, or has a word that somebody looks out for.
    CREATE TABLE marked (
        account INTEGER NOT NULL,
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (account, room, seq)
    ) STRICT, WITHOUT ROWID;
";

/// What clients called what was forgotten: no text is kept of it.
const FORGOTTEN: &str = "
    CREATE TABLE forgotten (
        cid TEXT NOT NULL,
        by INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        room INTEGER,
        deed TEXT NOT NULL,
        about INTEGER,
        number INTEGER,
        PRIMARY KEY (cid, by)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX forgotten_at ON forgotten (at);
";

/// What tells our files from other programs': `rlhb`.
pub(super) const APPLICATION: i64 = 0x726c_6862;

/// Makes the tables, or what they lack; of the latter it is told before it begins, as it may take a while.
///
/// # Errors
///
/// [`Broken`]: then nothing was changed.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), Broken> {
    let known = i64::try_from(STEPS.len()).expect("a few steps");
    let application = pragma(conn, "application_id")?;
    let found = pragma(conn, "user_version")?;
    let is_empty = application == 0 && found == 0 && pragma(conn, "schema_version")? == 0;
    if application != APPLICATION && !is_empty {
        return Err(Broken::Foreign { path: path.to_owned() });
    }
    let Some(missing) = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)) else {
        return Err(Broken::Newer { path: path.to_owned(), found, known });
    };
    if missing.is_empty() {
        return Ok(());
    }
    if is_empty {
        return take(conn, (missing, known));
    }
    info!(
        "{path:?} is brought from format {found} to {known}: of ten million messages that takes some ten \
         seconds, and until it is done nothing is changed"
    );
    take(conn, (missing, known)).map_err(|source| {
        let (path, source) = (path.to_owned(), Box::new(source));
        Broken::Older { path, found, known, source }
    })
}

/// Takes these steps to the format that is `known`, all of them or none.
fn take(conn: &mut Connection, (steps, known): (&[&str], i64)) -> Result<(), Broken> {
    let change = conn.transaction()?;
    for step in steps {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "application_id", APPLICATION)?;
    change.pragma_update(None, "user_version", known)?;
    Ok(change.commit()?)
}

fn pragma(conn: &Connection, name: &str) -> Result<i64, Broken> {
    Ok(conn.pragma_query_value(None, name, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use std::{
        error::Error as _,
        fmt::Debug,
        sync::{Arc, Mutex},
    };

    use tracing::{Event, Metadata, Subscriber, field::Field, span, subscriber};

    use super::*;
    use crate::{
        model::{AccountId, Invited, Millis, Role, RoomId, SLOW_SECONDS_MAX, Seq, Standing, Voice},
        protocol::Page,
        store::{Store, Sync},
    };

    fn migrated(conn: &mut Connection) -> Result<(), String> {
        migrate(conn, Path::new("hub.db")).map_err(|broken| broken.to_string())
    }

    #[test]
    fn tables_are_made_once() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrated(&mut conn).unwrap();
        let before = pragma(&conn, "schema_version").unwrap();
        migrated(&mut conn).unwrap();
        assert_eq!(pragma(&conn, "schema_version").unwrap(), before);
    }

    #[test]
    fn a_store_of_an_earlier_version_gets_what_it_lacks() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(FIRST).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        conn.execute("INSERT INTO members VALUES (2, 1, 2, 2, 2, 0, NULL)", []).unwrap();
        migrated(&mut conn).unwrap();
        assert_eq!(pragma(&conn, "user_version").unwrap(), 13);
        conn.execute("INSERT INTO dialogues VALUES (2, NULL)", []).unwrap();
        let count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        assert_eq!(conn.query_row("SELECT count(*) FROM members", [], count).unwrap(), 1);
    }

    /// Notes what is told.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Told {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut told = self.0.lock().unwrap();
            let mut note = |_: &Field, value: &dyn Debug| told.push(format!("{value:?}"));
            event.record(&mut note);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn of_a_store_that_is_brought_to_a_new_format_it_is_told_and_of_a_new_one_not() {
        let told = Told::default();
        subscriber::with_default(told.clone(), || {
            let mut conn = Connection::open_in_memory().unwrap();
            (0..2).for_each(|_| migrated(&mut conn).unwrap());
            assert_eq!(told.0.lock().unwrap()[..], [""; 0]);
            migrated(&mut of_format_12()).unwrap();
        });
        let told = told.0.lock().unwrap();
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("\"hub.db\" is brought from format 12 to 13: "), "{told:?}");
    }

    #[test]
    fn where_no_space_is_left_for_a_new_format_that_is_said_and_the_old_one_stays() {
        let mut conn = of_format_12();
        let pages = pragma(&conn, "page_count").unwrap();
        conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        let broken = migrate(&mut conn, Path::new("hub.db")).unwrap_err();
        let expect = "\"hub.db\" cannot be brought from format 12 to 13, and is as it was";
        assert_eq!(broken.to_string(), expect);
        let full = broken.source().unwrap();
        assert_eq!(full.to_string(), "no space is left for the store");
        assert_eq!(full.source().unwrap().to_string(), "database or disk is full");
        assert_eq!(pragma(&conn, "user_version").unwrap(), 12);
    }

    fn of_format_12() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        STEPS[..12].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 12).unwrap();
        conn
    }

    #[test]
    fn a_store_of_format_5_opens_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        let conn = Connection::open(&file).unwrap();
        STEPS[..5].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 5).unwrap();
        conn.execute_batch(
            "INSERT INTO accounts VALUES (1, 'ana', 7, NULL, 1, NULL);
             INSERT INTO rooms VALUES (2, '#lab', 0, NULL, NULL, '', 2, 999999, NULL);
             INSERT INTO members VALUES (2, 1, 2, 2, 2, 1, 99, 0);
             INSERT INTO rooms VALUES (4, '#typo', 0, NULL, NULL, '', 4, 0, NULL);
             INSERT INTO log VALUES
                (2, 7, 1, NULL, 2, 'create', 0, NULL, '#lab', NULL, 0),
                (3, 7, 1, NULL, 2, 'say', 0, NULL, 'hi', NULL, 0),
                (4, 7, 1, NULL, 4, 'create', 0, NULL, '#typo', NULL, 0),
                (5, 7, 1, NULL, 4, 'part', NULL, NULL, NULL, NULL, 0);",
        )
        .unwrap();
        drop(conn);
        let (_store, state) = Store::open(&file, Sync::Normal).unwrap();
        let room = state.room(RoomId(Seq(2)));
        assert_eq!((room.slow_seconds, room.absent.len()), (SLOW_SECONDS_MAX, 0));
        assert_eq!((room.used, room.is_unused()), (Some(Seq(3)), false));
        assert!(state.room(RoomId(Seq(4))).is_unused());
        let expect =
            Standing { role: Role::Owner, spoke: Millis(0), voice: Voice::Muted(Some(Millis(99))) };
        assert_eq!(room.members[&AccountId(Seq(1))].standing(), expect);
    }

    #[test]
    fn a_hook_of_format_8_is_for_the_room_that_it_was_made_for_or_goes() {
        let mut conn = Connection::open_in_memory().unwrap();
        STEPS[..8].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 8).unwrap();
        conn.execute_batch(
            "INSERT INTO log (seq, at, by, room, deed, text, redacted)
                VALUES (2, 7, 1, 2, 'create', '#lab', 0), (5, 20, 1, 5, 'create', '#den', 0);
             INSERT INTO rooms (id, name, access, topic, last, slow_seconds)
                VALUES (2, '#lab', 0, '', 2, 0), (5, '#den', 0, '', 5, 0);
             INSERT INTO sessions (hash, name, account, device, since, seen) VALUES
                (zeroblob(32), 'kept', 1, 'hook #lab two words', 7, 9),
                (x'01', 'old', 1, 'hook #den made before it', 19, 19),
                (x'02', 'gone', 1, 'hook #none x', 9, 9),
                (x'03', 'device', 1, 'Hook #none x', 9, 9);",
        )
        .unwrap();
        migrated(&mut conn).unwrap();
        let mut kept = conn.prepare("SELECT name, room FROM sessions ORDER BY name").unwrap();
        let kept = kept.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let kept: Vec<(String, Option<i64>)> = kept.map(Result::unwrap).collect();
        assert_eq!(kept, [("device".to_owned(), None), ("kept".to_owned(), Some(2))]);
    }

    #[test]
    fn what_members_see_of_a_store_of_format_12_is_found_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        let conn = Connection::open(&file).unwrap();
        STEPS[..12].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 12).unwrap();
        conn.execute_batch(
            "INSERT INTO accounts (id, name, since) VALUES (1, 'ana', 7);
             INSERT INTO rooms (id, name, access, topic, last, slow_seconds) VALUES
                (2, '#lab', 0, '', 2, 0), (3, '#den', 0, '', 3, 0);
             INSERT INTO log (seq, at, by, room, deed, about, number, text, redacted) VALUES
                (1, 7, 1, NULL, 'register', NULL, NULL, 'ana', 0),
                (2, 7, 1, 2, 'create', NULL, 0, '#lab', 0),
                (3, 7, 1, 3, 'create', NULL, 0, '#den', 0),
                (4, 7, 1, 2, 'say', NULL, 0, 'hi', 0),
                (5, 7, 1, 3, 'say', NULL, 0, 'ho', 0),
                (6, 7, 1, 2, 'say', NULL, 0, '', 1),
                (7, 7, 1, 2, 'redact', 6, NULL, NULL, 0),
                (8, 7, 1, 2, 'read', 7, NULL, NULL, 0);",
        )
        .unwrap();
        drop(conn);
        let (store, state) = Store::open(&file, Sync::Normal).unwrap();
        let (lab, den) = (RoomId(Seq(2)), RoomId(Seq(3)));
        assert_eq!((state.room(lab).last, state.room(den).last), (Seq(7), Seq(5)));
        let archive = store.archive().unwrap();
        let (past, _) = archive.page(lab, Page::Latest, 9).unwrap();
        let found = past.iter().map(|past| (past.entry.seq.0, past.prev.0, past.redacted));
        let expect = [(2, 0, false), (4, 2, false), (6, 4, true), (7, 6, false)];
        assert_eq!(found.collect::<Vec<_>>(), expect);
        let nobody = AccountId(Seq(0));
        assert_eq!(archive.unread(lab, nobody, (Seq(0), Seq(9)), 9).unwrap(), 1);
        let indices = "SELECT count(*) FROM sqlite_schema WHERE name = 'log_seen'";
        let indices = Connection::open(&file).unwrap().query_row(indices, [], |row| row.get(0));
        assert_eq!(indices, Ok(0));
    }

    #[test]
    fn a_device_of_format_11_that_typed_lasts_no_longer_than_it_was_connected() {
        let mut conn = Connection::open_in_memory().unwrap();
        STEPS[..11].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 11).unwrap();
        conn.execute_batch(
            "INSERT INTO sessions (hash, name, account, device, since, seen, room) VALUES
                (x'01', 'typed', 1, 'text 127.0.0.1', 7, 7, NULL),
                (x'02', 'typed on a socket', 1, 'text', 7, 7, NULL),
                (x'03', 'came back', 1, 'text ::1', 7, 8, NULL),
                (x'04', 'by its own name', 1, 'text editor', 7, 7, NULL),
                (x'05', 'laptop', 1, 'laptop', 7, 7, NULL),
                (x'06', 'hook', 1, 'text 7', 7, 7, 2);",
        )
        .unwrap();
        migrated(&mut conn).unwrap();
        let mut passing = conn.prepare("SELECT name FROM sessions WHERE passing = 1").unwrap();
        let passing = passing.query_map([], |row| row.get(0)).unwrap();
        let passing: Vec<String> = passing.map(Result::unwrap).collect();
        assert_eq!(passing, ["typed", "typed on a socket"]);
    }

    #[test]
    fn an_invitation_of_format_9_is_by_who_made_it_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        let conn = Connection::open(&file).unwrap();
        STEPS[..9].iter().for_each(|step| conn.execute_batch(step).unwrap());
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 9).unwrap();
        conn.execute_batch(
            "INSERT INTO accounts (id, name, since) VALUES (1, 'ana', 7), (2, 'bob', 7), (3, 'eve', 7);
             INSERT INTO rooms (id, name, access, topic, last, slow_seconds)
                VALUES (4, '#lab', 0, '', 4, 0);
             INSERT INTO log (seq, at, by, room, deed, about, redacted) VALUES
                (5, 11, 1, 4, 'invite', 3, 0), (6, 12, 2, 4, 'invite', 3, 0),
                (7, 13, 1, 4, 'invite', 2, 0), (8, 14, 1, 4, 'kick', 3, 0);
             INSERT INTO invited VALUES (4, 3);",
        )
        .unwrap();
        drop(conn);
        let (_store, state) = Store::open(&file, Sync::Normal).unwrap();
        let invited = &state.room(RoomId(Seq(4))).invited;
        let expect = Invited { by: AccountId(Seq(2)), at: Millis(12) };
        assert_eq!((invited.len(), invited[&AccountId(Seq(3))]), (1, expect));
    }

    #[test]
    fn a_later_format_is_refused_and_both_are_said() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrated(&mut conn).unwrap();
        conn.pragma_update(None, "user_version", 17).unwrap();
        assert_eq!(
            migrated(&mut conn).unwrap_err(),
            "\"hub.db\" has format 17, and this version knows formats up to 13"
        );
    }

    #[test]
    fn another_program_s_tables_are_not_touched() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE cookies (name)").unwrap();
        assert_eq!(migrated(&mut conn).unwrap_err(), "\"hub.db\" is no hub's; name another file");
        assert_eq!(pragma(&conn, "user_version").unwrap(), 0);
    }
}
