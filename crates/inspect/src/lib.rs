//! Searches what the sniffer has seen.
//!
//! A [`Filter`] says which exchanges are wanted, [`search`] finds them in logs of any size, and a
//! [`Tail`] goes on where a log ends. Nothing here prints, or knows what time it is.

mod filter;
mod generations;
mod judge;
mod needle;
mod piece;
mod search;
mod source;
mod tail;

pub use filter::{Blocked, Filter, HostName, Net, ParseFilterError, Statuses, Word};
pub use generations::{Files, OLDER_MAX, logs};
pub use judge::{Findings, Judge, Keep, NoExchange};
pub use search::{Stopped, search};
pub use source::Source;
pub use tail::{More, Tail};
