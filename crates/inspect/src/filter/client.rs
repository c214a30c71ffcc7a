//! Clients by their addresses.

use std::{net::IpAddr, str::FromStr};

use super::ParseFilterError;

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    ip: IpAddr,
    /// How many bits count: at most as many as the address has.
    bits: u8,
}

impl Net {
    /// Whether `ip` is one of them. An IPv4 address in IPv6 clothes is that IPv4 address.
    pub fn has(&self, ip: IpAddr) -> bool {
        let first = |ip: u128, width: u8| ip.checked_shr(u32::from(width - self.bits)).unwrap_or(0);
        match (self.ip, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                first(u32::from(net).into(), 32) == first(u32::from(ip).into(), 32)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => first(net.into(), 128) == first(ip.into(), 128),
            _ => false,
        }
    }

    /// The address, if it is but one.
    pub(super) fn only(&self) -> Option<IpAddr> {
        (self.bits == width(self.ip)).then_some(self.ip)
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl FromStr for Net {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        let bad = || ParseFilterError::Net(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address =
            address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
        let ip = address.parse::<IpAddr>().map_err(|_| bad())?.to_canonical();
        let bits = bits.unwrap_or(width(ip));
        if bits > width(ip) {
            return Err(bad());
        }
        Ok(Self { ip, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nets_have_the_addresses_that_begin_as_they_do() {
        let check = |net: &str, ip: &str, expect| {
            let found = net.parse::<Net>().unwrap().has(ip.parse().unwrap());
            assert_eq!(found, expect, "{ip} in {net}");
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.10", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("::ffff:192.0.2.1", "192.0.2.1", true);
        check("192.0.2.77/24", "192.0.2.1", true);
        check("192.0.2.0/24", "192.0.3.1", false);
        check("0.0.0.0/0", "192.0.2.1", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("::/0", "192.0.2.1", false);
        check("[2001:db8::1]", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
    }

    #[test]
    fn what_is_no_net_says_what_was_expected() {
        for text in ["", "a.org", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "::1/129", "::/-1"] {
            let error = text.parse::<Net>().unwrap_err().to_string();
            let start = format!("bad client {text:?}: expected an address");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
