//! Fetches under way that others may join: one asks upstream, all have what comes.
//!
//! A [`Fill`] begins when somebody asks for what is not stored. Others who want the same wait for its
//! head (a [`Waiter`]); if that says that they may have it, they read its body as it comes (a
//! [`Reader`]). There is one [`Writer`](crate::Writer), who is never slowed by them while the body is one to be
//! stored: it is held anyway, in memory or in a file. A body that turns out to be none to be stored is joined by
//! nobody any more, and passes through a [window](coming) to those who have.
//!
//! Who waits for nothing is told at once, all at the same time: that the answer is not for them, or
//! that there is none.

mod coming;
mod holding;
mod in_file;
mod in_flight;
mod reader;
mod readers;
mod watch;
mod writing;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use http::StatusCode;

use self::{coming::Coming, readers::Readers};
pub(crate) use self::{
    coming::{Body, FillHead},
    holding::{Limits, ToFile, Whole},
    in_flight::{InFlight, Suits, mark},
    reader::Crowd,
    writing::{Added, Ended},
};
pub use self::{
    in_file::{Came, Cold},
    reader::{Broken, Reader, Waiter},
    watch::Watch,
    writing::Woken,
};
use crate::{
    disk::BodyFile, key::Key, reuse::Failure, stored::Stored, vary::Selecting, wish::Tries,
};

/// One fetch of one key, and all who wait for what it brings.
pub(crate) struct Fill {
    pub key: Key,
    /// Of the URI of `key`, as the store hashes it.
    pub hash: u64,
    /// For whom its answer is thought to be, before there is one.
    pub presumed: Selecting,
    /// What was tried in vain before it, for those who wait.
    pub tries: Tries,
    state: Mutex<State>,
}

/// Called by the first who reads, so that what comes keeps nobody else's pace.
pub(crate) type Takeover = Box<dyn FnOnce() + Send>;

struct State {
    stage: Stage,
    readers: Readers,
    /// Who writes, and waits until somebody reads or nobody is left.
    writer: Option<Waker>,
    /// There while the body comes at the pace of who asked for it.
    takeover: Option<Takeover>,
    /// The file of what came, open for who still reads it, whatever becomes of what is stored.
    held: Option<Arc<BodyFile>>,
}

enum Stage {
    /// There is no head yet.
    Asked,
    Coming(Box<Coming>),
    /// All of it came, for such requests, and is on its way into the store.
    Ending(Selecting),
    Over(Over),
}

/// How a fill ended.
#[derive(Clone, Debug)]
pub(crate) enum Over {
    /// This is what came, all of it.
    Whole(Arc<Stored>),
    /// What came is for who asked, and each other has to ask for himself.
    Alone,
    /// What came is about how it was asked for: others may be answered otherwise.
    OfRequest,
    /// What came is for who asked, as he may be somebody: who names nobody may be answered otherwise.
    Personal,
    /// Nothing came, or an error; the status is what who asked was told.
    Failed(Failure, StatusCode),
    /// Its body broke off.
    Cut,
    /// Who asked for it left, and nobody else was there.
    Left,
}

impl Fill {
    pub(crate) fn new((key, hash): (Key, u64), presumed: Selecting, tries: Tries) -> Self {
        let state = Mutex::new(State {
            stage: Stage::Asked,
            readers: Readers::default(),
            writer: None,
            takeover: None,
            held: None,
        });
        Self { key, hash, presumed, tries, state }
    }

    /// Whether there is no head yet.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.lock().stage, Stage::Asked)
    }

    /// How it ended, if it did.
    pub(crate) fn over(&self) -> Option<Over> {
        match &self.lock().stage {
            Stage::Over(over) => Some(over.clone()),
            Stage::Asked | Stage::Coming(_) | Stage::Ending(_) => None,
        }
    }

    /// Ends it, and wakes all. What has ended stays as it is.
    pub(crate) fn end(&self, over: Over) {
        let mut state = self.lock();
        let before = state.over(over);
        let (woken, takeover) = (state.readers.take_wakers(), state.takeover.take());
        drop(state);
        drop((before, takeover));
        woken.into_iter().for_each(Waker::wake);
    }

    /// Holds the file of what came open until nobody is left.
    pub(crate) fn hold(&self, file: Option<Arc<BodyFile>>) {
        self.lock().held = file;
    }

    /// Ends it unless somebody else waits for it or reads it. Whether it ended.
    ///
    /// Who comes later finds it over, and never one that nobody writes.
    pub(crate) fn end_if_alone(&self) -> bool {
        let mut state = self.lock();
        let before = if state.readers.is_empty() { state.over(Over::Left) } else { None };
        let is_over = matches!(state.stage, Stage::Over(_));
        drop(state);
        drop(before);
        is_over
    }

    /// Whether anybody waits for it or reads it.
    pub(crate) fn is_joined(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Waits until nobody waits for it or reads it.
    pub(crate) fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.readers.is_empty() {
            return Poll::Ready(());
        }
        state.note_writer(cx);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends it, unless it has ended. What was before is to be dropped without the lock: it may be the
    /// last to have a long file open.
    #[must_use]
    fn over(&mut self, over: Over) -> Option<Stage> {
        let has_ended = matches!(self.stage, Stage::Over(_));
        (!has_ended).then(|| std::mem::replace(&mut self.stage, Stage::Over(over)))
    }

    /// Who writes, if it may go on now that a reader did, or left: where nobody is left, or all wait
    /// for the slowest.
    fn take_writer(&mut self) -> Option<Waker> {
        let is_held = match &self.stage {
            Stage::Coming(coming) => coming.body.outgrown().is_none(),
            Stage::Asked | Stage::Ending(_) | Stage::Over(_) => true,
        };
        if is_held && !self.readers.is_empty() { None } else { self.writer.take() }
    }

    fn note_writer(&mut self, cx: &mut Context<'_>) {
        match &mut self.writer {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.writer = Some(cx.waker().clone()),
        }
    }
}

impl fmt::Debug for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fill").field("key", &self.key).finish_non_exhaustive()
    }
}
