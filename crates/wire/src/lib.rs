//! Protocols as functions from bytes to values and back. No socket, no clock, no task.
//!
//! One module per protocol or part of one. The servers, the clients and the packet analyser all
//! read the wire through this crate, so a protocol is understood in one place.
//!
//! - [`accept`]: what a client would rather have: codings, media types
//! - [`calendar`]: points in time as years, months and days
//! - [`clean`]: what becomes of strangers' text before it is kept or shown
//! - [`client_hello`]: what a TLS client says first
//! - [`datagram`]: the outside of a hub's datagrams, sealed or signed
//! - [`date`]: the three spellings of a date in HTTP
//! - [`decimal`]: numbers as protocols print them
//! - [`etag`]: entity tags, and the lists of them in conditions
//! - [`exchange`]: what the sniffer notes of an exchange, a line of JSON each
//! - [`host`]: who is asked: the `Host` field and the authority of a URI
//! - [`http1`]: the guard, which refuses HTTP/1 messages that two parsers could read differently, and
//!   answers, read as strictly
//! - [`links`]: where links stand in text
//! - [`list`]: comma-separated lists in fields
//! - [`plural`]: the end of words for what is counted
//! - [`proxy_header`]: who called a relay, told before all else
//! - [`range`]: which bytes of a file are asked for
//! - [`target`]: which file a path means, and paths in links
//! - [`timestamp`]: points in time in logs and on command lines
//! - [`visible`]: texts of strangers, fit to be looked at
//! - [`web_socket`]: how a WebSocket is opened

pub mod accept;
pub mod calendar;
pub mod clean;
pub mod client_hello;
pub mod datagram;
pub mod date;
pub mod decimal;
pub mod etag;
pub mod exchange;
pub mod host;
pub mod http1;
pub mod links;
pub mod list;
pub mod plural;
pub mod proxy_header;
pub mod range;
pub mod target;
pub mod timestamp;
pub mod visible;
pub mod web_socket;

mod class;
mod sha1;

pub use class::is_token;
