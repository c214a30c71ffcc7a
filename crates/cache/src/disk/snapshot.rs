//! The index on disk, as it was some time ago: a start reads it, and then the log behind it.
//!
//! *Shape*, all numbers little-endian: the mark; next sequence, segment, offset and removals of the
//! log's end (8 bytes each); the purges that were not done; the files of bodies; who is of which family, in
//! pages, each with its count, up to an empty one; the index's shards, each with its count; a shard of
//! `u32::MAX` objects for the end; the sum of all that.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, BufWriter, ErrorKind, Read, Write},
    path::Path,
};

use super::{
    bodies::{Listed, Turn},
    families::Families,
    index::{Extent, Flags, Index, Slot},
    purge::{Ban, PATTERN_BYTES_MAX, Purge, What},
    record::Place,
    secret::{Secret, Summing},
    segment::{create_private, delete_file, sync_folder},
    store::{LogEnd, Store},
};
use bytes::Bytes;

/// One that begins otherwise is of another version: the log is read instead.
const MARK: [u8; 8] = *b"rlSnap03";
const END: u32 = u32::MAX;
const HAS_FILE: u32 = 1 << 31;

/// What a snapshot says, but for the index, which it fills.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub next_seq: u64,
    pub log_end: LogEnd,
    pub bans: Vec<Ban>,
    pub files: Vec<Listed>,
    pub families: Families,
    /// How many bytes it has.
    pub len: u64,
    /// Those in which an object stands that it has.
    pub segments: BTreeSet<u32>,
}

/// Writes a snapshot in the place of the one that is there. Returns how many bytes it has.
///
/// Others go on meanwhile: what changes is in the log behind the end that the snapshot names, and is
/// read again from there.
///
/// # Errors
///
/// What the system says; then the old one stays.
pub(super) fn write(store: &Store) -> io::Result<u64> {
    let path = store.folder.snapshot();
    let part = path.with_extension("part");
    let written = write_part(store, &part).and_then(|len| {
        fs::rename(&part, &path)?;
        sync_folder(&store.folder.path)?;
        Ok(len)
    });
    if written.is_err() {
        let _ = delete_file(&part);
    }
    written
}

fn write_part(store: &Store, part: &Path) -> io::Result<u64> {
    // In this order: a purge that is done after it was listed is only done once more.
    let log_end = *store.log_end();
    let bans = store.purges.list();
    let next_seq = store.queue.next_seq();
    let summing = store.folder.secret.summing();
    let mut out = Summed { inner: BufWriter::new(create_private(part)?), sum: summing, len: 0 };
    out.write_all(&MARK)?;
    let LogEnd { segment, offset, removals, .. } = log_end;
    for word in [next_seq, u64::from(segment), offset, removals, bans.len() as u64] {
        out.word(word)?;
    }
    for ban in &bans {
        write_ban(&mut out, ban)?;
    }
    let files = store.bodies.list();
    out.word(files.len() as u64)?;
    for Listed { turn, hash, len, is_hit } in files {
        out.word(u64::from(turn.file) << 32 | u64::from(turn.segment))?;
        out.word(hash)?;
        out.word(len << 1 | u64::from(is_hit))?;
    }
    write_families(&mut out, &store.families)?;
    let mut failed = Ok(());
    store.index.each_shard(|slots| {
        if failed.is_ok() {
            failed = write_shard(&mut out, slots);
        }
    });
    failed?;
    out.write_all(&END.to_le_bytes())?;
    let sum = out.sum.sum();
    out.word(sum)?;
    let len = out.len;
    let file = out.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(len)
}

/// Writes a few at a time: who stores something waits meanwhile.
fn write_families(out: &mut Summed<impl Write>, families: &Families) -> io::Result<()> {
    const PAGE: usize = 1024;
    let mut after = (0, 0);
    loop {
        let page = families.page(after, PAGE);
        out.word(page.len() as u64)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = *last;
        for (family, member) in page {
            out.word(family)?;
            out.word(member)?;
        }
    }
}

fn write_shard(out: &mut impl Write, slots: &[Slot]) -> io::Result<()> {
    let count = u32::try_from(slots.len()).expect("few objects in a shard");
    let mut bytes = Vec::with_capacity(4 + slots.len() * SLOT_BYTES);
    bytes.extend_from_slice(&count.to_le_bytes());
    for slot in slots {
        let (extent, has_file) = match slot.extent {
            Extent::Inline(len) => (len, 0),
            Extent::File(file) => (file, HAS_FILE),
        };
        let bits = slot.variant | slot.flags.bits() << 24 | has_file;
        bytes.extend_from_slice(&slot.hash.to_le_bytes());
        for word in [slot.place.segment, slot.place.unit, extent, bits] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    out.write_all(&bytes)
}

const SLOT_BYTES: usize = 24;

fn write_ban(out: &mut Summed<impl Write>, ban: &Ban) -> io::Result<()> {
    let (kind, number, text) = match &ban.what {
        What::All => (0, 0, &b""[..]),
        What::Key(hash) => (1, *hash, &b""[..]),
        What::Variant(hash, variant) => (5, *hash, &variant.to_le_bytes()[..]),
        What::Tag(hash) => (2, *hash, &b""[..]),
        What::Prefix(text) => (3, 0, &**text),
        What::Glob(text) => (4, 0, &**text),
    };
    let soft = u64::from(ban.manner == Purge::Soft);
    for word in [ban.seq, kind << 1 | soft, number, text.len() as u64] {
        out.word(word)?;
    }
    out.write_all(text)
}

/// Reads the snapshot, and fills the index with what stands in one of `segments`. `None` if there is
/// none that is whole; then the index is empty.
pub(super) fn read(
    path: &Path,
    secret: &Secret,
    (index, segments): (&Index, &[u32]),
) -> Option<Snapshot> {
    let snapshot = read_into(path, secret, (index, segments));
    if snapshot.is_err() {
        index.clear();
    }
    snapshot.ok()
}

fn read_into(
    path: &Path,
    secret: &Secret,
    (index, segments): (&Index, &[u32]),
) -> io::Result<Snapshot> {
    let file = File::open(path)?;
    let whole = file.metadata()?.len();
    let inner = BufReader::with_capacity(1 << 18, file);
    let mut input = Summed { inner, sum: secret.summing(), len: 0 };
    let mut mark = [0; 8];
    input.read_exact(&mut mark)?;
    if mark != MARK {
        return Err(ErrorKind::InvalidData.into());
    }
    let next_seq = input.next()?;
    let segment = u32::try_from(input.next()?).map_err(io::Error::other)?;
    let (offset, removals) = (input.next()?, input.next()?);
    let log_end = LogEnd { segment, offset, removals, ..LogEnd::default() };
    let mut snapshot = Snapshot { next_seq, log_end, len: whole, ..Snapshot::default() };
    for _ in 0..input.next()? {
        snapshot.bans.push(read_ban(&mut input)?);
    }
    for _ in 0..input.next()? {
        snapshot.files.push(read_file(&mut input)?);
    }
    loop {
        let page = input.next()?;
        for _ in 0..page {
            snapshot.families.fill((input.next()?, input.next()?));
        }
        if page == 0 {
            break;
        }
    }
    index.reserve(usize::try_from(whole).unwrap_or(0) / SLOT_BYTES);
    snapshot.segments = read_shards(&mut input, (index, segments), whole)?;
    let sum = input.sum.sum();
    if input.next()? != sum || input.len != whole {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok(snapshot)
}

fn read_shards(
    input: &mut Summed<impl Read>,
    (index, segments): (&Index, &[u32]),
    whole: u64,
) -> io::Result<BTreeSet<u32>> {
    let (mut bytes, mut spoken_of, mut last) = (Vec::new(), BTreeSet::new(), None);
    loop {
        let mut count = [0; 4];
        input.read_exact(&mut count)?;
        let count = u32::from_le_bytes(count);
        if count == END {
            return Ok(spoken_of);
        }
        let len = u64::from(count) * SLOT_BYTES as u64;
        if len > whole {
            return Err(ErrorKind::InvalidData.into());
        }
        bytes.resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        input.read_exact(&mut bytes)?;
        let slots = bytes.chunks_exact(SLOT_BYTES).map(slot_of);
        index.fill(slots.filter(|slot| {
            let segment = slot.place.segment;
            if last != Some(segment) {
                last = Some(segment);
                spoken_of.insert(segment);
            }
            segments.binary_search(&segment).is_ok()
        }));
    }
}

fn slot_of(bytes: &[u8]) -> Slot {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (extent, bits) = (word(16), word(20));
    let has_file = bits & HAS_FILE != 0;
    Slot {
        hash: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
        place: Place { segment: word(8), unit: word(12) },
        extent: if has_file { Extent::File(extent) } else { Extent::Inline(extent) },
        variant: bits & ((1 << 24) - 1),
        flags: Flags::lasting(bits >> 24),
    }
}

fn read_ban(input: &mut Summed<impl Read>) -> io::Result<Ban> {
    let (seq, kind, number, len) = (input.next()?, input.next()?, input.next()?, input.next()?);
    if len > PATTERN_BYTES_MAX as u64 {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    input.read_exact(&mut text)?;
    let text = Bytes::from(text);
    let what = match kind >> 1 {
        0 => What::All,
        1 => What::Key(number),
        2 => What::Tag(number),
        3 => What::Prefix(text),
        4 => What::Glob(text),
        5 => {
            let variant = (*text).try_into().map_err(|_| ErrorKind::InvalidData)?;
            What::Variant(number, u32::from_le_bytes(variant))
        }
        _ => return Err(ErrorKind::InvalidData.into()),
    };
    let manner = if kind & 1 == 0 { Purge::Hard } else { Purge::Soft };
    Ok(Ban { seq, what, manner })
}

fn read_file(input: &mut Summed<impl Read>) -> io::Result<Listed> {
    let (turn, hash, len) = (input.next()?, input.next()?, input.next()?);
    let half = |word: u64| u32::try_from(word & u64::from(u32::MAX)).expect("32 bits");
    let turn = Turn { file: half(turn >> 32), segment: half(turn) };
    Ok(Listed { turn, hash, len: len >> 1, is_hit: len & 1 != 0 })
}

/// Sums what is written to it, or read from it.
struct Summed<I> {
    inner: I,
    sum: Summing,
    len: u64,
}

impl<I: Write> Write for Summed<I> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(bytes)?;
        self.sum.add(bytes);
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<I: Write> Summed<I> {
    fn word(&mut self, word: u64) -> io::Result<()> {
        self.write_all(&word.to_le_bytes())
    }
}

impl<I: Read> Summed<I> {
    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.sum.add(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn next(&mut self) -> io::Result<u64> {
        let mut word = [0; 8];
        self.read_exact(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }
}
