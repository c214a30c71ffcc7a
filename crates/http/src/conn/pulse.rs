//! What the parts of one connection know of it together: the transport below hyper, the service
//! and the bodies above it.
//!
//! All of them run on one thread, most in one task (streams of HTTP/2 and their tunnels have tasks of
//! their own), so nothing here waits for another; the atomics and the lock are there because hyper asks
//! for `Send`.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Limits, pace::Pace, switch::Switch};
use crate::{Answer, body::Step, clock::coarse_now, interim::Interims};

/// The state of one connection, for those who judge whether it is alive.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Requests whose answers are not whole yet.
    in_flight: AtomicU32,
    /// Streams that are tunnels, or wait to be.
    tunnels: AtomicU32,
    /// Answers whose heads hyper has, and that are not whole yet.
    answering: AtomicU32,
    /// Answers there have been, those under way included.
    answers: AtomicU64,
    /// The number of the request whose body is long in coming; 0 if none is.
    long_body: AtomicU64,
    /// Bodies that have given bytes and were not asked for more yet: the client has to take them.
    owed: AtomicU32,
    /// How often bodies gave bytes.
    given: AtomicU64,
    /// When a byte last went in or out.
    moved: AtomicU64,
    /// How often bytes came in.
    heard: AtomicU64,
    /// When an answer last ended: what else moves is no use of the connection.
    used: AtomicU64,
    /// When a body last gave bytes. Not when any were sent: a PING's answer is no progress.
    gave: AtomicU64,
    /// How the head or body under way goes, in either direction.
    pace: Pace,
    /// A [`Waits`], as a number.
    waits: AtomicU8,
    /// Nothing is under way in either direction, and nothing lies in a buffer.
    still: AtomicBool,
    /// Whether the client speaks HTTP/1.0, where only the connection's end may end an answer.
    old: AtomicBool,
    /// Whether an answer broke off that such a client would take for whole, were the end a clean one.
    broken: AtomicBool,
    /// Whether we are to stop, over HTTP/1.
    stops: AtomicBool,
    /// Files that stand behind placeholders in hyper's queue, in their order.
    steps: Mutex<VecDeque<Step>>,
    /// The answer to the request that hyper reads next, if there is one already.
    prepared: Mutex<Option<Box<Answer>>>,
    /// What the connection is handed over to, behind the answer under way.
    switch: Mutex<Option<Box<Switch>>>,
    /// Tells when the stream that is handed over next is to be reset.
    when_cut: Mutex<Option<oneshot::Receiver<()>>>,
    /// What is to be sent before the answer that is waited for.
    interims: Arc<Interims>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let now = coarse_now();
        Self {
            heard: AtomicU64::new(0),
            used: AtomicU64::new(now),
            gave: AtomicU64::new(now),
            in_flight: AtomicU32::new(0),
            tunnels: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            answers: AtomicU64::new(0),
            long_body: AtomicU64::new(0),
            owed: AtomicU32::new(0),
            given: AtomicU64::new(0),
            pace: Pace::new(now),
            moved: AtomicU64::new(now),
            waits: AtomicU8::new(Waits::Message as u8),
            still: AtomicBool::new(false),
            old: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            stops: AtomicBool::new(false),
            steps: Mutex::default(),
            prepared: Mutex::default(),
            switch: Mutex::default(),
            when_cut: Mutex::default(),
            interims: Arc::default(),
        }
    }

    /// A request came. Ends with [`Pulse::answered`] or [`Pulse::given_up`].
    pub(super) fn asked(&self) {
        add(&self.in_flight, 1);
        self.begin();
    }

    /// The client speaks HTTP/1.0.
    pub(super) fn speaks_old(&self) {
        self.old.store(true, Relaxed);
    }

    /// We are to stop: the next answer is the last.
    pub(super) fn stop(&self) {
        self.stops.store(true, Relaxed);
    }

    /// Whether the next answer is the last.
    pub(super) fn stops(&self) -> bool {
        self.stops.load(Relaxed)
    }

    /// An answer breaks off.
    pub(super) fn break_off(&self) {
        self.broken.store(self.old.load(Relaxed), Relaxed);
    }

    /// Whether an answer broke off that would look whole if the connection were ended well.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// A request is given up before there is an answer.
    pub(super) fn given_up(&self) {
        add(&self.in_flight, u32::MAX);
        self.use_now();
    }

    /// A stream is to be a tunnel: the connection is in use for as long, though nothing is asked on it.
    /// Ends with [`Pulse::tunnel_ended`].
    pub(super) fn tunnel_began(&self) {
        add(&self.tunnels, 1);
        self.asked();
    }

    /// A tunnel is over, or never came to be.
    pub(super) fn tunnel_ended(&self) {
        add(&self.tunnels, u32::MAX);
        self.given_up();
    }

    /// How many streams are tunnels, or wait to be.
    pub(super) fn tunnels(&self) -> u32 {
        self.tunnels.load(Relaxed)
    }

    /// There is an answer. Ends with [`Pulse::answered`].
    pub(super) fn answering(&self) {
        add(&self.answering, 1);
        self.answers.store(self.answers() + 1, Relaxed);
    }

    /// How many answers there have been, those under way included.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }

    /// Notes which request, counted from 1, has a body of which so much may be to come that it is not taken
    /// to its end if nobody wants it. Over HTTP/1 alone.
    pub(super) fn set_long_body(&self, request: Option<u64>) {
        self.long_body.store(request.unwrap_or(0), Relaxed);
    }

    /// Whether it is the request that is answered next that has one: nothing may be read behind it.
    pub(super) fn has_long_body(&self) -> bool {
        self.long_body.load(Relaxed) == self.answers() + 1
    }

    /// An answer is whole, or given up.
    pub(super) fn answered(&self) {
        add(&self.answering, u32::MAX);
        add(&self.in_flight, u32::MAX);
        self.use_now();
    }

    fn use_now(&self) {
        self.used.store(coarse_now(), Relaxed);
    }

    /// Whether some of an answer may have been sent, and not all.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Relaxed) > 0
    }

    /// How often a body gave bytes.
    pub(super) fn given(&self) -> u64 {
        self.given.load(Relaxed)
    }

    /// Bodies whose bytes are not taken yet.
    pub(super) fn owed(&self) -> u32 {
        self.owed.load(Relaxed)
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// A body gave bytes that the client is to take.
    pub(super) fn owe(&self) {
        add(&self.owed, 1);
        self.given.store(self.given() + 1, Relaxed);
        self.gave.store(coarse_now(), Relaxed);
    }

    /// A body was asked for more, or dropped: its bytes are taken.
    pub(super) fn taken(&self) {
        add(&self.owed, u32::MAX);
    }

    /// Bytes went in or out.
    pub(super) fn moved(&self, bytes: usize) {
        self.moved.store(coarse_now(), Relaxed);
        self.pace.moved(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Bytes came in.
    pub(super) fn hear(&self) {
        self.heard.store(self.heard() + 1, Relaxed);
    }

    /// How often bytes came in.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Relaxed)
    }

    /// Whether nothing is asked for, all that there was to say is written, and nothing was heard since that
    /// was so often: the client has nothing to lose by the end, or is gone.
    pub(super) fn is_left_since(&self, heard: u64) -> bool {
        self.in_flight() == 0 && self.waits() != Waits::Room && self.heard() == heard
    }

    /// Whether all there is to wait for is the rest of a head.
    pub(super) fn is_within_head(&self) -> bool {
        self.in_flight() == 0 && self.waits() == Waits::Head
    }

    /// A head or a body begins: its time and bytes count from here.
    pub(super) fn begin(&self) {
        self.pace.begin(self.moved.load(Relaxed));
    }

    /// The transport says what it waits for, and whether nothing is under way.
    pub(super) fn set(&self, waits: Waits, still: bool) {
        match (self.pace.waits(), waits.is_for_a_body()) {
            (false, true) => self.pace.wait(coarse_now()),
            (true, false) => self.pace.go_on(coarse_now()),
            (true, true) | (false, false) => (),
        }
        self.waits.store(waits as u8, Relaxed);
        self.still.store(still, Relaxed);
    }

    /// What the connection waits for.
    pub(super) fn waits(&self) -> Waits {
        Waits::of(self.waits.load(Relaxed))
    }

    /// Whether nothing is under way, above and below.
    pub(super) fn rests(&self) -> bool {
        self.still.load(Relaxed) && self.in_flight() == 0
    }

    /// Puts `step` behind the placeholder that is given to hyper next.
    pub(super) fn push_step(&self, step: Step) {
        self.steps().push_back(step);
    }

    pub(super) fn steps(&self) -> std::sync::MutexGuard<'_, VecDeque<Step>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the answer to the request that hyper reads next.
    pub(super) fn prepare(&self, answer: Box<Answer>) {
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// Takes that answer.
    pub(super) fn prepared(&self) -> Option<Box<Answer>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps what the connection is handed over to, once the answer under way is sent.
    pub(super) fn switch_to(&self, switch: Switch) {
        *self.switch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(switch));
    }

    /// Takes that.
    pub(super) fn switch(&self) -> Option<Box<Switch>> {
        self.switch.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Has the stream that is answered now be reset when `told`, once it is a tunnel.
    pub(super) fn cut_when(&self, told: oneshot::Receiver<()>) {
        *self.when_cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    /// Takes that.
    pub(super) fn when_cut(&self) -> Option<oneshot::Receiver<()>> {
        if self.tunnels() == 0 {
            return None;
        }
        self.when_cut.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The interim answers of the request under way, over HTTP/1.
    pub(super) fn interims(&self) -> &Arc<Interims> {
        &self.interims
    }

    /// What the connection has come to.
    pub(super) fn judge(&self, limits: &Limits) -> Judged {
        let waits = self.waits();
        let now = coarse_now();
        let since = |at: &AtomicU64| Duration::from_millis(now.saturating_sub(at.load(Relaxed)));
        let facts = Facts {
            in_flight: self.in_flight(),
            owed: self.owed(),
            still: since(&self.moved),
            unused: since(&self.used),
            untaken: since(&self.gave),
            age: self.pace.age(now),
            waited: self.pace.waited(now),
            bytes: self.pace.bytes(),
        };
        judge(waits, facts, limits)
    }
}

/// One task's, but for HTTP/2 streams on the same thread: so load and store suffice, without a lock.
fn add(count: &AtomicU32, step: u32) {
    count.store(count.load(Relaxed).wrapping_add(step), Relaxed);
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The next message, or nothing in particular.
    Message,
    /// The rest of a head.
    Head,
    /// More of a request's body.
    Body,
    /// The client, to take what was written.
    Room,
}

impl Waits {
    /// Whether it is for the client to send or take more of a body.
    fn is_for_a_body(self) -> bool {
        matches!(self, Self::Body | Self::Room)
    }

    fn of(number: u8) -> Self {
        [Self::Message, Self::Head, Self::Body, Self::Room]
            .into_iter()
            .find(|waits| *waits as u8 == number)
            .expect("a number made from one of these")
    }
}

#[derive(Clone, Copy, Debug)]
struct Facts {
    in_flight: u32,
    owed: u32,
    /// Since a byte moved.
    still: Duration,
    /// Since a request came or an answer ended.
    unused: Duration,
    /// Since a body gave bytes.
    untaken: Duration,
    /// Since the head or body under way began.
    age: Duration,
    /// How much of that the client was waited for, for a body.
    waited: Duration,
    bytes: u64,
}

/// Whether a connection may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It may.
    Well,
    /// Nothing was asked for too long.
    Idle,
    /// The client takes too long to send what it began.
    Slow,
    /// The client takes too long to take what it asked for.
    Deaf,
}

fn judge(waits: Waits, facts: Facts, limits: &Limits) -> Judged {
    let Facts { in_flight, owed, still, unused, untaken, age, waited, bytes } = facts;
    // As long as it may be still, a body has time to get up to speed.
    let crawls = waited > limits.stall_max && bytes < u64::from(limits.rate_min) * waited.as_secs();
    match waits {
        Waits::Room if still > limits.stall_max || crawls => Judged::Deaf,
        Waits::Head if age > limits.head_max => Judged::Slow,
        Waits::Body if still > limits.stall_max || crawls => Judged::Slow,
        Waits::Message if in_flight == 0 && unused > limits.idle_max => Judged::Idle,
        Waits::Message if owed > 0 && untaken > limits.stall_max => Judged::Deaf,
        _ => Judged::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: u64 = 3600;

    #[test]
    fn a_head_has_its_time_in_all() {
        check(Waits::Head, facts(0, 10, 500), Judged::Well);
        check(Waits::Head, facts(0, 11, 500), Judged::Slow);
    }

    #[test]
    fn a_body_must_move_and_not_crawl() {
        check(Waits::Body, facts(30, 30, 0), Judged::Well);
        check(Waits::Body, facts(31, 31, 1 << 20), Judged::Slow);
        check(Waits::Body, facts(0, LONG, 128 * LONG), Judged::Well);
        check(Waits::Body, facts(0, LONG, 128 * LONG - 1), Judged::Slow);
        check(Waits::Room, facts(0, LONG, 128 * LONG - 1), Judged::Deaf);
        check(Waits::Room, facts(31, 31, 1 << 20), Judged::Deaf);
    }

    #[test]
    fn a_body_that_did_not_come_to_us_is_not_the_clients_to_have_taken() {
        let check = |waited: u64, bytes: u64, expect: Judged| {
            let waited = Duration::from_secs(waited);
            let little = Facts { waited, bytes, ..facts(1, LONG, 0) };
            check(Waits::Room, little, expect);
        };
        check(1, 300, Judged::Well);
        check(30, 300, Judged::Well);
        check(31, 300, Judged::Deaf);
        check(31, 128 * 31, Judged::Well);
    }

    #[test]
    fn an_idle_connection_ends_and_a_thinking_handler_does_not_end_it() {
        check(Waits::Message, facts(60, 60, 0), Judged::Well);
        check(Waits::Message, facts(61, 61, 0), Judged::Idle);
        check(Waits::Message, Facts { in_flight: 1, ..facts(LONG, LONG, 0) }, Judged::Well);
        let owed = Facts { in_flight: 1, owed: 1, ..facts(31, LONG, 0) };
        check(Waits::Message, owed, Judged::Deaf);
    }

    #[test]
    fn what_moves_without_asking_or_taking_anything_keeps_nothing_alive() {
        let pinged = Facts { still: Duration::ZERO, ..facts(61, 61, 1 << 20) };
        check(Waits::Message, pinged, Judged::Idle);
        let stuck = Facts { in_flight: 1, owed: 1, ..pinged };
        check(Waits::Message, stuck, Judged::Deaf);
    }

    fn facts(still: u64, age: u64, bytes: u64) -> Facts {
        let (still, age) = (Duration::from_secs(still), Duration::from_secs(age));
        let (unused, untaken, waited) = (still, still, age);
        Facts { in_flight: 0, owed: 0, still, unused, untaken, age, waited, bytes }
    }

    #[track_caller]
    fn check(waits: Waits, facts: Facts, expect: Judged) {
        assert_eq!(judge(waits, facts, &Limits::default()), expect);
    }
}
