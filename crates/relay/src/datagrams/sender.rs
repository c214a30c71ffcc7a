//! Who sends datagrams, and whereto.

use std::{
    hash::{Hash, Hasher},
    net::{IpAddr, SocketAddr},
};

use relais_net::{Client, Peer};

/// Who sends datagrams, and to which of our addresses: what comes back to it is to come from there. Who
/// sends to two of them is two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) from: SocketAddr,
    /// `None` where the system does not say.
    pub(super) at: Option<IpAddr>,
}

impl Sender {
    /// Whom it counts as.
    pub(super) fn client(&self) -> Client {
        Peer::Net(self.from).client()
    }
}

impl Hash for Sender {
    /// In few words: it is done for nearly every datagram. Of what is equal it is equal; of addresses
    /// that differ in no more than their scope, too.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.from {
            SocketAddr::V4(from) => {
                state.write_u64(u64::from(from.ip().to_bits()) << 16 | u64::from(from.port()));
            }
            SocketAddr::V6(from) => {
                state.write_u128(from.ip().to_bits());
                state.write_u16(from.port());
            }
        }
        match self.at {
            Some(IpAddr::V4(at)) => state.write_u32(at.to_bits()),
            Some(IpAddr::V6(at)) => state.write_u128(at.to_bits()),
            None => (),
        }
    }
}
