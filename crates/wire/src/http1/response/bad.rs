//! Why an answer's head is none.

use crate::http1::refusal::Refusal;

/// What was found, and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHead {
    /// Another protocol, or the rest of an answer that was longer than it said.
    #[error("no answer in HTTP/1: expected \"HTTP/1.1\" first")]
    NotHttp,
    /// HTTP, but no version that is spoken here.
    #[error("unknown version of HTTP: expected HTTP/1")]
    Version,
    /// Something else than three digits, and perhaps a space and a reason, behind the version.
    #[error("no status line: expected version, status and reason with one space between them")]
    StatusLine,
    /// A status of no class.
    #[error("bad status {0}: expected 100 to 599")]
    Status(u16),
    /// A byte that no reason has.
    #[error("{:?} in the reason: expected visible characters, space or tab", char::from(*.0))]
    Reason(u8),
    /// A status line over the limit.
    #[error("status line longer than {max} bytes")]
    StatusLineTooLong {
        /// [`HeadLimits::line_bytes_max`](crate::http1::HeadLimits::line_bytes_max)
        max: u32,
    },
    /// A 101 to a request without `Upgrade`.
    #[error("101 for a request that wanted no other protocol")]
    SwitchUnasked,
    /// A body that would be read as the next answer.
    #[error("a body with status {0}: expected none")]
    BodyForbidden(u16),
    /// What is wrong with a field or a line is what is wrong in requests.
    #[error(transparent)]
    Fields(#[from] Refusal),
}
