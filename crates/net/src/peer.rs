//! Who is at the other end.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Who is at the other end: who called, or was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// At an address. Never an IPv4 address in IPv6 clothes.
    Net(SocketAddr),
    /// Over a Unix socket, or from inside this process.
    Local,
}

/// Whom limits are counted for: everyone who can call as this one does.
///
/// Prints as an address, as `2001:db8::/64`, or as `local`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address: what one household gets, and may change within at
    /// will.
    V6([u8; 8]),
    /// Everyone on this machine, over a Unix socket.
    Local,
}

impl Peer {
    /// Whoever is at `at`.
    pub(crate) fn at(at: SocketAddr) -> Self {
        Self::Net(SocketAddr::new(at.ip().to_canonical(), at.port()))
    }

    /// The address without the port.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Net(at) => Some(at.ip()),
            Self::Local => None,
        }
    }

    /// Whom the peer counts as.
    pub fn client(&self) -> Client {
        match self.ip().map(|ip| ip.to_canonical()) {
            None => Client::Local,
            Some(IpAddr::V4(ip)) => Client::V4(ip),
            Some(IpAddr::V6(ip)) => {
                Client::V6(*ip.octets().first_chunk().expect("an address has 16 octets"))
            }
        }
    }
}

impl Client {
    /// How much any one client may have of what there is `all` of, so that others find some, too: three
    /// quarters.
    ///
    /// Two exceptions. Where there are fewer than four, one client may have all. And [`Client::Local`] is
    /// everyone on this machine, who cannot be told apart: it is not held to this, but to what there is.
    pub const fn share_of(all: usize) -> usize {
        all - all / 4
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(at) => write!(f, "{at}"),
            Self::Local => f.write_str("local"),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(ip) => write!(f, "{ip}"),
            Self::V6(network) => {
                let bits = u128::from(u64::from_be_bytes(*network)) << 64;
                write!(f, "{}/64", Ipv6Addr::from_bits(bits))
            }
            Self::Local => f.write_str("local"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_household() {
        check("192.0.2.1", "192.0.2.1");
        check("::ffff:192.0.2.1", "192.0.2.1");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2::", "2001:db8:1:2::/64");
        check("2001:db8:1:3::", "2001:db8:1:3::/64");
        check("::1", "::/64");
        assert_eq!(Peer::Local.client().to_string(), "local");
    }

    #[test]
    fn a_client_leaves_a_quarter_to_others_where_there_is_one() {
        let shares = [0, 1, 3, 4, 7, 8, 1024].map(Client::share_of);
        assert_eq!(shares, [0, 1, 3, 3, 6, 6, 768]);
    }

    #[track_caller]
    fn check(ip: &str, expect: &str) {
        let at = SocketAddr::new(ip.parse().unwrap(), 1);
        // Also if somebody made it without a look at its clothes.
        for peer in [Peer::at(at), Peer::Net(at)] {
            assert_eq!(peer.client().to_string(), expect);
        }
    }
}
