//! A listener of a plan.

use relais_net::Endpoint;

use crate::{complaint::KeyPath, tls::Tls};

/// A listener and what is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens.
    pub on: Endpoint,
    /// The key of the configuration that says so first.
    pub key: KeyPath,
    /// How it proves who it is, for each site or for the service; empty in the clear.
    pub tls: Vec<Tls>,
    /// What answers.
    pub behind: Behind,
}

/// What is behind a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Places in [`Plan::sites`]. Never empty; their hosts differ.
    Sites(Vec<usize>),
    /// A place in [`Plan::services`].
    Service(usize),
}
