//! Host names, in the one spelling in which they are compared.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

/// The one spelling of `host`: small letters, no dot at its end; an address as it is printed, an
/// IPv6 address in brackets, and one that stands for an IPv4 address as that.
///
/// What resolvers take for an IPv4 address is one here: `0x7f.1` is `127.0.0.1` ([URL, IPv4
/// parser]).
///
/// *Cost*: what is in that spelling is borrowed, IPv6 addresses excepted.
///
/// [URL, IPv4 parser]: https://url.spec.whatwg.org/#concept-ipv4-parser
pub(super) fn canonical(host: &str) -> Cow<'_, str> {
    let host = spelled(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return host.to_ascii_lowercase().into();
    }
    host
}

/// The same, but for capital letters, which stay as they are.
///
/// *Cost*: a look at both ends of a name.
pub(super) fn spelled(host: &str) -> Cow<'_, str> {
    let is_usual = !matches!(host.as_bytes(), [b'0'..=b'9' | b'[', ..] | [.., b'.']);
    if is_usual { host.into() } else { spelled_anew(host) }
}

fn spelled_anew(host: &str) -> Cow<'_, str> {
    let host = host.trim_end_matches('.');
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or(address).parse::<Ipv6Addr>();
        return address.map_or(Cow::Borrowed(host), |address| print_ipv6(address).into());
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return host.into();
    }
    ipv4(host).map_or(host.into(), |address| address.to_string().into())
}

/// As a host is printed in a URL.
fn print_ipv6(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(address) => address.to_string(),
        None => format!("[{address}]"),
    }
}

/// The address that resolvers take `host` for: up to four numbers, decimal, octal after `0` or
/// hexadecimal after `0x`, the last of which fills what is left.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    if !host.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let mut address = 0;
    let mut left = 32;
    let mut parts = host.split('.').peekable();
    while let Some(part) = parts.next() {
        let value = number(part)?;
        let bits = if parts.peek().is_some() { 8 } else { left };
        if left < 8 || value >> bits > 0 {
            return None;
        }
        left -= bits;
        address |= value << left;
    }
    Some(Ipv4Addr::from_bits(u32::try_from(address).ok()?))
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // `0x` alone is nought; and no sign stands before a number.
    match digits.as_bytes() {
        [] => (radix == 16).then_some(0),
        [b'+', ..] => None,
        _ => u64::from_str_radix(digits, radix).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_host_has_one_spelling() {
        check("example.org", "example.org");
        check("Example.ORG.", "example.org");
        check("a_b-c", "a_b-c");
        check("[2001:DB8:0::1]", "[2001:db8::1]");
        check("[::ffff:192.0.2.1]", "192.0.2.1");
        check("", "");
        check("[", "[");
        assert!(matches!(canonical("plain.example."), Cow::Borrowed(_)));
    }

    #[test]
    fn an_ipv4_address_is_known_in_every_dress() {
        for dress in [
            "192.0.2.1",
            "0xC0000201",
            "0xc0.0X0.02.0x1",
            "3221225985",
            "0300.0.513",
            "192.513",
            "030000001001",
        ] {
            check(dress, "192.0.2.1");
        }
        check("0x", "0.0.0.0");
        check("0", "0.0.0.0");
        check("4294967295", "255.255.255.255");
        for other in
            ["4294967296", "1.2.3.256", "1.2.3.4.5", "256.1", "09", "1..2", "1.+2", "1.2.3.a"]
        {
            check(other, other);
        }
    }

    #[track_caller]
    fn check(host: &str, expect: &str) {
        assert_eq!(canonical(host), expect, "for {host:?}");
    }

    proptest! {
        #[test]
        fn the_one_spelling_stays_as_it_is(host: String, number in "[0-9a-fxX.+]{1,20}") {
            for host in [host, number] {
                let once = canonical(&host);
                prop_assert_eq!(canonical(&once), once.clone());
            }
        }
    }
}
