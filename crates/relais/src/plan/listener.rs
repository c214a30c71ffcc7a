//! A listener of a plan.

use relais_net::{Endpoint, Scheme};

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

impl Listener {
    /// Whether HTTP is spoken there: by sites, or by a service whose endpoint says so.
    pub(crate) fn speaks_http(&self) -> bool {
        let is_said = matches!(self.on.scheme, Scheme::Http | Scheme::Https);
        is_said || matches!(self.behind, Behind::Sites(_))
    }
}

/// What is behind a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Places in [`Plan::sites`]. Never empty; their hosts differ.
    Sites(Vec<usize>),
    /// A place in [`Plan::services`].
    Service(usize),
}
