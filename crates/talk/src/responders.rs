//! Who answers whatever it gets: an answer to it would be answered, and so on for ever.

use std::net::SocketAddr;

/// The small services that answer every datagram, whatever is in it: echo (RFC 862), daytime (RFC 867),
/// quote of the day (RFC 865), chargen (RFC 864) and time (RFC 868).
const PORTS: [u16; 5] = [7, 13, 17, 19, 37];

/// Whether who sent a datagram from there answers whatever it gets, as far as its port tells. None of
/// them ever asks: it was forged, so that we would answer each other.
pub(crate) fn answers_all(from: SocketAddr) -> bool {
    PORTS.contains(&from.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_all_is_known_by_its_port() {
        let check = |from: &str, expect| assert_eq!(answers_all(from.parse().unwrap()), expect);
        check("192.0.2.1:7", true);
        check("[2001:db8::1]:19", true);
        check("192.0.2.1:53", false);
        check("192.0.2.1:6667", false);
    }
}
