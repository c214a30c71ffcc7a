//! What goes with a datagram beside its bytes and its sender: to which of our addresses it was sent
//! (`IP_PKTINFO` of `ip(7)`, `IPV6_PKTINFO` of RFC 3542), and whether it is several
//! (`UDP_GRO`, `UDP_SEGMENT` of `udp(7)`).
//!
//! A control message is its length, header included, its level and its type, then its data; each
//! begins where a word does (`cmsg(3)`).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU16,
};

use libc::{
    IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, SOL_UDP, UDP_GRO, UDP_SEGMENT, c_int,
};

/// Control messages, in the kernel's own form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Control {
    room: Words,
    /// At most [`BYTES_MAX`].
    length: usize,
}

/// Aligned as the kernel's headers are: so some systems want it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
struct Words([u8; BYTES_MAX]);

/// Room for `in6_pktinfo` (20 bytes) or `in_pktinfo` (12), and a segment's size (4): for a bit more
/// than what is asked for.
const BYTES_MAX: usize = 96;

const HEADER_BYTES: usize = size_of::<usize>() + 2 * size_of::<c_int>();

impl Default for Words {
    fn default() -> Self {
        Self([0; BYTES_MAX])
    }
}

/// What is told of a datagram that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Which of our addresses it was sent to.
    pub(super) at: Option<IpAddr>,
    /// How long each of several is, but for the last.
    pub(super) segment: Option<NonZeroU16>,
}

impl Control {
    /// For datagrams that are to leave from `from`, an address of the socket's family, each
    /// `segment` long.
    pub(super) fn new(from: Option<IpAddr>, segment: Option<NonZeroU16>) -> Self {
        let mut control = Self::default();
        match from {
            // Of the interface, 0 says that any will do.
            Some(IpAddr::V4(ip)) => {
                let mut data = [0; 12];
                data[4..8].copy_from_slice(&ip.octets());
                control.add((IPPROTO_IP, IP_PKTINFO), &data);
            }
            Some(IpAddr::V6(ip)) => {
                let mut data = [0; 20];
                data[..16].copy_from_slice(&ip.octets());
                control.add((IPPROTO_IPV6, IPV6_PKTINFO), &data);
            }
            None => (),
        }
        if let Some(segment) = segment {
            control.add((SOL_UDP, UDP_SEGMENT), &segment.get().to_ne_bytes());
        }
        control
    }

    fn add(&mut self, (level, kind): (c_int, c_int), data: &[u8]) {
        let length = HEADER_BYTES + data.len();
        let at = self.length;
        self.length += length.next_multiple_of(size_of::<usize>());
        let room = &mut self.room.0[at..self.length];
        let (first, rest) = room.split_at_mut(size_of::<usize>());
        first.copy_from_slice(&length.to_ne_bytes());
        rest[..4].copy_from_slice(&level.to_ne_bytes());
        rest[4..8].copy_from_slice(&kind.to_ne_bytes());
        rest[8..8 + data.len()].copy_from_slice(data);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.room.0[..self.length]
    }

    /// Where the kernel writes. Afterwards it is to be told how much [came](Self::came).
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.room.0
    }

    pub(super) fn came(&mut self, length: usize) {
        self.length = length.min(BYTES_MAX);
    }

    pub(super) fn read(&self) -> Told {
        let mut told = Told::default();
        let mut rest = self.bytes();
        while let Some((kind, data, length)) = first_message(rest) {
            match kind {
                (IPPROTO_IP, IP_PKTINFO) => {
                    // The interface, our address, and where the header says that it goes.
                    let ip = |at| Some(Ipv4Addr::from(*data.get(at..)?.first_chunk::<4>()?));
                    // Ours is not known of what came before it was asked for.
                    let ours = ip(4).filter(|ip| !ip.is_unspecified()).or_else(|| ip(8));
                    told.at = ours.map(IpAddr::from);
                }
                (IPPROTO_IPV6, IPV6_PKTINFO) => {
                    let ip = data.first_chunk::<16>();
                    told.at = ip.map(|ip| Ipv6Addr::from(*ip).to_canonical());
                }
                (SOL_UDP, UDP_GRO) => {
                    let size = data.first_chunk().map(|size| c_int::from_ne_bytes(*size));
                    let size = size.and_then(|size| u16::try_from(size).ok());
                    told.segment = size.and_then(NonZeroU16::new);
                }
                _ => (),
            }
            rest = rest.get(length.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
        }
        told
    }
}

/// The first control message: its level and type, its data, and how long it is in all.
fn first_message(bytes: &[u8]) -> Option<((c_int, c_int), &[u8], usize)> {
    let length = usize::from_ne_bytes(*bytes.first_chunk()?);
    let level = c_int::from_ne_bytes(*bytes.get(size_of::<usize>()..)?.first_chunk()?);
    let kind = c_int::from_ne_bytes(*bytes.get(size_of::<usize>() + 4..)?.first_chunk()?);
    Some(((level, kind), bytes.get(HEADER_BYTES..length)?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_way_out_is_laid_out_as_what_is_told_of_the_way_in() {
        for (from, expect) in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let control = Control::new(from.parse().ok(), NonZeroU16::new(64));
            assert_eq!(control.read().at, expect.parse().ok());
        }
        assert!(Control::new(None, None).bytes().is_empty());
    }

    #[test]
    fn an_address_that_is_not_known_is_that_of_the_header() {
        let mut control = Control::default();
        control.add((IPPROTO_IP, IP_PKTINFO), &[1, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]);
        assert_eq!(control.read().at, "192.0.2.1".parse().ok());
    }

    #[test]
    fn the_size_of_a_segment_is_told_as_a_number() {
        let mut control = Control::default();
        control.add((SOL_UDP, UDP_GRO), &1200_i32.to_ne_bytes());
        assert_eq!(control.read(), Told { at: None, segment: NonZeroU16::new(1200) });
        for odd in [0_i32, -1, 65_536] {
            let mut control = Control::default();
            control.add((SOL_UDP, UDP_GRO), &odd.to_ne_bytes());
            assert_eq!(control.read().segment, None);
        }
    }

    #[test]
    fn what_is_cut_is_read_as_far_as_it_goes() {
        let whole = Control::new("2001:db8::1".parse().ok(), NonZeroU16::new(64));
        for length in 0..=whole.length {
            _ = Control { length, ..whole }.read();
        }
        let nothing = Control { length: BYTES_MAX, ..Control::default() };
        assert_eq!(nothing.read(), Told::default());
    }
}
