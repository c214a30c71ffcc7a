//! How long the disk tier takes to open: makes a store of many small objects, and opens it.
//!
//! `cargo run --release -p relais-cache --example disk_open -- FOLDER [OBJECTS [BODY_BYTES]]`
//!
//! The folder stays, so a second run opens what is there. `BODY_BYTES` is 1024 by default, which
//! makes 1.2 GB of 1,000,000 objects: what is opened is the index, however long the bodies are.

#![expect(clippy::print_stdout, reason = "a measurement for a person")]

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use relais_cache::disk::{Disk, DiskSettings, Meta, NotQueued, Object, Patience};

fn main() {
    let args: Vec<_> = env::args().collect();
    let folder = args.get(1).expect("the folder to make or open");
    let number =
        |at: usize, usual| args.get(at).map_or(usual, |arg| arg.parse().expect("a number"));
    let (objects, body_bytes) = (number(2, 1_000_000), number(3, 1024));
    let open = || {
        let rss = resident_kib();
        let start = Instant::now();
        let disk = Disk::open(Path::new(folder), DiskSettings::of(20 << 30)).expect("a folder");
        let took = start.elapsed();
        let stats = disk.stats();
        let grown = (resident_kib().saturating_sub(rss) << 10).checked_div(stats.objects);
        println!(
            "opened in {took:.0?}: {} objects, {} MB on disk, index {} bytes an object, resident \
             {} bytes more an object",
            stats.objects,
            stats.bytes / 1_000_000,
            stats.index_bytes.checked_div(stats.objects).unwrap_or(0),
            grown.unwrap_or(0)
        );
        disk
    };
    let disk = open();
    if disk.stats().objects < objects {
        let start = Instant::now();
        fill(&disk, objects, usize::try_from(body_bytes).expect("a length"));
        println!("stored {objects} in {:.1?}", start.elapsed());
    }
    find_some(&disk, objects);
    end(disk);
    println!("ended well:");
    end(open());
    let snapshot = Path::new(folder).join("snapshot");
    let kept = fs::read(&snapshot).expect("a snapshot");
    fs::remove_file(&snapshot).expect("a snapshot");
    println!("without a snapshot, from the log alone:");
    let disk = open();
    // Not to write another: this is as if it were killed.
    std::mem::forget(disk);
    fs::write(&snapshot, kept).expect("a snapshot");
}

fn fill(disk: &Disk, objects: u64, body_bytes: usize) {
    let body = Bytes::from(vec![b'x'; body_bytes]);
    for number in 0..objects {
        let meta = Meta {
            key: key_of(number).into(),
            head: Bytes::from_static(&[b'h'; 150]),
            ..Meta::default()
        };
        let object = Object { meta, body: body.clone() };
        while disk.insert(object.clone()) == Err(NotQueued::Full) {
            std::thread::yield_now();
        }
    }
    disk.sync().expect("a disk that works");
}

/// Until its folder may be opened again.
fn end(disk: Disk) {
    disk.close(Duration::from_mins(10)).expect("minutes are enough");
    drop(disk);
}

fn find_some(disk: &Disk, objects: u64) {
    const ROUNDS: u32 = 100_000;
    for what in ["first", "second"] {
        let (start, cpu) = (Instant::now(), cpu_ns());
        for round in 0..u64::from(ROUNDS) {
            let key = key_of(round.wrapping_mul(7919) % objects);
            let found = disk.find(key.as_bytes(), Patience::None);
            let found = found.expect("what was written just now is in the system's memory");
            found.first().expect("an object").body().expect("a body");
        }
        let (took, cpu) = (start.elapsed() / ROUNDS, (cpu_ns() - cpu) / u64::from(ROUNDS));
        println!("found each of {ROUNDS} for the {what} time in {took:.0?}, {cpu} ns of CPU time");
    }
}

fn key_of(number: u64) -> String {
    format!("https://www.example.com/folder/page-{number}.html")
}

/// CPU time of this thread.
fn cpu_ns() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("the thread's own");
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number")
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process's own");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}
