//! Wakes who waits for a time, to some hundredths of a millisecond. tokio's own timers go off up to a
//! millisecond late, which is more than many servers take to answer.

use std::{io, sync::Arc, time::Duration};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::{
    net::unix::pipe,
    sync::{Notify, mpsc},
    time::Instant,
};

/// Where those who wait on one core say until when.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    waiting: mpsc::UnboundedSender<(Instant, Arc<Notify>)>,
}

impl Pacer {
    /// Starts one on the current runtime. It ends with its last clone.
    ///
    /// # Errors
    ///
    /// What the system says when it has no timer for us.
    pub(super) fn start() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // Not one, but waited for and read as one: tokio has no safe way for descriptors at large.
        let timer = pipe::Receiver::from_owned_fd_unchecked(timer)?;
        let (waiting, waited) = mpsc::unbounded_channel();
        tokio::spawn(wake(timer, waited));
        Ok(Self { waiting })
    }

    /// Has `sleeper` notified at `until`. Who asks later must not ask for an earlier time.
    ///
    /// *Cost*: one entry for each who waits.
    pub(super) fn wake_at(&self, until: Instant, sleeper: &Arc<Notify>) {
        // An error says that the runtime ends, and then nobody waits any more.
        _ = self.waiting.send((until, Arc::clone(sleeper)));
    }
}

/// Wakes one after another: times come in their order.
async fn wake(timer: pipe::Receiver, mut waiting: mpsc::UnboundedReceiver<(Instant, Arc<Notify>)>) {
    while let Some((until, sleeper)) = waiting.recv().await {
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() && sleep(&timer, left).await.is_err() {
            // Late, but not lost.
            tokio::time::sleep_until(until).await;
        }
        sleeper.notify_one();
    }
}

async fn sleep(timer: &pipe::Receiver, time: Duration) -> io::Result<()> {
    let it_value = Timespec::try_from(time).map_err(io::Error::other)?;
    let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
    let once = Itimerspec { it_interval, it_value };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
    loop {
        timer.readable().await?;
        match timer.try_read(&mut [0; 8]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            read => return read.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock of the system, which is what a pacer is about.
    #[tokio::test]
    async fn nobody_is_woken_early_and_all_in_order() {
        let pacer = Pacer::start().unwrap();
        let begun = Instant::now();
        let times = [0, 1, 1, 3, 20].map(|millis| begun + Duration::from_millis(millis));
        let (woken, mut heard) = mpsc::unbounded_channel();
        for (number, until) in times.into_iter().enumerate() {
            let (sleeper, woken) = (Arc::new(Notify::new()), woken.clone());
            pacer.wake_at(until, &sleeper);
            tokio::spawn(async move {
                sleeper.notified().await;
                woken.send((number, Instant::now())).unwrap();
            });
        }
        for (expect, until) in times.into_iter().enumerate() {
            let (number, at) = heard.recv().await.unwrap();
            assert_eq!(number, expect);
            assert!(at >= until);
        }
    }
}
