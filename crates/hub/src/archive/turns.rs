//! Whose turn it is: what accounts want read, one account after the other.

use std::collections::{HashMap, VecDeque};

use super::{Job, Wanted};
use crate::{hall::ClientId, model::AccountId};

/// What waits to be read. Of one account one thing is read at a time: it takes no more than one of
/// those who read, and is told all in the order in which it asked.
#[derive(Debug, Default)]
pub(super) struct Turns {
    accounts: HashMap<AccountId, Account>,
    /// Whose next is quickly read. Who is here is in `accounts`, wants something, is being read
    /// nothing, and is nowhere else here.
    quick: VecDeque<AccountId>,
    /// Whose next is a search. The same holds.
    long: VecDeque<AccountId>,
    /// Of all accounts together.
    jobs: usize,
}

#[derive(Debug, Default)]
struct Account {
    jobs: VecDeque<Job>,
    /// What is being read, and for which of its clients.
    reading: Option<(ClientId, Wanted)>,
}

/// What one who reads may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Searches first, then the rest.
    All,
    /// All but searches: who wants a page never waits for all who read to have searched.
    Quick,
}

/// Why something is not to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The account wants as much already as one may.
    Account,
    /// All together do.
    All,
}

/// How much of one account may wait: what its devices, who come back at once, ask for then.
const WAITING_AN_ACCOUNT_MAX: usize = 48;

/// How much may wait of all.
const WAITING_MAX: usize = 4096;

impl Turns {
    /// Has `job` wait for its turn. What is owed to who came in always may.
    pub(super) fn add(&mut self, job: Job) -> Result<(), Box<(Job, Full)>> {
        let waiting = self.accounts.get(&job.by).map_or(0, |account| account.jobs.len());
        if !job.query.is_owed() {
            if waiting >= WAITING_AN_ACCOUNT_MAX {
                return Err(Box::new((job, Full::Account)));
            }
            if self.jobs >= WAITING_MAX {
                return Err(Box::new((job, Full::All)));
            }
        }
        let who = job.by;
        let account = self.accounts.entry(who).or_default();
        account.jobs.push_back(job);
        self.jobs += 1;
        if waiting == 0 {
            self.line_up(who);
        }
        Ok(())
    }

    /// What is to be read next by one who `takes` that. It [ends](Self::done) its turn.
    pub(super) fn next(&mut self, takes: Takes) -> Option<Job> {
        let who = match takes {
            Takes::All => self.long.pop_front().or_else(|| self.quick.pop_front()),
            Takes::Quick => self.quick.pop_front(),
        };
        let account = self.accounts.get_mut(&who?)?;
        let job = account.jobs.pop_front()?;
        account.reading = Some((job.client, job.wanted.clone()));
        self.jobs -= 1;
        Some(job)
    }

    /// What was read of `who` is told: its next turn comes when all others had theirs.
    pub(super) fn done(&mut self, who: AccountId) {
        let Some(account) = self.accounts.get_mut(&who) else { return };
        account.reading = None;
        self.line_up(who);
    }

    /// Drops what `client` wanted, which is `who` no more. Gives that, but for what is being read, which is
    /// given up.
    ///
    /// *Cost*: that of all accounts that wait, if it wanted something.
    pub(super) fn forget(&mut self, client: ClientId, who: AccountId) -> Vec<Job> {
        let Some(account) = self.accounts.get_mut(&who) else { return Vec::new() };
        if let Some((_, wanted)) = account.reading.as_ref().filter(|(of, _)| *of == client) {
            wanted.give_up();
        }
        let jobs = std::mem::take(&mut account.jobs).into_iter();
        let (dropped, kept): (VecDeque<_>, VecDeque<_>) =
            jobs.partition(|job| job.client == client);
        account.jobs = kept;
        if !dropped.is_empty() {
            self.jobs -= dropped.len();
            // What it wants first may be of another kind now.
            self.quick.retain(|other| *other != who);
            self.long.retain(|other| *other != who);
            self.line_up(who);
        }
        dropped.into()
    }

    /// Has an account wait for its turn, if it wants something and has none; forgets who wants nothing.
    fn line_up(&mut self, who: AccountId) {
        let Some(account) = self.accounts.get(&who) else { return };
        if account.reading.is_some() {
            return;
        }
        match account.jobs.front() {
            Some(job) if job.query.is_long() => self.long.push_back(who),
            Some(_) => self.quick.push_back(who),
            None => _ = self.accounts.remove(&who),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        archive::Query,
        hall::Key,
        model::{RoomId, Seq, Wishes},
        protocol::{Answer, Page, Place},
    };

    fn page() -> Query {
        let room = (RoomId(Seq(3)), Place::Room("#lab".into()));
        Query::Page { room, page: Page::Latest, limit: 1, messages: None, upto: Seq(1) }
    }

    fn search() -> Query {
        let (rooms, words) = (Vec::new(), "hi".into());
        Query::Found { rooms, words, from: None, limit: 1, upto: Seq(1) }
    }

    fn logged_in() -> Query {
        let [user, session] = ["ana", "s_1"].map(str::to_owned);
        let (token, cursor, rooms) = (None, Seq(1), Vec::new());
        let wishes = Wishes::default();
        let answer = Answer::LoggedIn { user, session, token, cursor, rooms, wishes };
        Query::Counted { answer, rooms: Vec::new(), upto: Seq(1) }
    }

    /// Something that account `by` asks for by its client `key`, under the number `re`.
    fn job((by, key, re): (u64, u64, u64), query: Query) -> Job {
        let (client, wanted) = (ClientId { hall: 0, key: Key(key) }, Wanted::default());
        let (hall, _) = mpsc::unbounded_channel();
        Job { client, re: Some(re), by: AccountId(Seq(by)), hall, query, wanted }
    }

    fn of(asked: &[(u64, u64, u64)]) -> Turns {
        let mut turns = Turns::default();
        for asked in asked {
            turns.add(job(*asked, page())).unwrap();
        }
        turns
    }

    /// All that is read, each as soon as the one before is.
    fn read(turns: &mut Turns) -> Vec<u64> {
        let mut read = Vec::new();
        while let Some(job) = turns.next(Takes::All) {
            read.extend(job.re);
            turns.done(job.by);
        }
        read
    }

    #[test]
    fn accounts_take_turns_however_much_one_wants() {
        let mut turns =
            of(&[(1, 1, 10), (1, 1, 11), (1, 2, 12), (2, 3, 20), (3, 4, 30), (2, 3, 21)]);
        assert_eq!(read(&mut turns), [10, 20, 30, 11, 21, 12]);
        assert_eq!((turns.jobs, turns.accounts.len()), (0, 0));
    }

    #[test]
    fn of_one_account_one_thing_is_read_at_a_time() {
        let mut turns = of(&[(1, 1, 10), (1, 1, 11), (2, 2, 20)]);
        let first = turns.next(Takes::All).unwrap();
        assert_eq!(turns.next(Takes::All).unwrap().re, Some(20));
        assert!(turns.next(Takes::All).is_none());
        // What comes meanwhile waits, too.
        turns.add(job((1, 1, 12), page())).unwrap();
        assert!(turns.next(Takes::All).is_none());
        turns.done(first.by);
        assert_eq!(turns.next(Takes::All).unwrap().re, Some(11));
    }

    #[test]
    fn who_wants_more_than_one_may_is_refused_alone() {
        let most = u64::try_from(WAITING_AN_ACCOUNT_MAX).unwrap();
        let mut turns = of(&(0..most).map(|re| (1, 1, re)).collect::<Vec<_>>());
        let refused = turns.add(job((1, 2, 99), page())).unwrap_err();
        assert_eq!((refused.0.re, refused.1), (Some(99), Full::Account));
        turns.add(job((2, 3, 20), page())).unwrap();
        turns.add(job((1, 4, 30), logged_in())).expect("what is owed to who came in");
        let (one, other) = (turns.next(Takes::Quick).unwrap(), turns.next(Takes::Quick).unwrap());
        assert_eq!((one.re, other.re), (Some(0), Some(20)));
        assert!(turns.add(job((1, 2, 99), page())).is_err(), "as many wait as may");
        turns.done(one.by);
        turns.next(Takes::Quick).unwrap();
        turns.add(job((1, 2, 99), page())).unwrap();
    }

    #[test]
    fn no_more_waits_than_may_of_all_together() {
        let most = u64::try_from(WAITING_MAX).unwrap();
        let mut turns = of(&(0..most).map(|who| (who, who, 1)).collect::<Vec<_>>());
        let refused = turns.add(job((most, most, 9), page())).unwrap_err();
        assert_eq!(refused.1, Full::All);
    }

    #[test]
    fn what_is_quick_waits_for_no_search() {
        let mut turns = Turns::default();
        for who in 1..4 {
            turns.add(job((who, who, who), search())).unwrap();
        }
        turns.add(job((9, 9, 90), page())).unwrap();
        assert_eq!(turns.next(Takes::All).unwrap().re, Some(1));
        assert_eq!(turns.next(Takes::Quick).unwrap().re, Some(90));
        assert!(turns.next(Takes::Quick).is_none(), "searches are not for it");
    }

    #[test]
    fn what_a_client_wanted_that_is_gone_is_dropped_and_nothing_else() {
        let mut turns = of(&[(2, 3, 20)]);
        turns.add(job((1, 1, 10), search())).unwrap();
        turns.add(job((1, 2, 11), page())).unwrap();
        let of = |key, by| (ClientId { hall: 0, key: Key(key) }, AccountId(Seq(by)));
        let (client, who) = of(1, 1);
        assert_eq!(turns.forget(client, who)[0].re, Some(10));
        assert_eq!(turns.next(Takes::Quick).unwrap().re, Some(20));
        assert_eq!(turns.next(Takes::Quick).unwrap().re, Some(11));
        turns.done(who);
        turns.done(AccountId(Seq(2)));
        assert_eq!((turns.jobs, turns.accounts.len()), (0, 0));
        // Of who has nothing there, nothing is dropped.
        assert!(turns.forget(client, who).is_empty());
    }

    #[test]
    fn what_is_being_read_for_a_client_that_is_gone_is_given_up() {
        let mut turns = of(&[(1, 1, 10), (1, 2, 11)]);
        let first = turns.next(Takes::All).unwrap();
        let gone = |key| (ClientId { hall: 0, key: Key(key) }, AccountId(Seq(1)));
        let (other, who) = gone(2);
        assert_eq!(turns.forget(other, who)[0].re, Some(11));
        assert!(!first.wanted.is_given_up());
        let (client, who) = gone(1);
        assert!(turns.forget(client, who).is_empty());
        assert!(first.wanted.is_given_up());
        turns.done(who);
        assert_eq!((turns.jobs, turns.accounts.len()), (0, 0));
    }
}
