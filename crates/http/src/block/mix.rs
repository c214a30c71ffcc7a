//! Hashes for what is looked up in a list.

/// Mixes eight bytes. Who asks does not pick what is in a list, so this need not be as strong as it is
/// quick.
pub(super) fn mix(word: u64) -> u64 {
    // Both halves of the product, put together: in each some of the bytes have no say.
    let (low, high) = word.carrying_mul(0x9E37_79B9_7F4A_7C15, 0);
    low ^ high
}
