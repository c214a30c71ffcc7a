//! A load from its first call to its last answer.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use relais_net::{Cores, Dialer};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    client::{Bench, CALLING_MAX, Client, OVERTIME, Shared, Task},
    http2::Slot,
    ledger::Ledger,
    pacer::Pacer,
    schedule::Schedule,
    target::{Said, Target},
};

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Load {
    /// To whom, and what is said.
    pub target: Target,
    /// What each client does with it.
    pub task: Task,
    /// How many connections, each of a client.
    pub connections: NonZeroUsize,
    /// How many clients each connection has. More than one over HTTP/2 alone; without it this is not
    /// looked at.
    pub streams: NonZeroUsize,
    /// How many threads they live on.
    pub threads: NonZeroUsize,
    /// When.
    pub schedule: Schedule,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// A load under way. Dropped, it ends at once.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
    /// How many of them have tried to call, or leave that to others.
    ready: usize,
    tries: mpsc::UnboundedReceiver<()>,
    start: watch::Sender<Option<Instant>>,
    cores: Vec<Core>,
    ended: Option<Instant>,
}

#[derive(Debug)]
struct Core {
    /// Its one thread.
    cores: Cores,
    bench: Bench,
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// How many calls before the start were answered.
    pub reached: usize,
    /// How many were not.
    pub missed: usize,
    /// How many requests were answered, of those that count.
    pub answered: u64,
    /// How many came to nothing.
    pub failed: u64,
}

/// What a load is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Clients call, and nothing is sent.
    Calling,
    /// Requests are sent; for so long, the warm-up included.
    Asking(Duration),
}

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was counted.
    pub ledger: Ledger,
    /// How many calls before the start were answered.
    pub reached: usize,
    /// For how long requests were sent and counted.
    pub time: Duration,
    /// How many requests were under way at the end, and given up.
    pub unanswered: u64,
    /// How many were due by the rate, and never sent, since all connections were waiting.
    pub unsent: u64,
}

impl Load {
    /// How many clients share a connection.
    fn clients_each(&self) -> usize {
        if matches!(self.target.said, Said::Http2(_)) { self.streams.get() } else { 1 }
    }
}

impl Running {
    /// Has clients call. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// What the system says when it has no thread or no timer for us.
    pub fn start(load: Load, dialer: Dialer) -> io::Result<Self> {
        let connections = load.connections.get();
        let cores = (0..load.threads.get().min(connections)).map(|_| Core::start());
        let cores = cores.collect::<io::Result<Vec<_>>>()?;
        let streams = load.clients_each();
        let shared = Arc::new(Shared::new(load, dialer));
        let (start, started) = watch::channel(None);
        let (ready, tries) = mpsc::unbounded_channel();
        let mut clients = JoinSet::new();
        for (number, core) in (1..=connections).zip(cores.iter().cycle()) {
            let slot = matches!(shared.target.said, Said::Http2(_)).then(Slot::default);
            for stream in 0..streams {
                let client = Client {
                    number,
                    stream,
                    slot: slot.clone(),
                    shared: Arc::clone(&shared),
                    bench: core.bench.clone(),
                    ready: ready.clone(),
                    start: started.clone(),
                };
                clients.spawn_on(client.run(), core.handle());
            }
        }
        let (ready, ended) = (0, None);
        Ok(Self { shared, clients, ready, tries, start, cores, ended })
    }

    /// Waits until it is over: all requests were sent, or the time is over, and what was under way
    /// then is answered or has timed out.
    ///
    /// Cancel safe: to be called again, perhaps after a look at [`progress`](Self::progress).
    pub async fn wait(&mut self) {
        while self.ready < self.clients.len() {
            // An error says that all clients are gone.
            if self.tries.recv().await.is_none() {
                break;
            }
            self.ready += 1;
        }
        if self.shared.reached.load(Ordering::Relaxed) == 0 {
            return;
        }
        let begun = *self.shared.begun.get_or_init(Instant::now);
        self.start.send_if_modified(|start| start.replace(begun).is_none());
        while self.clients.join_next().await.is_some() {}
        self.ended.get_or_insert_with(Instant::now);
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let stage = match self.shared.begun.get() {
            None => Stage::Calling,
            Some(begun) => Stage::Asking(begun.elapsed()),
        };
        let (mut answered, mut failed) = (0, 0);
        for core in &self.cores {
            let ledger = core.ledger();
            answered += ledger.answers();
            failed += ledger.failures();
        }
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let (reached, missed) = (load(&self.shared.reached), load(&self.shared.missed));
        Progress { stage, reached, missed, answered, failed }
    }

    /// Ends it, and gives what was counted.
    pub async fn end(mut self) -> Outcome {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Of who is interrupted it counts what was due until then; the last may be about to be sent.
        let slack = if self.ended.is_some() { Duration::ZERO } else { OVERTIME };
        let ended = self.ended.unwrap_or_else(Instant::now);
        self.clients.shutdown().await;
        let (mut ledger, mut unanswered) = (Ledger::default(), 0);
        for core in &self.cores {
            ledger.add(&core.ledger());
            unanswered += core.bench.cut.load(Ordering::Relaxed);
        }
        let Schedule { warmup, .. } = self.shared.schedule;
        let (time, unsent) = match self.shared.begun.get() {
            None => (Duration::ZERO, 0),
            Some(begun) => {
                let since = ended.duration_since(*begun);
                let sent = ledger.answers() + ledger.failures() + unanswered;
                let unsent =
                    self.shared.due_before(since.saturating_sub(slack)).saturating_sub(sent);
                (self.shared.counted_time(since.saturating_sub(warmup)), unsent)
            }
        };
        let reached = self.shared.reached.load(Ordering::Relaxed);
        Outcome { ledger, reached, time, unanswered, unsent }
    }
}

impl Core {
    fn start() -> io::Result<Self> {
        let cores = Cores::start(NonZeroUsize::MIN)?;
        let pacer = {
            let _entered = cores.first().enter();
            Pacer::start()?
        };
        Ok(Self { cores, bench: Bench { ledger: Arc::default(), cut: Arc::default(), pacer } })
    }

    fn handle(&self) -> &Handle {
        self.cores.first()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.bench.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn new(load: Load, dialer: Dialer) -> Self {
        let Load { target, task, schedule, timeout, connections: _, streams: _, threads: _ } = load;
        Self {
            target,
            task,
            dialer,
            schedule,
            timeout,
            next: AtomicU64::new(0),
            calling: Semaphore::new(CALLING_MAX),
            reached: AtomicUsize::new(0),
            missed: AtomicUsize::new(0),
            begun: OnceLock::new(),
            is_over: AtomicBool::new(false),
        }
    }

    /// How many requests that count were due by the rate, if there is one, in this time since the start.
    fn due_before(&self, since: Duration) -> u64 {
        self.schedule.rate.map_or(0, |rate| self.schedule.due_before(rate, since))
    }

    /// Of the `time` since the warm-up, that in which answers are counted as in time.
    fn counted_time(&self, time: Duration) -> Duration {
        let end = self.schedule.end().map(|end| end.saturating_sub(self.schedule.warmup));
        end.map_or(time, |end| time.min(end))
    }
}

#[cfg(test)]
mod tests;
