use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use super::*;
use crate::line_log::{
    Queue, Sink,
    ear::{Disk, Ear},
};

const PATIENCE: Duration = Duration::from_secs(10);

fn writer(out: Out) -> (LineWriter, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    (LineWriter::new(Pen::new("sniff log", out, Arc::clone(&tally)), || UNIX_EPOCH), tally)
}

fn on_disk(disk: &Disk) -> (LineWriter, Arc<Tally>) {
    writer(Out::open(Sink::Writer(Box::new(disk.clone()))).unwrap())
}

fn batch(lines: &[&str]) -> Batch<Lines> {
    let mut load = Lines::default();
    for line in lines {
        load.add(format!("{line}\n").as_bytes()).unwrap();
    }
    Batch { load, ..Batch::default() }
}

fn missing(lines: u64) -> String {
    format!("{{\"dropped\":{lines},\"time\":\"1970-01-01T00:00:00.000000Z\"}}\n")
}

fn counts(Tally { written, dropped, lost }: &Tally) -> [u64; 3] {
    [written, dropped, lost].map(|count: &AtomicU64| count.load(Ordering::Relaxed))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn put(log: &LineLog, line: &str) {
    log.note(|out| out.extend_from_slice(format!("{line}\n").as_bytes()));
}

#[test]
fn what_is_noted_is_in_the_file_when_the_log_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, "one\nto").unwrap();
    let log = LineLog::start("sniff log", LogFile::at(&path)).unwrap();
    put(&log, "two");
    put(&log.clone(), "three");
    assert_eq!(log.shutdown(PATIENCE), Closed::InTime);
    assert_eq!(log.shutdown(PATIENCE), Closed::InTime, "a second time");
    put(&log, "late");
    assert_eq!(read(&path), "one\nto\ntwo\nthree\n", "a torn line is ended");
    assert_eq!(counts(log.tally())[0], 2);
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = LineLog::start("sniff log", LogFile::at(dir.path().join("none/log"))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_moved_file_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let (mut writer, _) = writer(Out::open_rotated(LogFile::at(&path)).unwrap());
    writer.write(&batch(&["one"]));
    fs::rename(&path, dir.path().join("moved")).unwrap();
    writer.write(&batch(&["two"]));
    fs::remove_file(&path).unwrap();
    writer.write(&Batch { reopen: true, ..Batch::default() });
    assert_eq!(read(&path), "");
    writer.write(&batch(&["three"]));
    assert_eq!(
        (read(dir.path().join("moved")).as_str(), read(&path).as_str()),
        ("one\n", "three\n")
    );
}

#[test]
fn a_full_buffer_drops_counts_and_says_so_in_the_file() {
    let queue = Queue::<Lines>::default();
    let line = [b"a".repeat(1023), b"\n".to_vec()].concat();
    for _ in 0..1024 + 3 {
        queue.push(|lines| lines.add(&line));
    }
    assert!(!queue.is_roomy());
    let full = queue.take(Lines::default());
    assert_eq!((full.load.count, full.load.text.len(), full.dropped), (1024, BYTES_MAX, 3));
    let (disk, ear) = (Disk::default(), Ear::default());
    disk.give(usize::MAX);
    let (mut writer, tally) = on_disk(&disk);
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&full);
        writer.write(&batch(&["next"]));
        writer.tell_dropped_at(0);
    });
    assert!(disk.text().ends_with(&format!("a\n{}next\n", missing(3))));
    assert_eq!(counts(&tally), [1025, 3, 0]);
    let said = ear.heard();
    assert!(said.len() == 1 && said[0].starts_with("WARN"), "{said:?}");
    assert!(said[0].contains("sniff log entries dropped") && said[0].contains("dropped=3"));
}

#[test]
fn warnings_of_dropped_lines_come_every_few_seconds_and_at_the_end() {
    let (disk, ear) = (Disk::default(), Ear::default());
    disk.give(usize::MAX);
    let (mut writer, _) = on_disk(&disk);
    let mut said_at = |now, dropped, closed| {
        tracing::subscriber::with_default(ear.clone(), || {
            writer.write(&Batch { dropped, closed, ..batch(&["a"]) });
            writer.tell_dropped_at(now);
        });
        ear.heard().concat()
    };
    assert_eq!(said_at(10, 0, false), "");
    assert!(said_at(20, 1, false).contains("dropped=1"));
    assert_eq!(said_at(5_019, 2, false), "");
    assert!(said_at(5_020, 3, false).contains("dropped=5"));
    assert_eq!(said_at(99_999, 0, false), "");
    assert!(said_at(100_000, 4, false).contains("dropped=4"));
    assert!(said_at(100_001, 5, true).contains("dropped=5"));
}

#[test]
fn a_full_disk_is_told_once_and_what_it_cost_stands_in_the_file() {
    let (disk, ear) = (Disk::default(), Ear::default());
    let (mut writer, tally) = on_disk(&disk);
    tracing::subscriber::with_default(ear.clone(), || {
        disk.give("one\nt".len());
        writer.write(&batch(&["one", "two", "three"]));
        writer.write(&batch(&["four"]));
        writer.write(&batch(&[]));
        disk.give(usize::MAX);
        writer.write(&batch(&["five"]));
        writer.write(&batch(&["six"]));
    });
    assert_eq!(disk.text(), format!("one\nt\n{}five\nsix\n", missing(3)));
    assert_eq!(counts(&tally), [3, 0, 3]);
    let said = ear.heard();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ERROR") && said[0].contains("cannot write the sniff log"));
    assert!(said[1].starts_with("INFO") && said[1].contains("lost=3"), "{said:?}");
}

#[test]
fn a_device_that_is_always_full_loses_all_and_holds_up_nobody() {
    let log = LineLog::start("sniff log", LogFile { size_max: 1, ..LogFile::at("/dev/full") });
    let log = log.unwrap();
    for _ in 0..10 {
        put(&log, "one");
    }
    assert_eq!(log.shutdown(PATIENCE), Closed::InTime);
    assert_eq!(counts(log.tally()), [0, 0, 10]);
}

#[test]
fn a_full_file_is_put_aside_and_no_line_is_torn_or_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let file = LogFile { path: path.clone(), size_max: 10, keep: 2 };
    let older = |number| read(dir.path().join(format!("log.{number}")));
    let (mut first, tally) = writer(Out::open_rotated(file.clone()).unwrap());
    first.write(&batch(&["one", "two", "three", "four"]));
    assert_eq!([older(2), older(1), read(&path)], ["one\ntwo\n", "three\n", "four\n"]);
    assert_eq!(counts(&tally), [4, 0, 0]);
    // Who comes after knows how full it is.
    let (mut second, _) = writer(Out::open_rotated(file).unwrap());
    second.write(&batch(&["five", "six"]));
    second.write(&batch(&["a line that is too long for any"]));
    let long = "a line that is too long for any\n";
    assert_eq!([older(2), older(1), read(&path)], ["four\nfive\n", "six\n", long]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_file_that_cannot_be_put_aside_grows_on_and_that_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    // A folder in the place of the older file: nothing can be renamed to it.
    fs::create_dir(dir.path().join("log.1")).unwrap();
    fs::write(dir.path().join("log.1/file"), "").unwrap();
    let file = LogFile { path: path.clone(), size_max: 8, keep: 1 };
    let (mut writer, tally) = writer(Out::open_rotated(file).unwrap());
    let ear = Ear::default();
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&batch(&["one", "two", "three"]));
        writer.write(&batch(&["four", "five", "six"]));
    });
    assert_eq!(read(&path), "one\ntwo\nthree\nfour\nfive\nsix\n");
    assert_eq!(counts(&tally), [6, 0, 0]);
    let said = ear.heard();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("cannot begin a new sniff log"), "{said:?}");
}

#[test]
fn the_last_handle_takes_the_thread_along() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    // A pipe tells when its writer is gone.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let reader = std::thread::spawn({
        let path = path.clone();
        move || read(path)
    });
    let log = loop {
        // Until the reader is there, it is a pipe that nobody reads.
        match LineLog::start("sniff log", LogFile::at(&path)) {
            Ok(log) => break log,
            Err(_) => std::thread::yield_now(),
        }
    };
    put(&log, "one");
    drop(log);
    assert_eq!(reader.join().unwrap(), "one\n");
}
