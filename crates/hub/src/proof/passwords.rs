//! Passwords, hashed apart from all else: by few at a time, with a short queue before them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use relais_http::auth::{Hashed, NOBODYS_HASH, Slate, Turns, hash_password_on};

use crate::protocol::Secret;

/// When to ask again where too many wait.
const RETRY: Duration = Duration::from_secs(1);

/// Where passwords are hashed and verified.
#[derive(Debug)]
pub struct Passwords {
    turns: Turns,
    /// How many hashes were computed.
    hashed: Arc<AtomicU64>,
}

/// How much hashing is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLimits {
    /// How many passwords are hashed at once. Each keeps a core busy, for some 20 ms, and has
    /// 19 MiB of memory, until nobody waits for it.
    pub hashing_max: usize,
    /// How many more may wait for that.
    pub waiting_max: usize,
}

/// What a password comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the account's.
    Right {
        /// It is kept by a hash of another kind or cost than new ones, and is to be hashed again.
        rehash: bool,
    },
    /// It is not, or there is no such account.
    Wrong,
}

/// Too many wait for a hash already, or the machine could compute none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords to hash")]
pub struct Busy {
    /// When to ask again.
    pub retry: Duration,
}

impl Default for HashLimits {
    fn default() -> Self {
        Self { hashing_max: 2, waiting_max: 128 }
    }
}

impl Passwords {
    /// Takes on as much as `limits` say; one at a time at least.
    pub fn new(limits: HashLimits) -> Self {
        let HashLimits { hashing_max, waiting_max } = limits;
        Self { turns: Turns::new(hashing_max, waiting_max), hashed: Arc::default() }
    }

    /// What is kept of `password`: argon2id's PHC string, of 19 MiB and two passes.
    ///
    /// *Cancel safety*: who stops waiting while it is hashed stops nothing; the turn is over when
    /// it is done.
    ///
    /// # Errors
    ///
    /// [`Busy`], at once, if too many wait.
    pub async fn hash(&self, password: Secret) -> Result<String, Busy> {
        self.in_turn(move |slate| hash_password_on(slate, &password.0)).await
    }

    /// Whether `password` is the one of which `stored` is kept; `None` if there is no such account.
    ///
    /// What is done is the same either way, and so is the time it takes: without an account, and
    /// where what is kept cannot be read, one hash of the cost of new ones is verified. Only a hash
    /// of another cost shows, until it is [made anew](Verdict::Right).
    ///
    /// *Cancel safety*: as of [`Self::hash`].
    ///
    /// # Errors
    ///
    /// [`Busy`], at once, if too many wait.
    pub async fn verify(&self, password: Secret, stored: Option<&str>) -> Result<Verdict, Busy> {
        let (is_account, stored) = (stored.is_some(), stored.unwrap_or(NOBODYS_HASH).to_owned());
        let verdict = self.in_turn(move |slate| {
            let hashed = read(&stored);
            // First the hash, then whether it counts.
            let fits = hashed.fits(password.0.as_bytes(), slate);
            if fits && is_account {
                Verdict::Right { rehash: !hashed.is_current() }
            } else {
                Verdict::Wrong
            }
        });
        verdict.await
    }

    /// Does `hashing` when it is its turn, apart from the event loop.
    async fn in_turn<T: Send + 'static>(
        &self,
        hashing: impl FnOnce(&mut Slate) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let busy = Busy { retry: RETRY };
        let turn = self.turns.wait().await.ok_or(busy)?;
        let hashed = Arc::clone(&self.hashed);
        let done = turn.spend(move |slate| {
            hashed.fetch_add(1, Ordering::Relaxed);
            hashing(slate)
        });
        done.await.map_err(|error| {
            // No memory, no random numbers, or the end of the program: the client asks again.
            tracing::error!(%error, "hashing a password");
            busy
        })
    }

    /// How many passwords are hashed now, or wait for it.
    pub fn hashing(&self) -> usize {
        self.turns.taken()
    }

    /// How many hashes were begun until now.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }
}

/// What `stored` says, or what is nobody's if it says nothing.
fn read(stored: &str) -> Hashed {
    stored.parse().unwrap_or_else(|error| {
        tracing::error!(%error, "reading what is kept of a password");
        NOBODYS_HASH.parse().expect("a hash that is tested to be one")
    })
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use super::*;

    /// Of `pw`: argon2id of 8 KiB and one pass, and bcrypt of its smallest cost.
    const QUICK: &str = "$argon2id$v=19$m=8,t=1,p=1$NLl6zCeXY6ZOh0CJMJ8z5w$\
                         3qxNwgBUVIsry/SwNEZPy5zY6ZIsP/5oCxmenGXixxA";
    const BCRYPT: &str = "$2b$04$QxFo4ewd3usyzKCWUN5l3uM4ekUMM9myiw.GZVL45A8XYbOydC3Ka";

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_only() {
        let passwords = Passwords::new(HashLimits::default());
        let made = passwords.hash(secret("pw")).await.unwrap();
        let verify = async |password, stored| passwords.verify(secret(password), stored).await;
        for (password, stored, expect) in [
            ("pw", Some(&*made), Verdict::Right { rehash: false }),
            ("pW", Some(&*made), Verdict::Wrong),
            ("", Some(&*made), Verdict::Wrong),
            ("pw", Some(QUICK), Verdict::Right { rehash: true }),
            ("pW", Some(QUICK), Verdict::Wrong),
            ("pw", Some(BCRYPT), Verdict::Right { rehash: true }),
            ("pW", Some(BCRYPT), Verdict::Wrong),
            ("pw", Some("no hash"), Verdict::Wrong),
            ("pw", Some(&made[..30]), Verdict::Wrong),
            ("pw", None, Verdict::Wrong),
        ] {
            assert_eq!(verify(password, stored).await, Ok(expect), "{password} {stored:?}");
        }
    }

    #[tokio::test]
    async fn who_is_not_there_is_verified_with_the_same_steps() {
        let passwords = Passwords::new(HashLimits::default());
        let made = passwords.hash(secret("pw")).await.unwrap();
        assert!(read(&made).is_current() && read(NOBODYS_HASH).is_current(), "of one cost");
        for (password, stored) in
            [("pw", Some(&*made)), ("pW", Some(&*made)), ("pw", Some("no hash")), ("pw", None)]
        {
            let before = passwords.hashed();
            passwords.verify(secret(password), stored).await.unwrap();
            assert_eq!(passwords.hashed() - before, 1, "{password} {stored:?}");
        }
    }

    #[tokio::test]
    async fn as_many_as_may_are_hashed_and_wait_and_the_next_is_told_to_come_again() {
        let passwords = Passwords::new(HashLimits { hashing_max: 2, waiting_max: 1 });
        let turn = passwords.turns.wait().await.unwrap();
        let _other = passwords.turns.wait().await.unwrap();
        let mut waiting = pin!(passwords.verify(secret("pw"), Some(QUICK)));
        assert!(poll(&mut waiting).is_pending());
        assert_eq!(passwords.hashing(), 3);
        let busy = Busy { retry: Duration::from_secs(1) };
        assert_eq!(passwords.verify(secret("pw"), Some(QUICK)).await, Err(busy));
        assert_eq!(
            passwords.verify(secret("pw"), None).await,
            Err(busy),
            "nobody is no better off"
        );
        assert_eq!(passwords.hash(secret("pw")).await, Err(busy));
        assert_eq!(passwords.hashed(), 0, "nobody's turn came");
        drop(turn);
        assert_eq!(waiting.await, Ok(Verdict::Right { rehash: true }));
        assert_eq!((passwords.hashed(), passwords.hashing()), (1, 1));
    }

    #[tokio::test]
    async fn two_hashes_of_a_password_are_not_the_same() {
        let passwords = Passwords::new(HashLimits::default());
        let (one, other) = (passwords.hash(secret("pw")).await, passwords.hash(secret("pw")).await);
        assert_ne!(one.unwrap(), other.unwrap());
    }
}
