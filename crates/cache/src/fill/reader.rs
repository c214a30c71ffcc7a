//! Who joins a fill: first he waits for its head, then he reads its body.

use std::{
    fmt, io,
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{
    Fill, Over, Stage, State,
    holding::Next,
    in_file::{Came, Cold, InFile},
};
use crate::{cache_status::Forward, key::Key, stored::Stored, wish::Wish};

/// Who waits for the head of an answer that somebody else asked for.
///
/// Dropping it is giving up, and ends no fetch that others wait for.
#[derive(Debug)]
pub struct Waiter {
    reader: Reader,
    /// Why upstream would be asked.
    why: Forward,
    /// How many fetches it waited for, this one included.
    pub(crate) rounds: u32,
    /// What it asked for, if that is another key than that of what it waits for.
    asked_as: Option<Key>,
    _place: CrowdPlace,
}

impl Waiter {
    pub(crate) fn new(reader: Reader, wish: &Wish<'_>, place: CrowdPlace) -> Self {
        let asked_as = (wish.asked_as != wish.key).then(|| wish.asked_as.clone());
        Self { reader, why: wish.why, rounds: wish.rounds + 1, asked_as, _place: place }
    }

    /// Waits until the head is there, or it is clear that there will be none: then
    /// [`Cache::resume`](crate::Cache::resume) tells what to do.
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Reader { fill, place, .. } = &self.reader;
        let mut state = fill.lock();
        match state.stage {
            Stage::Coming(_) | Stage::Over(_) => Poll::Ready(()),
            Stage::Asked | Stage::Ending(_) => {
                state.readers.waits(*place, cx);
                Poll::Pending
            }
        }
    }

    /// Why upstream would be asked.
    pub fn why(&self) -> Forward {
        self.why
    }

    /// What it asked for.
    pub(crate) fn asked_as(&self) -> &Key {
        self.asked_as.as_ref().unwrap_or(&self.reader.fill.key)
    }

    /// What it waits for.
    pub(crate) fn fill(&self) -> &Arc<Fill> {
        &self.reader.fill
    }
}

/// Who reads a body that somebody else asked for, as it comes.
pub struct Reader {
    fill: Arc<Fill>,
    /// Among those who read.
    place: usize,
    /// Whether it was asked for a piece.
    has_begun: bool,
    at: u64,
    /// Where it ends that is wanted of it; `None` for all there is.
    end: Option<u64>,
    /// How many bytes the body has, if that is known.
    pub(crate) size: Option<u64>,
}

/// A body broke off that somebody else asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Upstream, or who asked it, did not go on.
    #[error("the body broke off while it was fetched for several clients")]
    Off,
    /// It was read too slowly, and is not held in memory as a whole.
    #[error("the body was taken too slowly to be waited for")]
    TooSlow,
    /// It stands in a file that could not be read.
    #[error("the file that the body stands in could not be read: {0}")]
    Unread(io::ErrorKind),
}

impl Reader {
    pub(crate) fn new(fill: Arc<Fill>, place: usize, at: u64) -> Self {
        Self { fill, place, has_begun: false, at, end: None, size: None }
    }

    /// The same, of a body of so many bytes.
    pub(super) fn sized(mut self, size: Option<u64>) -> Self {
        self.size = size;
        self
    }

    /// The same, of these bytes alone; `None` is all there is from there.
    pub(crate) fn of(mut self, first: u64, end: Option<u64>) -> Self {
        (self.at, self.end) = (first, end);
        self.fill.lock().readers.is_at(self.place, first);
        self
    }

    /// Waits for the next piece; `None` if that was all.
    ///
    /// What it gives [`Cold`], is to be [taken](Self::took) before it is asked again.
    ///
    /// *Cost*: a copy of up to 64 KiB for who reads at another pace than it comes at; a disk is never
    /// waited for.
    ///
    /// # Errors
    ///
    /// [`Broken`], if no more will come. What was read then is not the whole.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Came, Broken>>> {
        let left = self.end.map(|end| end.saturating_sub(self.at));
        if left == Some(0) {
            return Poll::Ready(None);
        }
        let mut state = self.fill.lock();
        if !state.readers.has(self.place) {
            return Poll::Ready(Some(Err(Broken::TooSlow)));
        }
        // Of a herd all have the head first, and their turn with the body then.
        if !std::mem::replace(&mut self.has_begun, true) && state.readers.are_due() {
            state.readers.waits_in_turn(self.place, cx);
            return Poll::Pending;
        }
        let next = match &state.stage {
            Stage::Coming(coming) => coming.body.after(self.at),
            Stage::Asked | Stage::Ending(_) => Next::Later,
            Stage::Over(Over::Whole(stored)) => stored_after(stored, self.at),
            Stage::Over(_) => Next::Lost,
        };
        Poll::Ready(match next {
            Next::Bytes(bytes) => {
                let bytes = beginning(bytes, left);
                self.at += bytes.len() as u64;
                is_at(state, (self.place, self.at));
                Some(Ok(Came::Bytes(bytes)))
            }
            Next::Later => {
                state.readers.waits(self.place, cx);
                return Poll::Pending;
            }
            Next::File(file) => {
                // Nobody is to wait for a lock meanwhile.
                drop(state);
                Some(self.read_now(file))
            }
            Next::End => None,
            Next::Lost => Some(Err(Broken::Off)),
        })
    }

    /// What is next in `file`, or that it is to be waited for.
    fn read_now(&mut self, file: InFile) -> Result<Came, Broken> {
        match file.read_now(self.at) {
            Ok(bytes) => Ok(Came::Bytes(self.took(bytes))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(Came::Cold(Cold::new(file, self.at)))
            }
            Err(error) => Err(Broken::Unread(error.kind())),
        }
    }

    /// Goes on behind these `bytes`, which are next. Gives as many of them as are wanted.
    pub fn took(&mut self, bytes: Bytes) -> Bytes {
        let bytes = beginning(bytes, self.end.map(|end| end.saturating_sub(self.at)));
        self.at += bytes.len() as u64;
        is_at(self.fill.lock(), (self.place, self.at));
        bytes
    }
}

/// No more than `left` of `bytes`.
fn beginning(mut bytes: Bytes, left: Option<u64>) -> Bytes {
    if let Some(left) = left.and_then(|left| usize::try_from(left).ok()) {
        bytes.truncate(left);
    }
    bytes
}

/// Says that the reader with this `place` has read up to there.
fn is_at(mut state: MutexGuard<'_, State>, (place, at): (usize, u64)) {
    state.readers.is_at(place, at);
    let writer = state.take_writer();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
}

/// What there is of what is `stored` behind the first `at` bytes.
fn stored_after(stored: &Stored, at: u64) -> Next {
    if at >= stored.bytes() {
        return Next::End;
    }
    if let Some(file) = stored.file() {
        return Next::File(InFile::Stored(file.clone()));
    }
    let at = usize::try_from(at).expect("a place in memory");
    Next::Bytes(stored.body().slice(at..))
}

/// Tells who writes if that was the last.
impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.fill.lock();
        state.readers.remove(self.place);
        let writer = state.take_writer();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("fill", &self.fill)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// How many wait for heads, of all fills.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    waiting: Arc<AtomicUsize>,
    max: usize,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct CrowdPlace {
    waiting: Arc<AtomicUsize>,
}

impl Crowd {
    pub(crate) fn at_most(max: usize) -> Self {
        Self { waiting: Arc::default(), max }
    }

    /// A place, if there is one.
    pub(crate) fn enter(&self) -> Option<CrowdPlace> {
        let one_more = |waiting: usize| (waiting < self.max).then_some(waiting + 1);
        let entered = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        entered.ok().map(|_| CrowdPlace { waiting: Arc::clone(&self.waiting) })
    }
}

impl Drop for CrowdPlace {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
