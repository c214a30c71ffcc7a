//! What a relay of datagrams is told, and what all of its associations share.

use std::{net::IpAddr, sync::Arc, time::SystemTime};

use relais_tap::Tap;

use super::{
    associations::Limits,
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
    /// The address to send from, if not whichever the system takes.
    pub source: Option<IpAddr>,
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
}

impl Common {
    pub(super) fn new(options: Options) -> Self {
        let shaping = Shaping::new(options.shape);
        Self { options, shaping, tally: Tally::default() }
    }
}
