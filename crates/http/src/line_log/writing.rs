//! The thread that writes a log, and the handle to it.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::{
    pen::Tally,
    queue::{Batch, Full, Load, Queue},
};

/// Writes what comes in batches.
pub(crate) trait Writer<L>: Send + 'static {
    /// Writes all of `batch`.
    fn write(&mut self, batch: &Batch<L>);

    /// Says how many entries were dropped, if any: the queue has room again.
    fn tell_dropped(&mut self);
}

/// A log that is being written. Its end is that of the thread, for which nobody waits.
#[derive(Debug)]
pub(crate) struct Writing<L: Load> {
    queue: Arc<Queue<L>>,
    tally: Arc<Tally>,
    /// Disconnected when the thread ends.
    ended: Mutex<Receiver<Infallible>>,
}

/// How a log was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Closed {
    /// All was written, or was given up.
    InTime,
    /// The sink is too slow: what it did not take is lost when the process ends.
    TimedOut,
}

impl<L: Load> Writing<L> {
    /// Starts a thread that has `writer` write what is pushed. `tally` is the writer's.
    ///
    /// # Errors
    ///
    /// What the system says of one more thread.
    pub(crate) fn start(writer: impl Writer<L>, tally: Arc<Tally>) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let (alive, ended) = mpsc::channel();
        let source = Arc::clone(&queue);
        thread::Builder::new().name("relais-log".into()).spawn(move || {
            // Dropped after all the rest.
            let _alive = alive;
            run(&source, writer);
        })?;
        Ok(Self { queue, tally, ended: Mutex::new(ended) })
    }

    /// Has `add` give one more to the load. Never waits.
    pub(crate) fn push(&self, add: impl FnOnce(&mut L) -> Result<(), Full>) {
        self.queue.push(add);
    }

    /// Has the file opened anew, soon.
    pub(crate) fn reopen(&self) {
        self.queue.reopen();
    }

    /// What has become of entries.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Waits until all is written, but not longer than `patience`. What comes later is dropped.
    pub(crate) fn shutdown(&self, patience: Duration) -> Closed {
        self.queue.close();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match ended.recv_timeout(patience) {
            Err(RecvTimeoutError::Disconnected) => Closed::InTime,
            Err(RecvTimeoutError::Timeout) => Closed::TimedOut,
        }
    }
}

impl<L: Load> Drop for Writing<L> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn run<L: Load>(queue: &Queue<L>, mut writer: impl Writer<L>) {
    let mut spare = L::default();
    loop {
        let mut batch = queue.take(spare);
        writer.write(&batch);
        if batch.closed || queue.is_roomy() {
            writer.tell_dropped();
        }
        if batch.closed {
            return;
        }
        batch.load.clear();
        spare = batch.load;
    }
}
