//! A socket for a sender: to one of the upstreams, and to another where there is no way to that.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use relais_net::{Client, DatagramConn, is_scarce};
use tracing::debug;

use super::{options::Common, places::Place};

/// The socket to an upstream, and the place that it takes for as long as it is open.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) conn: DatagramConn,
    _place: Place,
}

/// A socket, and where it leads.
#[derive(Debug)]
pub(super) struct Opened {
    /// Which of the upstreams.
    pub(super) upstream: usize,
    /// Which of its addresses.
    pub(super) address: SocketAddr,
    pub(super) outlet: Outlet,
}

/// Why a sender has no socket to an upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unassociated {
    /// No address of an upstream is known.
    #[error("nobody knows where an upstream is")]
    Unknown,
    /// The system has no way to those that were tried.
    #[error("there is no way to an upstream")]
    NoWay(#[source] io::Error),
    /// There is no descriptor, no port or no memory for a socket.
    #[error("there is too little here for a socket")]
    Scarce(#[source] io::Error),
}

/// How many upstreams, or addresses of one, are tried for one sender.
const TRIED_MAX: usize = 3;

/// Opens a socket for a sender of `client`.
///
/// # Errors
///
/// [`Unassociated`]
pub(super) fn open(client: Client, common: &Common) -> Result<Opened, Unassociated> {
    let upstreams = &common.options.upstreams;
    let (mut tried, mut why) = (Vec::new(), Unassociated::Unknown);
    while tried.len() < TRIED_MAX
        && let Some((upstream, address)) = upstreams.choose(client, &tried)
    {
        let error = match DatagramConn::new(address, None) {
            Ok(conn) => {
                let outlet = Outlet { conn, _place: common.places.take(client) };
                return Ok(Opened { upstream, address, outlet });
            }
            Err(error) => error,
        };
        // Each socket has a port of its own: that none is left is told so.
        if is_scarce(&error) || error.kind() == ErrorKind::AddrInUse {
            return Err(Unassociated::Scarce(error));
        }
        debug!(%address, %error, "there is no way to an upstream");
        upstreams.refused(upstream, address);
        tried.push((upstream, address));
        why = Unassociated::NoWay(error);
    }
    Err(why)
}
