//! Which listeners would take the same port of the same address, as far as that can be told without
//! asking a resolver.

use std::net::{IpAddr, Ipv4Addr};

use relais_net::{Endpoint, Host, HostPort, Place, Scheme};

/// What both `one` and `other` would take, in words; `None` if both can be listened on.
///
/// Port 0 is a port of its own each time, and UDP has ports of its own.
pub(super) fn overlap(one: &Endpoint, other: &Endpoint) -> Option<String> {
    if (one.scheme == Scheme::Udp) != (other.scheme == Scheme::Udp) {
        return None;
    }
    if let (Place::Path(one), Place::Path(other)) = (&one.place, &other.place) {
        return (one == other).then(|| one.display().to_string());
    }
    let (HostPort { host: one, port }, HostPort { host: other, port: other_port }) =
        (one.host_port()?, other.host_port()?);
    if port != other_port || *port == 0 {
        return None;
    }
    let shared = shared(one, other).or_else(|| shared(other, one))?;
    Some(format!("port {port} of {shared}"))
}

/// The part of `wide` that `narrow` is or lies in.
fn shared(wide: &Host, narrow: &Host) -> Option<String> {
    match (wide, address(wide), address(narrow)) {
        _ if wide == narrow => Some(words(narrow)),
        (Host::Any, ..) => Some(words(narrow)),
        (_, Some(wide), Some(narrow_ip)) => {
            // `[::]` leaves IPv4 alone if it is written so.
            let holds = wide.is_unspecified() && wide.is_ipv4() == narrow_ip.is_ipv4();
            (wide == narrow_ip || holds).then(|| words(narrow))
        }
        _ => None,
    }
}

/// The address that is bound for `host`, if it is known.
fn address(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Ip(ip) => Some(ip.to_canonical()),
        // Of its two addresses the one that is bound.
        Host::Name(name) if name == "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        Host::Any | Host::Name(_) => None,
    }
}

fn words(host: &Host) -> String {
    match host {
        Host::Any => "every address".to_owned(),
        Host::Ip(ip) if ip.is_unspecified() && ip.is_ipv4() => "every IPv4 address".to_owned(),
        Host::Ip(ip) if ip.is_unspecified() => "every IPv6 address".to_owned(),
        Host::Ip(ip) => ip.to_string(),
        Host::Name(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expect: Option<&str>) {
        let read = |text| Endpoint::parse_in(text, Scheme::Http).unwrap();
        let (one, other) = (read(one), read(other));
        assert_eq!(overlap(&one, &other).as_deref(), expect);
        assert_eq!(overlap(&other, &one).as_deref(), expect);
    }

    #[test]
    fn a_wide_address_holds_the_narrow_ones_of_its_family() {
        check("9000", ":9000", Some("port 9000 of 127.0.0.1"));
        check(":9000", "[::]:9000", Some("port 9000 of every IPv6 address"));
        check(":9000", "a.example:9000", Some("port 9000 of a.example"));
        check("0.0.0.0:9000", "192.0.2.1:9000", Some("port 9000 of 192.0.2.1"));
        check("[::]:9000", "https://[::1]:9000", Some("port 9000 of ::1"));
        check("0.0.0.0:9000", "[::1]:9000", None);
        check("0.0.0.0:9000", "[::]:9000", None);
        check("192.0.2.1:9000", "192.0.2.2:9000", None);
    }

    #[test]
    fn localhost_is_one_address_and_other_names_are_not_asked_for() {
        check("localhost:9000", "0.0.0.0:9000", Some("port 9000 of localhost"));
        check("localhost:9000", "[::1]:9000", None);
        check("a.example:9000", "192.0.2.1:9000", None);
    }

    #[test]
    fn other_ports_and_paths_are_free() {
        check("9000", ":9001", None);
        check("0", ":0", None);
        check("unix:///s", ":9000", None);
    }
}
