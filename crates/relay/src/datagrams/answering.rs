//! One sender's way back: what its upstream says is passed to it, until it leaves.

use std::{io, sync::Arc};

use relais_net::{Batch, Word};
use relais_tap::{By, Direction};
use tokio::time::Instant;
use tracing::debug;

use super::{association::Association, opening::Outlet, service::Running, upstreams::Next};

impl Running {
    /// Passes back what the upstream says to one sender, whose seat is at `place`, until that is
    /// dropped.
    pub(super) async fn answer(self: Arc<Self>, association: Arc<Association>, place: usize) {
        // However it ends, be it by a bug.
        let leaving = Leaving { running: self, association };
        let Leaving { running, association } = &leaving;
        // Made room for another before it was heard here.
        let Some(outlet) = association.outlet() else { return };
        loop {
            let ready = if association.was_answered() {
                // It stays whatever is refused, of which sending tells, too.
                outlet.conn.datagrams_ready().await
            } else {
                tokio::select! {
                    ready = outlet.conn.ready() => ready,
                    () = association.leaves.notified() => {
                        return association.end(By::Server, "refused");
                    }
                }
            };
            let word = ready.and_then(|()| running.hear_upstream((association, &outlet), place));
            match word {
                Ok(Word::Refused(_)) if association.refused() == Next::Other => {
                    return association.end(By::Server, "refused");
                }
                Ok(_) => (),
                Err(error) => {
                    debug!(sender = %association.sender.from, %error, "a sender's socket failed");
                    return association.end(By::Relais, "failed");
                }
            }
        }
    }

    /// Passes back what is there.
    fn hear_upstream(
        &self,
        (association, outlet): (&Arc<Association>, &Outlet),
        place: usize,
    ) -> io::Result<Word> {
        Batch::lend(|batch| {
            let word = outlet.conn.try_hear(batch)?;
            if word == Word::Datagrams {
                self.pass_back(association, batch, place);
            }
            Ok(word)
        })
    }

    fn pass_back(&self, association: &Arc<Association>, batch: &Batch, place: usize) {
        association.heard_upstream();
        self.table().renew(association.sender, place, Instant::now());
        let trains = batch.heard().map(|heard| heard.train);
        if self.common.shaping.is_something() {
            let tally = &self.common.tally;
            self.delivery.hold(association, (Direction::ToClient, trains), tally);
        } else {
            association.send_back(trains, &self.socket);
        }
    }
}

/// An association whose upstream is no more heard once this is dropped.
struct Leaving {
    running: Arc<Running>,
    association: Arc<Association>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let Self { running, association } = self;
        let mut table = running.table();
        if table.find(association.sender).is_some_and(|seat| seat.is_of(association)) {
            table.remove(association.sender);
        }
    }
}
