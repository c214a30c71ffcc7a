//! Ranges of addresses.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Its bits from `prefix` on are 0. Never an IPv4 address in IPv6 clothes.
    base: IpAddr,
    /// How many bits are the same: at most those of an address.
    prefix: u8,
}

/// Why a text is no [`Network`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// Not an address, or nothing that says how many bits.
    #[error("bad network {0:?}: expected an address, or one with a prefix, e.g. 192.0.2.0/24")]
    Bad(String),
    /// More bits than an address has.
    #[error("bad prefix in {text:?}: expected 0 to {most}")]
    Prefix {
        /// What was found.
        text: String,
        /// How many bits an address has.
        most: u8,
    },
    /// Bits behind the prefix are set: which network is meant is not certain.
    #[error("{text:?} has bits behind its prefix: expected {expected}")]
    Host {
        /// What was found.
        text: String,
        /// What was likely meant.
        expected: Network,
    },
}

impl Network {
    /// Every address of this machine alone.
    pub const LOOPBACK: [Self; 2] = [
        Self { base: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 },
        Self { base: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 },
    ];

    /// Networks that are nobody's in particular: private (RFC 1918, RFC 4193), link-local (RFC 3927,
    /// RFC 4291), and shared (RFC 6598).
    pub const PRIVATE: [Self; 7] = [
        Self { base: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), prefix: 8 },
        Self { base: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), prefix: 12 },
        Self { base: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), prefix: 16 },
        Self { base: IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), prefix: 16 },
        Self { base: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), prefix: 10 },
        Self { base: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), prefix: 7 },
        Self { base: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), prefix: 10 },
    ];

    /// Whether `ip` is one of its addresses. An IPv4 address is the same in IPv6 clothes.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                first_bits(ip.to_canonical(), self.prefix) == self.base
            }
            _ => false,
        }
    }
}

/// `ip` with all bits from `prefix` on set to 0.
fn first_bits(ip: IpAddr, prefix: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let bad = || ParseNetworkError::Bad(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let ip = address.parse::<IpAddr>().map_err(|_| bad())?.to_canonical();
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let is_number = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.is_empty() || !is_number(prefix) => return Err(bad()),
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|&prefix| prefix <= most)
                .ok_or_else(|| ParseNetworkError::Prefix { text: text.to_owned(), most })?,
        };
        let base = first_bits(ip, prefix);
        if base != ip {
            let expected = Self { base, prefix };
            return Err(ParseNetworkError::Host { text: text.to_owned(), expected });
        }
        Ok(Self { base, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, prefix } = self;
        let most = if base.is_ipv4() { 32 } else { 128 };
        if *prefix == most { write!(f, "{base}") } else { write!(f, "{base}/{prefix}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_their_network_and_in_no_other() {
        let check = |network: &str, ip: &str, expect| {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(ip.parse().unwrap()), expect, "{ip} in {network}");
        };
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.0/24", "::ffff:192.0.2.1", true);
        check("192.0.2.0/24", "2001:db8::", false);
        check("0.0.0.0/0", "255.255.255.255", true);
        check("0.0.0.0/0", "::1", false);
        check("10.1.2.3", "10.1.2.3", true);
        check("10.1.2.3", "10.1.2.4", false);
        check("2001:db8::/33", "2001:db8:7fff::1", true);
        check("2001:db8::/33", "2001:db8:8000::1", false);
        check("::/0", "::1", true);
    }

    #[test]
    fn what_is_printed_reads_back_and_what_is_none_is_told() {
        for text in ["192.0.2.0/24", "0.0.0.0/0", "10.1.2.3", "2001:db8::/32", "::1"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<Network>().unwrap_err().to_string(), expect);
        };
        let expected = "expected an address, or one with a prefix, e.g. 192.0.2.0/24";
        for bad in ["", "a", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8"] {
            check(bad, &format!("bad network {bad:?}: {expected}"));
        }
        check("10.0.0.0/33", "bad prefix in \"10.0.0.0/33\": expected 0 to 32");
        check("::/129", "bad prefix in \"::/129\": expected 0 to 128");
        check("10.0.0.1/8", "\"10.0.0.1/8\" has bits behind its prefix: expected 10.0.0.0/8");
    }

    #[test]
    fn the_named_networks_are_sound() {
        for network in Network::LOOPBACK.iter().chain(&Network::PRIVATE) {
            assert_eq!(network.to_string().parse(), Ok(*network));
        }
    }
}
