//! A person who answers senders of datagrams: each has a number, for as long as it is heard of.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use relais_net::{Datagrams, Peer};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    dialogues::{Limits, line},
    lines::{Extent, Message},
    person::Person,
};

/// How many messages of a sender may wait for the person to see them. More are dropped.
const HEARD_MAX: usize = 16;

/// Those who sent something lately.
#[derive(Debug)]
pub(super) struct Table {
    socket: Arc<Datagrams>,
    limits: Limits,
    /// Where each one's messages go. Whoever is silent for too long takes itself out.
    senders: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Heard>>>>,
}

#[derive(Debug)]
struct Heard {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Table {
    pub(super) fn new(socket: &Arc<Datagrams>, limits: Limits) -> Self {
        Self { socket: Arc::clone(socket), limits, senders: Arc::default() }
    }

    /// Passes a message on to the person. A newcomer is given a number first.
    pub(super) async fn hear(
        &self,
        person: &Arc<Person>,
        message: &Message<'_>,
        (from, peer): (SocketAddr, Peer),
    ) {
        let known = self.lock().get(&from).cloned();
        let way = match known {
            Some(way) => Some(way),
            None => self.come(person, from, peer).await,
        };
        let Some(way) = way else { return };
        let heard =
            Heard { bytes: message.bytes.to_owned(), is_cut: message.extent == Extent::Cut };
        // What a person cannot follow is lost, as datagrams may be.
        _ = way.try_send(heard);
    }

    async fn come(
        &self,
        person: &Arc<Person>,
        from: SocketAddr,
        peer: Peer,
    ) -> Option<mpsc::Sender<Heard>> {
        let Some(mut call) = person.come(peer, self.limits.callers_max).await else {
            _ = self.socket.send(&line("error: too many are talking already"), from).await;
            return None;
        };
        let (way, mut heard) = mpsc::channel(HEARD_MAX);
        self.lock().insert(from, way.clone());
        let (socket, senders) = (Arc::clone(&self.socket), Arc::clone(&self.senders));
        let idle_max = self.limits.idle_max;
        tokio::spawn(async move {
            let talk = async {
                loop {
                    tokio::select! {
                        said = timeout(idle_max, heard.recv()) => match said {
                            Ok(Some(Heard { bytes, is_cut })) => call.say(&bytes, is_cut).await,
                            Ok(None) | Err(_) => return,
                        },
                        Some(text) = call.lines.recv() => {
                            _ = socket.send(&line(&text), from).await;
                        }
                    }
                }
            };
            talk.await;
            senders.lock().unwrap_or_else(PoisonError::into_inner).remove(&from);
        });
        Some(way)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, mpsc::Sender<Heard>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // Their tasks end with the way to them.
        self.lock().clear();
    }
}
