//! Which credentials were found right a while ago: their password need not be hashed again.

use std::{fmt, time::Duration};

use argon2::password_hash::generate_salt;
use blake2::{
    Blake2sMac256,
    digest::{KeyInit, Mac},
};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::User;

/// Credentials that were verified lately.
///
/// What is kept is neither password nor header but their keyed hash: BLAKE2s of 256 bits, under a
/// key that is random for each table and never leaves it. A MAC, and not the 64 bits of a hash map's
/// hasher: here a collision would be a password. And since nobody knows the key, the time that
/// comparing two of them takes says nothing of the password either.
pub(super) struct Verified {
    keyed: Blake2sMac256,
    life: Duration,
    users: Cache<Key, (User, Instant)>,
}

/// The keyed hash of credentials.
pub(super) type Key = [u8; 32];

impl Verified {
    /// Keeps at most `entries_max`, each for `life`.
    pub(super) fn new(entries_max: usize, life: Duration) -> Self {
        let key = [generate_salt(), generate_salt()].concat();
        let keyed = Blake2sMac256::new_from_slice(&key).expect("a key of 32 bytes");
        Self { keyed, life, users: Cache::new(entries_max.max(1)) }
    }

    /// What stands for credentials here.
    pub(super) fn key(&self, token: &[u8]) -> Key {
        self.keyed.clone().chain_update(token).finalize().into_bytes().into()
    }

    /// The user of these credentials, if they were verified less than a life before `now`.
    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<User> {
        let (user, until) = self.users.get(key)?;
        (now < until).then_some(user)
    }

    /// Notes that these credentials were verified at `now`.
    pub(super) fn keep(&self, key: Key, user: User, now: Instant) {
        self.users.insert(key, (user, now + self.life));
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("life", &self.life).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_mins(1);

    fn ada() -> User {
        User("ada".into())
    }

    #[test]
    fn what_was_verified_is_found_until_its_life_ends() {
        let (verified, now) = (Verified::new(8, LIFE), Instant::now());
        let key = verified.key(b"token");
        assert_eq!(verified.find(&key, now), None);
        verified.keep(key, ada(), now);
        assert_eq!(verified.find(&verified.key(b"token"), now), Some(ada()));
        assert_eq!(verified.find(&verified.key(b"tokem"), now), None);
        assert_eq!(verified.find(&key, now + LIFE - Duration::from_millis(1)), Some(ada()));
        assert_eq!(verified.find(&key, now + LIFE), None);
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let (verified, now) = (Verified::new(16, LIFE), Instant::now());
        for token in 0..1000_u32 {
            verified.keep(verified.key(&token.to_le_bytes()), ada(), now);
        }
        assert!((1..=16).contains(&verified.users.len()), "{}", verified.users.len());
    }

    #[test]
    fn two_tables_have_two_keys() {
        let (one, other) = (Verified::new(1, LIFE), Verified::new(1, LIFE));
        assert_ne!(one.key(b"token"), other.key(b"token"));
    }
}
