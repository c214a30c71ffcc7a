//! A sender, the socket that it has to an upstream, and what passed between them.

use std::{
    borrow::Cow,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwapOption;
use relais_net::{Datagrams, Outgoing, Sent, Train};
use relais_tap::{By, Direction, Ending, Ends, Flow};
use tokio::{sync::Notify, time::Instant};
use tracing::debug;

use super::{
    opening::{Opened, Outlet, Unassociated, open},
    options::Common,
    sender::Sender,
    shaping::{Due, Line},
    tally::{count, count_dropped},
    upstreams::Next,
};
use crate::ended::Ended;

/// Why datagrams were dropped for whose sender there was no place, or is none any more.
pub(super) const NO_ROOM: &str = "there is no room for their senders";

/// A sender and its socket. A flow on the tap from its first datagram until it is dropped.
#[derive(Debug)]
pub(super) struct Association {
    pub(super) sender: Sender,
    /// `None` once it made room for another.
    outlet: ArcSwapOption<Outlet>,
    /// Where it has its upstream.
    address: SocketAddr,
    /// Which of the upstreams it has.
    pub(super) upstream: usize,
    common: Arc<Common>,
    to_server: Traffic,
    to_client: Traffic,
    /// Whether the upstream ever said anything.
    was_answered: AtomicBool,
    /// Whether something was sent there since.
    awaits: AtomicBool,
    /// It was seen while sending that nobody is there, and that it should end.
    pub(super) leaves: Notify,
    began: Instant,
    /// Until it is dropped.
    flow: Option<Flow>,
    /// Who ended it and why, if not we at our own end.
    end: Mutex<Option<(By, Cow<'static, str>)>>,
}

/// One direction.
#[derive(Debug, Default)]
struct Traffic {
    bytes: AtomicU64,
    line: Mutex<Line>,
}

impl Association {
    /// Associates `sender` with an upstream.
    ///
    /// # Errors
    ///
    /// [`Unassociated`]
    pub(super) fn new(sender: Sender, common: &Arc<Common>) -> Result<Self, Unassociated> {
        let options = &common.options;
        let Opened { upstream, address, outlet } = open(sender.client(), common)?;
        let from = sender.from;
        let ends = || Ends { client: from.to_string(), server: format!("udp://{address}") };
        let flow = Some(options.tap.open(ends, (options.clock)()));
        options.upstreams.associate(upstream);
        debug!("{from} ▸ udp://{address}: open");
        Ok(Self {
            sender,
            outlet: ArcSwapOption::from_pointee(outlet),
            address,
            upstream,
            common: Arc::clone(common),
            to_server: Traffic::default(),
            to_client: Traffic::default(),
            was_answered: AtomicBool::new(false),
            awaits: AtomicBool::new(false),
            leaves: Notify::new(),
            began: Instant::now(),
            flow,
            end: Mutex::new(None),
        })
    }

    /// Notes that the upstream said something.
    pub(super) fn heard_upstream(&self) {
        self.awaits.store(false, Relaxed);
        self.was_answered.store(true, Relaxed);
        // Whatever others heard of it: it answers.
        self.common.options.upstreams.answered(self.upstream);
    }

    /// Whether the upstream ever said anything. It is the sender's for good then.
    pub(super) fn was_answered(&self) -> bool {
        self.was_answered.load(Relaxed)
    }

    /// Whether the sender may wait for an answer.
    pub(super) fn awaits(&self) -> bool {
        self.awaits.load(Relaxed)
    }

    /// Notes that nobody is there. [`Next::Other`] if it should end, so that the sender's next datagram
    /// goes elsewhere.
    pub(super) fn refused(&self) -> Next {
        if let Some(flow) = &self.flow {
            flow.note("relay.refused", || self.address.to_string());
        }
        let next = self.common.options.upstreams.refused(self.upstream, self.address);
        if self.was_answered() { Next::Same } else { next }
    }

    /// Says who ends it, and why. The first word counts.
    pub(super) fn end(&self, by: By, why: impl Into<Cow<'static, str>>) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.get_or_insert((by, why.into()));
    }

    /// Its socket; none once that was closed.
    pub(super) fn outlet(&self) -> Option<Arc<Outlet>> {
        self.outlet.load_full()
    }

    /// Closes its socket, once nobody hears there any more: another is to have the place. What is still
    /// to be sent there is dropped.
    pub(super) fn close(&self) {
        self.outlet.store(None);
    }

    /// Passes datagrams of the sender on.
    pub(super) fn send_on<'a>(&self, trains: impl Iterator<Item = Train<'a>>) {
        let Some(outlet) = &*self.outlet.load() else {
            let datagrams = trains.map(|train| train.count()).sum::<usize>();
            let datagrams = u64::try_from(datagrams).expect("a count fits 64 bits");
            return count_dropped(&self.common.tally.full, datagrams, NO_ROOM);
        };
        // Before it is sent: the answer may be there at once.
        self.awaits.store(true, Relaxed);
        let trains = trains.inspect(|train| self.show(Direction::ToServer, train));
        let sent = outlet.conn.send_batch(trains);
        self.count(Direction::ToServer, sent);
        // Who sends is told that in place of who hears.
        if sent.refusals > 0 && self.refused() == Next::Other {
            self.leaves.notify_one();
        }
    }

    /// Passes datagrams of the upstream back to the sender.
    pub(super) fn send_back<'a>(
        &self,
        trains: impl Iterator<Item = Train<'a>>,
        socket: &Datagrams,
    ) {
        let trains = trains.inspect(|train| self.show(Direction::ToClient, train));
        let Sender { from: to, at: from } = self.sender;
        let answers = trains.map(|train| Outgoing { train, to, from });
        let sent = socket.send_batch(answers);
        self.count(Direction::ToClient, sent);
    }

    /// What becomes of a datagram where the network is like a bad one.
    pub(super) fn shape(&self, direction: Direction, datagram: &[u8], now: Instant) -> Vec<Due> {
        let mut line = self.traffic(direction).line.lock().unwrap_or_else(PoisonError::into_inner);
        self.common.shaping.judge(datagram, (direction, &mut line), now)
    }

    fn show(&self, direction: Direction, train: &Train<'_>) {
        if let Some(flow) = self.flow.as_ref().filter(|flow| flow.wants_bytes()) {
            train.datagrams().for_each(|datagram| flow.bytes(direction, datagram));
        }
    }

    fn count(&self, direction: Direction, sent: Sent) {
        let tally = &self.common.tally;
        count(&self.traffic(direction).bytes, sent.bytes);
        count_dropped(&tally.unsent, sent.dropped, "the system did not take them");
        let passed = match direction {
            Direction::ToServer => &tally.to_server,
            Direction::ToClient => &tally.to_client,
        };
        count(passed, sent.datagrams);
    }

    fn traffic(&self, direction: Direction) -> &Traffic {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl Drop for Association {
    fn drop(&mut self) {
        self.common.options.upstreams.dissociate(self.upstream);
        let end = self.end.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let (by, why) = end.unwrap_or((By::Relais, "stopped".into()));
        let bytes = |traffic: &Traffic| traffic.bytes.load(Relaxed);
        let (to_server, to_client) = (bytes(&self.to_server), bytes(&self.to_client));
        let at = (self.common.options.clock)();
        let ending = Ending { at, by, why, to_server, to_client };
        let ended = Ended { ending: &ending, lasted: self.began.elapsed() };
        debug!("{} ▸ udp://{}: {ended}", self.sender.from, self.address);
        if let Some(flow) = self.flow.take() {
            flow.close(ending);
        }
    }
}
