//! Sends back what came.

use std::sync::Arc;

use relais_net::{Conn, DatagramService, Datagrams, Drain, Fault, Service, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends back what came, as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

/// How much of a stream is on its way back at once.
const BUFFER_BYTES: usize = 16 << 10;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

impl Service for Echo {
    async fn serve(&self, mut conn: Conn, drain: Drain) -> Result<(), Fault> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let fault = |doing: &str, error| Fault::new(Side::Client, doing, error);
        loop {
            let read = tokio::select! {
                read = conn.stream.read(&mut buffer) => read,
                () = drain.requested() => Ok(0),
            };
            let count = read.map_err(|error| fault("reading", error))?;
            if count == 0 {
                let closed = conn.stream.shutdown().await;
                return closed.map_err(|error| fault("closing", error));
            }
            let sent = conn.stream.write_all(&buffer[..count]).await;
            sent.map_err(|error| fault("answering", error))?;
        }
    }
}

impl DatagramService for Echo {
    async fn serve(&self, socket: Arc<Datagrams>, drain: Drain) -> Result<(), Fault> {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let heard = tokio::select! {
                heard = socket.hear(&mut buffer) => heard,
                () = drain.requested() => return Ok(()),
            };
            // What the system says here is of some sender, and no reason to stop for the others.
            let Ok((count, from)) = heard else { continue };
            _ = socket.send(&buffer[..count], from).await;
        }
    }
}
