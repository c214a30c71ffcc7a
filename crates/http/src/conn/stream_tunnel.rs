//! A tunnel in a stream of an HTTP/2 connection, beside others ([RFC 9113 §8.5]).
//!
//! [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5

use std::sync::Arc;

use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use relais_net::Fault;
use tracing::debug;

use super::{Limits, pulse::Pulse, switch::Switch, tunnel};
use crate::{Ended, body::Next, places::Place};

/// How many there may be, on all connections of a listener: each is a socket to somebody.
pub(super) const MAX: usize = 1024;

/// Has what `switch` leads to passed on in the stream that `upgrade` stands for, once its answer is
/// sent; by a task of its own, which ends with the connection of this `pulse`.
pub(super) fn dig(
    (pulse, limits): (&Arc<Pulse>, &Arc<Limits>),
    (upgrade, switch): (OnUpgrade, Switch),
    place: Place,
) {
    let open = Open::new(pulse);
    let limits = Arc::clone(limits);
    tokio::spawn(async move {
        let (_open, _place) = (open, place);
        if let Err(fault) = pass(upgrade, switch, &limits).await {
            let error: &dyn std::error::Error = &fault;
            debug!(error, "a tunnel over HTTP/2 ended");
        }
    });
}

async fn pass(upgrade: OnUpgrade, switch: Switch, limits: &Limits) -> Result<(), Fault> {
    let near = match upgrade.await {
        Ok(near) if matches!(switch.next, Next::Tunnel(_)) => TokioIo::new(near),
        // A client that left before it was answered. What goes on with a connection of HTTP/1 whole,
        // as a WebSocket does, is never asked for over HTTP/2.
        _ => {
            switch.give_up();
            return Ok(());
        }
    };
    let Switch { next: Next::Tunnel(tunnel), tell } = switch else { return Ok(()) };
    let (ended, passed) = tunnel::run(near, Bytes::new(), tunnel, limits).await;
    if let Some(tell) = tell {
        tell(if ended.is_ok() { Ended::Whole(passed) } else { Ended::Short(passed) });
    }
    ended
}

/// A tunnel that is open: its connection is in use for as long, though nothing is asked there.
struct Open {
    pulse: Arc<Pulse>,
}

impl Open {
    fn new(pulse: &Arc<Pulse>) -> Self {
        pulse.asked();
        Self { pulse: Arc::clone(pulse) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.pulse.given_up();
    }
}
