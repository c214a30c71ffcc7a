//! Searches files on all cores, and gives what it finds in their order.

use std::{
    collections::BTreeMap,
    io,
    ops::{ControlFlow, Range},
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{
    judge::{Findings, Judge, Keep},
    piece,
    source::Source,
};

/// How much is searched at once, in bytes. It stays in a core's cache from being read to being
/// judged.
const PIECE_BYTES: u64 = 512 << 10;

/// How many threads search at most.
const THREADS_MAX: usize = 16;

/// How many pieces each thread may be ahead of the one that is wanted next. What was found in
/// them waits in memory.
const AHEAD: usize = 4;

/// A file could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("reading {:?}", path.display())]
pub struct Stopped {
    /// Which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A part of a source.
struct Piece<'s> {
    source: &'s Source,
    places: Range<u64>,
}

/// Judges all lines of `sources` and gives what was found to `sink`, piece by piece in the order of
/// the sources, until it breaks off.
///
/// *Cost*: the files are read and judged on all cores, 1 GB/s or more on two of them if few lines
/// are wanted; some 2 MiB of memory a core, and what was found in pieces that wait for their turn.
///
/// # Errors
///
/// [`Stopped`] at the first file that cannot be read to its end, after what came before it.
pub fn search(
    sources: &[Source],
    judge: &Judge,
    keep: Keep,
    mut sink: impl FnMut(&Source, Findings) -> ControlFlow<()>,
) -> Result<(), Stopped> {
    let pieces = pieces(sources);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(THREADS_MAX).min(pieces.len());
    let order = Order::new(pieces.len(), threads * AHEAD);
    let find = |Piece { source, places }: &Piece<'_>, buffer: &mut Vec<u8>| {
        piece::read(source, places.clone(), buffer).map(|lines| judge.judge(lines, keep))
    };
    thread::scope(|scope| {
        // Whoever leaves this scope, by an error or a panic too, lets the threads end.
        let _end = End(&order);
        let work = || work(&pieces, &order, &find);
        let start = |_: &usize| thread::Builder::new().spawn_scoped(scope, work).is_ok();
        // Where the system has no thread for it, this one works.
        let has_threads = (0..threads).filter(start).count() > 0;
        let mut buffer = Vec::new();
        for (number, piece @ Piece { source, .. }) in pieces.iter().enumerate() {
            let found = if has_threads { order.wait_for(number) } else { find(piece, &mut buffer) };
            let path = || source.path().to_owned();
            let findings = found.map_err(|source| Stopped { path: path(), source })?;
            if sink(source, findings).is_break() {
                break;
            }
        }
        Ok(())
    })
}

fn pieces(sources: &[Source]) -> Vec<Piece<'_>> {
    let of = |source| {
        let starts = (0..Source::len(source)).step_by(usize::try_from(PIECE_BYTES).unwrap_or(1));
        let places = |start: u64| start..(start + PIECE_BYTES).min(source.len());
        starts.map(move |start| Piece { source, places: places(start) })
    };
    sources.iter().flat_map(of).collect()
}

/// Takes one piece after the other, until there are no more.
fn work(
    pieces: &[Piece<'_>],
    order: &Order,
    find: &impl Fn(&Piece<'_>, &mut Vec<u8>) -> io::Result<Findings>,
) {
    let mut buffer = Vec::new();
    while let Some(mut claim) = order.claim() {
        claim.found = find(&pieces[claim.number], &mut buffer);
    }
}

/// Brings what was found back into order.
struct Order {
    inside: Mutex<Inside>,
    bell: Condvar,
    total: usize,
    ahead_max: usize,
}

struct Inside {
    /// The piece that is wanted next: `wanted <= claimed <= wanted + ahead_max`.
    wanted: usize,
    /// The piece that is taken next.
    claimed: usize,
    /// What was found in pieces from `wanted` on.
    found: BTreeMap<usize, io::Result<Findings>>,
    ended: bool,
}

impl Order {
    fn new(total: usize, ahead_max: usize) -> Self {
        let inside = Inside { wanted: 0, claimed: 0, found: BTreeMap::new(), ended: false };
        Self { inside: Mutex::new(inside), bell: Condvar::new(), total, ahead_max }
    }

    /// The number of the next piece; waits while enough of them are ahead. `None` at the end.
    fn claim(&self) -> Option<Claim<'_>> {
        let must_wait = |inside: &mut Inside| {
            !inside.ended
                && inside.claimed < self.total
                && inside.claimed >= inside.wanted + self.ahead_max
        };
        let waited = self.bell.wait_while(self.lock(), must_wait);
        let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
        if inside.ended || inside.claimed == self.total {
            return None;
        }
        inside.claimed += 1;
        let found = Err(io::Error::other("its search broke off"));
        Some(Claim { order: self, number: inside.claimed - 1, found })
    }

    /// What was found in the piece `number`, which comes after the one before.
    fn wait_for(&self, number: usize) -> io::Result<Findings> {
        let is_missing = |inside: &mut Inside| !inside.found.contains_key(&number);
        let waited = self.bell.wait_while(self.lock(), is_missing);
        let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
        let found = inside.found.remove(&number).expect("it was waited for");
        inside.wanted = number + 1;
        drop(inside);
        self.bell.notify_all();
        found
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece that is being searched. What was found is put in its place when this is dropped: who
/// panics leaves nobody waiting.
struct Claim<'o> {
    order: &'o Order,
    number: usize,
    found: io::Result<Findings>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let found = std::mem::replace(&mut self.found, Ok(Findings::default()));
        self.order.lock().found.insert(self.number, found);
        self.order.bell.notify_all();
    }
}

/// Ends an [`Order`] when dropped.
struct End<'o>(&'o Order);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.bell.notify_all();
    }
}

#[cfg(test)]
mod tests;
