//! The calculator asked on behalf of senders of datagrams, without making the next ones wait.

use std::{net::SocketAddr, sync::Arc};

use relais_net::{Datagrams, Drain, Peer};
use tokio::sync::Semaphore;

use crate::{calc::Calculator, lines::LineEnd, role::ended};

/// How many expressions of one socket may be under way. More are dropped, as datagrams may be.
const ASKED_MAX: usize = 64;

/// What asks for a socket.
#[derive(Debug)]
pub(super) struct Asking {
    socket: Arc<Datagrams>,
    places: Arc<Semaphore>,
    /// Answers under way are waited for at the end.
    drain: Drain,
}

impl Asking {
    pub(super) fn new(socket: &Arc<Datagrams>, drain: &Drain) -> Self {
        let places = Arc::new(Semaphore::new(ASKED_MAX));
        Self { socket: Arc::clone(socket), places, drain: drain.clone() }
    }

    /// Has the value of `expression` sent `to` once it is there.
    pub(super) fn ask(
        &self,
        calculator: &Arc<Calculator>,
        expression: String,
        (end, to, peer): (LineEnd, SocketAddr, Peer),
    ) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let (calculator, socket) = (Arc::clone(calculator), Arc::clone(&self.socket));
        let drain = self.drain.clone();
        tokio::spawn(async move {
            let value = calculator.value(peer.client(), &expression).await;
            _ = socket.send(&ended(&value, end), to).await;
            drop((place, drain));
        });
    }
}
