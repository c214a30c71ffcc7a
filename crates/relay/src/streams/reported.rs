//! What is told of a connection from its beginning to its end, even if it is cut off.

use std::time::SystemTime;

use relais_net::Peer;
use relais_tap::{By, Ending, Flow};
use tokio::time::Instant;
use tracing::debug;

use super::passing::{Passed, Record};

/// A connection that is open. Dropped, it was cut off: by our own end, or by a bug.
#[derive(Debug)]
pub(super) struct Reported {
    /// Until it is closed.
    flow: Option<Flow>,
    record: Record,
    peer: Peer,
    began: Instant,
    clock: fn() -> SystemTime,
}

impl Reported {
    /// Of `flow`, which was just opened for `peer`.
    pub(super) fn new(flow: Flow, peer: Peer, clock: fn() -> SystemTime) -> Self {
        let (record, began) = (Record::default(), Instant::now());
        Self { flow: Some(flow), record, peer, began, clock }
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
        let (peer, lasted) = (self.peer, self.began.elapsed());
        debug!(%peer, by = by.name(), %why, to_server, to_client, ?lasted, "connection over");
        flow.close(Ending { at: (self.clock)(), by, why, to_server, to_client });
    }
}

impl Drop for Reported {
    fn drop(&mut self) {
        let (to_server, to_client) = self.record.bytes();
        self.report(Passed { by: By::Relais, why: "stopped".into(), to_server, to_client });
    }
}
