//! Who may ask an upstream at once, and who waits for that.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use super::Limits;
use crate::places::{Place, Places};

/// So many may ask at once, and so many wait for a place, each for so long.
#[derive(Debug)]
pub(super) struct Queue {
    asking: Places,
    waiting: Places,
    wait_max: Duration,
}

/// How long a request waited for places, up to an hour: one small number, since much waits at once.
#[derive(Debug, Default)]
pub(super) struct Waited {
    micros: AtomicU32,
}

impl Waited {
    fn add(&self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1);
        self.micros.store(self.micros.load(Relaxed).saturating_add(micros), Relaxed);
    }

    /// `None` if there was a place at once.
    pub(super) fn time(&self) -> Option<Duration> {
        let micros = self.micros.load(Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros.into()))
    }
}

/// There was no place in time, or too many wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// As many wait already as may.
    #[error("too many requests wait for it")]
    Full,
    /// It was waited for as long as it may be.
    #[error("too many requests are under way for too long")]
    Late,
}

impl Queue {
    /// The one that `limits` call for; `None` if any number may ask.
    pub(super) fn new(limits: &Limits) -> Option<Self> {
        let Limits { in_flight_max, queue_max, queue_wait_max, .. } = *limits;
        let asking = Places::at_most(in_flight_max?);
        Some(Self { asking, waiting: Places::at_most(queue_max), wait_max: queue_wait_max })
    }

    /// Waits for a place, behind those who wait already. How long is added to `waited`, if there is none at
    /// once.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Busy`]: why there is none.
    pub(super) async fn enter(&self, waited: &Waited) -> Result<Place, Busy> {
        // There is none while somebody waits: what is given back is theirs.
        if let Some(place) = self.asking.take() {
            return Ok(place);
        }
        let waiting = self.waiting.take().ok_or(Busy::Full)?;
        // Boxed, as it is rarer and its state large.
        Box::pin(self.wait(waiting, waited)).await
    }

    async fn wait(&self, _waiting: Place, waited: &Waited) -> Result<Place, Busy> {
        let since = Instant::now();
        let place = tokio::time::timeout(self.wait_max, self.asking.wait()).await;
        waited.add(since.elapsed());
        place.map_err(|_late| Busy::Late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_ask_and_so_many_wait_each_for_so_long() {
        let queue = queue(1, 1);
        let [first, second, third] = &<[Waited; 3]>::default();
        let one = queue.enter(first).await.unwrap();
        let start = Instant::now();
        let (two, three) = tokio::join!(queue.enter(second), queue.enter(third));
        assert_eq!((two.unwrap_err(), three.unwrap_err()), (Busy::Late, Busy::Full));
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        let waited = [first, second, third].map(Waited::time);
        assert_eq!(waited, [None, Some(Duration::from_secs(5)), None]);
        let freed = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(one);
        };
        let (two, ()) = tokio::join!(queue.enter(second), freed);
        assert!(two.is_ok());
        assert_eq!(second.time(), Some(Duration::from_secs(6)), "with what it waited before");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_longest_is_next() {
        let queue = queue(1, 10);
        let first = queue.enter(&Waited::default()).await.unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        let wait = async |number: u32| {
            let place = queue.enter(&Waited::default()).await.unwrap();
            order.lock().unwrap().push(number);
            drop(place);
        };
        tokio::join!(wait(1), wait(2), wait(3), async { drop(first) });
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn without_a_limit_there_is_no_queue() {
        assert!(Queue::new(&Limits::default()).is_none());
    }

    fn queue(in_flight_max: usize, queue_max: usize) -> Queue {
        let in_flight_max = Some(in_flight_max);
        let queue_wait_max = Duration::from_secs(5);
        Queue::new(&Limits { in_flight_max, queue_max, queue_wait_max, ..Limits::default() })
            .unwrap()
    }
}
