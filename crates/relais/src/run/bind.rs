//! Sockets for a plan: every one of them or none.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _},
};

use relais_net::{DatagramListener, Endpoint, Host, HostPort, Listener, Place, Scheme};

use super::{
    holder::{self, Holder},
    inherited::Inherited,
};
use crate::{
    complaint::{Problem, Wrong},
    plan,
};

/// What to do about a port that somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Give up.
    Refuse,
    /// Give up; if it is a listener of ours that is in the way, a restart helps.
    RefuseForNow,
}

/// A socket of a listener, which belongs to no runtime yet.
#[derive(Debug)]
pub(crate) enum Bound {
    Stream(Listener),
    Datagrams(DatagramListener),
}

/// Binds where `planned` listens, or takes the socket that was inherited for it.
pub(crate) fn bind(
    planned: &plan::Listener,
    inherited: &mut Inherited,
    taken: Taken,
) -> Result<Bound, Problem> {
    let on = &planned.on;
    let bound = match (on.scheme, inherited.take(on)) {
        (Scheme::Udp, Some(socket)) => DatagramListener::adopt(socket, on).map(Bound::Datagrams),
        (Scheme::Udp, None) => DatagramListener::bind(on).map(Bound::Datagrams),
        (_, Some(socket)) => Listener::adopt(socket, on).map(Bound::Stream),
        (_, None) => Listener::bind(on).map(Bound::Stream),
    };
    bound.map_err(|error| planned.key.wrong(why(on, &error, taken)))
}

/// Why `on` cannot be listened on, who has it, and what could be done.
pub(super) fn why(on: &Endpoint, error: &io::Error, taken: Taken) -> Wrong {
    let wrong = Wrong::from_error(error);
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder::find(&addresses(on));
            if holder.as_ref().is_some_and(Holder::is_us) {
                return why_us(on, taken);
            }
            let who = holder.map_or_else(|| "somebody".to_owned(), |holder| holder.to_string());
            Wrong { what: format!("cannot listen on {on}: {who} does already"), ..wrong }.hint(
                match &on.place {
                    Place::Net(_) => {
                        "end that, or listen on another port; port 0 is any that is free"
                    }
                    Place::Path(_) => "end that, or listen at another path",
                },
            )
        }
        io::ErrorKind::PermissionDenied if is_privileged(on) => {
            Wrong { what: format!("cannot listen on {on}: permission denied"), ..wrong }.hint(
                "ports below 1024 are for root: listen on another port, or allow it once with \
                 `sudo setcap cap_net_bind_service=+ep $(command -v relais)`",
            )
        }
        io::ErrorKind::AlreadyExists => {
            Wrong { what: format!("cannot listen on {on}: {}", wrong.what), ..wrong }
                .hint("remove it, or listen at another path")
        }
        io::ErrorKind::AddrNotAvailable => {
            Wrong { what: format!("cannot listen on {on}: no such address here"), ..wrong }
                .hint("`ip address` lists the addresses of this machine")
        }
        _ => Wrong { what: format!("cannot listen on {on}: {}", wrong.what), ..wrong },
    }
}

/// Why `on` cannot be listened on if it is we who have it.
fn why_us(on: &Endpoint, taken: Taken) -> Wrong {
    if taken == Taken::RefuseForNow {
        let what = format!("cannot listen on {on}: its port is open as something else");
        let wrong = Wrong { what, expected: None, hint: None };
        return wrong.hint("this change takes a restart");
    }
    let what = format!("cannot listen on {on}: another endpoint of this configuration has it");
    Wrong::expected(what, "each address and port once")
}

fn is_privileged(on: &Endpoint) -> bool {
    on.host_port().is_some_and(|at| (1..1024).contains(&at.port))
}

/// Where `on` would be. Blocks while a name is resolved, which binding has done before.
fn addresses(on: &Endpoint) -> Vec<SocketAddr> {
    let Some(HostPort { host, port }) = on.host_port() else { return Vec::new() };
    match host {
        Host::Any => {
            let both = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
            both.map(|ip| SocketAddr::new(ip, *port)).into()
        }
        Host::Ip(ip) => vec![SocketAddr::new(*ip, *port)],
        Host::Name(name) => {
            (name.as_str(), *port).to_socket_addrs().map(Iterator::collect).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_a_hint_only_while_something_runs() {
        let ours = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let on: Endpoint = format!("http://{}", ours.local_addr().unwrap()).parse().unwrap();
        let error = || io::Error::from(io::ErrorKind::AddrInUse);
        let wrong = why(&on, &error(), Taken::RefuseForNow);
        assert_eq!(wrong.hint.as_deref(), Some("this change takes a restart"));
        let wrong = why(&on, &error(), Taken::Refuse);
        assert!(wrong.what.ends_with("another endpoint of this configuration has it"));
        assert_eq!(wrong.hint, None);
    }
}
