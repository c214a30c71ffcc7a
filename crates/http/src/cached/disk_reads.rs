//! Who waits for the disk: so many at once, each on a thread of its own, and no client for long.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::places::{Place, Places};

/// How many wait for the disk at once; others wait for them.
const READS_MAX: usize = 32;

/// Of as many kinds of things, each is read by one at a time. More than may read, so that those who
/// want different things seldom meet.
const KINDS: usize = 256;

/// How long a client waits for the disk before upstream is asked: a disk that is only busy is through
/// with what 32 others want by then, and most clients are still there.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// All who wait for the disk. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct DiskReads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: Places,
    /// Whoever wants what somebody reads waits for that, and need not read it then.
    kinds: Box<[Places]>,
    hasher: RandomState,
    /// Whether a client waited in vain, and the disk gave nothing since.
    is_late: AtomicBool,
}

/// A turn to wait for the disk. Who has waited for it looks first whether it is still needed.
#[derive(Debug)]
pub(super) struct ReadTurn {
    reads: DiskReads,
    _place: Place,
    // Dropped last: the next of the kind finds a place.
    _of_kind: Place,
}

impl DiskReads {
    pub(super) fn new() -> Self {
        let places = Places::at_most(READS_MAX);
        let kinds = (0..KINDS).map(|_| Places::at_most(1)).collect();
        let (hasher, is_late) = (RandomState::new(), AtomicBool::new(false));
        Self(Arc::new(Shared { places, kinds, hasher, is_late }))
    }

    fn kind(&self, what: impl Hash) -> &Places {
        let kinds = &self.0.kinds;
        let hash = self.0.hasher.hash_one(what);
        &kinds[usize::try_from(hash % kinds.len() as u64).expect("one of the kinds")]
    }

    /// Waits until `what` may be read.
    ///
    /// Cancel safe.
    pub(super) async fn turn(&self, what: impl Hash) -> ReadTurn {
        let of_kind = self.kind(what).wait().await;
        let place = self.0.places.wait().await;
        ReadTurn { reads: self.clone(), _place: place, _of_kind: of_kind }
    }

    /// What `reading` of `what` gives. `None` if the disk takes too long; or, once it did, if others
    /// wait for it already.
    ///
    /// *Cancel safety*: that of `reading`.
    pub(super) async fn in_time<T>(
        &self,
        what: impl Hash,
        reading: impl Future<Output = T>,
    ) -> Option<T> {
        let has_turn = || self.kind(what).is_free() && self.0.places.is_free();
        if self.0.is_late.load(Relaxed) && !has_turn() {
            return None;
        }
        let read = tokio::time::timeout(WAIT_MAX, reading).await.ok();
        if read.is_none() {
            self.0.is_late.store(true, Relaxed);
        }
        read
    }

    /// How many could begin to wait for it now.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.places.free()
    }
}

impl ReadTurn {
    /// Has `job` done, which waits for the disk. It is done even if nobody waits for it any more, and
    /// the turn lasts until it is.
    pub(super) fn read<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        spawn_blocking(move || {
            let done = job();
            self.reads.0.is_late.store(false, Relaxed);
            // All of it, and only now: without this it would stay behind, but for what is used above.
            drop(self);
            done
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A job that lasts until it is told to end.
    async fn hanging(reads: &DiskReads, what: usize) -> (mpsc::Sender<()>, JoinHandle<()>) {
        let (end, ends) = mpsc::channel();
        let job = reads.turn(what).await.read(move || _ = ends.recv());
        (end, job)
    }

    /// Their kinds are chosen by chance: so many different ones as there are places.
    async fn all_hanging(reads: &DiskReads) -> Vec<(mpsc::Sender<()>, JoinHandle<()>)> {
        let mut all = Vec::new();
        for what in 0.. {
            if all.len() == READS_MAX {
                break;
            }
            if reads.kind(what).is_free() {
                all.push(hanging(reads, what).await);
            }
        }
        all
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_the_disk_is_waited_for_whoever_leaves() {
        let reads = DiskReads::new();
        let (end, job) = hanging(&reads, 1).await;
        drop(job);
        tokio::task::yield_now().await;
        assert_eq!(reads.free(), READS_MAX - 1);
        drop(end);
        // The next of its kind has its turn when it is done.
        reads.turn(1_usize).await;
        assert_eq!(reads.free(), READS_MAX);
    }

    #[tokio::test]
    async fn no_more_wait_for_the_disk_than_there_are_places() {
        let reads = DiskReads::new();
        let mut all = all_hanging(&reads).await;
        assert_eq!(reads.free(), 0);
        let other = (0..KINDS * 99).find(|what| reads.kind(*what).is_free()).unwrap();
        let mut next = Box::pin(reads.turn(other));
        assert!(futures_poll(&mut next).is_none());
        drop(all.pop());
        next.await;
    }

    #[tokio::test]
    async fn who_waits_too_long_waits_no_longer_and_who_comes_then_not_at_all() {
        tokio::time::pause();
        let reads = DiskReads::new();
        let all = all_hanging(&reads).await;
        let waiting = tokio::spawn({
            let reads = reads.clone();
            async move { reads.in_time("a", reads.turn("a")).await.is_some() }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(WAIT_MAX * 2).await;
        assert!(!waiting.await.unwrap());
        assert!(reads.in_time("b", reads.turn("b")).await.is_none());
        // Once it answers, it is waited for again.
        for (end, job) in all {
            drop(end);
            job.await.unwrap();
        }
        assert!(reads.in_time("b", reads.turn("b")).await.is_some());
        let (_end, _job) = hanging(&reads, 1).await;
        let came = futures_poll(&mut Box::pin(reads.in_time(1_usize, reads.turn(1_usize))));
        assert!(came.is_none());
    }

    /// What `future` gives at once.
    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
