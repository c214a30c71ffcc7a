//! Asking one server for one thing, to look at how it answers.
//!
//! A [`Client`] calls, asks and gives an [`Exchange`]: what was sent, the head that came as it came,
//! how long each part took, and the body as it comes. Over HTTP/1 it is read by the rules for
//! [upstreams](crate::upstream), in the order and case of the server; over HTTP/2 by hyper.
//!
//! It keeps no connection, follows nothing by itself ([`Request::redirected`] says what would be asked
//! next), and believes no length: all that a server can make it hold is bounded.

mod ask;
mod body;
mod connect;
mod error;
mod exchange;
mod gunzip;
mod http1;
mod http2;
mod http2_fault;
mod manner;
mod redirect;
mod request;
mod resume;
mod socks5;
mod url;

#[cfg(test)]
mod tests;

pub use body::AnswerBody;
pub use error::{AskError, BodyError};
pub use exchange::{Exchange, Timings};
pub use gunzip::{BadGzip, Gunzip};
pub use http2_fault::Http2Fault;
pub use manner::{BadProxy, Client, Limits, Proxy, ProxySpeaks, Speaks, User};
pub use redirect::BadRedirect;
pub use request::{Head, Request, Sent, basic};
pub use resume::{Part, Resumed, validator};
pub use url::{BadUrl, Url};
