//! What is known of those who showed passwords.

use super::{Limits, Turns, throttle::Throttle, verified::Verified};

/// Who was right lately, who was wrong how often, and how many are looked at now. It may outlive the
/// [`Users`](super::Users) that it was found out by: who was right by another hash is not known any more.
#[derive(Debug)]
pub struct Known {
    pub(super) verified: Verified,
    pub(super) throttle: Throttle,
    /// A turn each for those being hashed.
    pub(super) turns: Turns,
}

impl Known {
    /// Nothing yet.
    pub fn new(limits: &Limits) -> Self {
        let Limits { hashing_max, waiting_max, verified_max, verified_life, .. } = *limits;
        Self {
            verified: Verified::new(verified_max, verified_life),
            throttle: Throttle::new(limits),
            turns: Turns::new(hashing_max, waiting_max),
        }
    }
}
