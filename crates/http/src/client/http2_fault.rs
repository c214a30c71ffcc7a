//! What a server says instead of an answer over HTTP/2, or of the rest of one. Nothing that it writes is
//! told but its error code.

use std::error::Error as _;

use h2::Reason;

/// Why there is no answer over HTTP/2, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Http2Fault {
    /// It said so to all whom it has not answered (RFC 9113 §6.8).
    #[error("the server goes away, before an answer: {0:?}")]
    GoneAway(Reason),
    /// It may be asked again (RFC 9113 §8.7).
    #[error("the server has not begun with it: REFUSED_STREAM")]
    Refused,
    /// It answers this over HTTP/1.1 alone.
    #[error("the server answers this over HTTP/1.1 alone: HTTP_1_1_REQUIRED")]
    OverHttp1,
    /// It gave up, for this reason.
    #[error("the stream was reset: {0:?}")]
    Reset(Reason),
    /// What it said is none, for this reason.
    #[error("not by the rules of HTTP/2: {0:?}")]
    Malformed(Reason),
}

impl Http2Fault {
    /// What `error` is, if it is about what the server said.
    pub(super) fn of(error: &hyper::Error) -> Option<Self> {
        let error: &h2::Error = error.source()?.downcast_ref()?;
        Some(Self::told(error, error.reason()?))
    }

    fn told(error: &h2::Error, reason: Reason) -> Self {
        match reason {
            _ if !error.is_remote() => Self::Malformed(reason),
            Reason::HTTP_1_1_REQUIRED => Self::OverHttp1,
            _ if error.is_go_away() => Self::GoneAway(reason),
            Reason::REFUSED_STREAM => Self::Refused,
            _ => Self::Reset(reason),
        }
    }
}
