//! The service behind a socket of datagrams that relays.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relais_net::{Batch, DatagramService, Datagrams, Drain, Fault, Heard, Peer, Side, Train, Word};
use relais_tap::{By, Direction};
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::debug;

use super::{
    association::Association,
    associations::{Associations, Verdict},
    held::Held,
    options::{Common, Options},
    shaping::Shape,
    tally::{Counts, count},
};

/// How long names may take to be known before datagrams are heard: what comes until then waits.
const FIRST_NAMES_MAX: Duration = Duration::from_secs(1);

/// How long those who asked last may wait for an answer after we are told to stop.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(1);

/// How often it is looked then whether anybody waits.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Passes each sender's datagrams on to an upstream, and what comes back to the sender.
#[derive(Debug)]
pub struct Relay {
    common: Arc<Common>,
}

/// A relay at one socket.
#[derive(Debug)]
struct Running {
    common: Arc<Common>,
    socket: Arc<Datagrams>,
    table: Mutex<Associations<Seat>>,
    held: Mutex<Held<(Arc<Association>, Direction)>>,
    /// Something is held that is due sooner than what was.
    sooner: Notify,
}

/// An association, and the task that hears its upstream: that ends when this is dropped.
#[derive(Debug)]
struct Seat {
    association: Arc<Association>,
    task: AbortHandle,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// A relay that does as `options` say.
    pub fn new(options: Options) -> Self {
        Self { common: Arc::new(Common::new(options)) }
    }

    /// Has `shape` done to datagrams from now on.
    pub fn reshape(&self, shape: Shape) {
        self.common.shaping.set(shape);
    }

    /// What became of datagrams until now.
    pub fn counts(&self) -> Counts {
        self.common.tally.counts()
    }
}

impl DatagramService for Relay {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        let common = Arc::clone(&self.common);
        let Options { upstreams, limits, .. } = &common.options;
        // What is not known by then is tried again and again.
        _ = timeout(FIRST_NAMES_MAX, upstreams.resolve()).await;
        let running = Arc::new(Running::new(Arc::clone(&common), socket));
        let mut tasks = JoinSet::new();
        let names = Arc::clone(upstreams);
        tasks.spawn(async move { names.keep_resolved().await });
        tasks.spawn(Arc::clone(&running).deliver());
        let mut told = pin!(drain.requested());
        let mut silence = pin!(sleep(limits.idle_max));
        loop {
            tokio::select! {
                ready = running.socket.ready() => ready.and_then(|()| running.hear(&mut tasks)),
                () = silence.as_mut() => {
                    silence.as_mut().reset(running.forget());
                    Ok(())
                }
                () = told.as_mut() => break,
            }
            .map_err(|error| Fault::new(Side::Relais, "hearing datagrams", error))?;
        }
        running.finish().await;
        // Each has a flow, and that is to be closed before we are taken to be gone.
        tasks.shutdown().await;
        Ok(())
    }
}

impl Running {
    fn new(common: Arc<Common>, socket: Arc<Datagrams>) -> Self {
        let table = Mutex::new(Associations::new(common.options.limits));
        Self { common, socket, table, held: Mutex::default(), sooner: Notify::new() }
    }

    /// Passes on what is there.
    fn hear(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> io::Result<()> {
        Batch::lend(|batch| {
            if self.socket.try_hear(batch)? == Word::Datagrams {
                self.pass_on(batch, tasks);
            }
            Ok(())
        })
    }

    fn pass_on(self: &Arc<Self>, batch: &Batch, tasks: &mut JoinSet<()>) {
        let now = Instant::now();
        let mut table = self.table();
        let mut passed: Vec<(usize, Train<'_>)> = Vec::new();
        let mut last = None;
        for heard in batch.heard() {
            // Those of one sender come in a row: it is looked up once.
            let place = match last {
                Some((from, place)) if from == heard.from => Some(place),
                _ => self.place_of(&heard, now, (&mut table, tasks)),
            };
            last = place.map(|place| (heard.from, place));
            passed.extend(place.map(|place| (place, heard.train)));
        }
        // Those of one sender go together, in their order.
        passed.sort_by_key(|(place, _)| *place);
        for some in passed.chunk_by(|(one, _), (other, _)| one == other) {
            let association = &table.with(some[0].0).association;
            association.heard_sender();
            let trains = some.iter().map(|(_, train)| *train);
            if self.common.shaping.is_something() {
                self.hold(association, Direction::ToServer, trains);
            } else {
                association.send_on(trains);
            }
        }
    }

    /// The place of the association that `heard` belongs to; a new one, if there may be one more.
    fn place_of(
        self: &Arc<Self>,
        heard: &Heard<'_>,
        now: Instant,
        (table, tasks): (&mut Associations<Seat>, &mut JoinSet<()>),
    ) -> Option<usize> {
        let Common { options, tally, .. } = &*self.common;
        let sender = heard.from;
        let datagrams = u64::try_from(heard.train.count()).expect("a count fits 64 bits");
        match table.hear(sender, now) {
            Verdict::Known(place) => return Some(place),
            // Asked of newcomers alone: those who are associated were asked before.
            Verdict::New | Verdict::Full if !options.callers.may(Peer::Net(sender)) => {
                count(&tally.denied, datagrams);
                return None;
            }
            Verdict::Full => {
                count(&tally.full, datagrams);
                return None;
            }
            Verdict::New => (),
        }
        let association = match Association::new(sender, heard.at, &self.common) {
            Ok(association) => Arc::new(association),
            Err(error) => {
                count(&tally.nowhere, datagrams);
                debug!(%sender, %error, "a sender is not associated");
                return None;
            }
        };
        // Of those that ended.
        while tasks.try_join_next().is_some() {}
        let task = tasks.spawn(Arc::clone(self).answer(Arc::clone(&association)));
        Some(table.admit(sender, now, Seat { association, task }))
    }

    /// Passes back what the upstream says to one sender, until its seat is dropped.
    async fn answer(self: Arc<Self>, association: Arc<Association>) {
        loop {
            let word = match association.conn.ready().await {
                Ok(()) => Batch::lend(|batch| {
                    let word = association.conn.try_hear(batch);
                    if let Ok(Word::Datagrams) = word {
                        self.pass_back(&association, batch);
                    }
                    word
                }),
                Err(error) => Err(error),
            };
            match word {
                Ok(Word::Refused(_)) if association.refused() => {
                    association.end(By::Server, "refused");
                    break;
                }
                Ok(_) => (),
                Err(error) => {
                    debug!(sender = %association.sender, %error, "a sender's socket failed");
                    association.end(By::Relais, "failed");
                    break;
                }
            }
        }
        let mut table = self.table();
        if table.find(association.sender).is_some_and(|seat| seat.is_of(&association)) {
            table.remove(association.sender);
        }
    }

    fn pass_back(&self, association: &Arc<Association>, batch: &Batch) {
        association.heard_upstream();
        self.table().renew(association.sender, Instant::now());
        let trains = batch.heard().map(|heard| heard.train);
        if self.common.shaping.is_something() {
            self.hold(association, Direction::ToClient, trains);
        } else {
            association.send_back(trains, &self.socket);
        }
    }

    /// Holds datagrams until they are due, where the network is like a bad one.
    fn hold<'a>(
        &self,
        association: &Arc<Association>,
        direction: Direction,
        trains: impl Iterator<Item = Train<'a>>,
    ) {
        let now = Instant::now();
        let mut held = self.held();
        let before = held.next_due();
        for datagram in trains.flat_map(|train| train.datagrams()) {
            let copies = association.shape(direction, datagram, now);
            let mut is_lost = copies.is_empty();
            for due in copies {
                is_lost |= !held.hold(due, (Arc::clone(association), direction));
            }
            count(&self.common.tally.impaired, is_lost.into());
        }
        let next = held.next_due();
        if next.is_some() && before.is_none_or(|before| next < Some(before)) {
            self.sooner.notify_one();
        }
    }

    /// Sends what is held when it is due, until dropped.
    async fn deliver(self: Arc<Self>) {
        loop {
            let next = self.held().next_due();
            let due = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => (),
                () = self.sooner.notified() => (),
            }
            // Locked for each, not while it is sent.
            loop {
                let taken = self.held().take(Instant::now());
                let Some((datagram, (association, direction))) = taken else { break };
                let one = std::iter::once(Train::of_one(&datagram));
                match direction {
                    Direction::ToServer => association.send_on(one),
                    Direction::ToClient => association.send_back(one, &self.socket),
                }
            }
        }
    }

    /// Forgets who has been silent for too long. Gives when to look again.
    fn forget(&self) -> Instant {
        let (now, idle_max) = (Instant::now(), self.common.options.limits.idle_max);
        let mut table = self.table();
        while let Some(seat) = table.forget(now) {
            seat.association.end(By::Relais, format!("idle for {idle_max:?}"));
        }
        // Whoever comes before then is silent later.
        table.next_silence().unwrap_or(now + idle_max)
    }

    /// Waits a moment for the answers to what was asked last.
    async fn finish(&self) {
        let start = Instant::now();
        let since = start.checked_sub(LAST_ANSWERS_MAX).unwrap_or(start);
        while start.elapsed() < LAST_ANSWERS_MAX && self.is_awaited(since) {
            sleep(LOOK_EVERY).await;
        }
    }

    fn is_awaited(&self, since: Instant) -> bool {
        self.table().heard_since(since).any(|seat| seat.association.awaits())
    }

    fn table(&self) -> MutexGuard<'_, Associations<Seat>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held<(Arc<Association>, Direction)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn is_of(&self, association: &Arc<Association>) -> bool {
        Arc::ptr_eq(&self.association, association)
    }
}
