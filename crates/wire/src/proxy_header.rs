//! The PROXY header, by which a relay tells who called it: before all else, even TLS.
//!
//! Source: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, versions 1 and 2.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// A header is never longer than this here. The specification promises that the addresses fit the
/// smallest TCP segment (536 bytes); what follows them, certificates and the like, may be longer.
pub const HEADER_BYTES_MAX: usize = 4096;

/// The longest line of version 1, its end included (section 2.1).
const LINE_BYTES_MAX: usize = 107;

/// How every header of version 2 begins (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The part of a header of version 2 that is always there.
const FIXED_BYTES: usize = 16;

/// Which of the two kinds of headers is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// What a header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Who called, and where.
    Call {
        /// The caller.
        source: SocketAddr,
        /// The address that was called; of the same family.
        destination: SocketAddr,
    },
    /// Nothing: the relay calls on its own behalf, e.g. to see whether anybody is there, or for
    /// somebody who has no address.
    Nothing,
}

/// Why bytes are no PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They begin otherwise.
    #[error("no PROXY header: expected `PROXY ` or the signature of version 2")]
    NotOne,
    /// A line that is not as it should be.
    #[error(
        "a PROXY line that is malformed: expected PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT"
    )]
    Line,
    /// A version 2 whose command, family or length is not as it should be.
    #[error("a PROXY header of version 2 that is malformed")]
    Binary,
    /// It does not end in time.
    #[error("a PROXY header longer than {HEADER_BYTES_MAX} bytes")]
    TooLong,
    /// Its checksum is of something else.
    #[error("a PROXY header with a wrong checksum")]
    Checksum,
}

/// Reads the header at the beginning of `input`.
///
/// Returns what it tells and how many bytes it took, or `Ok(None)` if `input` ends before it does:
/// then all of `input` is of the header. `input` is never read past [`HEADER_BYTES_MAX`].
///
/// # Errors
///
/// [`Malformed`]: whoever is there does not speak this, and where its own bytes begin is not known.
pub fn read(input: &[u8]) -> Result<Option<(Told, usize)>, Malformed> {
    if begins(input, SIGNATURE) {
        return if input.len() < FIXED_BYTES { Ok(None) } else { read_binary(input) };
    }
    if !begins(input, b"PROXY ") {
        return Err(Malformed::NotOne);
    }
    let window = &input[..input.len().min(LINE_BYTES_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if window.len() < LINE_BYTES_MAX { Ok(None) } else { Err(Malformed::Line) };
    };
    let line = str::from_utf8(&window[..end]).map_err(|_| Malformed::Line)?;
    Ok(Some((read_line(line)?, end + 2)))
}

/// Whether `input` begins as `expected`, as far as it goes.
fn begins(input: &[u8], expected: &[u8]) -> bool {
    input.iter().zip(expected).all(|(one, other)| one == other)
}

fn read_line(line: &str) -> Result<Told, Malformed> {
    let mut words = line.split(' ').skip(1);
    let mut word = || words.next().ok_or(Malformed::Line);
    let family = word()?;
    if family == "UNKNOWN" {
        return Ok(Told::Nothing);
    }
    let (source, destination) = (word()?, word()?);
    let (source_port, destination_port) = (word()?, word()?);
    let at = |ip: &str, port: &str| -> Result<SocketAddr, Malformed> {
        let ip: IpAddr = match family {
            "TCP4" => ip.parse::<Ipv4Addr>().map_err(|_| Malformed::Line)?.into(),
            "TCP6" => ip.parse::<Ipv6Addr>().map_err(|_| Malformed::Line)?.into(),
            _ => return Err(Malformed::Line),
        };
        let is_plain = port == "0" || !port.starts_with(['0', '+']);
        let port = port.parse().ok().filter(|_| is_plain).ok_or(Malformed::Line)?;
        Ok(SocketAddr::new(ip, port))
    };
    let told = Told::Call {
        source: at(source, source_port)?,
        destination: at(destination, destination_port)?,
    };
    if words.next().is_some() { Err(Malformed::Line) } else { Ok(told) }
}

/// The commands of version 2.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

/// Reads version 2, of which the fixed part is there.
fn read_binary(input: &[u8]) -> Result<Option<(Told, usize)>, Malformed> {
    let (command, family) = (input[12], input[13]);
    let len = FIXED_BYTES + usize::from(u16::from_be_bytes([input[14], input[15]]));
    if len > HEADER_BYTES_MAX {
        return Err(Malformed::TooLong);
    }
    if !matches!(command, LOCAL | PROXY) {
        return Err(Malformed::Binary);
    }
    let Some(header) = input.get(..len) else { return Ok(None) };
    if command == LOCAL {
        // Whatever else it says, of any family, is to be discarded.
        return Ok(Some((Told::Nothing, len)));
    }
    let rest = &header[FIXED_BYTES..];
    let (told, extras) = match family {
        0x11 => addresses::<4>(rest)?,
        0x21 => addresses::<16>(rest)?,
        // Of sockets with paths, of datagrams, of what is not said: no address that means anything.
        0x00 => (Told::Nothing, rest),
        0x12 => (Told::Nothing, rest.get(12..).ok_or(Malformed::Binary)?),
        0x22 => (Told::Nothing, rest.get(36..).ok_or(Malformed::Binary)?),
        0x31 | 0x32 => (Told::Nothing, rest.get(216..).ok_or(Malformed::Binary)?),
        _ => return Err(Malformed::Binary),
    };
    // What follows a family that is not said is not said either.
    if family != 0 {
        check_extras(header, header.len() - extras.len())?;
    }
    Ok(Some((told, len)))
}

/// Two addresses of `N` bytes, two ports, and what follows.
fn addresses<const N: usize>(rest: &[u8]) -> Result<(Told, &[u8]), Malformed>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = rest.split_first_chunk::<N>().ok_or(Malformed::Binary)?;
    let (destination, rest) = rest.split_first_chunk::<N>().ok_or(Malformed::Binary)?;
    let (&[a, b, c, d], rest) = rest.split_first_chunk::<4>().ok_or(Malformed::Binary)?;
    let source = SocketAddr::new((*source).into(), u16::from_be_bytes([a, b]));
    let destination = SocketAddr::new((*destination).into(), u16::from_be_bytes([c, d]));
    Ok((Told::Call { source, destination }, rest))
}

/// The type of the checksum among what may follow the addresses (section 2.2.3).
const TYPE_CRC32C: u8 = 0x03;

/// Follows what comes after the addresses, from `at` to the header's end: each a type, a length and
/// as many bytes.
fn check_extras(header: &[u8], mut at: usize) -> Result<(), Malformed> {
    let mut is_checked = false;
    while at < header.len() {
        let fixed = header.get(at..at + 3).ok_or(Malformed::Binary)?;
        let len = usize::from(u16::from_be_bytes([fixed[1], fixed[2]]));
        let value = header.get(at + 3..at + 3 + len).ok_or(Malformed::Binary)?;
        if fixed[0] == TYPE_CRC32C {
            // There is one: each costs a look at the whole header.
            if std::mem::replace(&mut is_checked, true) {
                return Err(Malformed::Binary);
            }
            let told = u32::from_be_bytes(value.try_into().map_err(|_| Malformed::Binary)?);
            let mut blank = header.to_vec();
            blank[at + 3..at + 7].fill(0);
            if crc32c(&blank) != told {
                return Err(Malformed::Checksum);
            }
        }
        at += 3 + len;
    }
    Ok(())
}

/// The checksum of RFC 4960, appendix B.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// Prints a header.
///
/// Where the addresses are of two families, both are printed as IPv6.
pub fn print(told: Told, version: Version, out: &mut Vec<u8>) {
    let call = match told {
        Told::Nothing => None,
        Told::Call { source, destination } if source.is_ipv4() == destination.is_ipv4() => {
            Some((source, destination))
        }
        Told::Call { source, destination } => Some((as_v6(source), as_v6(destination))),
    };
    match version {
        Version::V1 => print_line(call, out),
        Version::V2 => print_binary(call, out),
    }
}

fn as_v6(at: SocketAddr) -> SocketAddr {
    match at.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), at.port()),
        IpAddr::V6(_) => at,
    }
}

fn print_line(call: Option<(SocketAddr, SocketAddr)>, out: &mut Vec<u8>) {
    let Some((source, destination)) = call else {
        return out.extend_from_slice(b"PROXY UNKNOWN\r\n");
    };
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    let line =
        write!(out, "PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port());
    line.expect("memory takes all");
}

fn print_binary(call: Option<(SocketAddr, SocketAddr)>, out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    let Some((source, destination)) = call else {
        return out.extend_from_slice(&[0x20, 0x00, 0, 0]);
    };
    let (family, len) = if source.is_ipv4() { (0x11, 12) } else { (0x21, 36) };
    out.extend_from_slice(&[0x21, family, 0, len]);
    for at in [source, destination] {
        match at.ip() {
            IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
        }
    }
    for at in [source, destination] {
        out.extend_from_slice(&at.port().to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(source: &str, destination: &str) -> Told {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Told::Call { source, destination }
    }

    #[test]
    fn what_is_printed_reads_back_from_any_number_of_pieces() {
        for told in [
            call("192.0.2.1:51000", "192.0.2.2:443"),
            call("[2001:db8::1]:51000", "[2001:db8::2]:443"),
            call("[::ffff:192.0.2.1]:1", "[2001:db8::2]:0"),
            Told::Nothing,
        ] {
            for version in [Version::V1, Version::V2] {
                let mut out = Vec::new();
                print(told, version, &mut out);
                assert!(out.len() <= HEADER_BYTES_MAX);
                for end in 0..out.len() {
                    assert_eq!(read(&out[..end]), Ok(None), "{told:?} {version:?} {end}");
                }
                let len = out.len();
                out.extend_from_slice(b"GET");
                assert_eq!(read(&out), Ok(Some((told, len))));
            }
        }
    }

    #[test]
    fn two_families_are_printed_as_one() {
        let mut out = Vec::new();
        print(call("192.0.2.1:1", "[2001:db8::2]:2"), Version::V1, &mut out);
        assert_eq!(out, b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n");
    }

    #[test]
    fn lines_are_read_as_the_specification_says() {
        let told = |line: &str| read(line.as_bytes()).map(|read| read.map(|(told, _)| told));
        let expect = call("255.255.255.255:65535", "0.0.0.0:0");
        assert_eq!(told("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"), Ok(Some(expect)));
        assert_eq!(told("PROXY UNKNOWN\r\n"), Ok(Some(Told::Nothing)));
        assert_eq!(told("PROXY UNKNOWN ff::1 a b c d e\r\n"), Ok(Some(Told::Nothing)));
        for bad in [
            "PROXY \r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
            "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
            "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY TCP4 ::1 ::2 1 2\r\n",
            "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n\r\n",
            "PROXY \u{e9}\r\n",
        ] {
            assert_eq!(told(bad), Err(Malformed::Line), "{bad:?}");
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(107));
        assert_eq!(told(&long), Err(Malformed::Line));
        assert_eq!(told("GET / HTTP/1.1\r\n"), Err(Malformed::NotOne));
        assert_eq!(told("PROXX"), Err(Malformed::NotOne));
    }

    /// A header of version 2 with these bytes after its fixed part.
    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        out.extend_from_slice(&[command, family]);
        out.extend_from_slice(&u16::try_from(rest.len()).unwrap().to_be_bytes());
        out.extend_from_slice(rest);
        out
    }

    const TCP4: [u8; 12] = [192, 0, 2, 1, 192, 0, 2, 2, 0, 80, 1, 187];

    #[test]
    fn what_follows_the_addresses_is_passed_over_and_held_to_its_form() {
        let told = call("192.0.2.1:80", "192.0.2.2:443");
        let check = |header: Vec<u8>, expect: Result<Told, Malformed>| {
            let len = header.len();
            assert_eq!(read(&header), expect.map(|told| Some((told, len))));
        };
        let with = |extras: &[u8]| [&TCP4[..], extras].concat();
        check(binary(0x21, 0x11, &with(&[0x04, 0, 2, 9, 9])), Ok(told));
        for family in 0..=255 {
            check(binary(0x20, family, &[1, 2, 3]), Ok(Told::Nothing));
            check(binary(0x20, family, &with(&[0x03, 0, 4, 1, 2, 3, 4])), Ok(Told::Nothing));
        }
        check(binary(0x21, 0x00, &[1, 2, 3]), Ok(Told::Nothing));
        check(binary(0x21, 0x12, &TCP4), Ok(Told::Nothing));
        check(binary(0x21, 0x31, &[0; 216]), Ok(Told::Nothing));
        check(binary(0x21, 0x11, &with(&[0x04, 0, 3, 9, 9])), Err(Malformed::Binary));
        check(binary(0x21, 0x11, &with(&[0x04, 0])), Err(Malformed::Binary));
        check(binary(0x21, 0x11, &TCP4[..11]), Err(Malformed::Binary));
        check(binary(0x22, 0x11, &TCP4), Err(Malformed::Binary));
        check(binary(0x31, 0x11, &TCP4), Err(Malformed::Binary));
        check(binary(0x21, 0x41, &TCP4), Err(Malformed::Binary));
        let long = with(&[&[0x22, 0x0f, 0xe1][..], &[7; 4065]].concat());
        check(binary(0x21, 0x11, &long), Ok(told));
        check(binary(0x21, 0x11, &[&long[..], &[0]].concat()), Err(Malformed::TooLong));
        check(binary(0x20, 0x00, &[0; 4081]), Err(Malformed::TooLong));
    }

    #[test]
    fn a_checksum_is_held_against_the_header() {
        // The check value of CRC-32C.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        let mut header = binary(0x21, 0x11, &[&TCP4[..], &[0x03, 0, 4, 0, 0, 0, 0]].concat());
        assert_eq!(read(&header), Err(Malformed::Checksum));
        let sum = crc32c(&header).to_be_bytes();
        let at = header.len() - 4;
        header[at..].copy_from_slice(&sum);
        assert!(matches!(read(&header), Ok(Some((Told::Call { .. }, _)))));
        let extras = [0x03, 0, 4, 0, 0, 0, 0].repeat(2);
        let mut header = binary(0x21, 0x11, &[&TCP4[..], &extras].concat());
        let sum = crc32c(&header).to_be_bytes();
        header[31..35].copy_from_slice(&sum);
        assert_eq!(read(&header), Err(Malformed::Binary));
    }

    #[test]
    fn nothing_panics() {
        let mut seeds =
            vec![binary(0x21, 0x21, &[7; 60]), b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec()];
        seeds.push(binary(0x21, 0x11, &[&TCP4[..], &[0x03, 0, 4, 0, 0, 0, 0]].concat()));
        for seed in seeds {
            for at in 0..seed.len() {
                for byte in 0..=255 {
                    let mut bytes = seed.clone();
                    bytes[at] = byte;
                    _ = read(&bytes);
                    _ = read(&bytes[..at]);
                }
            }
        }
    }
}
