//! The calculator asked on behalf of senders of datagrams, without making the next ones wait.

use std::{net::SocketAddr, sync::Arc};

use relais_net::{Datagrams, Drain, Gate, Peer, Worked};

use crate::{
    calc::{Asker, Calculator},
    lines::LineEnd,
    role::ended,
};

/// How many expressions of one socket may be under way. More are dropped, as datagrams may be.
const ASKED_MAX: usize = 256;

/// How many of them of one address, whatever port they are sent from.
pub(super) const ASKED_OF_ONE_MAX: usize = 8;

/// What asks for a socket.
#[derive(Debug)]
pub(super) struct Asking {
    socket: Arc<Datagrams>,
    places: Gate,
    /// Answers under way are waited for at the end.
    drain: Drain,
}

impl Asking {
    pub(super) fn new(socket: &Arc<Datagrams>, drain: &Drain) -> Self {
        let places = Gate::new(ASKED_MAX, ASKED_OF_ONE_MAX);
        Self { socket: Arc::clone(socket), places, drain: drain.clone() }
    }

    /// Has the value of `expression` sent `to` once it is there.
    pub(super) fn ask(
        &self,
        calculator: &Arc<Calculator>,
        expression: String,
        (end, to, peer): (LineEnd, SocketAddr, Peer),
    ) {
        let Ok(place) = self.places.enter(peer.client(), 0) else { return };
        let (calculator, socket) = (Arc::clone(calculator), Arc::clone(&self.socket));
        let drain = self.drain.clone();
        tokio::spawn(async move {
            // Nobody has shown that it is there: a datagram may say that it comes from anywhere.
            let asker = Asker::Unproven(peer.client());
            let value = calculator.value_for(asker, &Worked::default(), &expression).await;
            _ = socket.send(&ended(&value, end), to).await;
            drop((place, drain));
        });
    }
}
