//! Answers of 1xx before the one that is asked for (RFC 9110 §15.2).

use std::fmt::Debug;

use http::Response;

/// Is told of the interim answers to a request while its answer is waited for.
///
/// Not of 100, which is for the hop that asked for it, nor of 101, which is an answer. Of an upstream
/// that speaks HTTP/2 nothing is told: hyper passes over them.
pub trait OnInterim: Debug + Send + Sync {
    /// An interim answer came: as the upstream gave it, fields for this hop included.
    fn on_interim(&self, interim: Response<()>);
}
