//! A person who answers senders of datagrams: each has a number, for as long as it is heard of.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use relais_net::{Datagrams, Peer};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    dialogues::{Limits, line},
    lines::{Extent, LineEnd, Message},
    person::{Caller, Manners, Person},
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

/// What a sender said.
#[derive(Debug)]
struct Heard {
    bytes: Vec<u8>,
    extent: Extent,
}

impl Table {
    pub(super) fn new(socket: &Arc<Datagrams>, limits: Limits) -> Self {
        Self { socket: Arc::clone(socket), limits, senders: Arc::default() }
    }

    /// Passes a message on to the person. A newcomer is given a number first; for whom there is no seat
    /// is not told so: a server there, of which the sender was forged, might answer that for ever.
    pub(super) fn hear(
        &self,
        person: &Arc<Person>,
        message: &Message<'_>,
        (from, peer): (SocketAddr, Peer),
    ) {
        let known = self.lock().get(&from).cloned();
        let way = match known {
            // Who lost its seat to another sits down anew.
            Some(way) if !way.is_closed() => Some(way),
            _ => self.come(person, from, peer),
        };
        let Some(way) = way else { return };
        // What a person cannot follow is lost, as datagrams may be.
        _ = way.try_send(Heard { bytes: message.bytes.to_owned(), extent: message.extent });
    }

    /// The sender said its last word.
    pub(super) fn end(&self, from: SocketAddr) {
        self.lock().remove(&from);
    }

    fn come(
        &self,
        person: &Arc<Person>,
        from: SocketAddr,
        peer: Peer,
    ) -> Option<mpsc::Sender<Heard>> {
        let call = person.come_by_datagram((peer, self.socket.local()), self.limits.callers_max)?;
        tracing::debug!("{peer} ▸ {}: @{}", self.socket.local(), call.number);
        let (way, heard) = mpsc::channel(HEARD_MAX);
        self.lock().insert(from, way.clone());
        let (socket, senders) = (Arc::clone(&self.socket), Arc::clone(&self.senders));
        let talk = Talk { call, heard, socket, from, limits: self.limits };
        let mine = way.downgrade();
        tokio::spawn(async move {
            let why = talk.hold().await;
            tracing::debug!("{peer} is gone: {why}");
            let mut senders = senders.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have sat down anew meanwhile.
            let is_mine = |way: &mpsc::Sender<Heard>| {
                mine.upgrade().is_some_and(|mine| mine.same_channel(way))
            };
            if senders.get(&from).is_some_and(is_mine) {
                senders.remove(&from);
            }
        });
        Some(way)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, mpsc::Sender<Heard>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said with one sender.
struct Talk {
    call: Caller,
    heard: mpsc::Receiver<Heard>,
    socket: Arc<Datagrams>,
    from: SocketAddr,
    limits: Limits,
}

impl Talk {
    /// Talks, and says why no more.
    async fn hold(mut self) -> &'static str {
        let (mut is_awaited, mut early) = (false, VecDeque::new());
        loop {
            while !is_awaited && let Some(heard) = early.pop_front() {
                // The person does not owe an answer to what it was not told.
                is_awaited = self.pass_on(&heard) && self.call.manners() == Manners::Turns;
            }
            match timeout(self.limits.idle_max, self.stirred()).await {
                // Where there are turns, what is said before the person answered waits.
                Ok(Stirred::Heard(Some(heard))) if early.len() < HEARD_MAX => {
                    early.push_back(heard);
                }
                Ok(Stirred::Heard(Some(_))) => (),
                Ok(Stirred::Typed(Some(text))) => {
                    is_awaited = false;
                    _ = self.socket.send(&line(&text), self.from).await;
                }
                Ok(Stirred::Heard(None)) => return "said its last word, or all is over",
                Ok(Stirred::Typed(None)) => return "another has its seat",
                Err(_) => return "silent for too long",
            }
        }
    }

    async fn stirred(&mut self) -> Stirred {
        tokio::select! {
            biased;
            text = self.call.lines.recv() => Stirred::Typed(text),
            heard = self.heard.recv() => Stirred::Heard(heard),
        }
    }

    /// Whether the person is told.
    fn pass_on(&self, Heard { bytes, extent }: &Heard) -> bool {
        self.call.try_say(&Message { bytes, end: LineEnd::None, extent: *extent })
    }
}

/// What there is for a sender, or of it. `None` if there will be no more.
enum Stirred {
    Heard(Option<Heard>),
    Typed(Option<String>),
}

impl Drop for Table {
    fn drop(&mut self) {
        // Their tasks end with the way to them.
        self.lock().clear();
    }
}
