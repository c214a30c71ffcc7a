//! What a relay of datagrams is told, and what all of its associations share.

use std::{sync::Arc, time::SystemTime};

use relais_net::Room;
use relais_tap::Tap;

use super::{
    associations::Limits,
    places::Places,
    shaping::{Shape, Shaping},
    tally::Tally,
    upstreams::Upstreams,
};
use crate::streams::Callers;

/// What a relay does, and for whom.
#[derive(Debug)]
pub struct Options {
    /// To whom datagrams go.
    pub upstreams: Arc<Upstreams>,
    /// How many senders may be associated, and for how long.
    pub limits: Limits,
    /// Whose datagrams are passed on.
    pub callers: Callers,
    /// What all relays of the process together have room for, each socket of a sender in all of these:
    /// descriptors, which callers have, too, and ports.
    pub shared: Vec<Arc<Room>>,
    /// What is done to datagrams besides.
    pub shape: Shape,
    /// Where associations are reported.
    pub tap: Tap,
    /// The time of day.
    pub clock: fn() -> SystemTime,
}

/// What all associations of a relay share.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) options: Options,
    pub(super) shaping: Shaping,
    pub(super) tally: Tally,
    /// Of all of its senders, and of those of other relays.
    pub(super) places: Places,
}

impl Common {
    pub(super) fn new(options: Options) -> Self {
        let shaping = Shaping::new(options.shape);
        let Limits { senders_max, senders_a_client_max, .. } = options.limits;
        let room = Arc::new(Room::shared_out(senders_max, senders_a_client_max));
        let places = Places::new([room].into_iter().chain(options.shared.iter().cloned()));
        Self { options, shaping, tally: Tally::default(), places }
    }
}
