//! One client: it asks, waits for the answer, counts it, and asks again.

mod calling;

use std::{
    mem,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use relais_net::Dialer;
use tokio::{
    sync::{Notify, Semaphore, mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    deadline::Deadline,
    failure::{Failure, Kind},
    http2::Slot,
    ledger::{Answered, Ledger, Then, Times},
    line::Line,
    message::own_message,
    pacer::Pacer,
    schedule::{Due, Schedule},
    target::Target,
};

/// What all clients share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) task: Task,
    pub(super) dialer: Dialer,
    pub(super) schedule: Schedule,
    /// How long an answer may take, counted from when it was asked for.
    pub(super) timeout: Duration,
    /// The number of the next request, where they have numbers.
    pub(super) next: AtomicU64,
    /// Who may call before the start: not all at once.
    pub(super) calling: Semaphore,
    /// How many calls before the start were answered, and not.
    pub(super) reached: AtomicUsize,
    pub(super) missed: AtomicUsize,
    /// When requests began.
    pub(super) begun: OnceLock<Instant>,
    /// Nothing more is to be sent.
    pub(super) is_over: AtomicBool,
}

/// What each client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It asks the same again and again.
    Ask,
    /// It sends so many messages that are its own, and hears whether it gets these back.
    Talk {
        /// How many.
        messages: u64,
    },
}

/// What the clients of one core share.
#[derive(Clone, Debug)]
pub(super) struct Bench {
    pub(super) ledger: Arc<Mutex<Ledger>>,
    /// How many requests that count were given up with their client.
    pub(super) cut: Arc<AtomicU64>,
    pub(super) pacer: Pacer,
}

/// One of many.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) bench: Bench,
    /// Told once a line is open, or could not be opened.
    pub(super) ready: mpsc::UnboundedSender<()>,
    /// The number of its connection, from 1.
    pub(super) number: usize,
    /// Which of the streams of its connection it is, from 0, which is the one that calls first.
    pub(super) stream: usize,
    /// The connection of these streams, if a connection may have several.
    pub(super) slot: Option<Slot>,
    /// When to begin, once that is known.
    pub(super) start: watch::Receiver<Option<Instant>>,
}

/// A request that is to be sent now.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// When it was due, if that is known from a rate.
    due: Option<Instant>,
    /// Whether it is counted.
    counts: bool,
}

/// A request that is waited for. Dropped with its client, it is counted.
struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many may call at once before the start. A server's queue is often not longer than that, and
/// who finds it full waits for a second.
pub(super) const CALLING_MAX: usize = 256;

/// For how long after the end requests are sent that were due before it: as long as a busy machine may
/// let us wait. Without it, the last few of many were never sent wherever a core is missed for a moment.
pub(super) const OVERTIME: Duration = Duration::from_millis(100);

/// How long to wait after a call that was not answered.
const PAUSE: Duration = Duration::from_millis(50);

impl Shared {
    /// When requests began. Clients run from then on.
    fn begun(&self) -> Instant {
        *self.begun.get().expect("clients begin once that is set")
    }
}

impl Client {
    /// Opens a line, waits for the start, and asks until there is no more to ask.
    pub(super) async fn run(mut self) {
        let line = self.open_early().await;
        _ = self.ready.send(());
        // An error says that nobody will start it any more.
        let Ok(begun) = self.start.wait_for(Option::is_some).await.map(|begun| *begun) else {
            return;
        };
        let now = begun.unwrap_or_else(Instant::now);
        match self.shared.task {
            Task::Ask => self.ask_on(line, now).await,
            Task::Talk { messages } => {
                let ended = self.talk(line, messages).await;
                self.with_ledger(|ledger| ledger.dialogues.ended(self.number, ended));
            }
        }
    }

    /// Keeps a dialogue of so many messages, none of which is another's.
    async fn talk(&self, line: Option<Line>, messages: u64) -> Result<(), Failure> {
        let mut line = match line {
            Some(line) => line,
            None => self.open().await?,
        };
        let mut now = Instant::now();
        let mut deadline = Deadline::new(now + self.shared.timeout);
        for nth in 1..=messages {
            let message = own_message(self.number, nth, self.shared.target.bytes().len());
            let answered = deadline.limit(now + self.shared.timeout, line.exchange(&message)).await;
            let answered = answered.unwrap_or_else(|_| Err(self.shared.timed_out()));
            let sent = mem::replace(&mut now, Instant::now());
            self.count(Turn { due: None, counts: true }, sent, now, answered.as_ref());
            answered?;
        }
        Ok(())
    }

    async fn ask_on(&self, mut line: Option<Line>, mut now: Instant) {
        let shared = &*self.shared;
        let message = shared.target.bytes();
        let mut deadline = Deadline::new(now + shared.timeout);
        let wake = Arc::new(Notify::new());
        while let Some(turn) = self.turn(&mut now, &wake).await {
            // One that waits for its connection is waited for, too.
            let under_way = turn.counts.then(|| UnderWay(&self.bench.cut));
            let open = match line.take().map_or(Ok(None), Line::rested) {
                Ok(Some(open)) => Ok(open),
                Ok(None) => {
                    let opened = self.open().await;
                    now = Instant::now();
                    opened
                }
                Err(failure) => Err(failure),
            };
            let mut open = match open {
                Ok(open) => open,
                Err(failure) => {
                    mem::forget(under_way);
                    self.count(turn, now, now, Err(&failure));
                    sleep(PAUSE).await;
                    now = Instant::now();
                    continue;
                }
            };
            let sent = now;
            let answered = deadline.limit(sent + shared.timeout, open.exchange(message)).await;
            mem::forget(under_way);
            now = Instant::now();
            let answered = answered.unwrap_or_else(|_| Err(shared.timed_out()));
            self.count(turn, sent, now, answered.as_ref());
            line = matches!(answered, Ok(Answered { then: Then::Goes, .. })).then_some(open);
        }
    }

    /// Waits for the next request, if there is one; `now` is when that is.
    async fn turn(&self, now: &mut Instant, wake: &Arc<Notify>) -> Option<Turn> {
        let shared = &*self.shared;
        if shared.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let begun = shared.begun();
        let since = *now - begun;
        let take = |count| shared.next.fetch_add(1, Ordering::Relaxed) < count;
        let Some(rate) = shared.schedule.rate else {
            return match shared.schedule.at(since, take) {
                Due::Counted(_) => Some(Turn { due: None, counts: true }),
                Due::WarmUp(_) => Some(Turn { due: None, counts: false }),
                Due::Never => None,
            };
        };
        // What is later than that is not sent any more: the time is over.
        if shared.schedule.end().is_some_and(|end| since >= end.saturating_add(OVERTIME)) {
            return None;
        }
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let (due, counts) = match shared.schedule.due(rate, number) {
            Due::Counted(due) => (begun + due, true),
            Due::WarmUp(due) => (begun + due, false),
            Due::Never => return None,
        };
        if due > *now {
            self.bench.pacer.wake_at(due, wake);
            wake.notified().await;
            *now = Instant::now();
            if counts {
                self.with_ledger(|ledger| ledger.woken_late.record(*now - due));
            }
        }
        Some(Turn { due: Some(due), counts })
    }

    /// Counts what came of a request.
    fn count(
        &self,
        turn: Turn,
        sent: Instant,
        now: Instant,
        answered: Result<&Answered, &Failure>,
    ) {
        if !turn.counts {
            return;
        }
        let Schedule { warmup, .. } = self.shared.schedule;
        let since = now - self.shared.begun();
        let at = since.saturating_sub(warmup);
        self.with_ledger(|ledger| match answered {
            Err(failure) => ledger.failed(failure, at),
            Ok(answer) => {
                let message_bytes = u64::try_from(self.shared.target.bytes().len());
                let message_bytes = message_bytes.expect("a length in memory");
                let times = Times {
                    at,
                    latency: now - turn.due.unwrap_or(sent),
                    since_sent: turn.due.map(|_| now - sent),
                    in_time: self.shared.schedule.end().is_none_or(|end| since <= end),
                };
                ledger.answered(answer, answer.sent.unwrap_or(message_bytes), times);
            }
        });
    }

    fn with_ledger<T>(&self, note: impl FnOnce(&mut Ledger) -> T) -> T {
        // What was counted is counted, whoever panicked meanwhile.
        note(&mut self.bench.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn timed_out(&self) -> Failure {
        Failure::new(Kind::TimedOut, format!("no answer in {:?}", self.timeout))
    }
}
