//! TLS: what a listener offers, and what a handshake agreed on.

mod acceptor;

pub use acceptor::{Acceptor, Protocol, Session};
