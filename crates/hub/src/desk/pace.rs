//! How fast accounts say things, and ask: so much at once, and so much a second after that.

use std::collections::HashMap;

use crate::{
    model::{AccountId, Millis},
    protocol::{Ask, Resume},
};

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

    /// Whether `who` may say something more at `now`, which counts for so many; else in how many
    /// milliseconds.
    pub(super) fn may(&mut self, who: AccountId, (now, cost): (Millis, u64)) -> Result<(), u64> {
        if self.a_second == 0 || cost == 0 {
            return Ok(());
        }
        let each = 1000 / self.a_second;
        let paid = self.paid.entry(who).or_default();
        let most = now.0 + each * self.burst;
        // Nobody owes more than that, but by a clock that was ahead: then it owes nothing.
        if paid.0 > most {
            *paid = now;
        }
        let due = paid.0.max(now.0) + each * cost.min(self.burst);
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

/// For how many lookups counts what all rooms are gone through for, or all who share one.
pub(super) const TO_ALL: u64 = 20;

/// For how many lookups `ask` counts: what the desk has to do for it, of a busy hub's rooms and members.
/// Nothing, if it is written down: [messages](crate::Limits::burst) have a pace of their own. But who has
/// read has said nothing, and may have typed what is said next. Who asks is in so many `rooms`.
pub(super) fn cost(ask: &Ask, rooms: usize) -> u64 {
    match ask {
        Ask::History { .. }
        | Ask::Whois { .. }
        | Ask::Typing { .. }
        | Ask::Read { .. }
        | Ask::Announce { .. }
        | Ask::Wishes { .. } => 1,
        Ask::Who { .. } => 2,
        Ask::Search { .. } | Ask::Sessions => 4,
        Ask::Resume(Resume::Since(_)) => to_resume(rooms),
        Ask::Resume(Resume::Rooms(named)) => to_resume(named.len()),
        // These go through all rooms, all who are to know, a good part of the log.
        Ask::Rooms { .. } | Ask::Away { .. } | Ask::Export { .. } => TO_ALL,
        _ => 0,
    }
}

/// For how many lookups counts what was missed in so many rooms: each is looked into.
fn to_resume(rooms: usize) -> u64 {
    u64::try_from(rooms / 16).unwrap_or(u64::MAX).saturating_add(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Seq, protocol::Place};

    const ANA: AccountId = AccountId(Seq(1));
    const BOB: AccountId = AccountId(Seq(2));

    #[test]
    fn so_much_at_once_and_then_so_much_a_second() {
        let mut pace = Pace::new(3, 2);
        let mut may = |who, ms| pace.may(who, (Millis(ms), 1));
        assert_eq!([0, 0, 0].map(|ms| may(ANA, 10_000 + ms)), [Ok(()); 3]);
        assert_eq!(may(ANA, 10_000), Err(500));
        assert_eq!(may(BOB, 10_000), Ok(()));
        assert_eq!(may(ANA, 10_499), Err(1));
        assert_eq!([may(ANA, 10_500), may(ANA, 10_500)], [Ok(()), Err(500)]);
        assert_eq!([20_000; 4].map(|ms| may(ANA, ms)), [Ok(()), Ok(()), Ok(()), Err(500)]);
    }

    #[test]
    fn what_takes_more_counts_for_more() {
        let mut pace = Pace::new(40, 10);
        let mut may = |cost| pace.may(ANA, (Millis(10_000), cost));
        assert_eq!(
            [may(20), may(19), may(20), may(1), may(1)],
            [Ok(()), Ok(()), Err(1900), Ok(()), Err(100)]
        );
        assert_eq!([0; 9].map(may), [Ok(()); 9]);
        // Once in a while everything may be asked for.
        assert_eq!(pace.may(BOB, (Millis(10_000), 99)), Ok(()));
        assert_eq!((cost(&Ask::Rooms { matching: None }, 0), cost(&Ask::Help, 0)), (20, 0));
    }

    #[test]
    fn what_was_missed_counts_for_more_in_many_rooms() {
        let all = |rooms| cost(&Ask::Resume(Resume::Since(Seq(1))), rooms);
        assert_eq!([0, 1, 15, 16, 500].map(all), [4, 4, 4, 5, 35]);
        let place = || Place::Room("#lab".to_owned());
        let named = |rooms| {
            let rooms = (0..rooms).map(|_| (place(), Seq(1))).collect();
            cost(&Ask::Resume(Resume::Rooms(rooms)), 9999)
        };
        assert_eq!([1, 16, 500].map(named), [4, 5, 35]);
    }

    #[test]
    fn nobody_waits_for_a_clock_that_was_ahead() {
        let mut pace = Pace::new(3, 2);
        pace.may(ANA, (Millis(u64::MAX / 2), 3)).unwrap();
        let mut may = |ms| pace.may(ANA, (Millis(ms), 1));
        assert_eq!([10_000; 4].map(&mut may), [Ok(()), Ok(()), Ok(()), Err(500)]);
        assert_eq!(may(10_500), Ok(()));
    }

    #[test]
    fn who_was_silent_is_forgotten() {
        let mut pace = Pace::new(3, 2);
        pace.may(ANA, (Millis(1000), 1)).unwrap();
        pace.forget(Millis(1499));
        assert_eq!(pace.paid.len(), 1);
        pace.forget(Millis(1500));
        assert_eq!(pace.paid.len(), 0);
    }

    #[test]
    fn without_a_pace_everybody_is_as_fast_as_may_be() {
        let mut pace = Pace::new(1, 0);
        assert!((0..1000).all(|_| pace.may(ANA, (Millis(7), 1)).is_ok()));
        assert_eq!(pace.paid.len(), 0);
    }
}
