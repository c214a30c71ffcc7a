//! Ending in good order: stop taking callers, let the ones inside finish, then leave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, mpsc};

/// The end that says stop. Dropping it says so, too.
#[derive(Debug)]
pub struct Shutdown {
    stop: Arc<Stop>,
    alive: mpsc::Receiver<()>,
}

/// The end that is told to stop. Every task holds a clone, and is waited for while it does.
#[derive(Clone, Debug)]
pub struct Drain {
    stop: Arc<Stop>,
    _inside: mpsc::Sender<()>,
}

#[derive(Debug)]
struct Stop {
    said: AtomicBool,
    heard: Notify,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Everyone left in time.
    InTime,
    /// The grace ran out with someone still inside.
    TimedOut,
}

impl Shutdown {
    /// A shutdown, and the first of the [`Drain`]s that wait for it.
    pub fn new() -> (Self, Drain) {
        let stop = Arc::new(Stop { said: AtomicBool::new(false), heard: Notify::new() });
        let (inside, alive) = mpsc::channel(1);
        (Self { stop: Arc::clone(&stop), alive }, Drain { stop, _inside: inside })
    }

    /// Says stop, and waits for nobody.
    pub fn request(&self) {
        self.stop.say();
    }

    /// Whether every [`Drain`] was dropped. Costs one load.
    pub fn is_drained(&self) -> bool {
        self.alive.is_closed()
    }

    /// Says stop, then waits for every [`Drain`] to be dropped, but no longer than `grace`.
    pub async fn finish(mut self, grace: Duration) -> Drained {
        self.request();
        match tokio::time::timeout(grace, self.alive.recv()).await {
            Ok(_) => Drained::InTime,
            Err(_) => Drained::TimedOut,
        }
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.stop.say();
    }
}

impl Stop {
    fn say(&self) {
        self.said.store(true, Ordering::Release);
        self.heard.notify_waiters();
    }
}

impl Drain {
    /// Waits until we are told to stop. At once, if we already were.
    ///
    /// Cancel safe.
    pub async fn requested(&self) {
        // Enlisted before the question is asked, so that a word in between is not missed.
        let heard = self.stop.heard.notified();
        if !self.is_requested() {
            heard.await;
        }
    }

    /// Whether we were told to stop. Costs one load.
    pub fn is_requested(&self) -> bool {
        self.stop.said.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_those_inside() {
        let (shutdown, drain) = Shutdown::new();
        tokio::spawn(async move {
            drain.requested().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
        assert_eq!(shutdown.finish(Duration::from_secs(2)).await, Drained::InTime);
    }

    #[tokio::test(start_paused = true)]
    async fn but_not_for_ever() {
        let (shutdown, _drain) = Shutdown::new();
        assert_eq!(shutdown.finish(Duration::from_secs(2)).await, Drained::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_told_to_stop_may_be_waited_for_later() {
        let (shutdown, drain) = Shutdown::new();
        shutdown.request();
        assert!(drain.is_requested() && !shutdown.is_drained());
        drop(drain);
        assert!(shutdown.is_drained());
        assert_eq!(shutdown.finish(Duration::ZERO).await, Drained::InTime);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_that_is_dropped_says_stop() {
        let (shutdown, drain) = Shutdown::new();
        assert!(!drain.is_requested());
        drop(shutdown);
        drain.requested().await;
        assert!(drain.is_requested());
    }
}
