//! What is wrong with a line.

/// Why a line is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Bytes that are no characters.
    #[error("no text: expected UTF-8")]
    NotText,
    /// Something else than JSON, or cut off.
    #[error("no JSON at byte {at}: expected {expected}")]
    Syntax {
        /// Which byte, from 1.
        at: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// A value that its key does not have.
    #[error("bad {key:?}: expected {expected}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// A key that has to be there and is not.
    #[error("no {0:?}")]
    Lacks(&'static str),
}
