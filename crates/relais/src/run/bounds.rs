//! `[limits]` as callers meet them, all to be changed while they come.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use relais_http::LimitsSlot;
use relais_net::{Gate, Room};
use tracing::warn;

use crate::limits::Limits;

/// What all doors share. Callers who are inside keep the limits that they came in under.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) gate: Gate,
    pub(super) http: LimitsSlot,
    pub(super) handshake_max: Arc<ArcSwap<Duration>>,
    /// How many there are. Their number, and what is divided by it, stays: the system says it.
    descriptors: u64,
}

impl Bounds {
    /// What `limits` say where there are so many `descriptors`, of which callers have what is `shared`.
    pub(super) fn new(limits: &Limits, descriptors: u64, shared: Arc<Room>) -> Self {
        warn_of_shortage(limits, descriptors);
        let (all, a_client) = limits.connections(descriptors);
        Self {
            gate: Gate::new(all, a_client).with_descriptors(shared),
            http: Arc::new(ArcSwap::from_pointee(limits.http)),
            handshake_max: Arc::new(ArcSwap::from_pointee(limits.handshake_max)),
            descriptors,
        }
    }

    /// Has callers who come from now on meet `limits`.
    pub(super) fn change(&self, limits: &Limits) {
        warn_of_shortage(limits, self.descriptors);
        let (all, a_client) = limits.connections(self.descriptors);
        self.gate.resize(all, a_client);
        self.http.store(Arc::new(limits.http));
        self.handshake_max.store(Arc::new(limits.handshake_max));
    }
}

fn warn_of_shortage(limits: &Limits, descriptors: u64) {
    if let Some(shortage) = limits.shortage(descriptors) {
        warn!("{shortage}");
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use relais_net::Client;

    use super::*;
    use crate::limits::Table;

    #[test]
    fn what_is_changed_holds_for_who_comes_then() {
        let table = Table { connections_max: Some(1), ..Table::default() };
        let one = Limits::plan(table).unwrap();
        let bounds = Bounds::new(&one, 1024, Arc::new(Room::new(usize::MAX)));
        let client = Client::V4(Ipv4Addr::LOCALHOST);
        let _first = bounds.gate.enter(client, 1).unwrap();
        bounds.gate.enter(client, 1).unwrap_err();
        let mut two = one;
        (two.connections_max, two.connections_a_client_max) = (Some(2), Some(2));
        two.handshake_max = Duration::from_secs(3);
        two.http.streams_max = 7;
        bounds.change(&two);
        bounds.gate.enter(client, 1).unwrap();
        assert_eq!(**bounds.handshake_max.load(), Duration::from_secs(3));
        assert_eq!(bounds.http.load().streams_max, 7);
    }
}
