//! How often somebody may try to log in.

use std::{collections::hash_map::RandomState, hash::BuildHasher, time::Duration};

use relais_http::auth::Debts;
use relais_net::{Client, Peer};
use tokio::time::Instant;

use crate::name::Skeleton;

/// Counts logins by who tries, and by who tries as whom.
///
/// As whom counts right or wrong, and whether or not there is such an account, so that its answer
/// says nothing of that. Who tries is not held to what turned out right: many people may be behind
/// one address. What went wrong stays, whatever else goes right.
#[derive(Debug)]
pub struct Throttle {
    /// What each did as one account. The name is hashed, since strangers say it, of any length.
    logins: Debts<(Client, u64)>,
    /// What each did as whomever.
    clients: Debts<Client>,
    names: RandomState,
}

/// How often that may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// Logins as one account from one address in a minute.
    pub account_a_minute_max: u32,
    /// Logins that are not right from one address in an hour.
    pub address_an_hour_max: u32,
    /// How many addresses are remembered, and how many accounts that were tried from one. Where
    /// there are more, those that did least are forgotten.
    pub remembered_max: usize,
}

/// A login that is being tried.
#[must_use = "what is right is to be said so"]
#[derive(Debug)]
pub struct Attempt {
    client: Client,
    login: (Client, u64),
    at: Instant,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self { account_a_minute_max: 5, address_an_hour_max: 30, remembered_max: 16_384 }
    }
}

impl Throttle {
    /// Allows as much as `limits` say; one login at least.
    pub fn new(limits: LoginLimits) -> Self {
        let LoginLimits { account_a_minute_max, address_an_hour_max, remembered_max } = limits;
        Self {
            logins: Debts::new(account_a_minute_max, Duration::from_mins(1), remembered_max),
            clients: Debts::new(address_an_hour_max, Duration::from_hours(1), remembered_max),
            names: RandomState::new(),
        }
    }

    /// Lets `peer` try at `now` to log in as `name`, however that is spelled, and counts it.
    ///
    /// # Errors
    ///
    /// How long it has to wait before; that it asked is not counted.
    ///
    /// *Cost*: where as many are remembered as may be, now and then a look at all of them.
    pub fn admit(&mut self, peer: Peer, name: &str, now: Instant) -> Result<Attempt, Duration> {
        let client = peer.client();
        let login = (client, self.names.hash_one(Skeleton::of(name)));
        let wait = self.logins.wait(&login, now).max(self.clients.wait(&client, now));
        if let Some(wait) = wait {
            return Err(wait);
        }
        self.logins.owe(login, now);
        self.clients.owe(client, now);
        Ok(Attempt { client, login, at: now })
    }

    /// Whether `peer` may show at `now` a certificate with this fingerprint: not, if just that was
    /// [wrong](Self::wrong) as often as an account may be tried. Whatever else its address did.
    ///
    /// # Errors
    ///
    /// How long it has to wait before.
    pub fn may_show(
        &self,
        peer: Peer,
        fingerprint: &[u8; 32],
        now: Instant,
    ) -> Result<(), Duration> {
        let shown = (peer.client(), self.names.hash_one(fingerprint));
        self.logins.wait(&shown, now).map_or(Ok(()), Err)
    }

    /// Notes at `now` that no account knows the certificate with this fingerprint, which `peer` showed.
    ///
    /// *Cost*: where as many are remembered as may be, now and then a look at all of them.
    pub fn wrong(&mut self, peer: Peer, fingerprint: &[u8; 32], now: Instant) {
        let client = peer.client();
        self.logins.owe((client, self.names.hash_one(fingerprint)), now);
        self.clients.owe(client, now);
    }

    /// Notes at `now` that `attempt` was right: its address is not held to it.
    #[expect(clippy::needless_pass_by_value, reason = "an attempt is right once")]
    pub fn right(&mut self, attempt: Attempt, now: Instant) {
        let Attempt { client, at, login: _ } = attempt;
        self.clients.take_back(&client, at, now);
    }

    /// Notes at `now` that nobody judged `attempt`: it was none.
    pub fn forget(&mut self, attempt: Attempt, now: Instant) {
        let (login, at) = (attempt.login, attempt.at);
        self.right(attempt, now);
        self.logins.take_back(&login, at, now);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const HERE: &str = "192.0.2.1";

    fn peer(ip: &str) -> Peer {
        Peer::Net((ip.parse::<IpAddr>().unwrap(), 1).into())
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Tries so often, and says how long the next has to wait.
    fn wait_after(
        throttle: &mut Throttle,
        times: u32,
        (ip, name): (&str, &str),
    ) -> Option<Duration> {
        let now = Instant::now();
        (0..times).for_each(|_| drop(throttle.admit(peer(ip), name, now).unwrap()));
        throttle.admit(peer(ip), name, now).err()
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_tried_five_times_at_once_and_then_every_twelve_seconds() {
        let mut throttle = Throttle::new(LoginLimits::default());
        assert_eq!(wait_after(&mut throttle, 5, (HERE, "ana")), Some(seconds(12)));
        assert_eq!(wait_after(&mut throttle, 0, (HERE, "ANA")), Some(seconds(12)), "spelled so");
        tokio::time::advance(seconds(11)).await;
        assert_eq!(wait_after(&mut throttle, 0, (HERE, "ana")), Some(seconds(1)), "asked too soon");
        tokio::time::advance(seconds(1)).await;
        assert_eq!(wait_after(&mut throttle, 1, (HERE, "ana")), Some(seconds(12)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_tries_an_account_keeps_nobody_from_it_elsewhere() {
        let mut throttle = Throttle::new(LoginLimits::default());
        assert!(wait_after(&mut throttle, 5, (HERE, "ana")).is_some());
        assert_eq!(wait_after(&mut throttle, 4, ("192.0.2.2", "ana")), None);
        assert_eq!(wait_after(&mut throttle, 4, (HERE, "bob")), None);
        assert!(throttle.admit(Peer::Local, "ana", Instant::now()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_household_is_one_address() {
        let mut throttle = Throttle::new(LoginLimits::default());
        assert!(wait_after(&mut throttle, 5, ("2001:db8::1", "ana")).is_some());
        assert!(wait_after(&mut throttle, 0, ("2001:db8::2", "ana")).is_some());
        assert_eq!(wait_after(&mut throttle, 0, ("2001:db8:0:1::1", "ana")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_tries_thirty_accounts_at_once_and_then_one_every_two_minutes() {
        let mut throttle = Throttle::new(LoginLimits::default());
        let now = Instant::now();
        for number in 0..30 {
            assert!(throttle.admit(peer(HERE), &format!("user{number}"), now).is_ok(), "{number}");
        }
        assert_eq!(throttle.admit(peer(HERE), "ana", now).unwrap_err(), seconds(120));
        assert!(throttle.admit(peer("192.0.2.2"), "ana", now).is_ok());
        let later = now + seconds(120);
        assert!(throttle.admit(peer(HERE), "ana", later).is_ok());
        assert_eq!(
            throttle.admit(peer(HERE), "ana", later).unwrap_err(),
            seconds(120),
            "the longer"
        );
    }

    #[test]
    fn what_is_right_counts_for_the_account_but_not_for_the_address() {
        let (mut throttle, now) = (Throttle::new(LoginLimits::default()), Instant::now());
        for number in 0..100 {
            let attempt = throttle.admit(peer(HERE), &format!("user{number}"), now).unwrap();
            throttle.right(attempt, now);
        }
        for _ in 0..5 {
            let attempt = throttle.admit(peer(HERE), "ana", now).unwrap();
            throttle.right(attempt, now);
        }
        assert_eq!(throttle.admit(peer(HERE), "ana", now).unwrap_err(), seconds(12));
    }

    #[test]
    fn a_certificate_that_nobody_knows_is_tried_five_times_and_holds_up_no_other() {
        let (mut throttle, now) = (Throttle::new(LoginLimits::default()), Instant::now());
        let [wrong, right] = [[1; 32], [2; 32]];
        for _ in 0..5 {
            assert_eq!(throttle.may_show(peer(HERE), &wrong, now), Ok(()));
            throttle.wrong(peer(HERE), &wrong, now);
        }
        assert_eq!(throttle.may_show(peer(HERE), &wrong, now), Err(seconds(12)));
        assert_eq!(throttle.may_show(peer("192.0.2.2"), &wrong, now), Ok(()));
        for number in 0..25 {
            assert!(throttle.admit(peer(HERE), &format!("user{number}"), now).is_ok(), "{number}");
        }
        assert!(throttle.admit(peer(HERE), "ana", now).is_err(), "thirty in all");
        assert_eq!([(); 20].map(|()| throttle.may_show(peer(HERE), &right, now)), [Ok(()); 20]);
    }

    #[test]
    fn what_nobody_judged_counts_for_nobody() {
        let (mut throttle, now) = (Throttle::new(LoginLimits::default()), Instant::now());
        for _ in 0..100 {
            let attempt = throttle.admit(peer(HERE), "ana", now).unwrap();
            throttle.forget(attempt, now);
        }
        assert_eq!(wait_after(&mut throttle, 5, (HERE, "ana")), Some(seconds(12)));
    }

    #[test]
    fn what_is_right_clears_nothing_that_went_wrong() {
        let (mut throttle, now) = (Throttle::new(LoginLimits::default()), Instant::now());
        for number in 0..29 {
            let _wrong = throttle.admit(peer(HERE), &format!("user{number}"), now).unwrap();
            // Between two guesses, an account that is the guesser's own.
            let attempt = throttle.admit(peer(HERE), &format!("own{number}"), now).unwrap();
            throttle.right(attempt, now);
        }
        assert!(throttle.admit(peer(HERE), "ana", now).is_ok(), "the last of thirty");
        assert!(throttle.admit(peer(HERE), "own", now).is_err());
    }

    #[test]
    fn a_flood_of_addresses_and_names_is_forgotten_and_who_did_most_is_not() {
        let limits = LoginLimits { remembered_max: 100, ..LoginLimits::default() };
        let (mut throttle, now) = (Throttle::new(limits), Instant::now());
        for _ in 0..5 {
            assert!(throttle.admit(peer(HERE), "ana", now).is_ok());
        }
        for number in 0..10_000_u32 {
            let stranger = Peer::Net((number.to_be_bytes(), 1).into());
            let name = "x".repeat(usize::try_from(number % 1000).unwrap());
            assert!(throttle.admit(stranger, &name, now).is_ok());
            assert!(throttle.logins.len() <= 100 && throttle.clients.len() <= 100);
        }
        assert!(throttle.admit(peer(HERE), "ana", now).is_err());
    }
}
