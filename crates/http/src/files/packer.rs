//! Threads that code files, so that nobody else waits for it.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use quick_cache::{Weighter, sync};
use relais_cache::StoredBody;
use relais_wire::accept::Coding;
use tokio::sync::watch;

use super::{
    found::Source,
    hot::bounded,
    options::{Levels, OpenError},
    pack::pack,
    room::Room,
    variant::Tag,
};
use crate::{FileSpan, Stamp};

/// Codes files, each once at a time, and keeps the results.
#[derive(Debug)]
pub(super) struct Packer {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Smaller(StoredBody, Tag),
    /// It did not get smaller.
    Useless,
    /// The file changed meanwhile, or could not be read.
    Failed,
    /// Too many are waiting already, or too much is on its way.
    Crowded,
}

/// A state of a file, and how it is coded.
type Key = (Stamp, &'static str);

#[derive(Debug)]
struct Shared {
    done: sync::Cache<Key, Outcome, Weigher>,
    /// What is waited for. Whoever asks for the same waits, too.
    pending: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
    levels: Levels,
    room: Room,
}

/// A file that is to be coded.
#[derive(Debug)]
pub(super) struct Order {
    pub source: Source,
    pub coding: Coding,
    /// For whom it is open, if it is: who hangs up has it still, until it is coded.
    pub hold: Option<FileSpan>,
}

#[derive(Debug)]
struct Job {
    key: Key,
    order: Order,
    told: watch::Sender<Option<Outcome>>,
}

/// How many of what a [`Packer`] has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew {
    pub threads: usize,
    pub waiting_max: usize,
    pub bytes_max: u64,
    pub levels: Levels,
}

impl Packer {
    /// Starts the threads, which take `room` for what they make. They end when this is dropped and
    /// the last job is done.
    pub(super) fn start(crew: Crew, room: Room) -> Result<Self, OpenError> {
        let (jobs, inbox) = sync_channel(crew.waiting_max);
        let inbox = Arc::new(Mutex::new(inbox));
        let shared = Arc::new(Shared {
            done: bounded(crew.bytes_max, Weigher),
            pending: Mutex::default(),
            levels: crew.levels,
            room,
        });
        for _ in 0..crew.threads.max(1) {
            let (inbox, shared) = (Arc::clone(&inbox), Arc::clone(&shared));
            thread::Builder::new()
                .name("compress".to_owned())
                .spawn(move || shared.work(&inbox))
                .map_err(|source| OpenError::Thread { source })?;
        }
        Ok(Self { jobs, shared })
    }

    /// Codes a file, or waits for who does so already.
    ///
    /// Cancel safe: the work goes on, and its result is kept.
    pub(super) async fn pack(&self, order: Order) -> Outcome {
        let key = (order.source.stamp, order.coding.as_str());
        let mut told = match self.shared.done.get(&key) {
            Some(done) => return done,
            None => match self.enqueue(key, order) {
                Ok(told) => told,
                Err(outcome) => return outcome,
            },
        };
        match told.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Failed),
            Err(_) => Outcome::Failed,
        }
    }

    fn enqueue(&self, key: Key, order: Order) -> Result<watch::Receiver<Option<Outcome>>, Outcome> {
        let mut pending = self.shared.pending();
        if let Some(told) = pending.get(&key) {
            return Ok(told.clone());
        }
        // Done between the first look and the lock?
        if let Some(done) = self.shared.done.get(&key) {
            return Err(done);
        }
        let (told, tells) = watch::channel(None);
        self.jobs.try_send(Job { key, order, told }).map_err(|_full| Outcome::Crowded)?;
        pending.insert(key, tells.clone());
        Ok(tells)
    }
}

impl Shared {
    fn work(&self, inbox: &Mutex<Receiver<Job>>) {
        loop {
            let job = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { key, order, told }) = job else { return };
            // Who is told finds its place free, unless he has the file, too.
            let packed = catch_unwind(AssertUnwindSafe(move || self.pack(order)));
            let outcome = packed.unwrap_or(Outcome::Failed);
            if matches!(outcome, Outcome::Smaller(..) | Outcome::Useless) {
                self.done.insert(key, outcome.clone());
            }
            self.pending().remove(&key);
            told.send_replace(Some(outcome));
        }
    }

    fn pack(&self, Order { source, coding, hold: _hold }: Order) -> Outcome {
        // What does not come to less than the file is not kept.
        let Some(mut room) = self.room.take(source.stamp.len) else { return Outcome::Crowded };
        let Ok(bytes) = source.read() else { return Outcome::Failed };
        // What was read is what is known only if nothing was written meanwhile.
        if !source.is_unchanged() {
            return Outcome::Failed;
        }
        match pack(&bytes, coding, self.levels) {
            Ok(Some(packed)) => {
                let tag = Tag::of_bytes(&packed, coding);
                room.shrink_to(packed.len() as u64);
                Outcome::Smaller(room.hold(packed), tag)
            }
            Ok(None) => Outcome::Useless,
            Err(_) => Outcome::Failed,
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Weigher;

impl Weighter<Key, Outcome> for Weigher {
    fn weight(&self, _: &Key, outcome: &Outcome) -> u64 {
        const BESIDES: u64 = 256;
        match outcome {
            Outcome::Smaller(body, _) => BESIDES + body.bytes().len() as u64,
            Outcome::Useless | Outcome::Failed | Outcome::Crowded => BESIDES,
        }
    }
}
