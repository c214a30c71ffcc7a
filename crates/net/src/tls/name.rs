//! The name that a server is asked for, and has to prove.

use rustls_pki_types::ServerName;

use crate::{Endpoint, Host};

/// The name in `text`: a DNS name, perhaps with a final dot, or an address.
pub(super) fn parse_name(text: &str) -> Option<ServerName<'static>> {
    // The dot is for resolvers; no certificate has it.
    let bare = text.strip_suffix('.').unwrap_or(text).to_owned();
    ServerName::try_from(bare).ok()
}

/// The name of an endpoint's host, if it has one that can be proved.
pub(super) fn name_of(endpoint: &Endpoint) -> Option<ServerName<'static>> {
    match &endpoint.host_port()?.host {
        Host::Name(name) => parse_name(name),
        Host::Ip(ip) => Some(ServerName::from(*ip)),
        Host::Any => None,
    }
}
