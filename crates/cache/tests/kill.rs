//! A process that stores, reads, removes and purges is killed at any moment, again and again: after
//! each, what is found is what was stored, and nothing is that was removed.
//!
//! 20 rounds; for more: `KILL_ROUNDS=200 cargo test -p relais-cache --test kill -- --nocapture wrong`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, and its rounds for people")]

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use relais_cache::disk::{Body, Disk, DiskSettings, Found, Meta, Object, Patience, Pattern, Purge};

const KEYS: u64 = 400;
const TAGS: u64 = 5;
/// The folder of the child; without it, its test does nothing.
const FOLDER: &str = "RELAIS_KILL_FOLDER";
const SEED: &str = "RELAIS_KILL_SEED";

/// What the child has said of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// No version up to this may be found.
    removed: u64,
    /// No version beyond this was asked to be stored.
    begun: u64,
}

#[test]
fn nothing_wrong_is_found_after_kill_9() {
    let rounds = env::var("KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    // Who is killed leaves what the system has in memory as it is: a disk adds nothing but time.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut known = BTreeMap::new();
    let mut random = Random(rounds);
    let (mut checked, mut kept, mut misses) = (0, 0, 0);
    for round in 0..rounds {
        run_and_kill(folder.path(), (round, random.below(600)), &mut known);
        let disk = open(folder.path());
        for (key, known) in &known {
            let found = disk.find(key_of(*key).as_bytes(), Patience::Waits).unwrap();
            for found in &found {
                check(found, *key, *known);
                kept += 1;
            }
            misses += u64::from(found.is_empty());
            checked += 1;
        }
        let stats = disk.stats();
        assert!(stats.bytes <= stats.bytes_max, "{stats:?}");
        assert!(bytes_in(folder.path()) <= stats.bytes_max, "{stats:?}");
        disk.close(Duration::from_mins(1)).unwrap();
    }
    println!(
        "{rounds} rounds, {checked} objects checked ({kept} there, {misses} not), wrong bytes 0"
    );
    assert!(kept > rounds * 10);
}

/// Starts the child, reads what it says, and kills it in the midst of that.
fn run_and_kill(folder: &Path, (round, lines): (u64, u64), known: &mut BTreeMap<u64, Known>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_child", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut line, mut count) = (Vec::new(), 0);
    loop {
        line.clear();
        // What it said before it was killed was said.
        if out.read_until(b'\n', &mut line).unwrap() == 0 {
            break;
        }
        if line.ends_with(b"\n") {
            hear(std::str::from_utf8(&line).unwrap().trim(), known);
        }
        count += 1;
        if count == lines + 5 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
}

/// `b KEY VERSION`: it is about to be stored. `r KEY VERSION`: what is not newer is removed. `t TAG
/// VERSION`: the same of a tag. `p PREFIX VERSION`: the same of a prefix. `a VERSION`: the same of all.
fn hear(line: &str, known: &mut BTreeMap<u64, Known>) {
    let words: Vec<_> = line.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    match words[0] {
        "b" => known.entry(number(1)).or_default().begun = number(2),
        "r" => known.entry(number(1)).or_default().removed = number(2),
        "t" => {
            let tagged = known.iter_mut().filter(|(key, _)| *key % TAGS == number(1));
            tagged.for_each(|(_, known)| known.removed = number(2));
        }
        "p" => {
            let named = known.iter_mut().filter(|(key, _)| key_of(**key).starts_with(words[1]));
            named.for_each(|(_, known)| known.removed = number(2));
        }
        "a" => known.values_mut().for_each(|known| known.removed = number(1)),
        _ => (),
    }
}

#[track_caller]
fn check(found: &Found, key: u64, known: Known) {
    let version: u64 = std::str::from_utf8(&found.head()).unwrap().parse().unwrap();
    assert!(version > known.removed, "{key}: {version} was removed, {known:?}");
    assert!(version <= known.begun, "{key}: {version} was never stored, {known:?}");
    let expect = body_of(key, version);
    let body = match found.body().expect("what is found after a kill is whole") {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(file) => {
            let file = file.open().unwrap();
            let mut bytes = vec![0; usize::try_from(file.len()).unwrap()];
            file.read_at(&mut bytes, 0).unwrap();
            bytes
        }
    };
    assert!(body == expect, "{key}, {version}: {} bytes, not {}", body.len(), expect.len());
}

/// The child's part.
#[test]
fn the_child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let round: u64 = env::var(SEED).unwrap().parse().unwrap();
    let disk = open(Path::new(&folder));
    // On a machine of one core the name of this test stands in this line already.
    say("");
    let mut random = Random(round * 7919 + 1);
    let first = round * 1_000_000 + 1;
    for version in first.. {
        let key = random.below(KEYS);
        match random.below(100) {
            0..60 => store(&disk, key, version),
            60..70 => store_as_it_comes(&disk, key, version),
            70..90 => {
                // As a client does: so some are spared when their turn comes.
                for found in disk.find(key_of(key).as_bytes(), Patience::Waits).unwrap() {
                    let _ = found.body();
                    refresh_now_and_then(&disk, &found, key, &mut random);
                }
            }
            97 if random.below(4) == 0 => {
                let prefix = key_of(10 + random.below(30));
                let purge = Pattern::Prefix(prefix.clone().into());
                disk.purge(purge, Purge::Hard).unwrap().wait().unwrap();
                say(&format!("p {prefix} {version}"));
            }
            90..98 => {
                disk.remove(key_of(key).as_bytes()).wait().unwrap();
                say(&format!("r {key} {version}"));
            }
            98 if random.below(4) == 0 => {
                let tag = key % TAGS;
                let purge = Pattern::Tag(disk.tag(&tag.to_le_bytes()));
                disk.purge(purge, Purge::Hard).unwrap().wait().unwrap();
                say(&format!("t {tag} {version}"));
            }
            _ if random.below(50) == 0 => {
                disk.clear().wait().unwrap();
                say(&format!("a {version}"));
            }
            _ => drop(disk.purge(Pattern::Prefix("nothing".into()), Purge::Soft).unwrap()),
        }
    }
}

/// As a 304 does: a newer head, which says the same here, of the body that is there.
fn refresh_now_and_then(disk: &Disk, found: &Found, key: u64, random: &mut Random) {
    if random.below(4) == 0 {
        let version = std::str::from_utf8(&found.head()).unwrap().parse().unwrap();
        let _ = disk.refresh_head(meta(disk, key, version));
    }
}

fn store(disk: &Disk, key: u64, version: u64) {
    say(&format!("b {key} {version}"));
    let body = Bytes::from(body_of(key, version));
    // A full queue is no fault.
    let _ = disk.insert(Object { meta: meta(disk, key, version), body });
}

fn store_as_it_comes(disk: &Disk, key: u64, version: u64) {
    say(&format!("b {key} {version}"));
    let body = body_of(key, version);
    let Ok(mut writer) = disk.begin_file(None) else { return };
    for part in body.chunks(10_000) {
        if writer.append(part).is_err() {
            return;
        }
    }
    let _ = writer.finish(meta(disk, key, version));
}

fn meta(disk: &Disk, key: u64, version: u64) -> Meta {
    Meta {
        key: key_of(key).into(),
        head: version.to_string().into(),
        stored_at: version,
        tags: vec![disk.tag(&(key % TAGS).to_le_bytes())],
        ..Meta::default()
    }
}

fn open(folder: &Path) -> Disk {
    // Small, so that much is evicted and many segments are begun.
    let settings = DiskSettings { segment_bytes: 1 << 20, ..DiskSettings::of(8 << 20) };
    Disk::open(&folder.join("cache"), settings).unwrap()
}

fn key_of(key: u64) -> String {
    format!("http://host/{key}")
}

/// Mostly short, now and then with a file of its own.
fn body_of(key: u64, version: u64) -> Vec<u8> {
    let mut random = Random(key << 32 ^ version);
    let len = match random.below(30) {
        0 => 130_000 + random.below(200_000),
        _ => random.below(20_000),
    };
    let words = (0..len.div_ceil(8)).flat_map(|_| random.next().to_le_bytes());
    words.take(usize::try_from(len).unwrap()).collect()
}

/// Says a line in one write: it is whole or not there.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

fn bytes_in(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes += if path.is_dir() { bytes_in(&path) } else { path.metadata().unwrap().len() };
    }
    bytes
}

/// `SplitMix64`: the same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
