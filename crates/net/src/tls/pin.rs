//! A certificate that is not the pinned one.

use std::fmt;

use super::Fingerprint;

/// A server showed another certificate than the one that it should have. Prints as half a sentence.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherFingerprint(pub(super) Fingerprint);

impl fmt::Display for OtherFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its SHA-256 is {}, which is not the pinned one", self.0)
    }
}

impl std::error::Error for OtherFingerprint {}
