//! HTTP: serving a connection, and what answers a request.
//!
//! [`Http`] is the [`Service`](relais_net::Service) that speaks HTTP/1.1 and HTTP/2 with a caller
//! and asks a [`Handler`] for the answer to each request.

pub mod access_log;
mod ambiguous;
pub mod auth;
pub mod block;
mod body;
mod cached;
pub mod client;
mod clock;
mod conn;
mod counted;
mod date_line;
mod erased;
mod file;
pub mod files;
pub mod forward;
mod handler;
mod hosts;
mod inbound;
mod interim;
mod joined;
mod judged;
pub mod line_log;
mod mapping;
mod one_each;
mod own_names;
mod page;
mod places;
mod provenance;
pub mod proxy;
mod proxy_status;
mod ready_head;
mod refusing;
#[cfg(test)]
mod says;
mod shares;
pub mod sniff;
mod spare;
mod target;
mod trust;
pub mod upstream;

pub use body::{Body, Ended, GoingOn, Heir, Piece, Pieces, Tunnel};
pub use cached::{Cached, Desk, Explaining, Fetched, Fetching, Purgers, Purging, StandsIn, Token};
pub use conn::{HandlerSlot, Http, Limits, LimitsSlot};
pub use counted::Counted;
pub use erased::{Erase, Looked};
pub use file::{FileSpan, OpenFile, OpenFiles, Stamp};
pub use handler::{
    Accepts, Answer, Answering, Ask, Caller, DynHandler, Handler, Refused, media_type, unfold,
};
pub use hosts::{HostPattern, HostTable, Hosts, HostsError, ParseHostPatternError, Site};
pub use inbound::{ConnBody, Inbound};
pub use own_names::{OwnNames, strange_name};
pub use provenance::Provenance;
pub use ready_head::ReadyHead;
pub use target::Target;
pub use trust::Trust;
