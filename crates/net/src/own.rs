//! Which addresses are this machine's own.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

use rustix::io::Errno;

/// Whether `ip` is an address of this machine, as far as its routes tell: whoever calls it calls from
/// it. Of the loopback network that is told of the usual address alone.
///
/// *Cost*: four system calls, some 10 µs. Nothing is sent.
///
/// # Errors
///
/// If there is no socket to be had to find out with.
pub fn is_own_address(ip: IpAddr) -> io::Result<bool> {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = match UdpSocket::bind((any, 0)) {
        Ok(socket) => socket,
        Err(error) if is_scarcity(&error) => return Err(error),
        // Of a family that this machine has not.
        Err(_) => return Ok(false),
    };
    // A connected socket of datagrams has its own address chosen, by the route to the other side. The
    // port plays no part.
    let chosen = socket.connect((ip, 9)).and_then(|()| socket.local_addr());
    Ok(chosen.is_ok_and(|chosen| chosen.ip() == ip))
}

fn is_scarcity(error: &io::Error) -> bool {
    let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| scarce.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_knows_its_own_addresses() {
        let check = |ip: &str, expect| {
            assert_eq!(is_own_address(ip.parse().unwrap()).unwrap(), expect, "{ip}");
        };
        check("127.0.0.1", true);
        // Nobody's (RFC 5737, RFC 3849).
        check("192.0.2.1", false);
        check("2001:db8::1", false);
        check("255.255.255.255", false);
    }
}
