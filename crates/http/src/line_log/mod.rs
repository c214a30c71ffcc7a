//! Logs of a line each for what happens, written by threads of their own: the access log, the
//! sniffer's, the block list's.
//!
//! What is noted goes into a buffer that is bounded and never waited for. A thread takes it from
//! there, at the latest 250 ms after, and writes it to the end of a file. What is too much is
//! dropped, counted and told, and so is what a full disk refuses.

#[cfg(test)]
pub(crate) mod ear;
mod log;
mod pen;
mod queue;
mod rotation;
mod sink;
mod writing;

pub use self::log::LineLog;
pub use pen::Tally;
pub use rotation::LogFile;
pub use sink::Sink;
pub use writing::Closed;

pub(crate) use pen::Pen;
#[cfg(test)]
pub(crate) use queue::Queue;
pub(crate) use queue::{Batch, Full, Load};
pub(crate) use sink::Out;
pub(crate) use writing::{Writer, Writing};
