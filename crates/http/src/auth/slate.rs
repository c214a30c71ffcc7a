//! The memory that hashes are computed in, kept from one to the next.

use std::fmt;

use argon2::{Argon2, Block, Error};

/// Memory to hash in. Has none until it is used first, and gives it back when it is dropped.
#[derive(Default)]
pub struct Slate {
    blocks: Vec<Block>,
}

/// For how many blocks the system is asked at least, of 1 KiB each. Of more than 32 MiB glibc makes a
/// mapping of its own each time, which goes back whole; less may stay with the arena of the thread that
/// asked, and there is one for each thread. What is not written to takes no memory.
const MAPPED: usize = 33 << 10;

/// How many blocks are kept: what new hashes take, and some.
const KEPT_MAX: usize = 20 << 10;

impl Slate {
    /// Fills `out` with what `argon2` makes of a password and its salt.
    ///
    /// Blocks for as long as that is made to take: some 20 ms to seconds.
    ///
    /// # Errors
    ///
    /// What `argon2` says of a salt or an output that is too short, and if there is no memory.
    pub(super) fn derive(
        &mut self,
        argon2: &Argon2<'_>,
        (password, salt): (&[u8], &[u8]),
        out: &mut [u8],
    ) -> Result<(), Error> {
        let blocks = self.blocks(argon2.params().block_count())?;
        let derived = argon2.hash_password_into_with_memory(password, salt, out, blocks);
        if self.blocks.len() > KEPT_MAX {
            self.blocks = Vec::new();
        }
        derived
    }

    /// So many blocks, of any content.
    fn blocks(&mut self, many: usize) -> Result<&mut [Block], Error> {
        if self.blocks.len() < many {
            // Not grown: what is there needs not be copied.
            self.blocks = Vec::new();
            self.blocks.try_reserve_exact(many.max(MAPPED)).map_err(|_| Error::OutOfMemory)?;
            self.blocks.resize(many, Block::new());
        }
        Ok(&mut self.blocks[..many])
    }
}

/// Without what is on it: it comes of a password.
impl fmt::Debug for Slate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slate").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Slate {
    /// Has it be as after the smallest hash.
    pub(super) fn write_on(&mut self) {
        self.blocks(8).unwrap();
    }

    pub(super) fn is_written_on(&self) -> bool {
        !self.blocks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Params, Version};

    use super::*;

    /// Of `pw` and a salt of eight zeros, in so many KiB.
    fn derive(slate: &mut Slate, kib: u32) -> [u8; 32] {
        let params = Params::new(kib, 1, 1, Some(32)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = [0; 32];
        slate.derive(&argon2, (b"pw", &[0; 8]), &mut out).unwrap();
        out
    }

    #[test]
    fn what_was_on_it_before_changes_nothing() {
        let mut slate = Slate::default();
        let first = derive(&mut slate, 64);
        for kib in [8, 64, 128, 64] {
            assert_eq!(derive(&mut slate, kib), derive(&mut Slate::default(), kib), "{kib}");
        }
        assert_eq!(derive(&mut slate, 64), first);
    }

    #[test]
    fn the_same_memory_is_used_again() {
        let mut slate = Slate::default();
        derive(&mut slate, 64);
        let place = slate.blocks.as_ptr();
        derive(&mut slate, 64);
        derive(&mut slate, 8);
        assert_eq!((slate.blocks.as_ptr(), slate.blocks.len()), (place, 64));
        assert!(slate.blocks.capacity() >= MAPPED, "a mapping of its own");
    }

    #[test]
    fn what_one_costly_hash_took_is_not_kept() {
        let mut slate = Slate::default();
        derive(&mut slate, u32::try_from(KEPT_MAX).unwrap());
        assert_eq!(slate.blocks.len(), KEPT_MAX);
        derive(&mut slate, u32::try_from(KEPT_MAX).unwrap() + 8);
        assert_eq!(slate.blocks.capacity(), 0);
    }

    #[test]
    fn a_salt_that_is_too_short_is_told() {
        let mut out = [0; 32];
        let derived = Slate::default().derive(&Argon2::default(), (b"pw", b"short"), &mut out);
        assert_eq!(derived, Err(Error::SaltTooShort));
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let mut slate = Slate::default();
        derive(&mut slate, 8);
        assert_eq!(format!("{slate:?}"), "Slate { blocks: 8, .. }");
    }
}
