//! Socket addresses as the kernel writes them (`sockaddr_in` of `ip(7)`, `sockaddr_in6` of
//! `ipv6(7)`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use libc::{AF_INET, AF_INET6};

/// The address of a sender, in the kernel's own form.
///
/// IPv4: family, port, address, 8 bytes of 0. IPv6: family, port, flow, address, scope. Family and
/// scope in the machine's order of bytes, the others in the network's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Address {
    bytes: [u8; BYTES_MAX],
    /// At most [`BYTES_MAX`].
    length: usize,
}

const BYTES_MAX: usize = 28;
const V4_BYTES: usize = 16;

/// Which addresses a socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    /// IPv4, too, in IPv6 clothes.
    V6,
}

impl Family {
    pub(super) fn of(at: SocketAddr) -> Self {
        if at.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// `ip` as an address of this family, if it can be one.
    pub(super) fn dress(self, ip: IpAddr) -> Option<IpAddr> {
        match (self, ip) {
            (Self::V6, IpAddr::V4(ip)) => Some(ip.to_ipv6_mapped().into()),
            (Self::V4, ip) => Some(ip.to_canonical()).filter(IpAddr::is_ipv4),
            (Self::V6, ip) => Some(ip),
        }
    }
}

impl Address {
    /// `at` for a socket of `family`. An IPv6 address for one of IPv4 stays as it is: the kernel
    /// refuses it.
    pub(super) fn new(at: SocketAddr, family: Family) -> Self {
        let ip = family.dress(at.ip()).unwrap_or(at.ip());
        let mut bytes = [0; BYTES_MAX];
        bytes[2..4].copy_from_slice(&at.port().to_be_bytes());
        let length = match ip {
            IpAddr::V4(ip) => {
                bytes[..2].copy_from_slice(&family_bytes(AF_INET));
                bytes[4..8].copy_from_slice(&ip.octets());
                V4_BYTES
            }
            IpAddr::V6(ip) => {
                bytes[..2].copy_from_slice(&family_bytes(AF_INET6));
                bytes[8..24].copy_from_slice(&ip.octets());
                if let SocketAddr::V6(at) = at {
                    bytes[24..28].copy_from_slice(&at.scope_id().to_ne_bytes());
                }
                BYTES_MAX
            }
        };
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Where the kernel writes an address. Afterwards it is to be told how long that [came](Self::came).
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(super) fn came(&mut self, length: usize) {
        self.length = length.min(BYTES_MAX);
    }

    /// Its port, which stands at the same place in both families.
    pub(super) fn port(&self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.bytes().get(2..)?.first_chunk()?))
    }

    /// The address, never one of IPv4 in IPv6 clothes. `None` if it is of no family of ours.
    pub(super) fn read(&self) -> Option<SocketAddr> {
        let bytes = self.bytes();
        let family = bytes.first_chunk()?;
        let port = self.port()?;
        if *family == family_bytes(AF_INET) {
            let ip = Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?);
            return Some(SocketAddr::new(ip.into(), port));
        }
        if *family != family_bytes(AF_INET6) {
            return None;
        }
        let ip = Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?);
        let scope = u32::from_ne_bytes(*bytes.get(24..)?.first_chunk()?);
        Some(match ip.to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), port),
            None => SocketAddrV6::new(ip, port, 0, scope).into(),
        })
    }
}

fn family_bytes(family: i32) -> [u8; 2] {
    libc::sa_family_t::try_from(family).expect("a small number").to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_without_its_clothes() {
        check("192.0.2.1:53", Family::V4, "192.0.2.1:53");
        check("192.0.2.1:53", Family::V6, "192.0.2.1:53");
        check("[::ffff:192.0.2.1]:53", Family::V4, "192.0.2.1:53");
        check("[2001:db8::1]:65535", Family::V6, "[2001:db8::1]:65535");
        check("[fe80::1%3]:7", Family::V6, "[fe80::1%3]:7");
    }

    #[track_caller]
    fn check(at: &str, family: Family, expect: &str) {
        let address = Address::new(at.parse().unwrap(), family);
        assert_eq!(address.bytes().len(), if family == Family::V4 { 16 } else { 28 });
        assert_eq!(address.read().unwrap().to_string(), expect);
    }

    #[test]
    fn what_is_cut_or_of_another_family_is_no_address() {
        for (at, family) in [("192.0.2.1:53", Family::V4), ("[::1]:53", Family::V6)] {
            let whole = Address::new(at.parse().unwrap(), family);
            let least = if family == Family::V4 { 8 } else { 28 };
            for length in 0..least {
                assert_eq!(Address { length, ..whole }.read(), None, "{at} {length}");
            }
        }
        let mut other = Address::new("192.0.2.1:53".parse().unwrap(), Family::V4);
        other.room()[..2].copy_from_slice(&family_bytes(libc::AF_UNIX));
        assert_eq!(other.read(), None);
    }
}
