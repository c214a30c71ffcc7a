//! How bodies end.

use http::StatusCode;
use relais_net::Side;

/// Who is told of an end.
pub(crate) type Tell = Box<dyn FnOnce(Ended) + Send>;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All of it was handed on, to the kernel where files go there straight: so many bytes.
    Whole(u64),
    /// It was given up after so many bytes.
    Short(u64),
    /// Its pieces broke off after so many bytes, by the fault of this side.
    Broken(u64, Side),
    /// The connection had no place for it, and sent an answer of its own.
    Instead {
        /// Of that answer.
        status: StatusCode,
        /// In its body.
        bytes: u64,
    },
}
