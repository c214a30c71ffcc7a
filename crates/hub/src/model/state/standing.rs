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

/// What a room keeps of those who are not in it, for as long as it counts.
///
/// Each of `ends` is in `kept`, and ends then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    kept: BTreeMap<AccountId, Standing>,
    ends: BTreeSet<(Millis, AccountId)>,
}

/// How long something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
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
    pub fn counts(&self) -> Counts {
        let Self { role, voice, spoke: _ } = *self;
        let slow = self.speaks_again(SLOW_SECONDS_MAX);
        match voice {
            _ if role > Role::Member => Counts::Always,
            Voice::Muted(None) => Counts::Always,
            Voice::Muted(Some(until)) => Counts::Until(until.max(slow)),
            Voice::Free => Counts::Until(slow),
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

    /// Keeps of `who` this and nothing else, if it counts at `at`; nothing without. Forgets of all what
    /// counts no more then.
    pub(super) fn keep(&mut self, (who, at): (AccountId, Millis), standing: Option<Standing>) {
        self.remove(who);
        if let Some(standing) = standing {
            self.restore(who, standing);
        }
        while let Some((end, who)) = self.ends.first().copied().filter(|(end, _)| *end <= at) {
            self.ends.remove(&(end, who));
            self.kept.remove(&who);
        }
    }

    /// Keeps what was kept.
    pub(crate) fn restore(&mut self, who: AccountId, standing: Standing) {
        self.kept.insert(who, standing);
        if let Counts::Until(end) = standing.counts() {
            self.ends.insert((end, who));
        }
    }

    pub(super) fn remove(&mut self, who: AccountId) {
        if let Some(standing) = self.kept.remove(&who)
            && let Counts::Until(end) = standing.counts()
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
            (Standing::default(), Counts::Until(Millis(0))),
            (muted(Some(7)), Counts::Until(Millis(7))),
            (muted(None), Counts::Always),
            (spoke(7), Counts::Until(Millis(7 + SLOW_MS))),
            (Standing { spoke: Millis(7), ..muted(Some(9)) }, Counts::Until(Millis(7 + SLOW_MS))),
            (
                Standing { spoke: Millis(7), ..muted(Some(u64::MAX)) },
                Counts::Until(Millis(u64::MAX)),
            ),
            (of(Role::Moderator), Counts::Always),
            (of(Role::Owner), Counts::Always),
        ] {
            assert_eq!(standing.counts(), expect, "{standing:?}");
        }
    }

    #[test]
    fn what_counts_no_more_is_forgotten_with_the_next_that_is_kept() {
        let mut absent = Absent::default();
        absent.keep((ANA, Millis(1)), Some(muted(Some(5))));
        absent.keep((BOB, Millis(4)), Some(muted(None)));
        assert_eq!((absent.get(ANA), absent.len()), (Some(muted(Some(5))), 2));
        absent.keep((BOB, Millis(5)), Some(of(Role::Owner)));
        assert_eq!((absent.get(ANA), absent.get(BOB)), (None, Some(of(Role::Owner))));
        absent.keep((ANA, Millis(6)), Some(muted(Some(6))));
        absent.keep((BOB, Millis(6)), None);
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
