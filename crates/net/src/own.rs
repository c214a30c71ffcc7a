//! Which addresses are this machine's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Whether `ip` is an address of this machine, as far as its routes tell: whoever calls it calls from
/// it. Of the loopback network that is told of the usual address alone.
///
/// *Cost*: four system calls, some 3 µs. Nothing is sent.
pub fn is_own_address(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // A connected socket of datagrams has its own address chosen, by the route to the other side.
    let chosen = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    chosen.is_ok_and(|chosen| chosen.ip() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_knows_its_own_addresses() {
        let check =
            |ip: &str, expect| assert_eq!(is_own_address(ip.parse().unwrap()), expect, "{ip}");
        check("127.0.0.1", true);
        // Nobody's (RFC 5737, RFC 3849).
        check("192.0.2.1", false);
        check("2001:db8::1", false);
        check("255.255.255.255", false);
    }
}
