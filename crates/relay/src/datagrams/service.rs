//! The service behind a socket of datagrams that relays.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relais_net::{Batch, DatagramService, Datagrams, Drain, Fault, Heard, Peer, Train, Word};
use relais_tap::{By, Direction};
use tokio::{
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tracing::{debug, error};

use super::{
    association::{Association, NO_ROOM},
    associations::{Associations, Verdict},
    delivery::Delivery,
    opening::Unassociated,
    options::{Common, Options},
    sender::Sender,
    shaping::Shape,
    tally::{Counts, count, count_dropped},
};

/// How long names may take to be known before datagrams are heard: what comes until then waits.
const FIRST_NAMES_MAX: Duration = Duration::from_secs(1);

/// How long those who asked last may wait for an answer after we are told to stop.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(1);

/// How long to wait after the system would not let us hear, so that a socket that is broken for good
/// costs little.
const PAUSE: Duration = Duration::from_millis(10);

/// How often it is looked then whether anybody waits.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Passes each sender's datagrams on to an upstream, and what comes back to the sender.
#[derive(Debug)]
pub struct Relay {
    common: Arc<Common>,
}

/// A relay at one socket.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) common: Arc<Common>,
    pub(super) socket: Arc<Datagrams>,
    table: Mutex<Associations<Seat>>,
    pub(super) delivery: Delivery,
}

/// An association, and the task that hears its upstream: that ends when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
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
        let resolving = Arc::clone(&running);
        tasks.spawn(async move { resolving.keep_resolved().await });
        let mut delivering = running.deliver(&mut tasks);
        let mut told = pin!(drain.requested());
        let mut silence = pin!(sleep(limits.idle_max));
        loop {
            tokio::select! {
                ready = running.socket.ready() => {
                    let heard = ready.and_then(|()| running.hear(&mut tasks));
                    // What the system says here is of some sender, or of a lack that passes: no reason
                    // to stop.
                    if let Err(error) = heard {
                        debug!(%error, "datagrams are not heard");
                        sleep(PAUSE).await;
                    }
                }
                Some(ended) = tasks.join_next_with_id() => {
                    // Deliveries end only so: those that wait are to be sent.
                    if running.reap(ended) == delivering {
                        delivering = running.deliver(&mut tasks);
                    }
                }
                () = silence.as_mut() => silence.as_mut().reset(running.forget()),
                () = told.as_mut() => break,
            }
        }
        running.finish().await;
        // Each has a flow, and that is to be closed before we are taken to be gone.
        tasks.shutdown().await;
        debug!("{}: until now {}", running.socket.local(), common.tally.counts());
        Ok(())
    }
}

impl Running {
    fn new(common: Arc<Common>, socket: Arc<Datagrams>) -> Self {
        let places = common.places.clone();
        let table = Mutex::new(Associations::new(common.options.limits, places));
        Self { common, socket, table, delivery: Delivery::default() }
    }

    /// Has deliveries begin. Gives who does them.
    fn deliver(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> Id {
        let running = Arc::clone(self);
        tasks.spawn(async move { running.delivery.run(&running.socket).await }).id()
    }

    /// Counts who ended by a bug. Gives who ended.
    fn reap(&self, ended: Result<(Id, ()), JoinError>) -> Id {
        let error = match ended {
            Ok((id, ())) => return id,
            Err(error) => error,
        };
        if error.is_panic() {
            count(&self.common.tally.panicked, 1);
            error!(local = %self.socket.local(), "a bug ended a part of this; please report it");
        }
        error.id()
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
            let sender = Sender { from: heard.from, at: heard.at };
            let place = match last {
                Some((before, place)) if before == sender => Some(place),
                _ => self.place_of((sender, &heard), now, (&mut table, tasks)),
            };
            last = place.map(|place| (sender, place));
            passed.extend(place.map(|place| (place, heard.train)));
        }
        // Those of one sender go together, in their order.
        passed.sort_by_key(|(place, _)| *place);
        for some in passed.chunk_by(|(one, _), (other, _)| one == other) {
            let association = &table.with(some[0].0).association;
            let trains = some.iter().map(|(_, train)| *train);
            if self.common.shaping.is_something() {
                let tally = &self.common.tally;
                self.delivery.hold(association, (Direction::ToServer, trains), tally);
            } else {
                association.send_on(trains);
            }
        }
    }

    /// The place of the association of `sender`, of whom that was `heard`; a new one, if there may be
    /// one more.
    fn place_of(
        self: &Arc<Self>,
        (sender, heard): (Sender, &Heard<'_>),
        now: Instant,
        (table, tasks): (&mut Associations<Seat>, &mut JoinSet<()>),
    ) -> Option<usize> {
        let Common { options, tally, .. } = &*self.common;
        let datagrams = u64::try_from(heard.train.count()).expect("a count fits 64 bits");
        let verdict = table.hear(sender, now);
        if let Verdict::Known(place) = verdict {
            return Some(place);
        }
        // Asked of newcomers alone: those who are associated were asked before.
        if !options.callers.may(Peer::Net(sender.from)) {
            count_dropped(&tally.denied, datagrams, "their senders are not allowed");
            return None;
        }
        if options.upstreams.are_at(sender.from) {
            count_dropped(&tally.forged, datagrams, "they say they come from an upstream");
            return None;
        }
        if !has_room(table, verdict, (sender, now)) {
            count_dropped(&tally.full, datagrams, NO_ROOM);
            return None;
        }
        let association = match Association::new(sender, &self.common) {
            Ok(association) => Arc::new(association),
            Err(error) => {
                debug!(sender = %sender.from, %error, "a sender is not associated");
                if let Unassociated::Scarce(_) = error {
                    make_some_room(table, now);
                    count_dropped(&tally.full, datagrams, NO_ROOM);
                } else {
                    count_dropped(&tally.nowhere, datagrams, "there is nowhere to send them");
                }
                return None;
            }
        };
        let place = table.admit(sender, now, |place| {
            let task = tasks.spawn(Arc::clone(self).answer(Arc::clone(&association), place));
            Seat { association, task }
        });
        Some(place)
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

    /// Keeps the names of upstreams resolved, and forgets who turns out to be one, however much it says.
    async fn keep_resolved(&self) {
        let upstreams = &self.common.options.upstreams;
        upstreams.keep_resolved(|| self.forget_upstreams()).await;
    }

    /// *Cost*: a look at each who is associated.
    fn forget_upstreams(&self) {
        let upstreams = &self.common.options.upstreams;
        let mut table = self.table();
        let forged = table.senders().filter(|sender| upstreams.are_at(sender.from));
        for sender in forged.collect::<Vec<_>>() {
            if let Some(seat) = table.remove(sender) {
                seat.association.end(By::Relais, "forged");
            }
        }
    }

    /// Waits a moment for the answers to what was asked last, and until what is held then is sent.
    async fn finish(&self) {
        let Common { options, shaping, .. } = &*self.common;
        let start = Instant::now();
        // Where datagrams are held, what was heard long before may be sent only now: anyone may wait.
        let age_max =
            if shaping.is_something() { options.limits.idle_max } else { LAST_ANSWERS_MAX };
        let since = start.checked_sub(age_max).unwrap_or(start);
        let end = start + LAST_ANSWERS_MAX;
        while Instant::now() < end && (self.delivery.is_due_by(end) || self.is_awaited(since)) {
            sleep(LOOK_EVERY).await;
        }
    }

    fn is_awaited(&self, since: Instant) -> bool {
        self.table().heard_since(since).any(|seat| seat.association.awaits())
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Associations<Seat>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `newcomer` may be admitted, of whom this is the verdict. Who does not talk makes room.
fn has_room(
    table: &mut Associations<Seat>,
    verdict: Verdict,
    (newcomer, now): (Sender, Instant),
) -> bool {
    let given_up = match verdict {
        Verdict::Known(_) | Verdict::New => return true,
        Verdict::ClientFull => table.make_room_of_client(newcomer, now),
        Verdict::Full => table.make_room(now),
    };
    given_up.map(Seat::give_way).is_some()
}

/// Has those make room who do not talk, where there were places and the system has too little for a
/// socket: several, as theirs are closed in a moment, for who comes then.
fn make_some_room(table: &mut Associations<Seat>, now: Instant) {
    std::iter::from_fn(|| table.make_room(now)).take(ROOM_MADE).for_each(Seat::give_way);
}

/// How many make room then.
const ROOM_MADE: usize = 8;

impl Seat {
    fn give_way(self) {
        self.association.end(By::Relais, "made room for another");
        // Whatever of it is still to be sent: the place is another's.
        self.association.close();
    }

    pub(super) fn is_of(&self, association: &Arc<Association>) -> bool {
        Arc::ptr_eq(&self.association, association)
    }
}

#[cfg(test)]
mod tests;
