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
        let names = Arc::clone(&running);
        tasks.spawn(async move { names.keep_resolved().await });
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
        let start = Instant::now();
        let since = start.checked_sub(LAST_ANSWERS_MAX).unwrap_or(start);
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
mod tests {
    use std::time::SystemTime;

    use relais_net::{Balance, DatagramListener, Room};
    use relais_tap::{Event, Tap};

    use super::{
        super::{Limits, Upstreams},
        *,
    };
    use crate::{Callers, Noise};

    fn running() -> Arc<Running> {
        let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let upstreams = Upstreams::new(&["udp://127.0.0.1:9".parse().unwrap()], Balance::Round);
        let idle_max = Duration::from_secs(5);
        let common = Arc::new(Common::new(Options {
            upstreams: Arc::new(upstreams.unwrap()),
            limits: Limits { senders_max: 1, senders_a_client_max: 1, idle_max },
            callers: Callers::default(),
            shared: vec![Arc::new(Room::new(9))],
            shape: Shape::default(),
            tap: Tap::new(8),
            clock: || SystemTime::UNIX_EPOCH,
        }));
        Arc::new(Running::new(common, Arc::new(listener.open().unwrap())))
    }

    #[tokio::test]
    async fn a_bug_in_a_part_is_counted_and_the_part_known() {
        let (running, mut tasks) = (running(), JoinSet::new());
        let delivering = running.deliver(&mut tasks);
        let bug = tasks.spawn(async { panic!("asked to") }).id();
        let ended = tasks.join_next_with_id().await.unwrap();
        assert_eq!(running.reap(ended), bug);
        assert_eq!(running.common.tally.counts().panicked, 1);
        tasks.abort_all();
        let ended = tasks.join_next_with_id().await.unwrap();
        assert_eq!(running.reap(ended), delivering);
        assert_eq!(running.common.tally.counts().panicked, 1);
    }

    #[tokio::test]
    async fn a_place_is_given_back_with_the_socket_and_not_before() {
        let (running, mut tasks) = (running(), JoinSet::<()>::new());
        let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
        let association = Arc::new(Association::new(sender, &running.common).unwrap());
        let places = &running.common.places;
        let seat = Seat {
            association: Arc::clone(&association),
            task: tasks.spawn(std::future::pending()),
        };
        running.table().admit(sender, Instant::now(), |_| seat);
        // It is forgotten, and something of it is still to be sent.
        assert!(running.table().remove(sender).is_some());
        assert!(places.are_taken());
        association.close();
        assert!(!places.are_taken());
        association.send_on(std::iter::once(Train::of_one(b"late")));
        assert_eq!(running.common.tally.counts().full, 1);
    }

    #[tokio::test]
    async fn who_turns_out_to_be_an_upstream_has_no_seat() {
        let (running, mut tasks) = (running(), JoinSet::<()>::new());
        let mut watcher = running.common.options.tap.watch(relais_tap::Detail::Flows);
        let sender = Sender { from: "127.0.0.1:9".parse().unwrap(), at: None };
        let association = Arc::new(Association::new(sender, &running.common).unwrap());
        let task = tasks.spawn(std::future::pending());
        running.table().admit(sender, Instant::now(), |_| Seat { association, task });
        running.forget_upstreams();
        assert!(running.table().find(sender).is_none());
        assert!(matches!(watcher.next().await, Some(Event::Opened { .. })));
        let closed = watcher.next().await;
        let Some(Event::Closed { ending: Some(ending), .. }) = closed else { panic!("{closed:?}") };
        assert_eq!((ending.by, &*ending.why), (By::Relais, "forged"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_at_the_end_is_waited_for_if_it_is_due_in_time() {
        for (delay, waited, to_client) in [(400, 400..450, 1), (1100, 0..1, 0)] {
            let (running, mut tasks) = (running(), JoinSet::new());
            let delay = Duration::from_millis(delay);
            let noise = Noise { delay, ..Noise::default() };
            running.common.shaping.set(Shape { noise, ..Shape::default() });
            let sender = Sender { from: "127.0.0.1:9".parse().unwrap(), at: None };
            let association = Arc::new(Association::new(sender, &running.common).unwrap());
            running.deliver(&mut tasks);
            let tally = &running.common.tally;
            let answer = std::iter::once(Train::of_one(b"answer"));
            running.delivery.hold(&association, (Direction::ToClient, answer), tally);
            let start = Instant::now();
            running.finish().await;
            tasks.shutdown().await;
            assert!(waited.contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
            assert_eq!(tally.counts().to_client, to_client);
        }
    }

    #[tokio::test]
    async fn what_is_sent_on_late_is_awaited_though_what_was_sent_before_is_answered() {
        let running = running();
        let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
        let association = Association::new(sender, &running.common).unwrap();
        for _ in 0..2 {
            association.send_on(std::iter::once(Train::of_one(b"question")));
            assert!(association.awaits());
            association.heard_upstream();
            assert!(!association.awaits());
        }
    }

    #[tokio::test]
    async fn who_is_no_more_heard_has_no_seat() {
        let (running, mut tasks) = (running(), JoinSet::<()>::new());
        let sender = Sender { from: "192.0.2.1:1".parse().unwrap(), at: None };
        let association = Association::new(sender, &running.common).unwrap();
        let association = Arc::new(association);
        // Ends however it may, even before it began: as by a bug.
        let answering = Arc::clone(&running).answer(Arc::clone(&association), 0);
        let task = tasks.spawn(std::future::pending());
        running.table().admit(sender, Instant::now(), |_| Seat { association, task });
        let mut answering = Box::pin(answering);
        tokio::select! {
            biased;
            () = &mut answering => panic!("it goes on"),
            () = std::future::ready(()) => (),
        }
        assert!(running.table().find(sender).is_some());
        drop(answering);
        assert!(running.table().find(sender).is_none());
    }
}
