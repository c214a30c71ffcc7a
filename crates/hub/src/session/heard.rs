//! What comes over a link.

use super::End;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// So many bytes; what is whole of them is [next](super::Link::next).
    Bytes(usize),
    /// The client says nothing more. It may still be told what it asked for.
    End,
    /// It is over for both, and how.
    Over(End),
}
