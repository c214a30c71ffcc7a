//! Calling a server on somebody's behalf: whom to believe, what was agreed on, and what to try when
//! it comes to nothing. For the commands that are clients.

mod hints;
mod shown;
mod trust;

pub(crate) use hints::{broken, refused};
pub(crate) use shown::{Met, met_json, tell_met};
pub(crate) use trust::{Channel, TlsFlags, calls};
