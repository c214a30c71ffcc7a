//! A connection handed over, behind the last answer of HTTP on it.

use std::fmt;

use bytes::Bytes;
use relais_net::{Drain, Fault, Stream};

use super::{Limits, tunnel, tunnel_pipe::PASS_BYTES};
use crate::{
    Ended,
    body::{Next, Tell},
};

/// What a connection is handed over to, and who is told of its end.
pub(super) struct Switch {
    pub(super) next: Next,
    pub(super) tell: Option<Tell>,
}

impl Switch {
    /// Hands over `near`, of which `early` came already.
    ///
    /// # Errors
    ///
    /// What ended it other than well.
    pub(super) async fn make(
        self,
        near: Stream,
        early: Bytes,
        (limits, drain): (&Limits, &Drain),
    ) -> Result<(), Fault> {
        let Self { next, tell } = self;
        let told = tunnel::Told::new(tell);
        match next {
            Next::Tunnel(tunnel) => {
                tunnel::run(near, early, (tunnel, told), (limits, PASS_BYTES)).await
            }
            Next::Heir(heir) => {
                let ended = heir.go_on(near, early, drain.clone()).await;
                // How much it says is its own business.
                told.end(&ended);
                ended
            }
        }
    }

    /// Does not hand it over, and tells so.
    pub(super) fn give_up(self) {
        if let Some(tell) = self.tell {
            tell(Ended::Short(0));
        }
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switch").field("next", &self.next).finish_non_exhaustive()
    }
}
