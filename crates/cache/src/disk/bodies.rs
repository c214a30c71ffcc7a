//! The files of bodies: which there are, and whose turn it is to go.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{body_file::BodyFile, folder::Folder, secret::Secret};

/// So many files are kept open for who comes next.
const OPEN_MAX: usize = 64;

/// The files that there are.
#[derive(Debug)]
pub(super) struct Bodies {
    folder: PathBuf,
    known: Mutex<Known>,
    /// Those that were asked for last, the very last behind.
    opened: Mutex<VecDeque<Arc<BodyFile>>>,
}

#[derive(Debug, Default)]
struct Known {
    files: HashMap<u32, Row>,
    /// Oldest first; a file that is gone may still be in it.
    order: VecDeque<Turn>,
    last: u32,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Of the key whose object it is.
    hash: u64,
    /// How many bytes it has, and above [`LEN_BITS`] whether it was asked for.
    len_and_hit: u64,
}

/// A file whose turn to be evicted comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub file: u32,
    /// The newest segment when it was queued: what stands in those before is older.
    pub segment: u32,
}

/// A file, as a snapshot has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub turn: Turn,
    pub hash: u64,
    pub len: u64,
    pub is_hit: bool,
}

const LEN_BITS: u32 = 60;
const HIT: u64 = 1 << LEN_BITS;

impl Row {
    fn len(self) -> u64 {
        self.len_and_hit & (HIT - 1)
    }
}

impl Bodies {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default(), opened: Mutex::default() }
    }

    /// A number for a new file, which none has.
    pub(super) fn next(&self) -> u32 {
        let mut known = self.known();
        loop {
            known.last = known.last.wrapping_add(1).max(1);
            if !known.files.contains_key(&known.last) {
                return known.last;
            }
        }
    }

    /// Says that numbers up to `file` were given out.
    pub(super) fn used_up_to(&self, file: u32) {
        let mut known = self.known();
        known.last = known.last.max(file);
    }

    pub(super) fn path(&self, file: u32) -> PathBuf {
        self.folder.join(format!("{file:08x}"))
    }

    pub(super) fn part_path(&self, file: u32) -> PathBuf {
        self.folder.join(format!("{file:08x}.part"))
    }

    /// Says that the file is an object's from now on.
    pub(super) fn add(&self, listed: Listed) {
        let Listed { turn, hash, len, is_hit } = listed;
        let mut known = self.known();
        let row = Row { hash, len_and_hit: len | if is_hit { HIT } else { 0 } };
        if known.files.insert(turn.file, row).is_none() {
            known.order.push_back(turn);
        }
        if known.order.len() > known.files.len() * 2 + OPEN_MAX {
            let Known { files, order, .. } = &mut *known;
            order.retain(|turn| files.contains_key(&turn.file));
        }
    }

    pub(super) fn has(&self, file: u32) -> bool {
        self.known().files.contains_key(&file)
    }

    /// The hash of the key whose object has the file.
    pub(super) fn hash_of(&self, file: u32) -> Option<u64> {
        self.known().files.get(&file).map(|row| row.hash)
    }

    pub(super) fn touch(&self, file: u32) {
        if let Some(row) = self.known().files.get_mut(&file) {
            row.len_and_hit |= HIT;
        }
    }

    /// Deletes a file, which is nobody's any more. Returns how many bytes it had.
    pub(super) fn delete(&self, file: u32, folder: &Folder) -> u64 {
        let row = self.known().files.remove(&file);
        self.close(file);
        // One that stays is found by the next start, and goes then.
        let _ = folder.delete(&self.path(file));
        row.map_or(0, Row::len)
    }

    /// Deletes a file that never became an object's, and closes it: it would keep its bytes of the
    /// disk.
    pub(super) fn delete_part(&self, file: u32, folder: &Folder) {
        self.close(file);
        // One that stays is deleted by the next start.
        let _ = folder.delete(&self.part_path(file));
    }

    /// Whose turn it is.
    pub(super) fn oldest(&self) -> Option<Turn> {
        let mut known = self.known();
        while let Some(&turn) = known.order.front() {
            if known.files.contains_key(&turn.file) {
                return Some(turn);
            }
            known.order.pop_front();
        }
        None
    }

    /// Takes the turn of `turn.file`: it goes, and the hash of its key is returned; or it was asked
    /// for, and queues again behind `segment`.
    pub(super) fn take_turn(&self, turn: Turn, segment: u32) -> Option<u64> {
        let mut known = self.known();
        if known.order.front() == Some(&turn) {
            known.order.pop_front();
        }
        let row = known.files.get_mut(&turn.file)?;
        if row.len_and_hit & HIT == 0 {
            return Some(row.hash);
        }
        row.len_and_hit &= !HIT;
        known.order.push_back(Turn { segment, ..turn });
        None
    }

    /// All of them, oldest first.
    pub(super) fn list(&self) -> Vec<Listed> {
        let known = self.known();
        let listed = known.order.iter().filter_map(|&turn| {
            let row = known.files.get(&turn.file)?;
            let is_hit = row.len_and_hit & HIT != 0;
            Some(Listed { turn, hash: row.hash, len: row.len(), is_hit })
        });
        listed.collect()
    }

    pub(super) fn len(&self) -> u64 {
        self.known().files.len() as u64
    }

    /// About how many bytes of memory are known of files.
    pub(super) fn bytes(&self) -> u64 {
        let known = self.known();
        let rows = known.files.capacity() * (size_of::<(u32, Row)>() + 1);
        (rows + known.order.capacity() * size_of::<Turn>()) as u64
    }

    /// A body of `len` bytes that is open already. It stays so for longer.
    pub(super) fn opened(&self, file: u32, len: u64) -> Option<Arc<BodyFile>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let at = opened.iter().rposition(|body| body.number == file && body.len() == len)?;
        if at + 1 < opened.len() {
            let body = opened.remove(at)?;
            opened.push_back(body);
        }
        opened.back().cloned()
    }

    /// Keeps it open for who comes next. Gives the one that nobody asked for for longest, where too
    /// many are.
    pub(super) fn keep_open(&self, body: Arc<BodyFile>) -> Option<Arc<BodyFile>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push_back(body);
        if opened.len() > OPEN_MAX { opened.pop_front() } else { None }
    }

    /// Opens a body of `len` bytes, the sum of whose sums is `sum`, of which nothing was checked.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] if it is not that body.
    pub(super) fn open_anew(
        &self,
        file: u32,
        what: (u64, u64),
        secret: &Secret,
    ) -> io::Result<BodyFile> {
        let opened = File::open(self.path(file))
            // It may have just ended, and have no name of its own yet.
            .or_else(|_| File::open(self.part_path(file)))
            .or_else(|_| File::open(self.path(file)));
        BodyFile::open(file, opened?, what, secret)
    }

    fn close(&self, file: u32) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|body| body.number != file);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
