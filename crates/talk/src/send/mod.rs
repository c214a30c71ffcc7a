//! The end that talks: says something to a server, and hears what it answers.
//!
//! A [`Call`] is a connection of any transport, opened by [`open`]. [`Call::ask`] says one message and
//! waits for its answer; [`Call::hold`] has a whole dialogue. What is said and heard goes through an
//! audience, which may be a [`Comparison`]: is an echo what was sent?
//!
//! Nothing here prints, or reads what a person types.

mod asking;
mod call;
mod comparison;
mod deadline;
mod form;
mod goodbye;
mod holding;
mod open;
mod progress;
#[cfg(test)]
mod tests;

pub use asking::{Asked, Finished, Patience};
pub use call::{Call, MESSAGE_BYTES_MAX, Unit};
pub use comparison::{Comparison, Difference};
pub use form::{BadEscape, BadHex, parse_escapes, parse_hex};
pub use goodbye::Goodbye;
pub use holding::{Ended, Manner, OnceAnswered, OnceEnded, Told, Turns};
pub use open::{OpenError, Opened, Target, Upgrade, open};
