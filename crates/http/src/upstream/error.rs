//! Why there is no answer.

use relais_net::{DialError, Fault};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection to be had.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// What came is no answer, or breaks off before its head ends.
    #[error("no answer from {upstream}")]
    Broken {
        /// Who was asked.
        upstream: String,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("no answer in time from {upstream}")]
    Late {
        /// Who was asked.
        upstream: String,
    },
    /// The client did not send all of its request.
    #[error("the request broke off")]
    Request(#[source] Fault),
}

impl CallError {
    /// `upstream` gave no answer, because of `error`.
    pub(super) fn broken(
        upstream: &str,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Broken { upstream: upstream.to_owned(), source: error.into() }
    }
}
