//! Who is asked: the value of a `Host` field ([RFC 9110 §7.2]), and the authority of a URI without
//! user information ([RFC 3986 §3.2]).
//!
//! [RFC 9110 §7.2]: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
//! [RFC 3986 §3.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{class::REG_NAME, decimal::Decimal};

/// Why bytes name no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// There is nothing at all.
    #[error("empty host: expected host or host:port")]
    Empty,
    /// A port without a name before it.
    #[error("no name before the port: expected host or host:port")]
    NoName,
    /// A byte that no name holds. `@` ends user information, which does not belong here, and `%`
    /// starts an encoding, which no host needs.
    #[error("{:?} in a host: expected letters, digits, `-`, `.`, `_`, `~`", char::from(*.0))]
    Byte(u8),
    /// Brackets without an IPv6 address in them.
    #[error("bad address in brackets: expected IPv6")]
    Ipv6,
    /// Something else than a port after the name.
    #[error("bad port: expected 0 to 65535")]
    Port,
}

/// A host, borrowed from the field or the URI it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostName<'a> {
    /// A registered name, an IPv4 address, or an IPv6 address in brackets, in the sender's case.
    pub name: &'a str,
    /// The port. `None` if it is left out, or empty after its colon.
    pub port: Option<u16>,
}

impl HostName<'_> {
    /// Whether both are the same host and the same port, where no port means `usual_port`.
    pub fn agrees(&self, other: &HostName<'_>, usual_port: Option<u16>) -> bool {
        same_host(self.name, other.name) && self.port.or(usual_port) == other.port.or(usual_port)
    }

    /// Appends it in the one spelling of all that mean it: in lower case, its port as a plain number,
    /// and left out if it is `usual_port`. A dot at the end stays.
    pub fn print(&self, usual_port: Option<u16>, out: &mut String) {
        let name = out.len();
        out.push_str(self.name);
        out[name..].make_ascii_lowercase();
        if let Some(port) = self.port.filter(|port| usual_port != Some(*port)) {
            out.push(':');
            out.push_str(Decimal::of(port).as_str());
        }
    }
}

/// The port that no port means in URIs of `scheme`, if it is one of ours.
pub fn usual_port(scheme: &[u8]) -> Option<u16> {
    let is = |name: &[u8]| scheme.eq_ignore_ascii_case(name);
    if is(b"http") || is(b"ws") {
        Some(80)
    } else if is(b"https") || is(b"wss") {
        Some(443)
    } else {
        None
    }
}

/// Reads a host that is all of `value`.
///
/// *Shape*: `name`, `name:port` or `[ipv6]:port`. The name is of letters, digits and `-._~` and
/// the delimiters `!$&'()*+,;=`; percent-encodings, which the RFC has, are refused: no host is
/// known by one. The port is at most five digits, or empty.
///
/// # Errors
///
/// [`BadHost`]: what was found instead.
pub fn parse_host(value: &[u8]) -> Result<HostName<'_>, BadHost> {
    if value.is_empty() {
        return Err(BadHost::Empty);
    }
    let name_len = if value[0] == b'[' { ipv6_len(value)? } else { REG_NAME.count(value) };
    let (name, rest) = value.split_at(name_len);
    let port = match rest {
        [] => None,
        [b':', _digits @ ..] if name.is_empty() => return Err(BadHost::NoName),
        [b':', digits @ ..] => parse_port(digits)?,
        [byte, ..] => return Err(BadHost::Byte(*byte)),
    };
    let name = std::str::from_utf8(name).expect("checked to be ASCII");
    Ok(HostName { name, port })
}

/// Whether `value` is a host as [`HostName::print`] spells it, of letters, digits, `-` and `.` alone.
///
/// *Cost*: a look at each byte, where to read and print it costs ten times as much.
pub fn is_in_one_spelling(value: &str, usual_port: Option<u16>) -> bool {
    let is_of_name = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let name_len = value.bytes().take_while(|byte| is_of_name(byte)).count();
    let (name, rest) = value.split_at(name_len);
    let is_port = |digits: &[u8]| {
        digits.first().is_some_and(|first| *first != b'0')
            && parse_port(digits).is_ok_and(|port| port != usual_port)
    };
    match rest.as_bytes() {
        [] => !name.is_empty(),
        [b':', digits @ ..] => !name.is_empty() && is_port(digits),
        _ => false,
    }
}

/// Whether both names are one host's: case does not matter, nor a dot at the end.
///
/// Ports are not part of names. IPv6 addresses are compared as they are spelled.
pub fn same_host(a: &str, b: &str) -> bool {
    let bare = |name: &str| name.strip_suffix('.').unwrap_or(name).len();
    a.as_bytes()[..bare(a)].eq_ignore_ascii_case(&b.as_bytes()[..bare(b)])
}

/// Whether no site can be called `host`: it is an address, which nobody looks up, or of this machine
/// ([RFC 6761 §6.3]). Who names none is no browser.
///
/// A page of any site can have its own name lead to 127.0.0.1 once it is open (DNS rebinding), and is
/// of the same origin then as what answers there. Only the name tells.
///
/// [RFC 6761 §6.3]: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
pub fn is_here(host: &str) -> bool {
    let in_brackets = || host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    host.is_empty()
        || is_localhost(host)
        || host.parse::<Ipv4Addr>().is_ok()
        || in_brackets().is_some()
}

/// Whether `name` is `localhost`, or a name below it.
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// The longest name that DNS knows, in bytes and without a dot at the end ([RFC 1035 §2.3.4]).
///
/// [RFC 1035 §2.3.4]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
pub const NAME_BYTES_MAX: usize = 253;

/// The longest label of a name, in bytes (the same).
const LABEL_BYTES_MAX: usize = 63;

/// Whether `name` is one that a host can have in DNS, without a dot at the end.
///
/// *Shape*: labels of letters, digits, `-` and `_`, which begin and end with no `-`, between dots.
/// The last one is no number: what ends in one is an IPv4 address, good or mistyped, to many a
/// resolver. `_` is in no host's name by the RFC, and is seen in the wild.
pub fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= NAME_BYTES_MAX
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// How long the bracketed address is that `value` starts with.
fn ipv6_len(value: &[u8]) -> Result<usize, BadHost> {
    let end = value.iter().position(|&byte| byte == b']').ok_or(BadHost::Ipv6)?;
    let address = std::str::from_utf8(&value[1..end]).map_err(|_| BadHost::Ipv6)?;
    // A zone (`%eth0`) means something on the sender's machine only; `Ipv6Addr` has none.
    address.parse::<Ipv6Addr>().map_err(|_| BadHost::Ipv6)?;
    Ok(end + 1)
}

/// Reads a port: at most five digits and nothing else, or nothing at all, which is `None`.
///
/// # Errors
///
/// [`BadHost::Port`].
pub fn parse_port(digits: &[u8]) -> Result<Option<u16>, BadHost> {
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadHost::Port);
    }
    let port = digits.iter().fold(0, |port, digit| port * 10 + u32::from(digit - b'0'));
    u16::try_from(port).map(Some).map_err(|_| BadHost::Port)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_addresses_are_hosts() {
        check("a", Ok(("a", None)));
        check("Example.COM.", Ok(("Example.COM.", None)));
        check("a:80", Ok(("a", Some(80))));
        check("a:", Ok(("a", None)));
        check("a:0", Ok(("a", Some(0))));
        check("a:65535", Ok(("a", Some(65535))));
        check("a:00080", Ok(("a", Some(80))));
        check("127.0.0.1:8080", Ok(("127.0.0.1", Some(8080))));
        check("[::1]", Ok(("[::1]", None)));
        check("[::ffff:1.2.3.4]:443", Ok(("[::ffff:1.2.3.4]", Some(443))));
        check("a_b-c~!$&'()*+,;=", Ok(("a_b-c~!$&'()*+,;=", None)));
    }

    #[test]
    fn what_is_in_one_spelling_is_printed_as_it_is() {
        for value in ["a", "a.example:81", "127.0.0.1:8080", "a-b.c.", "a:65535", "a:443"] {
            assert!(is_in_one_spelling(value, Some(80)), "{value}");
        }
        for value in
            ["", ":81", "A", "a:80", "a:", "a:081", "a:0", "a:65536", "[::1]", "a_b", "a@b"]
        {
            assert!(!is_in_one_spelling(value, Some(80)), "{value}");
        }
    }

    #[test]
    fn what_names_no_host_says_why() {
        check("", Err(BadHost::Empty));
        check(":", Err(BadHost::NoName));
        check(":80", Err(BadHost::NoName));
        check("a:65536", Err(BadHost::Port));
        check("a:99999", Err(BadHost::Port));
        check("a:000080", Err(BadHost::Port));
        check("a:+80", Err(BadHost::Port));
        check("a:-1", Err(BadHost::Port));
        check("a:80 ", Err(BadHost::Port));
        check("a:80:80", Err(BadHost::Port));
        check("a:b", Err(BadHost::Port));
        check("::1", Err(BadHost::NoName));
        check("user@a", Err(BadHost::Byte(b'@')));
        check("user:pass@a", Err(BadHost::Port));
        check("a/b", Err(BadHost::Byte(b'/')));
        check("a?b", Err(BadHost::Byte(b'?')));
        check("a#b", Err(BadHost::Byte(b'#')));
        check("a b", Err(BadHost::Byte(b' ')));
        check(" a", Err(BadHost::Byte(b' ')));
        check("a\tb", Err(BadHost::Byte(b'\t')));
        check("a\0", Err(BadHost::Byte(0)));
        check("a\\b", Err(BadHost::Byte(b'\\')));
        check("a%41", Err(BadHost::Byte(b'%')));
        check("a\"", Err(BadHost::Byte(b'"')));
        check("ä", Err(BadHost::Byte(0xC3)));
        check("a[::1]", Err(BadHost::Byte(b'[')));
        check("[::1]a", Err(BadHost::Byte(b'a')));
        check("[::1", Err(BadHost::Ipv6));
        check("[]", Err(BadHost::Ipv6));
        check("[1.2.3.4]", Err(BadHost::Ipv6));
        check("[a]", Err(BadHost::Ipv6));
        check("[::1%eth0]", Err(BadHost::Ipv6));
        check("[v1.a]", Err(BadHost::Ipv6));
        check("[::ä]", Err(BadHost::Ipv6));
    }

    #[test]
    fn hosts_are_the_same_whatever_their_case_and_last_dot() {
        assert!(same_host("a.example", "A.Example."));
        assert!(same_host("", "."));
        assert!(!same_host("a", "a.."));
        assert!(!same_host("a", "b"));
        assert!(!same_host("a.b", "a"));
    }

    #[test]
    fn a_name_of_dns_is_made_of_labels() {
        let label = "a".repeat(63);
        let whole = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        for name in ["a", "A.Example", "a-b.c_d", "_a", "xn--a", "1.a", "a.1b"] {
            assert!(is_dns_name(name), "{name:?}");
        }
        assert!(is_dns_name(&label) && is_dns_name(&whole));
        assert!(!is_dns_name(&format!("{label}a")) && !is_dns_name(&format!("{whole}a")));
        for name in [
            "",
            ".",
            "a.",
            "--",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a.-b",
            "a-.b",
            "*",
            "*.a",
            "a b",
            "a/b",
            "a:1",
            "a\0",
            "é.fr",
            "1",
            "a.1",
            "1.2.3",
            "192.0.2.1",
            "300.1.1.1",
            "::1",
            "[a]",
            "u@a",
        ] {
            assert!(!is_dns_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_port_that_is_left_out_is_the_usual_one() {
        check_agree("a", "A.", Some(80), true);
        check_agree("a", "a:80", Some(80), true);
        check_agree("a:443", "a:", Some(443), true);
        check_agree("a:443", "a", Some(80), false);
        check_agree("a:80", "a", None, false);
        check_agree("a:1", "a:2", Some(80), false);
        check_agree("a:80", "b:80", Some(80), false);
        assert_eq!(usual_port(b"HTTPS"), Some(443));
        assert_eq!(usual_port(b"ws"), Some(80));
        assert_eq!(usual_port(b"ftp"), None);
    }

    #[track_caller]
    fn check_agree(a: &str, b: &str, usual: Option<u16>, expect: bool) {
        let [a, b] = [a, b].map(|text| parse_host(text.as_bytes()).unwrap());
        assert_eq!(a.agrees(&b, usual), expect, "{a:?}, {b:?}");
        assert_eq!(b.agrees(&a, usual), expect, "{b:?}, {a:?}");
    }

    #[test]
    fn all_spellings_are_printed_as_one() {
        let check = |text: &str, expect: &str| {
            let mut out = "://".to_owned();
            parse_host(text.as_bytes()).unwrap().print(Some(80), &mut out);
            assert_eq!(out, format!("://{expect}"), "for {text}");
        };
        for text in ["a.example", "A.Example", "a.example:", "a.example:80", "a.example:00080"] {
            check(text, "a.example");
        }
        check("a.example:081", "a.example:81");
        check("a.example:443", "a.example:443");
        check("a.example.:80", "a.example.");
        check("[2001:DB8::1]:80", "[2001:db8::1]");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(name in "[a-z0-9.~-]{1,40}", port: u16) {
            let text = format!("{name}:{port}");
            prop_assert_eq!(
                parse_host(text.as_bytes()),
                Ok(HostName { name: &name, port: Some(port) })
            );
        }

        #[test]
        fn what_is_in_one_spelling_is_no_other_when_printed(text in "[a-cA.:80_@-]{0,9}", usual: bool) {
            let usual_port = usual.then_some(80);
            if is_in_one_spelling(&text, usual_port) {
                let mut printed = String::new();
                parse_host(text.as_bytes()).unwrap().print(usual_port, &mut printed);
                prop_assert_eq!(printed, text);
            }
        }

        #[test]
        fn nothing_panics(value: Vec<u8>, text in r"[\[\]:a0.@]{0,12}", other: String) {
            let _ = parse_host(&value);
            let _ = parse_host(text.as_bytes());
            same_host(&text, &other);
        }
    }

    #[track_caller]
    fn check(value: &str, expect: Result<(&str, Option<u16>), BadHost>) {
        let expect = expect.map(|(name, port)| HostName { name, port });
        assert_eq!(parse_host(value.as_bytes()), expect, "for {value:?}");
    }
}
