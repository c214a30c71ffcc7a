//! What is sent later than it came: held until it is due, then sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relais_net::{Datagrams, Train};
use relais_tap::Direction;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    association::Association,
    held::Held,
    tally::{Tally, count},
};

/// Datagrams that are on their way for a while.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    held: Mutex<Held<(Arc<Association>, Direction)>>,
    /// Something is held that is due sooner than what was.
    sooner: Notify,
}

impl Delivery {
    /// Holds datagrams until they are due, where the network is like a bad one.
    pub(super) fn hold<'a>(
        &self,
        association: &Arc<Association>,
        (direction, trains): (Direction, impl Iterator<Item = Train<'a>>),
        tally: &Tally,
    ) {
        let now = Instant::now();
        let mut held = self.held();
        let before = held.next_due();
        for datagram in trains.flat_map(|train| train.datagrams()) {
            let copies = association.shape(direction, datagram, now);
            let mut is_lost = copies.is_empty();
            for due in copies {
                is_lost |= held
                    .hold((association.sender.from, due), (Arc::clone(association), direction))
                    .is_err();
            }
            count(&tally.impaired, is_lost.into());
        }
        let next = held.next_due();
        if next.is_some() && before.is_none_or(|before| next < Some(before)) {
            self.sooner.notify_one();
        }
    }

    /// Whether anything is held that is due by then.
    pub(super) fn is_due_by(&self, then: Instant) -> bool {
        self.held().next_due().is_some_and(|due| due <= then)
    }

    /// Sends what is held when it is due, until dropped; back to senders from `socket`.
    pub(super) async fn run(&self, socket: &Datagrams) {
        loop {
            let next = self.held().next_due();
            let due = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => (),
                () = self.sooner.notified() => (),
            }
            // Locked for each, not while it is sent.
            loop {
                let taken = self.held().take(Instant::now());
                let Some((datagram, (association, direction))) = taken else { break };
                let one = std::iter::once(Train::of_one(&datagram));
                match direction {
                    Direction::ToServer => association.send_on(one),
                    Direction::ToClient => association.send_back(one, socket),
                }
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held<(Arc<Association>, Direction)>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
