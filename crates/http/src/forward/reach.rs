//! Which addresses are called for a client.
//!
//! What a client cannot reach by itself it shall not reach through us, unless that is allowed: this
//! machine, and the networks that we are in. The address is judged, not the name, right before it is
//! called; whoever is behind a name that changes is judged anew.

use std::{
    cell::LazyCell,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use relais_net::Network;

use super::own::{OwnListeners, is_this_machine};

/// Which addresses are called.
#[derive(Debug)]
pub(super) struct Reach {
    /// Called though they are not anybody's to call.
    allowed: Vec<Network>,
    /// Where we listen: never called.
    own: OwnListeners,
}

/// Why an address is not called. Prints as what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// We listen there.
    Ourselves,
    /// Nobody has it alone, or at all.
    Nobodys,
    /// It leads to this machine.
    ThisMachine,
    /// It is for who is on the same link. Machines in clouds are told their secrets there.
    LinkLocal,
    /// It means somebody else in each network.
    Private,
}

impl Reach {
    pub(super) fn new(allowed: Vec<Network>, own: OwnListeners) -> Self {
        Self { allowed, own }
    }

    /// Judges whether `at` may be called.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) fn judge(&self, at: SocketAddr) -> Result<(), Rule> {
        self.judge_by(at, is_this_machine)
    }

    /// The same, where `is_here` says whether an address is one of this machine. It is asked once of
    /// each, if at all.
    fn judge_by(&self, at: SocketAddr, is_here: impl Fn(IpAddr) -> bool) -> Result<(), Rule> {
        let ip = at.ip().to_canonical();
        // Where an address is a cover for another one, both are judged.
        for ip in [Some(ip), covered(ip)].into_iter().flatten() {
            let is_here = LazyCell::new(|| is_here(ip));
            if self.own.hold(SocketAddr::new(ip, at.port()), || *is_here) {
                return Err(Rule::Ourselves);
            }
            match rule(ip) {
                Some(Rule::Nobodys) => return Err(Rule::Nobodys),
                Some(rule) if !self.allows(ip) => return Err(rule),
                // By what others call us we are still this machine, and let more of us be reached.
                None if !self.allows(LOCALHOST) && !self.allows(ip) && *is_here => {
                    return Err(Rule::ThisMachine);
                }
                _ => (),
            }
        }
        Ok(())
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(ip))
    }
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Why `ip` is not anybody's to call, if it is not (the registries of special-purpose addresses, RFC
/// 6890).
fn rule(ip: IpAddr) -> Option<Rule> {
    match ip {
        IpAddr::V4(ip) => rule_v4(ip),
        IpAddr::V6(ip) => rule_v6(ip),
    }
}

fn rule_v4(ip: Ipv4Addr) -> Option<Rule> {
    match ip.octets() {
        // This network, of which 0.0.0.0 is this machine; multicast; broadcast.
        [0 | 224..=239, ..] | [255, 255, 255, 255] => Some(Rule::Nobodys),
        [127, ..] => Some(Rule::ThisMachine),
        [169, 254, ..] => Some(Rule::LinkLocal),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Rule::Private),
        // Between a provider and its customers; for protocols; for benchmarks; reserved.
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => {
            Some(Rule::Private)
        }
        _ => None,
    }
}

fn rule_v6(ip: Ipv6Addr) -> Option<Rule> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Rule::ThisMachine),
        [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Some(Rule::Nobodys),
        [0xfe80..=0xfebf, ..] => Some(Rule::LinkLocal),
        // Unique local, and the site-local that it replaced; segment routing; translation within a
        // site; to be thrown away.
        [0xfc00..=0xfdff | 0xfec0..=0xfeff | 0x5f00, ..]
        | [0x64, 0xff9b, 1, ..]
        | [0x100, 0, 0, 0, ..] => Some(Rule::Private),
        _ => None,
    }
}

/// The IPv4 address that `ip` leads to by translation or in a tunnel, if it is such a one.
fn covered(ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(ip) = ip else { return None };
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
    };
    match ip.segments() {
        // Loopback and nobody's, which look like the next.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible (RFC 4291 §2.5.5.1), translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0 | 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            v4(high, low)
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo (RFC 4380 §4).
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => None,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ourselves => "an address of the proxy itself",
            Self::Nobodys => "an address that is nobody's",
            Self::ThisMachine => "an address of the proxy's own machine",
            Self::LinkLocal => "a link-local address",
            Self::Private => "a private address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(allowed: &[&str], ip: &str) -> Result<(), Rule> {
        let allowed = allowed.iter().map(|network| network.parse().unwrap()).collect();
        let own = OwnListeners::default();
        own.set(["127.0.0.1:81", "10.0.0.1:80"].map(|text| text.parse().unwrap()));
        let ip: IpAddr = ip.parse().unwrap();
        Reach::new(allowed, own).judge(SocketAddr::new(ip, 80))
    }

    #[test]
    fn what_is_not_anybodys_to_call_is_not_called() {
        let check = |rule, ips: &[&str]| {
            for ip in ips {
                assert_eq!(judged(&[], ip), Err(rule), "{ip}");
                assert_eq!(
                    judged(&["0.0.0.0/0", "::/0"], ip).is_ok(),
                    rule != Rule::Nobodys,
                    "{ip}"
                );
            }
        };
        check(Rule::ThisMachine, &["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"]);
        let metadata = "169.254.169.254";
        check(Rule::LinkLocal, &["169.254.0.1", metadata, "fe80::1", "febf::1"]);
        check(Rule::Private, &["10.255.0.1", "172.16.0.1", "172.31.0.1", "192.168.0.1"]);
        check(
            Rule::Private,
            &["100.64.0.1", "100.127.0.1", "192.0.0.192", "198.19.0.1", "240.0.0.1"],
        );
        check(Rule::Private, &["fc00::1", "fd00:ec2::254", "fec0::1", "64:ff9b:1::1", "100::1"]);
        check(Rule::Private, &["5f00::1"]);
        check(Rule::Nobodys, &["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.0.0.1"]);
        check(Rule::Nobodys, &["255.255.255.255", "ff02::1", "::ffff:0.0.0.0"]);
    }

    #[test]
    fn an_address_that_covers_another_is_judged_as_both() {
        let check = |rule, ips: &[&str]| {
            for ip in ips {
                assert_eq!(judged(&[], ip), Err(rule), "{ip}");
            }
        };
        check(Rule::ThisMachine, &["64:ff9b::127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1"]);
        check(Rule::ThisMachine, &["2002:7f00:1::", "2001::80ff:fffe"]);
        check(Rule::Private, &["64:ff9b::10.0.0.2", "2002:a00:2:1::1", "2001:0:1:2:3:4:f5ff:fffd"]);
        check(Rule::LinkLocal, &["64:ff9b::169.254.169.254"]);
        check(Rule::Nobodys, &["64:ff9b::0.0.0.0"]);
        assert_eq!(judged(&[], "64:ff9b::192.0.2.1"), Ok(()));
        assert_eq!(judged(&["10.0.0.0/8"], "64:ff9b::10.0.0.2"), Ok(()));
        assert_eq!(judged(&["::/0"], "64:ff9b::10.0.0.2"), Err(Rule::Private));
    }

    #[test]
    fn what_is_everybodys_is_called() {
        let public = ["192.0.2.1", "9.255.255.255", "100.63.0.1", "100.128.0.1", "172.32.0.1"];
        for ip in public.into_iter().chain(["198.51.100.1", "223.255.255.255", "2001:db8::1"]) {
            assert_eq!(judged(&[], ip), Ok(()), "{ip}");
        }
    }

    #[test]
    fn whether_an_address_is_of_this_machine_is_asked_once() {
        let own = OwnListeners::default();
        own.set(["[::]:80", "[::]:443", "0.0.0.0:80"].map(|text| text.parse().unwrap()));
        let reach = Reach::new(Vec::new(), own);
        let check = |at: &str, is_here, expect| {
            let asked = std::cell::Cell::new(0);
            let judged = reach.judge_by(at.parse().unwrap(), |_| {
                asked.set(asked.get() + 1);
                is_here
            });
            assert_eq!((judged, asked.get()), expect, "{at}");
        };
        check("192.0.2.1:80", false, (Ok(()), 1));
        check("192.0.2.1:81", false, (Ok(()), 1));
        check("192.0.2.1:80", true, (Err(Rule::Ourselves), 1));
        check("192.0.2.1:81", true, (Err(Rule::ThisMachine), 1));
        check("10.0.0.1:81", true, (Err(Rule::Private), 0));
        check("[64:ff9b::192.0.2.1]:80", false, (Ok(()), 2));
    }

    #[test]
    fn what_is_allowed_is_called_but_not_ourselves() {
        assert_eq!(judged(&["10.0.0.0/8"], "10.0.0.2"), Ok(()));
        assert_eq!(judged(&["10.0.0.0/8"], "10.0.0.1"), Err(Rule::Ourselves));
        assert_eq!(judged(&[], "10.0.0.1"), Err(Rule::Ourselves));
        assert_eq!(judged(&["10.0.0.0/8"], "192.168.0.1"), Err(Rule::Private));
        // Another port than ours.
        assert_eq!(judged(&["127.0.0.0/8"], "127.0.0.1"), Ok(()));
    }
}
