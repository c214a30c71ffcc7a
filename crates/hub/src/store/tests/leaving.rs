//! Accounts and rooms that are deleted, invitations, and what who looks after a hub reads.

use super::*;
use crate::{
    model::{GONE, Quiet, Said, Wish, Words},
    protocol::Page,
    store::{Invitation, More, Session, Stays},
};

impl Written {
    /// As the desk does it: out of all rooms first.
    fn unregister(&mut self, who: AccountId, said: Said) {
        let mut rooms: Vec<_> = self.state.account(who).rooms.iter().copied().collect();
        rooms.sort_unstable();
        for room in rooms {
            self.act(who, room, Act::Part);
        }
        self.write(Some(who), Deed::Unregister { who, said });
    }

    fn take_out(&mut self) {
        while self.store.take_out_some(2).unwrap() == More::Yes {}
    }

    /// What the log as it is now comes to.
    fn replayed(&self) -> State {
        let mut state = State::default();
        for seq in 1..=self.state.last.0 {
            if let Some(entry) = self.store.entry(Seq(seq)).unwrap() {
                state.apply(&entry);
            }
        }
        state
    }

    fn bodies(&self, room: RoomId) -> Vec<String> {
        let (past, _) = self.archive().page(room, Page::Latest, 100).unwrap();
        past.iter().map(|past| body(&past.entry).to_owned()).filter(|it| !it.is_empty()).collect()
    }
}

fn session(account: AccountId) -> Session {
    let (name, device) = ("s_1".to_owned(), "phone".to_owned());
    let (since, seen, stays) = (Millis(1), Millis(2), Stays::UntilEnded);
    Session { hash: [7; 32], name, account, device, since, seen, room: None, stays }
}

/// Ana, who administers, and bob, in a room of his, who both said something.
fn two() -> (Written, AccountId, AccountId, RoomId) {
    let mut written = Written::new();
    let (ana, bob) = (written.register("ana"), written.register("Bob"));
    let lab = written.create(bob, "#lab");
    written.act(ana, lab, Act::Join);
    written.write(Some(ana), Deed::Talk { with: bob });
    written.say(ana, lab, "bonjour");
    let said = written.say(bob, lab, "salutations");
    written.edit(bob, lab, said, "bonsoir");
    written.say(ana, lab, "adieu");
    written.store.set_password(bob, "$argon2id$bob").unwrap();
    written.store.add_session(&session(bob)).unwrap();
    (written, ana, bob, lab)
}

#[test]
fn a_deleted_account_is_the_same_from_its_tables_and_from_the_log() {
    for said in [Said::Stays, Said::Goes] {
        let (mut written, ana, bob, lab) = two();
        written.unregister(bob, said);
        for _ in 0..2 {
            assert_eq!(written.store.reload().unwrap(), written.state.clone());
            assert_eq!(written.replayed(), written.state.clone());
            written.take_out();
        }
        let written = written.anew();
        assert_eq!(written.replayed(), written.state);
        assert_eq!(written.state.account(bob).name, GONE);
        assert_eq!(written.state.account_like("bob"), Some(bob));
        assert!(written.state.is_admin(ana) && !written.state.has_account(bob));
        assert_eq!(written.store.password(bob).unwrap(), None);
        assert_eq!(written.store.session(&[7; 32]).unwrap(), None);
        let expect: &[&str] = match said {
            // What is edited reads so, and the edit is an entry of its own.
            Said::Stays => &["bonjour", "bonsoir", "bonsoir", "adieu"],
            Said::Goes => &["bonjour", "adieu"],
        };
        assert_eq!(written.bodies(lab), expect);
    }
}

#[test]
fn with_what_an_account_said_go_its_reasons_its_signs_and_topics_that_no_room_has() {
    let (mut written, ana, bob, lab) = two();
    let (of, own) = (written.say(ana, lab, "hello"), written.say(bob, lab, "mine"));
    let reason = |word: &str| Some(format!("{word} secret"));
    let until = Some(Millis(99));
    let acts = [
        Act::React { of, sign: "sign secret".to_owned(), on: true },
        Act::Redact { of: own, reason: reason("redact") },
        Act::Topic { text: "topic secret".to_owned() },
        Act::Topic { text: "what we do".to_owned() },
        Act::Kick { who: ana, reason: reason("kick") },
        Act::Ban { who: ana, until, reason: reason("ban") },
    ];
    let seqs = acts.map(|act| written.act(bob, lab, act));
    written.unregister(bob, Said::Goes);
    written.take_out();
    written.store.checkpoint().unwrap();
    assert!(!written.has_on_disk("secret"));
    let left = seqs.map(|seq| match written.store.entry(seq).unwrap().unwrap().deed {
        Deed::In { act, .. } => act,
        deed => panic!("{deed:?}"),
    });
    let expect = [
        Act::React { of, sign: String::new(), on: false },
        Act::Redact { of: own, reason: None },
        Act::Topic { text: String::new() },
        Act::Topic { text: "what we do".to_owned() },
        Act::Kick { who: ana, reason: None },
        Act::Ban { who: ana, until, reason: None },
    ];
    assert_eq!(left, expect);
    assert_eq!(written.replayed(), written.state);
    assert_eq!(written.store.reload().unwrap(), written.state);
}

#[test]
fn what_is_taken_out_is_overwritten_by_and_by_and_after_a_crash() {
    let (mut written, _, bob, lab) = two();
    for number in 0..9 {
        written.say(bob, lab, &format!("nombre{number}"));
    }
    while written.store.index_some(100).unwrap() == More::Yes {}
    written.unregister(bob, Said::Goes);
    assert_eq!(written.store.take_out_some(2).unwrap(), More::Yes);
    let mut written = written.anew();
    written.take_out();
    assert_eq!(written.store.take_out_some(2).unwrap(), More::No);
    written.store.checkpoint().unwrap();
    assert_eq!(written.bodies(lab), ["bonjour", "adieu"]);
    for word in ["salutations", "bonsoir", "nombre8"] {
        assert!(!written.has_on_disk(word), "{word}");
        assert_eq!(written.archive().search(&[lab], word, None, 9).unwrap(), []);
    }
}

#[test]
fn of_an_account_that_is_new_nothing_is_looked_for_before_it_and_rooms_wait_for_no_account() {
    let (written, ana, _, lab) = two();
    // As much as is looked at in two steps.
    written
        .store
        .conn
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8192)
         INSERT INTO log (seq, at, by, deed, redacted) SELECT 100 + i, 0, 1, 'quiet', 0 FROM n;
         UPDATE progress SET last = 9999",
        )
        .unwrap();
    let mut written = written.anew();
    let eve = written.register("eve");
    written.unregister(eve, Said::Goes);
    assert_eq!(written.store.take_out_some(2).unwrap(), More::Yes);
    assert_eq!(written.store.take_out_some(2).unwrap(), More::Yes, "that was all of it");
    assert_eq!(written.store.take_out_some(2).unwrap(), More::No);
    // One that is looked for in all of it.
    written.store.conn.execute("INSERT INTO owed VALUES (0, ?1, 0)", [ana]).unwrap();
    written.write(Some(ana), Deed::Delete { room: lab });
    for _ in 0..2 {
        assert_eq!(written.store.take_out_some(100).unwrap(), More::Yes);
    }
    written.store.checkpoint().unwrap();
    assert!(!written.has_on_disk("salutations"));
    assert_eq!(written.store.take_out_some(100).unwrap(), More::Yes);
}

#[test]
fn what_a_deleted_account_wanted_to_notice_and_called_things_is_known_no_more() {
    for said in [Said::Stays, Said::Goes] {
        let (mut written, ana, bob, lab) = two();
        written.write(Some(bob), Deed::Wish(Wish::Quiet(Quiet::On)));
        written.write(Some(bob), Deed::Wish(Wish::Words(Words::read("thesis"))));
        let words = written.state.last;
        written.store.forget(lab, old(Millis(words.0)), 99).unwrap();
        written.say(ana, lab, "what of the thesis?");
        let last = written.say(bob, lab, "@ana soon");
        let kept = |written: &Written, sql: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {sql}");
            written.store.conn.query_row(&sql, [bob], |row| row.get(0)).unwrap()
        };
        let known = |written: &Written| {
            ["wishes WHERE account = ?1", "marked WHERE account = ?1", "forgotten WHERE by = ?1"]
                .map(|sql| kept(written, sql))
        };
        assert_eq!(known(&written), [1, 1, 2]);
        written.unregister(bob, said);
        assert_eq!(known(&written), [0, 0, 0]);
        // What it said is counted as long as it is there.
        let count = u64::from(said == Said::Stays);
        let end = Seq(u64::MAX);
        let archive = written.archive();
        assert_eq!(archive.marked(lab, ana, (Seq(0), end), 9).unwrap(), count);
        assert_eq!(archive.unread(lab, ana, (Seq(0), end), 9).unwrap(), count);
        assert_eq!(archive.search(&[lab], "soon", None, 9).unwrap().len() as u64, count);
        written.take_out();
        let left = written.store.entry(words).unwrap().unwrap().deed;
        assert_eq!(left, Deed::Wish(Wish::Words(Words::default())));
        written.store.forget(lab, old(Millis(last.0 + 1)), 99).unwrap();
        assert_eq!(known(&written), [0, 0, 0]);
        assert_eq!(written.store.reload().unwrap(), written.state.clone());
    }
}

#[test]
fn a_deleted_room_is_gone_from_tables_log_and_index() {
    let (mut written, ana, bob, lab) = two();
    let den = written.create(ana, "#den");
    written.say(ana, den, "ici");
    written.act(ana, lab, Act::Read { last: Seq(3) });
    while written.store.index_some(100).unwrap() == More::Yes {}
    let invitation = Invitation { room: Some(lab), ..invitation(1) };
    written.store.add_invitation(&invitation).unwrap();
    written.write(Some(ana), Deed::Delete { room: lab });
    for _ in 0..2 {
        assert_eq!(written.store.reload().unwrap(), written.state.clone());
        assert_eq!(written.replayed(), written.state.clone());
        written.take_out();
    }
    written.store.checkpoint().unwrap();
    let mut written = written.anew();
    for word in ["bonjour", "salutations", "bonsoir", "adieu"] {
        assert!(!written.has_on_disk(word), "{word}");
    }
    assert_eq!(written.bodies(den), ["ici"]);
    assert!(written.state.account(bob).rooms.iter().all(|room| *room != lab));
    assert_eq!(written.store.invitation(&[1; 32]).unwrap().unwrap().room, None);
    // Its name is free, and its place is not given again.
    assert!(written.create(bob, "#lab").0 > den.0);
}

fn invitation(number: u8) -> Invitation {
    let (hash, name) = ([number; 32], format!("i_{number}"));
    let since = Millis(number.into());
    Invitation { hash, name, since, until: Some(Millis(99)), uses: 2, room: None }
}

#[test]
fn an_invitation_is_used_as_often_as_it_says_and_no_more() {
    let mut written = Written::new();
    written.store.add_invitation(&invitation(1)).unwrap();
    assert_eq!(written.store.invitation(&[1; 32]).unwrap(), Some(invitation(1)));
    assert_eq!(written.store.invitation(&[2; 32]).unwrap(), None);
    for uses in [1, 0, 0] {
        written.store.use_invitation(&[1; 32]).unwrap();
        assert_eq!(written.store.invitation(&[1; 32]).unwrap().unwrap().uses, uses);
    }
    assert!(written.store.add_invitation(&invitation(1)).is_err());
    assert_eq!(written.store.invitations().unwrap(), 1);
    assert!(written.store.revoke_invitation("i_1").unwrap());
    assert!(!written.store.revoke_invitation("i_1").unwrap());
}

#[test]
fn who_looks_after_a_hub_reads_what_there_is() {
    let (mut written, ana, bob, lab) = two();
    written.store.add_invitation(&invitation(1)).unwrap();
    let ledger = written.store.ledger().unwrap();
    let users = ledger.users(AccountId::default(), 9).unwrap();
    let named: Vec<_> = users.iter().map(|user| (&*user.name, user.admin, user.devices)).collect();
    assert_eq!(named, [("ana", true, 0), ("Bob", false, 1)]);
    assert_eq!(ledger.users(ana, 9).unwrap(), users[1..]);
    assert_eq!(ledger.user(bob).unwrap().as_ref(), users.last());
    assert_eq!(users[1].seen, Some(Millis(2)));
    let rooms = ledger.rooms(RoomId(Seq(0)), 9).unwrap();
    assert_eq!((&*rooms[0].name, rooms[0].members, rooms.len()), ("#lab", 2, 1));
    assert_eq!(ledger.room(lab).unwrap().as_ref(), rooms.first());
    let members = ledger.members(lab, AccountId::default(), 9).unwrap();
    assert_eq!(members.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["ana", "Bob"]);
    assert_eq!(ledger.memberships(bob).unwrap().len(), 2);
    assert_eq!(ledger.devices(bob).unwrap(), [session(bob)]);
    assert_eq!(ledger.owners("s_1").unwrap(), [bob]);
    assert_eq!(ledger.invitations().unwrap(), [invitation(1)]);
    let texts: Vec<_> = ledger.written(bob, Seq(0), 99).unwrap();
    let texts: Vec<_> = texts.iter().map(body).filter(|body| !body.is_empty()).collect();
    assert_eq!(texts, ["salutations", "bonsoir"]);
}

#[test]
fn who_was_first_administers_a_store_of_an_earlier_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.db");
    let (store, _) = Store::open(&file, Sync::Normal).unwrap();
    store
        .conn
        .execute_batch(
            "INSERT INTO accounts (id, name, since) VALUES (1, 'ana', 1), (2, 'bob', 2);
             ALTER TABLE accounts DROP COLUMN admin;
             ALTER TABLE accounts DROP COLUMN gone;
             DROP TABLE owed;
             DROP TABLE invitations;
             DROP INDEX forgotten_by;
             DROP INDEX forgotten_room;
             ALTER TABLE members DROP COLUMN spoke;
             DROP TABLE absent;
             ALTER TABLE rooms DROP COLUMN used;
             DROP INDEX sessions_room;
             ALTER TABLE sessions DROP COLUMN room;
             ALTER TABLE invited DROP COLUMN by;
             ALTER TABLE invited DROP COLUMN at;
             ALTER TABLE progress DROP COLUMN believed_at;
             DROP INDEX log_timed;
             DROP INDEX sessions_passing;
             ALTER TABLE sessions DROP COLUMN passing;
             ALTER TABLE accounts DROP COLUMN seen;
             DROP VIEW seen;
             DROP TABLE seen_before;
             DROP TABLE seen_lately;
             CREATE INDEX log_seen ON log (room, seq, deed, redacted)
                WHERE room IS NOT NULL AND deed <> 'read';
             PRAGMA user_version = 4;",
        )
        .unwrap();
    drop(store);
    let (_, state) = Store::open(&file, Sync::Normal).unwrap();
    assert_eq!(state.admins().collect::<Vec<_>>(), [AccountId(Seq(1))]);
}

#[test]
fn an_invitation_that_is_declined_or_of_a_deleted_account_is_in_no_table() {
    for leaves in ["ana", "bob", "neither"] {
        let mut written = Written::new();
        let (ana, bob) = (written.register("ana"), written.register("bob"));
        let lab = written.create(ana, "#lab");
        written.act(ana, lab, Act::Invite { who: bob });
        match leaves {
            "ana" => written.unregister(ana, Said::Stays),
            "bob" => written.unregister(bob, Said::Stays),
            _ => _ = written.act(bob, lab, Act::Part),
        }
        let kept = "SELECT count(*) FROM invited";
        let kept: i64 = written.store.conn.query_row(kept, [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 0, "{leaves}");
        assert_eq!(written.store.reload().unwrap(), written.state);
        assert_eq!(written.replayed(), written.state);
    }
}
