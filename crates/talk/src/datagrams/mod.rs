//! Dialogues over datagrams: each is a message, and its answer one, too.

mod asking;
mod talking;

use std::{net::SocketAddr, sync::Arc};

use relais_net::{DatagramService, Datagrams, Drain, Fault, Peer, Worked};

use crate::{
    dialogues::{CARRIED_BYTES_MAX, Dialogues, Way, too_long},
    echo::{Echo, PAUSE},
    lines::{Extent, Message},
    responders::answers_all,
    role::{Reply, Role, Then, ended},
};
use asking::Asking;
use talking::Table;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// How an answer begins that is none.
const ERROR: &str = "error: ";

impl DatagramService for Dialogues {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        if let Role::Echo = self.role {
            // There is no dialogue that could be over: all that comes is sent back.
            return Echo.serve(socket, drain).await;
        }
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut hearing = Hearing {
            all: self,
            asking: Asking::new(&socket, &drain),
            table: Table::new(&socket, self.limits),
            socket,
        };
        loop {
            let heard = tokio::select! {
                heard = hearing.socket.hear(&mut buffer) => heard,
                () = drain.requested() => return Ok(()),
            };
            match heard {
                Ok((count, from)) => tokio::select! {
                    biased;
                    () = hearing.hear(&buffer[..count], from) => (),
                    // Who prints what is received may stand still.
                    () = drain.requested(), if matches!(self.role, Role::Receive) => return Ok(()),
                },
                // What the system says here is of some sender, and no reason to stop for the others.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// What hears the datagrams of a socket.
struct Hearing<'h> {
    all: &'h Dialogues,
    asking: Asking,
    table: Table,
    socket: Arc<Datagrams>,
}

impl Hearing<'_> {
    async fn hear(&mut self, datagram: &[u8], from: SocketAddr) {
        let message = bounded(datagram, self.all.limits.line_bytes_max);
        let peer = Peer::Net(SocketAddr::new(from.ip().to_canonical(), from.port()));
        let way = Way { from: peer, on: self.socket.local(), worked: &Worked::default() };
        if let Role::Receive = self.all.role {
            return self.all.receive(&Message::unended(datagram), way).await;
        }
        let (reply, then) = self.all.hear(&message, way);
        if then == Then::EndDialogue {
            return self.table.end(from);
        }
        let answer = match (reply, &self.all.role) {
            (Reply::Nothing, _) => return,
            (Reply::ByPerson, Role::Talk(person)) => {
                return self.table.hear(person, &message, (from, peer));
            }
            _ if answers_all(from) => return,
            // Two calculators that answer each other's errors would never end.
            (Reply::Value(expression), _) if expression.starts_with(ERROR) => return,
            (Reply::Value(expression), Role::Calc(calculator)) => {
                return self.asking.ask(calculator, expression, (message.end, from, peer));
            }
            (Reply::Notify, Role::Notify(subscribers)) => {
                let told = subscribers.hear(message.bytes, from, &self.socket);
                let Some(told) = told else { return };
                ended(&told, message.end)
            }
            (reply, _) => self.all.answer(reply, &message, way).await,
        };
        let fits = answer.len() <= CARRIED_BYTES_MAX;
        let answer = if fits { answer } else { too_long(&message) };
        // Whoever it is may be gone, and there is nobody to tell.
        _ = self.socket.send(&answer, from).await;
    }
}

/// The message that a datagram is, of at most `bytes_max`.
fn bounded(datagram: &[u8], bytes_max: usize) -> Message<'_> {
    let message = Message::of(datagram);
    match message.bytes.get(..bytes_max) {
        Some(bytes) if bytes.len() < message.bytes.len() => {
            Message { bytes, extent: Extent::Cut, ..message }
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests;
