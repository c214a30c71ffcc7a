use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use relais_net::Peer;

use super::*;
use crate::{
    access_log::entry::Entry,
    line_log::{
        Out, Sink, Tally,
        ear::{Disk, Ear},
    },
    says::ask,
};

fn batch(targets: &[&str]) -> Batch<Entries> {
    let mut load = Entries::default();
    for target in targets {
        load.add(Entry::of(&ask(Peer::Local, target, &[]), UNIX_EPOCH)).unwrap();
    }
    Batch { load, ..Batch::default() }
}

fn writer(sink: Sink) -> (EntryWriter, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    let pen = Pen::new("access log", Out::open(sink).unwrap(), Arc::clone(&tally));
    (EntryWriter::new(pen, Format::Combined), tally)
}

fn line(target: &str) -> String {
    format!("- - - [01/Jan/1970:00:00:00 +0000] \"GET {target} HTTP/1.1\" 499 0 \"-\" \"-\"\n")
}

fn count(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[test]
fn a_full_disk_is_told_once_and_passes() {
    let (disk, ear) = (Disk::default(), Ear::default());
    let (mut writer, tally) = writer(Sink::Writer(Box::new(disk.clone())));
    tracing::subscriber::with_default(ear.clone(), || {
        disk.give(line("/a").len() + 10);
        writer.write(&batch(&["/a", "/b", "/c"]));
        writer.write(&batch(&["/d"]));
        writer.write(&batch(&[]));
        disk.give(usize::MAX);
        writer.write(&batch(&["/e"]));
        writer.write(&batch(&["/f"]));
    });
    let torn = &line("/b")[..10];
    assert_eq!(disk.text(), [&line("/a"), torn, "\n", &line("/e"), &line("/f")].concat());
    assert_eq!((count(&tally.written), count(&tally.lost)), (3, 3));
    let said = ear.heard();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ERROR") && said[0].contains("cannot write"), "{said:?}");
    assert!(said[1].starts_with("INFO") && said[1].contains("lost=3"), "{said:?}");
}

#[test]
fn what_was_dropped_is_told_once() {
    let (disk, ear) = (Disk::default(), Ear::default());
    disk.give(usize::MAX);
    let (mut writer, tally) = writer(Sink::Writer(Box::new(disk.clone())));
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&Batch { dropped: 2, ..batch(&["/a"]) });
        writer.write(&Batch { dropped: 3, ..batch(&["/b"]) });
        writer.tell_dropped();
        writer.write(&batch(&["/c"]));
        writer.tell_dropped();
    });
    assert_eq!(disk.text(), [line("/a"), line("/b"), line("/c")].concat());
    assert_eq!(count(&tally.dropped), 5);
    let said = ear.heard();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("WARN") && said[0].contains("dropped=5"), "{said:?}");
}

#[test]
fn a_moved_file_is_followed_by_itself_and_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
    let (mut writer, _) = writer(Sink::File(path.clone()));
    writer.write(&batch(&["/a"]));
    fs::rename(&path, &old).unwrap();
    writer.write(&batch(&["/b"]));
    assert_eq!(fs::read_to_string(&old).unwrap(), line("/a"));
    assert_eq!(fs::read_to_string(&path).unwrap(), line("/b"));
    fs::remove_file(&path).unwrap();
    writer.write(&Batch { reopen: true, ..Batch::default() });
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    writer.write(&batch(&["/c"]));
    assert_eq!(fs::read_to_string(&path).unwrap(), line("/c"));
}

#[test]
fn a_file_that_cannot_be_opened_again_is_told_once_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, moved) = (dir.path().join("logs"), dir.path().join("old"));
    fs::create_dir(&folder).unwrap();
    let ((mut writer, _), ear) = (writer(Sink::File(folder.join("log"))), Ear::default());
    fs::rename(&folder, &moved).unwrap();
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&batch(&["/a"]));
        writer.write(&batch(&["/b"]));
    });
    assert_eq!(fs::read_to_string(moved.join("log")).unwrap(), line("/a") + &line("/b"));
    fs::create_dir(&folder).unwrap();
    writer.write(&batch(&["/c"]));
    assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), line("/c"));
    let said = ear.heard();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("cannot open the access log again"), "{said:?}");
}

#[test]
fn more_than_a_buffer_is_written_in_order() {
    let disk = Disk::default();
    disk.give(usize::MAX);
    let (mut writer, _) = writer(Sink::Writer(Box::new(disk.clone())));
    let targets: Vec<_> = (0..3000).map(|number| format!("/{number}")).collect();
    writer.write(&batch(&targets.iter().map(String::as_str).collect::<Vec<_>>()));
    let expect: String = targets.iter().map(|target| line(target)).collect();
    assert!(expect.len() > 3 * BUFFER_BYTES);
    assert_eq!(disk.text(), expect);
}
