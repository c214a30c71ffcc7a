//! Sockets for a plan: every one of them or none.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use relais_net::{Endpoint, Host, Listener, Place};

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
    /// Take one that the kernel chooses, and say so.
    Evade,
}

/// Binds where `planned` listens, or takes the socket that was inherited for it.
pub(crate) fn bind(
    planned: &plan::Listener,
    inherited: &mut Inherited,
    taken: Taken,
) -> Result<Listener, Problem> {
    let on = &planned.on;
    let bound = match inherited.take(on) {
        Some(socket) => Listener::adopt(socket, on),
        None => Listener::bind(on),
    };
    match bound {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && taken == Taken::Evade => {
            evade(on, &error).ok_or_else(|| planned.key.wrong(why(on, &error)))
        }
        bound => bound.map_err(|error| planned.key.wrong(why(on, &error))),
    }
}

fn evade(on: &Endpoint, error: &io::Error) -> Option<Listener> {
    let mut any = on.clone();
    if let Place::Net(at) = &mut any.place {
        at.port = 0;
    }
    let listener = Listener::bind(&any).ok()?;
    let what = why(on, error).what;
    crate::output::tell(format_args!("{what}; took {} instead", listener.local()));
    Some(listener)
}

/// Why `on` cannot be listened on, who has it, and what could be done.
fn why(on: &Endpoint, error: &io::Error) -> Wrong {
    let wrong = Wrong::from_error(error);
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = address(on).and_then(holder::find);
            if holder.as_ref().is_some_and(Holder::is_us) {
                let what = format!("cannot listen on {on}: its port is open as something else");
                return Wrong { what, ..wrong }.hint("this change takes a restart");
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

fn is_privileged(on: &Endpoint) -> bool {
    on.host_port().is_some_and(|at| (1..1024).contains(&at.port))
}

fn address(on: &Endpoint) -> Option<SocketAddr> {
    let at = on.host_port()?;
    let ip = match &at.host {
        Host::Ip(ip) => *ip,
        Host::Any | Host::Name(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    Some(SocketAddr::new(ip, at.port))
}
