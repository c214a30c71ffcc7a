//! Passes datagrams on, as they are.
//!
//! UDP has no connections, so there are associations: a sender has a socket of its own to one
//! upstream from its first datagram until both have been silent for a while. What comes to that
//! socket goes back to the sender.

mod answering;
mod association;
mod associations;
mod delivery;
mod held;
mod opening;
mod options;
mod places;
mod rows;
mod sender;
mod service;
mod shaping;
mod standings;
mod tally;
mod upstreams;

pub use associations::Limits;
pub use options::Options;
pub use service::Relay;
pub use shaping::{Losses, Shape};
pub use tally::{Counts, Tally};
pub use upstreams::Upstreams;

#[cfg(test)]
mod tests;
