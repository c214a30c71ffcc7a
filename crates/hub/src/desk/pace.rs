//! How fast accounts say things: so much at once, and so much a second after that.

use std::collections::HashMap;

use crate::model::{AccountId, Millis};

/// How fast accounts are.
#[derive(Debug)]
pub(super) struct Pace {
    burst: u64,
    a_second: u64,
    /// When what an account said would have come at its pace. Of those who are slower nothing is known.
    paid: HashMap<AccountId, Millis>,
}

impl Pace {
    /// So much at once, then so much a second. Without the latter, as fast as may be.
    pub(super) fn new(burst: u32, a_second: u32) -> Self {
        Self { burst: burst.max(1).into(), a_second: a_second.into(), paid: HashMap::new() }
    }

    /// Whether `who` may say something more at `now`; else in how many milliseconds.
    pub(super) fn may(&mut self, who: AccountId, now: Millis) -> Result<(), u64> {
        if self.a_second == 0 {
            return Ok(());
        }
        let each = 1000 / self.a_second;
        let paid = self.paid.entry(who).or_default();
        let due = paid.0.max(now.0) + each;
        let most = now.0 + each * self.burst;
        if due > most {
            return Err(due - most);
        }
        *paid = Millis(due);
        Ok(())
    }

    /// Forgets who could say as much as anybody again.
    pub(super) fn forget(&mut self, now: Millis) {
        self.paid.retain(|_, paid| *paid > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seq;

    const ANA: AccountId = AccountId(Seq(1));
    const BOB: AccountId = AccountId(Seq(2));

    #[test]
    fn so_much_at_once_and_then_so_much_a_second() {
        let mut pace = Pace::new(3, 2);
        let mut may = |who, ms| pace.may(who, Millis(ms));
        assert_eq!([0, 0, 0].map(|ms| may(ANA, 10_000 + ms)), [Ok(()); 3]);
        assert_eq!(may(ANA, 10_000), Err(500));
        assert_eq!(may(BOB, 10_000), Ok(()));
        assert_eq!(may(ANA, 10_499), Err(1));
        assert_eq!([may(ANA, 10_500), may(ANA, 10_500)], [Ok(()), Err(500)]);
        assert_eq!([20_000; 4].map(|ms| may(ANA, ms)), [Ok(()), Ok(()), Ok(()), Err(500)]);
    }

    #[test]
    fn who_was_silent_is_forgotten() {
        let mut pace = Pace::new(3, 2);
        pace.may(ANA, Millis(1000)).unwrap();
        pace.forget(Millis(1499));
        assert_eq!(pace.paid.len(), 1);
        pace.forget(Millis(1500));
        assert_eq!(pace.paid.len(), 0);
    }

    #[test]
    fn without_a_pace_everybody_is_as_fast_as_may_be() {
        let mut pace = Pace::new(1, 0);
        assert!((0..1000).all(|_| pace.may(ANA, Millis(7)).is_ok()));
        assert_eq!(pace.paid.len(), 0);
    }
}
