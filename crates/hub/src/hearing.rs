//! The hub's door for datagrams: each is given to whom it says it is of, and what begins there is a
//! session like others.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use relais_net::{DatagramService, Datagrams, Drain, Endpoint, Fault, Peer};
use tokio::time::Instant;
use tracing::debug;

use crate::{
    datagram::{DATAGRAM_BYTES_MAX, Dropped, Form, Heard, Held, Lines, State, sid_of, written},
    hub::Hub,
    protocol::{Answer, Told},
    session::{Carrier, Link, Session, Way, send},
};

/// How long to wait after the system said something of a socket.
const PAUSE: Duration = Duration::from_millis(100);

impl DatagramService for Hub {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        let _open = socket.local().host_port().map(|at| self.post().open(at.port));
        // What is longer is nobody's.
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        let ear = Ear { hub: self, socket: &socket, drain: &drain };
        loop {
            let heard = tokio::select! {
                heard = socket.hear(&mut buffer) => heard,
                () = drain.requested() => return Ok(()),
            };
            match heard {
                Ok((count, from)) => {
                    if let Err(dropped) = ear.hear(&buffer[..count], from) {
                        let all = self.post().count();
                        debug!("a datagram from {from} is dropped, the {all}th: {dropped}");
                    }
                }
                // What the system says here is of some sender, and no reason to stop for the others.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// What hears the datagrams of a socket.
struct Ear<'e> {
    hub: &'e Hub,
    socket: &'e Arc<Datagrams>,
    drain: &'e Drain,
}

impl Ear<'_> {
    fn hear(&self, datagram: &[u8], from: SocketAddr) -> Result<(), Dropped> {
        let now = Instant::now();
        let held = self.find(datagram, now)?;
        let mut state = held.state();
        match state.association.hear(datagram, from, now)? {
            Heard::Challenged(challenge) => send(self.socket, &challenge, from),
            Heard::Proved(re) => {
                if let Some(lines) = state.begin() {
                    drop(state);
                    self.wake(held, (lines, re), from);
                    return Ok(());
                }
                // Before that is true it is not answered.
                if state.is_in() {
                    self.tell(&mut state, &done(re), now);
                }
            }
            Heard::Asked(frame) => state.pass_on(frame),
            Heard::Answered(frame) => self.tell(&mut state, &frame, now),
            Heard::Noted => {}
        }
        state.wake();
        Ok(())
    }

    /// Whose `datagram` says it is.
    fn find(&self, datagram: &[u8], now: Instant) -> Result<Arc<Held>, Dropped> {
        if datagram.len() > DATAGRAM_BYTES_MAX {
            return Err(Dropped::Foreign);
        }
        let sid = sid_of(datagram).ok_or(Dropped::Foreign)?;
        self.hub.post().table().find(sid, now).ok_or(Dropped::Foreign)
    }

    fn tell(&self, state: &mut State, frame: &[u8], now: Instant) {
        if let Some((datagram, to)) = state.tell(frame, now) {
            send(self.socket, &datagram, to);
        }
    }

    /// Begins the session of who showed where it is, and asked so as `re`.
    fn wake(&self, held: Arc<Held>, (lines, re): (Lines, Option<u64>), from: SocketAddr) {
        let (hub, drain) = (self.hub.clone(), self.drain.clone());
        let (socket, local) = (Arc::clone(self.socket), Arc::clone(self.socket.local()));
        tokio::spawn(async move {
            let peer = Peer::Net(from);
            let carrier = Carrier::new((held, lines), socket, (re, hub.datagrams_gone_after()));
            if let Err(fault) = hold(&hub, carrier, (peer, &local), &drain).await {
                debug!("{peer}: {fault}: {}", fault.source);
            }
        });
    }
}

/// Holds the session of `peer`, to its end.
async fn hold(
    hub: &Hub,
    carrier: Carrier,
    (peer, local): (Peer, &Endpoint),
    drain: &Drain,
) -> Result<(), Fault> {
    let flow = hub.begin(peer, local);
    let is_private = hub.post().form == Form::Sealed;
    let way = Way { peer, is_private, certificate: None };
    let hall = hub.shared().hall().await?;
    let link = Link::Datagrams(Box::new(carrier));
    let told = Session::new(hub.shared(), hall, link, way).serve(drain).await;
    hub.end(flow, (peer, local), told)
}

fn done(re: Option<u64>) -> Vec<u8> {
    written(&Told::Answer { re, answer: Ok(Answer::Done) })
}

#[cfg(test)]
mod tests;
