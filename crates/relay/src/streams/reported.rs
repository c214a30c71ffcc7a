//! What is told of a connection from its beginning to its end, even if it is cut off.

use std::time::SystemTime;

use relais_net::{Endpoint, Peer};
use relais_tap::{By, Ending, Flow};
use tokio::time::Instant;
use tracing::{Level, debug, enabled};

use super::passing::{Passed, Record};
use crate::ended::Ended;

/// A connection that is open. Dropped, it was cut off: by our own end, or by a bug.
#[derive(Debug)]
pub(super) struct Reported {
    /// Until it is closed.
    flow: Option<Flow>,
    record: Record,
    peer: Peer,
    /// Who was reached for it, where lines are written of that.
    upstream: Option<String>,
    began: Instant,
    clock: fn() -> SystemTime,
}

impl Reported {
    /// Of `flow`, which was just opened for `peer`.
    pub(super) fn new(flow: Flow, peer: Peer, clock: fn() -> SystemTime) -> Self {
        let (record, began) = (Record::default(), Instant::now());
        Self { flow: Some(flow), record, peer, upstream: None, began, clock }
    }

    /// Says who was reached.
    pub(super) fn joined(&mut self, upstream: &Endpoint) {
        self.flow().note("relay.upstream", || upstream.to_string());
        if enabled!(Level::DEBUG) {
            debug!("{} ▸ {upstream}: open", self.peer);
            self.upstream = Some(upstream.to_string());
        }
    }

    /// Says how it ended.
    pub(super) fn close(mut self, passed: Passed) {
        self.report(passed);
    }

    pub(super) fn flow(&self) -> &Flow {
        self.flow.as_ref().expect("open until it is closed")
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    fn report(&mut self, passed: Passed) {
        let Some(flow) = self.flow.take() else { return };
        let Passed { by, why, to_server, to_client } = passed;
        let ending = Ending { at: (self.clock)(), by, why, to_server, to_client };
        let ended = Ended { ending: &ending, lasted: self.began.elapsed() };
        if let Some(upstream) = &self.upstream {
            debug!("{} ▸ {upstream}: {ended}", self.peer);
        } else {
            debug!("{}: {ended}", self.peer);
        }
        flow.close(ending);
    }
}

impl Drop for Reported {
    fn drop(&mut self) {
        let (to_server, to_client) = self.record.bytes();
        self.report(Passed { by: By::Relais, why: "stopped".into(), to_server, to_client });
    }
}
