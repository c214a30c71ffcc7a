//! What stands for a file's bytes in hyper's queue, which takes nothing but memory.

use std::sync::LazyLock;

use bytes::Bytes;

/// How much of a file goes out in one step.
pub(super) const STEP_BYTES: usize = 4 << 20;

/// Bytes that stand for a file's in hyper's queue. Recognised by where they lie; never read, so
/// their pages never come into being.
static PLACEHOLDER: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![0; STEP_BYTES]));

/// As many placeholder bytes as `len`, at most [`STEP_BYTES`].
pub(super) fn placeholder(len: usize) -> Bytes {
    PLACEHOLDER.slice(..len)
}

/// Whether `slice` is of a placeholder.
pub(super) fn is_placeholder(slice: &[u8]) -> bool {
    let start = PLACEHOLDER.as_ptr().addr();
    (start..start + STEP_BYTES).contains(&slice.as_ptr().addr())
}
