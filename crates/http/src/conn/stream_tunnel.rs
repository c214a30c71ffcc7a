//! A tunnel in a stream of an HTTP/2 connection, beside others ([RFC 9113 §8.5]).
//!
//! [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use relais_net::Fault;
use tracing::debug;

use super::{Limits, asking::Asking, pulse::Pulse, switch::Switch, tunnel};
use crate::{Ended, body::Next, places::Place};

/// How many there may be, on all connections of a listener: each is a socket to somebody.
pub(super) const MAX: usize = 1024;

/// Has what `switch` leads to passed on in the stream that `upgrade` stands for, once its answer is
/// sent; by a task of its own, which ends with the connection.
pub(super) fn dig(asking: &Asking, (upgrade, switch): (OnUpgrade, Switch), place: Place) {
    let open = Open::new(&asking.pulse);
    let limits = Arc::clone(&asking.limits);
    tokio::spawn(async move {
        let (_open, _place) = (open, place);
        if let Err(fault) = pass(upgrade, switch, &limits).await {
            let error: &dyn std::error::Error = &fault;
            debug!(error, "a tunnel over HTTP/2 ended");
        }
    });
}

async fn pass(upgrade: OnUpgrade, switch: Switch, limits: &Limits) -> Result<(), Fault> {
    let Switch { next, tell } = switch;
    // An error is a client that left before it was answered. What goes on with a connection of
    // HTTP/1 whole, as a WebSocket does, is never asked for over HTTP/2.
    let (ended, passed) = match (upgrade.await, next) {
        (Ok(near), Next::Tunnel(tunnel)) => {
            tunnel::run(TokioIo::new(near), bytes::Bytes::new(), tunnel, limits).await
        }
        (Err(_), _) | (_, Next::Heir(_)) => (Ok(()), 0),
    };
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
