//! Sends back the datagrams that come.

use std::sync::Arc;

use relais_net::{DatagramService, Datagrams, Drain, Fault};

/// Sends back the datagrams that come, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

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
