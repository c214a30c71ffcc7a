//! Those who read without pause, and what is done with the log beside the file all the same.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use super::*;
use crate::store::{More, Reads};

/// How many read at once, so that there is always one who does.
const READERS: usize = 2;

/// Has some search all the time while `work` is done.
fn while_others_read<T>(written: &mut Written, work: impl FnOnce(&mut Written) -> T) -> T {
    let archives: Vec<_> = (0..READERS).map(|_| written.archive()).collect();
    let (is_over, began) = (AtomicBool::new(false), std::sync::Barrier::new(READERS + 1));
    thread::scope(|scope| {
        for archive in archives {
            let (is_over, began) = (&is_over, &began);
            scope.spawn(move || {
                let read = || {
                    let _reading = archive.begin(Reads::Long);
                    let sql = "WITH RECURSIVE n (i) AS (
                            SELECT count(*) FROM accounts UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                        SELECT count(*) FROM n";
                    archive.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
                };
                read();
                began.wait();
                while !is_over.load(Relaxed) {
                    read();
                }
            });
        }
        began.wait();
        let done = work(written);
        is_over.store(true, Relaxed);
        done
    })
}

/// What tells one beginning of the log beside the file from the next.
fn salt(written: &Written) -> [u8; 8] {
    let (log, mut salt) = (File::open(written.folder.path().join("hub.db-wal")).unwrap(), [0; 8]);
    log.read_exact_at(&mut salt, 16).map_or([0; 8], |()| salt)
}

#[test]
fn the_log_beside_the_file_is_begun_anew_though_somebody_always_reads() {
    let (mut written, ana, lab) = Written::with_room();
    let (first, body) = (salt(&written), "x".repeat(16 << 10));
    let said = while_others_read(&mut written, |written| {
        let said = (0..12_000).take_while(|_| {
            written.say(ana, lab, &body);
            salt(written) == first
        });
        said.count()
    });
    assert!(said < 12_000, "it grows on and on");
}

#[test]
fn what_was_taken_out_is_wiped_off_though_somebody_always_reads() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "zanzibar");
    written.redact(ana, lab, seq);
    while_others_read(&mut written, |written| {
        while written.store.wipe().unwrap() == More::Yes {
            thread::yield_now();
        }
    });
    assert!(!written.has_on_disk("zanzibar"));
    let next = written.say(ana, lab, "quagmire");
    written.redact(ana, lab, next);
    assert_eq!(written.store.wipe().unwrap(), More::No);
    assert!(!written.has_on_disk("quagmire"));
}
