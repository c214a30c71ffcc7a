use std::{fmt::Write as _, fs, io::Write, sync::Mutex, time::UNIX_EPOCH};

use relais_net::Peer;
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::*;
use crate::{
    access_log::{entry::Entry, sink::Sink},
    says::ask,
};

/// Collects what is said at `info` and above.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            write!(line, " {field}={value:?}").unwrap();
        });
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Takes so many bytes and then no more, as a full disk does, until it is given more room.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<(usize, Vec<u8>)>>);

impl Disk {
    fn give(&self, room: usize) {
        self.0.lock().unwrap().0 = room;
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().1.clone()).unwrap()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (room, text) = &mut *self.0.lock().unwrap();
        if *room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let fits = bytes.len().min(*room);
        text.extend_from_slice(&bytes[..fits]);
        *room -= fits;
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn batch(targets: &[&str]) -> Batch {
    let entry = |target: &&str| Entry::of(&ask(Peer::Local, target, &[]), UNIX_EPOCH);
    Batch { entries: targets.iter().map(entry).collect(), ..Batch::default() }
}

fn writer(sink: Sink) -> Writer {
    Writer::new(Out::open(sink).unwrap(), Format::Combined, Arc::default())
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
    let mut writer = writer(Sink::Writer(Box::new(disk.clone())));
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
    assert_eq!((count(&writer.tally.written), count(&writer.tally.lost)), (3, 3));
    let said = ear.0.lock().unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ERROR") && said[0].contains("cannot write"), "{said:?}");
    assert!(said[1].starts_with("INFO") && said[1].contains("lost=3"), "{said:?}");
}

#[test]
fn what_was_dropped_is_told_once() {
    let (disk, ear) = (Disk::default(), Ear::default());
    disk.give(usize::MAX);
    let mut writer = writer(Sink::Writer(Box::new(disk.clone())));
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&Batch { dropped: 2, ..batch(&["/a"]) });
        writer.write(&Batch { dropped: 3, ..batch(&["/b"]) });
        writer.tell_dropped();
        writer.write(&batch(&["/c"]));
        writer.tell_dropped();
    });
    assert_eq!(disk.text(), [line("/a"), line("/b"), line("/c")].concat());
    assert_eq!(count(&writer.tally.dropped), 5);
    let said = ear.0.lock().unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("WARN") && said[0].contains("dropped=5"), "{said:?}");
}

#[test]
fn a_moved_file_is_followed_by_itself_and_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
    let mut writer = writer(Sink::File(path.clone()));
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
    let (mut writer, ear) = (writer(Sink::File(folder.join("log"))), Ear::default());
    fs::rename(&folder, &moved).unwrap();
    tracing::subscriber::with_default(ear.clone(), || {
        writer.write(&batch(&["/a"]));
        writer.write(&batch(&["/b"]));
    });
    assert_eq!(fs::read_to_string(moved.join("log")).unwrap(), line("/a") + &line("/b"));
    fs::create_dir(&folder).unwrap();
    writer.write(&batch(&["/c"]));
    assert_eq!(fs::read_to_string(folder.join("log")).unwrap(), line("/c"));
    let said = ear.0.lock().unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("cannot open the access log again"), "{said:?}");
}

#[test]
fn more_than_a_buffer_is_written_in_order() {
    let disk = Disk::default();
    disk.give(usize::MAX);
    let mut writer = writer(Sink::Writer(Box::new(disk.clone())));
    let targets: Vec<_> = (0..3000).map(|number| format!("/{number}")).collect();
    writer.write(&batch(&targets.iter().map(String::as_str).collect::<Vec<_>>()));
    let expect: String = targets.iter().map(|target| line(target)).collect();
    assert!(expect.len() > 3 * BUFFER_BYTES);
    assert_eq!(disk.text(), expect);
}
