//! How often a client may be wrong.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use relais_net::Client;
use tokio::time::Instant;

use super::{Debts, Limits};

/// In this time a debt is forgiven.
const WINDOW: Duration = Duration::from_mins(1);

/// Counts failures by who was wrong, and as whom: behind one address there may be many.
///
/// Nothing else is counted, so nothing is kept until somebody fails.
#[derive(Debug)]
pub(super) struct Throttle {
    owed: Mutex<Owed>,
    made: Instant,
    /// How many milliseconds after that nobody owes anything, to be read without the lock.
    free: AtomicU64,
    names: RandomState,
}

/// Who is wrong as whom. The name is hashed, since strangers say it.
pub(super) type Login = (Client, u64);

#[derive(Debug)]
struct Owed {
    /// What each got wrong as one user.
    logins: Debts<Login>,
    /// What each got wrong as whomever.
    clients: Debts<Client>,
    /// How often each was turned away as one user. Who is known is not, so that is an answer, too.
    turned_away: Debts<Login>,
}

/// What may be done with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chance {
    /// They may be hashed.
    Open,
    /// Not before so long, but whether they are known may be looked up.
    IfKnown(Duration),
    /// Nothing, before so long.
    None(Duration),
}

impl Throttle {
    /// Lets each client fail as often as `limits` say.
    pub(super) fn new(limits: &Limits) -> Self {
        let debts = |times_max| Debts::new(times_max, WINDOW, limits.clients_max);
        let owed = Owed {
            logins: debts(limits.failures_a_minute_max),
            clients: Debts::new(limits.failures_a_client_max, WINDOW, limits.clients_max),
            turned_away: debts(limits.turned_away_a_minute_max),
        };
        let (owed, made) = (Mutex::new(owed), Instant::now());
        Self { owed, made, free: AtomicU64::new(0), names: RandomState::new() }
    }

    /// `client` as `user`.
    pub(super) fn login(&self, client: Client, user: &str) -> Login {
        (client, self.names.hash_one(user))
    }

    /// Whether nobody owes anything at `now`.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.millis(now) >= self.free.load(Relaxed)
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.made).as_millis()).unwrap_or(u64::MAX)
    }

    /// Somebody owes something until `free`.
    fn note(&self, free: Instant) {
        self.free.fetch_max(self.millis(free).saturating_add(1), Relaxed);
    }

    /// What `login` may try at `now`.
    pub(super) fn chance(&self, login: Login, now: Instant) -> Chance {
        let owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = owed.turned_away.wait(&login, now) {
            return Chance::None(wait);
        }
        let wait = owed.logins.wait(&login, now).max(owed.clients.wait(&login.0, now));
        wait.map_or(Chance::Open, Chance::IfKnown)
    }

    /// Notes that `login` was wrong at `now`.
    pub(super) fn failed(&self, login: Login, now: Instant) {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(owed.logins.owe(login, now));
        // Everyone on this machine is nobody in particular: a server before this one, for example.
        if login.0 != Client::Local {
            self.note(owed.clients.owe(login.0, now));
        }
    }

    /// Notes that `login` was turned away at `now`, since it is not known.
    pub(super) fn turned_away(&self, login: Login, now: Instant) {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(owed.turned_away.owe(login, now));
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use relais_net::Peer;

    use super::*;

    const FORGIVEN: Limits = Limits {
        failures_a_minute_max: 2,
        failures_a_client_max: 4,
        turned_away_a_minute_max: 3,
        clients_max: 8,
        ..Limits::DEFAULT
    };

    struct Tried {
        throttle: Throttle,
        now: Instant,
    }

    impl Tried {
        fn new() -> Self {
            Self { throttle: Throttle::new(&FORGIVEN), now: Instant::now() }
        }

        fn login(&self, ip: &str, user: &str) -> Login {
            let peer = ip.parse::<IpAddr>().map_or(Peer::Local, |ip| Peer::Net((ip, 1).into()));
            self.throttle.login(peer.client(), user)
        }

        fn failed(&self, ip: &str, user: &str, times: u32) {
            for _ in 0..times {
                self.throttle.failed(self.login(ip, user), self.now);
            }
        }

        #[track_caller]
        fn check(&self, ip: &str, user: &str, expect: Chance) {
            let chance = self.throttle.chance(self.login(ip, user), self.now);
            assert_eq!(chance, expect, "{ip} as {user}");
        }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_fails_as_often_as_is_forgiven_has_to_wait() {
        let tried = Tried::new();
        assert!(tried.throttle.is_idle(tried.now));
        tried.failed("192.0.2.1", "ada", 1);
        for (after, expect) in [(0, false), (30, false), (31, true)] {
            assert_eq!(tried.throttle.is_idle(tried.now + seconds(after)), expect, "{after}");
        }
        tried.check("192.0.2.1", "ada", Chance::Open);
        tried.failed("192.0.2.1", "ada", 1);
        tried.check("192.0.2.1", "ada", Chance::IfKnown(seconds(30)));
    }

    #[test]
    fn neither_another_user_nor_another_client_pays() {
        let tried = Tried::new();
        tried.failed("192.0.2.1", "eve", 3);
        tried.check("192.0.2.1", "ada", Chance::Open);
        tried.check("192.0.2.2", "eve", Chance::Open);
        tried.check("local", "eve", Chance::Open);
        tried.failed("2001:db8::1", "eve", 2);
        tried.check("2001:db8::ffff", "eve", Chance::IfKnown(seconds(30)));
        tried.check("2001:db8:0:1::1", "eve", Chance::Open);
    }

    #[test]
    fn a_client_that_is_wrong_as_many_has_to_wait_but_for_who_cannot_be_told_apart() {
        let tried = Tried::new();
        for ip in ["192.0.2.1", "local"] {
            for user in ["eve", "bob", "cyd", "dan"] {
                tried.failed(ip, user, 1);
            }
        }
        tried.check("192.0.2.1", "ada", Chance::IfKnown(seconds(15)));
        tried.check("local", "ada", Chance::Open);
    }

    #[test]
    fn who_is_turned_away_too_often_is_not_even_looked_up() {
        let tried = Tried::new();
        tried.failed("192.0.2.1", "ada", 2);
        let login = tried.login("192.0.2.1", "ada");
        for _ in 0..2 {
            tried.throttle.turned_away(login, tried.now);
        }
        tried.check("192.0.2.1", "ada", Chance::IfKnown(seconds(30)));
        tried.throttle.turned_away(login, tried.now);
        tried.check("192.0.2.1", "ada", Chance::None(seconds(20)));
        tried.check("192.0.2.1", "bob", Chance::Open);
    }
}
