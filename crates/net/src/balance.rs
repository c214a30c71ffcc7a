//! Which of several upstreams is asked.

use std::{
    cell::{Cell, RefCell},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::Client;

/// How an upstream is chosen, among those that are well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// Of two drawn at random the one with fewer requests under way: nearly as even as the least of
    /// all, and not everybody's choice at the same moment.
    #[default]
    Least,
    /// Each in turn.
    Round,
    /// The same for the same client, for as long as it is well.
    Source,
}

/// What is known of an upstream when one is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the group.
    pub place: usize,
    /// What it was given and has not done.
    pub in_flight: u32,
    /// Whether it is to be had.
    pub is_well: bool,
}

/// Chooses among upstreams, one call after the other.
#[derive(Debug, Default)]
pub struct Choice {
    balance: Balance,
    draws: Draws,
}

thread_local! {
    /// Room for what is chosen from: what changes meanwhile is read once.
    static CANDIDATES: RefCell<Vec<Candidate>> = const { RefCell::new(Vec::new()) };
}

impl Choice {
    /// Chooses as `balance` says.
    pub fn new(balance: Balance) -> Self {
        Self { balance, draws: Draws::default() }
    }

    /// The place of the one that is to have a call of `client`: one of those that are well, if some
    /// are. `None` if there are no candidates.
    pub fn among(
        &self,
        candidates: impl Iterator<Item = Candidate>,
        client: Client,
    ) -> Option<usize> {
        let source = if self.balance == Balance::Source { number_of(client) } else { 0 };
        let draw = self.draws.next(self.balance);
        CANDIDATES.with_borrow_mut(|room| {
            room.clear();
            room.extend(candidates);
            choose(self.balance, room, draw, source)
        })
    }
}

/// A number that a client has on each of its connections.
fn number_of(client: Client) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.hash(&mut hasher);
    hasher.finish()
}

/// Chooses among `candidates`; among those that are not well, if none is.
///
/// `draw` is a number that differs from request to request, `source` one that is the client's own.
/// `None` if there are no candidates.
fn choose(balance: Balance, candidates: &[Candidate], draw: u64, source: u64) -> Option<usize> {
    let any_well = candidates.iter().any(|candidate| candidate.is_well);
    let fit = |candidate: &&Candidate| candidate.is_well || !any_well;
    let count = candidates.iter().filter(fit).count();
    let nth = |number: u64| {
        let number = usize::try_from(number % u64::try_from(count).ok()?).ok()?;
        candidates.iter().filter(fit).nth(number)
    };
    if count == 0 {
        return None;
    }
    let chosen = match balance {
        Balance::Round => nth(draw),
        // The place of the highest score: who is not well changes nobody's place but its own clients'.
        Balance::Source => {
            let score = |candidate: &&Candidate| mix(source ^ mix(candidate.place as u64));
            candidates.iter().filter(fit).max_by_key(score)
        }
        Balance::Least => {
            let (first, second) = (mix(draw), mix(draw ^ u64::MAX));
            let one = nth(first)?;
            let count = u64::try_from(count).ok()?;
            // Another one, if there is one.
            let other = nth(first % count + 1 + second % count.saturating_sub(1).max(1))?;
            Some(if other.in_flight < one.in_flight { other } else { one })
        }
    };
    chosen.map(|candidate| candidate.place)
}

/// Draws numbers for `choose`.
#[derive(Debug, Default)]
struct Draws(AtomicU64);

thread_local! {
    /// What this core drew last, which begins elsewhere than the others'.
    static DRAWN: Cell<u64> = {
        static CORES: AtomicU64 = AtomicU64::new(0);
        Cell::new(mix(CORES.fetch_add(1, Relaxed)))
    };
}

impl Draws {
    /// The next one: of all there are where that matters, of this core where any other will do.
    fn next(&self, balance: Balance) -> u64 {
        match balance {
            Balance::Round => self.0.fetch_add(1, Relaxed),
            Balance::Least => {
                let next = DRAWN.get().wrapping_add(1);
                DRAWN.set(next);
                next
            }
            Balance::Source => 0,
        }
    }
}

/// Spreads a number over all of 64 bits (the finalizer of `SplitMix64`).
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(states: &[(u32, bool)]) -> Vec<Candidate> {
        let candidate = |(place, &(in_flight, is_well))| Candidate { place, in_flight, is_well };
        states.iter().enumerate().map(candidate).collect()
    }

    /// How often each is chosen in 1000 requests, of as many clients.
    fn shares(balance: Balance, states: &[(u32, bool)]) -> Vec<u32> {
        let candidates = candidates(states);
        let mut shares = vec![0; states.len()];
        for draw in 0..1000 {
            shares[choose(balance, &candidates, draw, mix(draw)).unwrap()] += 1;
        }
        shares
    }

    #[test]
    fn one_choice_after_the_other_takes_turns_or_stays_with_its_client() {
        let client = |n| Client::V4([192, 0, 2, n].into());
        let places = |balance, client| {
            let choice = Choice::new(balance);
            [0; 4].map(|_| choice.among(candidates(&[(0, true); 3]).into_iter(), client).unwrap())
        };
        assert_eq!(places(Balance::Round, client(1)), [0, 1, 2, 0]);
        let all: Vec<_> = (0..20).map(|n| places(Balance::Source, client(n))).collect();
        assert!(all.iter().all(|places| *places == [places[0]; 4]));
        assert!((0..3).all(|place| all.contains(&[place; 4])));
        assert_eq!(Choice::default().among(std::iter::empty(), client(1)), None);
    }

    #[test]
    fn all_who_are_alike_have_about_as_much() {
        for balance in [Balance::Least, Balance::Round, Balance::Source] {
            for share in shares(balance, &[(0, true); 4]) {
                assert!((200..300).contains(&share), "{balance:?}: {share}");
            }
        }
    }

    #[test]
    fn turns_are_everybodys_and_what_is_drawn_otherwise_is_a_cores_own() {
        let draws = Draws::default();
        let elsewhere = |balance| {
            std::thread::scope(|scope| scope.spawn(|| draws.next(balance)).join().unwrap())
        };
        let (turn, last) = (draws.next(Balance::Round), draws.next(Balance::Least));
        assert_eq!(elsewhere(Balance::Round), turn + 1);
        assert_ne!(elsewhere(Balance::Least), last.wrapping_add(1));
        assert_eq!(draws.next(Balance::Least), last.wrapping_add(1));
        assert_eq!(draws.next(Balance::Round), turn + 2);
    }

    #[test]
    fn who_is_busier_than_all_others_has_nothing() {
        assert_eq!(shares(Balance::Least, &[(0, true), (9, true), (0, true)])[1], 0);
        assert_eq!(shares(Balance::Least, &[(0, true), (9, true)]), [1000, 0]);
    }

    #[test]
    fn who_is_not_well_is_asked_only_if_nobody_is() {
        for balance in [Balance::Least, Balance::Round, Balance::Source] {
            assert_eq!(shares(balance, &[(0, false), (5, true)]), [0, 1000], "{balance:?}");
            let shares = shares(balance, &[(0, false), (0, false)]);
            assert!(shares.iter().all(|&share| share > 400), "{balance:?}: {shares:?}");
        }
        assert_eq!(choose(Balance::Least, &[], 0, 0), None);
    }

    #[test]
    fn a_client_stays_with_its_upstream_when_another_falls_ill() {
        let (all, fewer) = (
            candidates(&[(0, true); 4]),
            candidates(&[(0, true), (0, true), (0, false), (0, true)]),
        );
        for client in (0..1000).map(mix) {
            let before = choose(Balance::Source, &all, 0, client).unwrap();
            let after = choose(Balance::Source, &fewer, 0, client).unwrap();
            assert!(before == after || before == 2, "{client}");
        }
    }
}
