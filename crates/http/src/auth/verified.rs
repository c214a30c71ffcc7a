//! Which credentials were found right a while ago: their password need not be hashed again.

use std::{fmt, time::Duration};

use argon2::password_hash::generate_salt;
use blake2::{
    Blake2sMac256,
    digest::{KeyInit, Mac},
};
use quick_cache::sync::Cache;
use relais_net::Client;
use tokio::time::Instant;

use super::users::Proven;

/// Credentials that were verified lately.
///
/// What is kept is neither password nor header but their keyed hash: BLAKE2s of 256 bits, under a
/// key that is random for each table and never leaves it. A MAC, and not the 64 bits of a hash map's
/// hasher: here a collision would be a password. And since nobody knows the key, the time that
/// comparing two of them takes says nothing of the password either. They are known of the client alone
/// that gave them: to others an answer from here would tell right from wrong.
pub(super) struct Verified {
    keyed: Blake2sMac256,
    life: Duration,
    users: Cache<Key, (Proven, Instant)>,
}

/// The keyed hash of a client and its credentials.
pub(super) type Key = [u8; 32];

impl Verified {
    /// Keeps at most `entries_max`, each for `life` and, while it is asked for, longer.
    pub(super) fn new(entries_max: usize, life: Duration) -> Self {
        let key = [generate_salt(), generate_salt()].concat();
        let keyed = Blake2sMac256::new_from_slice(&key).expect("a key of 32 bytes");
        Self { keyed, life, users: Cache::new(entries_max.max(1)) }
    }

    /// What stands here for the credentials that `client` gave.
    pub(super) fn key(&self, client: Client, token: &[u8]) -> Key {
        // Each kind has its length and its mark: no two clients and tokens make the same bytes.
        let keyed = self.keyed.clone();
        let keyed = match client {
            Client::V4(ip) => keyed.chain_update(b"4").chain_update(ip.octets()),
            Client::V6(network) => keyed.chain_update(b"6").chain_update(network),
            Client::Local => keyed.chain_update(b"l"),
        };
        keyed.chain_update(token).finalize().into_bytes().into()
    }

    /// The user of these credentials, if they were verified, or found so, less than a life before `now`.
    ///
    /// Who goes on asking stays: he could not be verified again while others who share his address have
    /// his name wait.
    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<Proven> {
        let (proven, until) = self.users.get(key)?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        if left < self.life / 2 {
            self.keep(*key, proven.clone(), now);
        }
        Some(proven)
    }

    /// Notes that these credentials were verified at `now`.
    pub(super) fn keep(&self, key: Key, proven: Proven, now: Instant) {
        self.users.insert(key, (proven, now + self.life));
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
    use crate::auth::User;

    const LIFE: Duration = Duration::from_mins(1);

    fn ada() -> Proven {
        Proven { user: User("ada".into()), mark: [0; 32] }
    }

    const HERE: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn what_was_verified_is_found_until_its_life_ends() {
        let (verified, now) = (Verified::new(8, LIFE), Instant::now());
        let key = verified.key(HERE, b"token");
        assert_eq!(verified.find(&key, now), None);
        verified.keep(key, ada(), now);
        assert_eq!(verified.find(&verified.key(HERE, b"token"), now), Some(ada()));
        assert_eq!(verified.find(&verified.key(HERE, b"tokem"), now), None);
        assert_eq!(verified.find(&key, now + LIFE / 2), Some(ada()));
        assert_eq!(verified.find(&key, now + LIFE), None);
    }

    #[test]
    fn who_goes_on_asking_stays_known() {
        let (verified, now) = (Verified::new(8, LIFE), Instant::now());
        let key = verified.key(HERE, b"token");
        verified.keep(key, ada(), now);
        let late = Duration::from_secs(59);
        assert_eq!(verified.find(&key, now + late), Some(ada()));
        assert_eq!(verified.find(&key, now + late + late), Some(ada()));
        assert_eq!(verified.find(&key, now + late + late + LIFE), None);
    }

    #[test]
    fn what_is_known_of_one_client_is_not_of_another() {
        let (verified, now) = (Verified::new(8, LIFE), Instant::now());
        verified.keep(verified.key(HERE, b"token"), ada(), now);
        let others = [Client::V4([192, 0, 2, 2].into()), Client::V6([0; 8]), Client::Local];
        for other in others {
            assert_eq!(verified.find(&verified.key(other, b"token"), now), None, "{other}");
        }
        let run_on = verified.key(Client::Local, b"4\xc0\0\x02\x01token");
        assert_ne!(run_on, verified.key(HERE, b"token"));
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let (verified, now) = (Verified::new(16, LIFE), Instant::now());
        for token in 0..1000_u32 {
            verified.keep(verified.key(HERE, &token.to_le_bytes()), ada(), now);
        }
        assert!((1..=16).contains(&verified.users.len()), "{}", verified.users.len());
    }

    #[test]
    fn two_tables_have_two_keys() {
        let (one, other) = (Verified::new(1, LIFE), Verified::new(1, LIFE));
        assert_ne!(one.key(HERE, b"token"), other.key(HERE, b"token"));
    }
}
