//! Asking other servers over HTTP.
//!
//! An [`Upstream`] is one server, a [`Group`] several that are asked in turn. Over HTTP/1 this is a
//! client of our own (`ask`, `reading`), polled by whoever waits for the answer: no task, no channel
//! and no timer of its own. Connections that are done with wait in the `pool` of their core.
//!
//! What is sent is printed from what was parsed, and nothing else; what is read is as strict as the
//! guard is with clients. A message that breaks off is never passed on as whole.

mod ask;
mod attempt;
mod budget;
mod error;
mod exchange;
mod group;
mod head;
mod http2;
mod interim;
mod limits;
mod link;
#[cfg(test)]
mod misbehaving;
mod pool;
mod queue;
mod reading;
mod sending;
mod server;
mod shared;
mod switch;
mod upload;
mod watch;

pub use attempt::Reply;
pub use error::{CallError, Failed};
pub use group::{Call, Group};
pub(crate) use head::{drop_empty_lists, is_of_connection, line, members, read_lines, trimmed};
pub use interim::OnInterim;
pub use limits::Limits;
pub use queue::Busy;
pub use relais_net::Balance;
pub use server::{Options, Speaks, Upstream};
pub(crate) use upload::Upload;
pub use watch::{Check, watch};

/// Calls in the clear.
#[cfg(test)]
pub(crate) fn dialer_for_tests() -> std::sync::Arc<relais_net::Dialer> {
    use relais_net::{DialLimits, Dialer, tls};
    let (server_name, own) = (None, None);
    let demand = tls::Demand { trust: tls::Trust::Roots(tls::Roots::none()), server_name, own };
    let limits = DialLimits {
        connect_max: std::time::Duration::from_secs(5),
        handshake_max: std::time::Duration::from_secs(5),
        source: None,
        keepalive: None,
    };
    std::sync::Arc::new(Dialer::new(limits, tls::Connector::new(&demand).expect("no name is bad")))
}
