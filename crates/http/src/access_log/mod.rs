//! Who asked for what, and what became of it: one line for each answer.
//!
//! [`Logged`] notes each request and its answer's end, and hands them to an [`AccessLog`], whose own
//! thread formats and writes them. The way to it is bounded and never waited for: what is too much
//! is dropped, counted and told, and so is what a full disk refuses.
//!
//! Never written: the headers Authorization and Cookie, and user and password in a URL.

mod entries;
mod entry;
mod format;
mod log;
mod logged;
mod utc;
mod writer;

pub use crate::line_log::{Closed, Sink, Tally};
pub use format::Format;
pub use log::AccessLog;
pub use logged::Logged;
