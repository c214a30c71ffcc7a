//! Other ports for a configuration of ours where somebody has its own, and other stores.

use std::{
    ffi::OsStr,
    io, iter,
    net::{TcpListener, UdpSocket},
    path::Path,
};

use relais_hub::store::is_in_use;
use relais_net::{DatagramListener, Endpoint, HostPort, Listener, Scheme};

use super::{
    bind::{Taken, why},
    inherited::Inherited,
};
use crate::{config::Source, output::tell, plan::Plan, service::Job};

/// `source` with ports that the kernel chose in place of those that are taken, and what was bound
/// there: among upstreams, too, so that who asked for a neighbour finds it.
pub(super) fn evade(source: Source, inherited: &mut Inherited) -> Source {
    let Source::Embedded { name, mut text, base } = source else { return source };
    let source = |text| Source::Embedded { name, text, base: base.clone() };
    let said = source(text.clone()).read().ok();
    let plan = said.and_then(|said| Plan::new(&said.config).ok());
    for listener in plan.iter().flat_map(|plan| &plan.listeners) {
        let Some(HostPort { port, .. }) = listener.on.host_port() else { continue };
        let taken = format!(":{port}\"");
        let Err(error) = try_at(&listener.on) else { continue };
        // Of a port by TCP and by UDP both are changed at once.
        if error.kind() != io::ErrorKind::AddrInUse || !text.contains(&taken) {
            continue;
        }
        let Some((socket, free)) = free_port() else { continue };
        let what = why(&listener.on, &error, Taken::Refuse).what;
        tell(format_args!("{what}; took port {free} instead"));
        text = text.replace(&taken, &format!(":{free}\""));
        inherited.add(socket);
    }
    for service in plan.iter().flat_map(|plan| &plan.services) {
        if let Job::Hub(hub) = &service.job {
            text = with_free_store(text, &hub.store);
        }
    }
    source(text)
}

/// The most stores that are tried.
const STORES_MAX: usize = 9;

/// `text` with another store in place of `store`, if another process has that.
fn with_free_store(text: String, store: &Path) -> String {
    let (Some(stem), true) = (store.file_stem().and_then(OsStr::to_str), is_in_use(store)) else {
        return text;
    };
    let named = |number: usize| format!("{stem}-{number}.db");
    let free = (2..=STORES_MAX).map(named).find(|name| !is_in_use(&store.with_file_name(name)));
    let Some(free) = free else { return text };
    tell(format_args!("{:?} is used by another process; took {free:?} instead", store.display()));
    text.replace(&format!("\"{stem}.db\""), &format!("\"{free}\""))
}

/// Binds `on`, and gives it up again.
fn try_at(on: &Endpoint) -> io::Result<()> {
    match on.scheme {
        Scheme::Udp => DatagramListener::bind(on).map(drop),
        _ => Listener::bind(on).map(drop),
    }
}

/// How many ports are tried of those that are free by TCP.
const PORTS_MAX: usize = 16;

/// A socket of this machine alone, and its port, which is free by UDP, too.
fn free_port() -> Option<(TcpListener, u16)> {
    let bind = || {
        let socket = TcpListener::bind("127.0.0.1:0").ok()?;
        let at = socket.local_addr().ok()?;
        Some((socket, at))
    };
    let mut free = iter::repeat_with(bind).take(PORTS_MAX).flatten();
    let (socket, at) = free.find(|(_, at)| UdpSocket::bind(at).is_ok())?;
    Some((socket, at.port()))
}
