//! Sends back the datagrams that come, many at once.

use std::{io, pin::pin, sync::Arc, time::Duration};

use relais_net::{Batch, DatagramService, Datagrams, Drain, Fault, Outgoing, Word};

use crate::responders::answers_all;

/// Sends back the datagrams that come, as they came, but for those of services that send back all, too.
///
/// What the system does not take at once is dropped: nobody waits for a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl DatagramService for Echo {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        let mut told = pin!(drain.requested());
        loop {
            let heard = tokio::select! {
                ready = socket.ready() => ready.and_then(|()| hear(&socket)),
                () = &mut told => return Ok(()),
            };
            // What the system says here is of some sender, and no reason to stop for the others.
            if heard.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// How long to wait after the system would not let us hear, so that a socket that is broken for good
/// costs little.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// How often is heard before others get their turn: while much comes there is always more, and to be
/// called again costs more than to look.
const TURNS: usize = 8;

/// How many messages at a time make a socket busy: so many that polling it costs less than waiting.
const BUSY_MESSAGES_MIN: usize = 8;

fn hear(socket: &Datagrams) -> io::Result<()> {
    Batch::lend(|batch| {
        for _ in 0..TURNS {
            if socket.try_hear(batch)? != Word::Datagrams {
                break;
            }
            if batch.messages() >= BUSY_MESSAGES_MIN {
                socket.keep_polling();
            }
            answer(socket, batch);
        }
        Ok(())
    })
}

fn answer(socket: &Datagrams, batch: &Batch) {
    let heard = batch.heard().filter(|heard| !answers_all(heard.from));
    let answers: Vec<Outgoing<'_>> = heard.map(|heard| heard.answer(heard.train)).collect();
    // What goes to one sender goes together, as few share a port with another. The order of one sender's
    // datagrams stays. Places are sorted, which are smaller than answers; a batch has 64 at most.
    let places = (0_u16..).zip(&answers).map(|(place, answer)| (answer.to.port(), place));
    let mut order: Vec<_> = places.collect();
    order.sort_unstable();
    socket.send_batch(order.into_iter().map(|(_, place)| answers[usize::from(place)]));
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use relais_net::{DatagramConn, DatagramListener, Shutdown, Train};

    use super::*;

    #[tokio::test]
    async fn every_sender_gets_its_own_datagrams_back_in_their_order() {
        let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], listener.local().host_port().unwrap().port));
        let socket = Arc::new(listener.open().unwrap());
        let (shutdown, drain) = Shutdown::new();
        let serving = tokio::spawn(Echo.serve(socket, drain));
        let clients: Vec<_> = (0..5).map(|_| DatagramConn::new(at, None).unwrap()).collect();
        let lengths = [0, 64, 64, 64, 1, 65_507];
        let said = |client: u8| lengths.map(|length| vec![client; length]);
        for part in 0..lengths.len() {
            for (client, n) in clients.iter().zip(0..) {
                client.send_batch([Train::of_one(&said(n)[part])]);
            }
        }
        for (client, n) in clients.iter().zip(0..) {
            assert_eq!(hear(client, lengths.len()).await, said(n));
        }
        shutdown.request();
        serving.await.unwrap().unwrap();
    }

    async fn hear(client: &DatagramConn, count: usize) -> Vec<Vec<u8>> {
        let (mut heard, mut batch) = (Vec::new(), Batch::new());
        while heard.len() < count {
            client.ready().await.unwrap();
            if client.try_hear(&mut batch).unwrap() == Word::Datagrams {
                let datagrams = batch.heard().flat_map(|heard| heard.train.datagrams());
                heard.extend(datagrams.map(<[u8]>::to_vec));
            }
        }
        heard
    }
}
