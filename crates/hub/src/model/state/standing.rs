//! What a room holds for or against somebody, and keeps of who left: nobody is rid of it by leaving.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::model::{
    entry::Role,
    numbers::{AccountId, Millis},
};

/// The longest that a room has its members wait between two messages.
pub const SLOW_SECONDS_MAX: u32 = 6 * 3600;

/// What a room holds for or against somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it may do.
    pub role: Role,
    /// When it spoke last, as far as the room was [slow](super::Room::slow_seconds) then; 0, if never.
    pub spoke: Millis,
    /// Whether it may speak.
    pub voice: Voice,
}

/// Whether somebody may speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// It may.
    #[default]
    Free,
    /// Not until then; never without.
    Muted(Option<Millis>),
}

/// How much of what ends a room keeps that is over. A clock may have been wrong for a moment: what was over
/// by that counts again, and was forgotten only if there was more of it.
const OVER_MAX: usize = 256;

/// What a room keeps of those who are not in it, for as long as it counts, and longer where there is little.
///
/// Each of `ends` is in `kept`, and ends then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    kept: BTreeMap<AccountId, Standing>,
    ends: BTreeSet<(Millis, AccountId)>,
}

/// How long something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// For good.
    Always,
    /// Until then, and then no more.
    Until(Millis),
}

impl Standing {
    /// When it may speak again in a room that is so slow.
    pub fn speaks_again(&self, slow_seconds: u32) -> Millis {
        match self.spoke {
            Millis(0) => Millis(0),
            spoke => spoke.later(Duration::from_secs(slow_seconds.into())),
        }
    }

    /// How long it is to be kept of who is not there.
    pub fn lasts(&self) -> Lasts {
        let Self { role, voice, spoke: _ } = *self;
        let slow = self.speaks_again(SLOW_SECONDS_MAX);
        match voice {
            _ if role > Role::Member => Lasts::Always,
            Voice::Muted(None) => Lasts::Always,
            Voice::Muted(Some(until)) => Lasts::Until(until.max(slow)),
            Voice::Free => Lasts::Until(slow),
        }
    }
}

impl Absent {
    /// What is kept of `who`.
    pub fn get(&self, who: AccountId) -> Option<Standing> {
        self.kept.get(&who).copied()
    }

    /// How many something is kept of.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// When that of it is over which is over first. All that was over before is forgotten.
    pub fn first_end(&self) -> Option<Millis> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Keeps of `who` this and nothing else, if it ever counts; nothing without. Where there is much that
    /// ends, forgets what is over at `at`: first what was first, and with it what was at the same time.
    pub(super) fn keep(&mut self, (who, at): (AccountId, Millis), standing: Option<Standing>) {
        self.remove(who);
        let lasts = |standing: &Standing| standing.lasts() != Lasts::Until(Millis(0));
        if let Some(standing) = standing.filter(lasts) {
            self.restore(who, standing);
        }
        while self.ends.len() > OVER_MAX
            && let Some(first) = self.first_end().filter(|end| *end <= at)
        {
            while let Some((end, who)) = self.ends.first().copied().filter(|(end, _)| *end == first)
            {
                self.ends.remove(&(end, who));
                self.kept.remove(&who);
            }
        }
    }

    /// Keeps what was kept.
    pub(crate) fn restore(&mut self, who: AccountId, standing: Standing) {
        self.kept.insert(who, standing);
        if let Lasts::Until(end) = standing.lasts() {
            self.ends.insert((end, who));
        }
    }

    pub(super) fn remove(&mut self, who: AccountId) {
        if let Some(standing) = self.kept.remove(&who)
            && let Lasts::Until(end) = standing.lasts()
        {
            self.ends.remove(&(end, who));
        }
    }
}

impl Voice {
    /// Whether who has it may say nothing at `now`.
    pub fn is_muted(self, now: Millis) -> bool {
        match self {
            Self::Free => false,
            Self::Muted(until) => until.is_none_or(|until| now < until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seq;

    const ANA: AccountId = AccountId(Seq(1));
    const BOB: AccountId = AccountId(Seq(2));
    const SLOW_MS: u64 = SLOW_SECONDS_MAX as u64 * 1000;

    fn muted(until: Option<u64>) -> Standing {
        Standing { voice: Voice::Muted(until.map(Millis)), ..Standing::default() }
    }

    fn spoke(at: u64) -> Standing {
        Standing { spoke: Millis(at), ..Standing::default() }
    }

    fn of(role: Role) -> Standing {
        Standing { role, ..Standing::default() }
    }

    #[test]
    fn what_is_kept_counts_as_long_as_the_longest_of_it() {
        for (standing, expect) in [
            (Standing::default(), Lasts::Until(Millis(0))),
            (muted(Some(7)), Lasts::Until(Millis(7))),
            (muted(None), Lasts::Always),
            (spoke(7), Lasts::Until(Millis(7 + SLOW_MS))),
            (Standing { spoke: Millis(7), ..muted(Some(9)) }, Lasts::Until(Millis(7 + SLOW_MS))),
            (
                Standing { spoke: Millis(7), ..muted(Some(u64::MAX)) },
                Lasts::Until(Millis(u64::MAX)),
            ),
            (of(Role::Moderator), Lasts::Always),
            (of(Role::Owner), Lasts::Always),
        ] {
            assert_eq!(standing.lasts(), expect, "{standing:?}");
        }
    }

    /// Another for each number.
    fn other(number: u64) -> AccountId {
        AccountId(Seq(100 + number))
    }

    #[test]
    fn what_a_clock_that_was_wrong_ended_is_kept() {
        let mut absent = Absent::default();
        absent.keep((ANA, Millis(1)), Some(muted(Some(5))));
        let year = 366 * 24 * 3_600_000;
        absent.keep((BOB, Millis(year)), Some(muted(Some(year + 1))));
        absent.keep((BOB, Millis(2)), None);
        assert_eq!((absent.get(ANA), absent.len()), (Some(muted(Some(5))), 1));
    }

    #[test]
    fn of_much_that_is_over_goes_what_was_over_first() {
        let mut absent = Absent::default();
        absent.keep((BOB, Millis(1)), Some(of(Role::Owner)));
        let most = u64::try_from(OVER_MAX).unwrap();
        for number in 0..most {
            // Two are over at once.
            absent.keep((other(number), Millis(1)), Some(muted(Some(10 + number / 2))));
        }
        absent.keep((ANA, Millis(9)), Some(muted(Some(900))));
        assert_eq!(absent.len(), OVER_MAX + 2, "none of it is over");
        absent.keep((ANA, Millis(10)), Some(muted(Some(901))));
        assert_eq!([other(0), other(1)].map(|who| absent.get(who)), [None; 2]);
        assert_eq!((absent.len(), absent.first_end()), (OVER_MAX, Some(Millis(11))));
        assert_eq!(absent.get(BOB), Some(of(Role::Owner)));
    }

    #[test]
    fn what_never_counts_is_not_kept() {
        let mut absent = Absent::default();
        absent.keep((ANA, Millis(0)), Some(Standing::default()));
        assert!(absent.is_empty() && absent.ends.is_empty());
    }

    #[test]
    fn what_is_kept_anew_ends_anew() {
        let mut absent = Absent::default();
        absent.keep((ANA, Millis(1)), Some(muted(Some(5))));
        absent.keep((ANA, Millis(2)), Some(muted(Some(9))));
        absent.keep((BOB, Millis(8)), None);
        assert_eq!(absent.get(ANA), Some(muted(Some(9))));
        absent.remove(ANA);
        assert!(absent.is_empty() && absent.ends.is_empty());
    }

    #[test]
    fn a_mute_is_over_when_it_ends() {
        assert!(!Voice::Free.is_muted(Millis(0)));
        assert!(Voice::Muted(None).is_muted(Millis(u64::MAX)));
        assert!(Voice::Muted(Some(Millis(5))).is_muted(Millis(4)));
        assert!(!Voice::Muted(Some(Millis(5))).is_muted(Millis(5)));
    }
}
