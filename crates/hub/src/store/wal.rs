//! SQLite's log beside the file, read before SQLite does. It ends for SQLite where its sums are wrong, as
//! that is what a write looks like that was cut off. Where more was written behind that, nothing was cut
//! off: the file was damaged, and what was answered with `ok` would be gone without a word.
//!
//! *Source*: SQLite, "Database File Format", 4: "The Write-Ahead Log".

use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read},
    path::Path,
};

use super::{
    broken::{Broken, failed},
    lock::beside,
};

const HEADER: usize = 32;

/// What stands before each page.
const FRAME_HEADER: usize = 24;

/// How its sums take four bytes.
type Word = fn([u8; 4]) -> u32;

/// Two sums, as they go on from one frame to the next.
type Sums = [u32; 2];

/// Looks for what was written to the log beside `store` and cannot be read any more.
///
/// *Cost*: reads all of it.
///
/// # Errors
///
/// [`Broken::Torn`], if there is any; [`Broken::Io`].
pub(super) fn look(store: &Path) -> Result<(), Broken> {
    let path = beside(store, "-wal");
    let log = match File::open(&path) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("opening", &path)(error)),
    };
    let end = end(BufReader::with_capacity(1 << 16, log)).map_err(failed("reading", &path))?;
    if end == End::Torn { Err(Broken::Torn { path }) } else { Ok(()) }
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With all that was synced, or nobody can tell.
    Whole,
    /// Before something that was synced.
    Torn,
}

/// What was read of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// All of it was right.
    Right,
    /// Something was not.
    Wrong,
    /// And behind that a group ended. What comes behind it was written once that was synced.
    EndOfGroup,
}

fn end(mut log: impl Read) -> io::Result<End> {
    let mut header = [0; HEADER];
    if !fill(&mut log, &mut header)? {
        return Ok(End::Whole);
    }
    let Some(generation) = Generation::of(&header) else {
        // Nothing but zeros is what a loss of power leaves of a new one.
        return Ok(if header == [0; HEADER] { End::Whole } else { End::Torn });
    };
    let mut frame = vec![0; FRAME_HEADER + generation.page_bytes];
    let (mut seen, mut sums) = (Seen::Right, generation.sums);
    while fill(&mut log, &mut frame)? {
        let is_right = generation.is_next(&frame, sums);
        let ends_group = number(&frame, 4) != 0;
        seen = match seen {
            Seen::Right if is_right => Seen::Right,
            Seen::Right => Seen::Wrong,
            Seen::Wrong if is_right && ends_group => Seen::EndOfGroup,
            Seen::EndOfGroup if is_right => return Ok(End::Torn),
            seen => seen,
        };
        sums = [number(&frame, 16), number(&frame, 20)];
    }
    Ok(End::Whole)
}

/// What a log has in common since it was begun anew; what is left of earlier ones stands behind it.
#[derive(Debug)]
struct Generation {
    word: Word,
    page_bytes: usize,
    salts: [u8; 8],
    sums: Sums,
}

impl Generation {
    /// `None`, if that is damaged.
    fn of(header: &[u8; HEADER]) -> Option<Self> {
        let word: Word = match number(header, 0) {
            0x377f_0682 => u32::from_le_bytes,
            0x377f_0683 => u32::from_be_bytes,
            _ => return None,
        };
        let sums = summed(word, [0; 2], &header[..24]);
        let page_bytes = usize::try_from(number(header, 8)).ok()?;
        let is_right = sums == [number(header, 24), number(header, 28)]
            && (512..=65536).contains(&page_bytes)
            && page_bytes.is_power_of_two();
        let salts = header[16..24].try_into().ok()?;
        is_right.then_some(Self { word, page_bytes, salts, sums })
    }

    /// Whether `frame` was written behind one that left these sums.
    fn is_next(&self, frame: &[u8], sums: Sums) -> bool {
        let sums = summed(self.word, sums, &frame[..8]);
        frame[8..16] == self.salts
            && summed(self.word, sums, &frame[FRAME_HEADER..])
                == [number(frame, 16), number(frame, 20)]
    }
}

/// The sums behind `bytes`, of which there are a multiple of eight.
fn summed(word: Word, sums: Sums, bytes: &[u8]) -> Sums {
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs.iter().fold(sums, |[one, other], pair| {
        let one = one.wrapping_add(word(pair[0])).wrapping_add(other);
        [one, other.wrapping_add(word(pair[1])).wrapping_add(one)]
    })
}

/// Four bytes of a header, which always says them the same way.
fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}

/// Fills `bytes`; says no at the end, whatever is left there.
fn fill(log: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;

    /// The log of a store to which groups were written, and where each ends.
    fn log() -> (Vec<u8>, Vec<usize>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        let conn = Connection::open(&file).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (text)").unwrap();
        let mut ends = Vec::new();
        for _ in 0..6 {
            conn.execute("INSERT INTO t VALUES (?1)", ["word ".repeat(2000)]).unwrap();
            ends.push(fs::read(beside(&file, "-wal")).unwrap().len());
        }
        (fs::read(beside(&file, "-wal")).unwrap(), ends)
    }

    #[test]
    fn a_log_that_was_cut_off_anywhere_is_whole() {
        let (log, _) = log();
        for len in (0..log.len()).step_by(97).chain([0, 31, 32, 33, log.len()]) {
            assert_eq!(end(&log[..len]).unwrap(), End::Whole, "{len}");
        }
        assert_eq!(end(&[0; 9000][..]).unwrap(), End::Whole);
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_a_group_and_more_is_behind_it() {
        let (log, ends) = log();
        let [.., found, last, _] = ends[..] else { panic!("{ends:?}") };
        for at in (0..found).step_by(61).chain([0, 9, 17, 25, 31, 32, 36, 41, 49]) {
            let mut log = log.clone();
            log[at] ^= 1;
            assert_eq!(end(&log[..]).unwrap(), End::Torn, "{at}");
        }
        // It might have been cut off there.
        let mut log = log.clone();
        log[last + 100] ^= 1;
        assert_eq!(end(&log[..]).unwrap(), End::Whole);
    }

    #[test]
    fn what_is_left_of_an_earlier_log_behind_a_new_one_is_none_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        let conn = Connection::open(&file).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (text)").unwrap();
        let write = |many: usize| {
            for _ in 0..many {
                conn.execute("INSERT INTO t VALUES (?1)", ["word ".repeat(2000)]).unwrap();
            }
        };
        write(9);
        conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        let before = fs::metadata(beside(&file, "-wal")).unwrap().len();
        write(2);
        assert_eq!(fs::metadata(beside(&file, "-wal")).unwrap().len(), before);
        look(&file).unwrap();
        assert!(look(&folder.path().join("other.db")).is_ok(), "there is none");
    }

    proptest! {
        #[test]
        fn nothing_panics(mut bytes: Vec<u8>, has_header: bool) {
            end(&bytes[..]).unwrap();
            if has_header {
                let (log, _) = log();
                bytes.splice(..0, log[..HEADER].iter().copied());
                end(&bytes[..]).unwrap();
            }
        }
    }
}
