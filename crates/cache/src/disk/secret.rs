//! What is hashed with the folder's own key.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
};

use siphasher::sip128::SipHasher13;
use twox_hash::XxHash3_64;

/// The folder's key: whoever chooses URIs and bodies does not know it, and so cannot choose where
/// keys go, nor write a body that passes for a record.
///
/// Keys are hashed by `SipHash` 1-3, as the standard library does: it is made for that, and its
/// outcome is kept on disk, so it may not change with the compiler. Sums are XXH3 (64 bits), which is
/// as fast as memory and finds what disks and cuts do; it starts from a secret seed.
#[derive(Clone)]
pub(super) struct Secret {
    bytes: [u8; SECRET_BYTES],
    keys: SipHasher13,
    seed: u64,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

pub(super) const SECRET_BYTES: usize = 24;

impl Secret {
    /// A new one, out of the system's random numbers.
    pub(super) fn random() -> Self {
        let mut bytes = [0; SECRET_BYTES];
        for word in bytes.chunks_exact_mut(8) {
            // Each is a keyed hash of nothing, under a random key that no other has.
            word.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        Self::of(bytes)
    }

    pub(super) fn of(bytes: [u8; SECRET_BYTES]) -> Self {
        let word = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a word of the secret"))
        };
        Self { bytes, keys: SipHasher13::new_with_keys(word(0), word(8)), seed: word(16) }
    }

    pub(super) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.bytes
    }

    /// The hash of a key, a selection or a tag.
    pub(super) fn hash(&self, bytes: &[u8]) -> u64 {
        self.keys.hash(bytes).as_u64().0
    }

    /// The sum of `bytes`.
    pub(super) fn sum(&self, bytes: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(self.seed, bytes)
    }

    /// The sum of `bytes` together with `about`, which says where they stand.
    pub(super) fn sum_about(&self, about: u64, bytes: &[u8]) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        XxHash3_64::oneshot_with_seed(self.seed ^ about.wrapping_mul(ODD), bytes)
    }

    /// A sum in the making: the same as [`Self::sum`] of all that is written to it.
    pub(super) fn summing(&self) -> Summing {
        Summing(XxHash3_64::with_seed(self.seed))
    }
}

/// A sum in the making.
pub(super) struct Summing(XxHash3_64);

impl Summing {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.finish()
    }
}

impl fmt::Debug for Summing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Summing")
    }
}
