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
    /// How much waits of all accounts together.
    waiting: Waiting,
}

#[derive(Debug, Default)]
struct Account {
    jobs: VecDeque<(Wait, Job)>,
    reading: Option<Reading>,
}

/// What is being read, and for which of its account's clients.
#[derive(Debug)]
struct Reading {
    client: ClientId,
    wanted: Wanted,
    is_long: bool,
}

/// How long something waits: room for what waits briefly is not taken by what does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// For what others want that is quickly read.
    Brief,
    /// For a search of its account, or behind one.
    Behind,
    /// It is a search.
    Long,
}

/// How much waits.
#[derive(Debug, Default, PartialEq, Eq)]
struct Waiting {
    brief: usize,
    behind: usize,
    long: usize,
}

impl Waiting {
    fn of(&mut self, wait: Wait) -> &mut usize {
        match wait {
            Wait::Brief => &mut self.brief,
            Wait::Behind => &mut self.behind,
            Wait::Long => &mut self.long,
        }
    }

    /// Whether no more may wait so.
    fn is_full(&self, wait: Wait) -> Option<Full> {
        let is_full = match wait {
            Wait::Brief => self.brief >= BRIEF_MAX,
            Wait::Behind => self.behind >= BEHIND_MAX,
            Wait::Long => self.long >= LONG_MAX,
        };
        is_full.then_some(Full::All)
    }
}

impl Account {
    /// How long what it wants next waits.
    fn wait(&self, job: &Job) -> Wait {
        let is_read = || self.reading.as_ref().is_some_and(|reading| reading.is_long);
        match () {
            () if job.query.is_long() => Wait::Long,
            () if is_read() || self.searches() > 0 => Wait::Behind,
            () => Wait::Brief,
        }
    }

    /// Whether it wants as much already as one may.
    fn is_full(&self, job: &Job) -> Option<Full> {
        let is_much = job.query.is_long() && self.searches() >= SEARCHES_AN_ACCOUNT_MAX;
        (is_much || self.jobs.len() >= WAITING_AN_ACCOUNT_MAX).then_some(Full::Account)
    }

    /// How much of what waits may take long.
    fn searches(&self) -> usize {
        self.jobs.iter().filter(|(_, job)| job.query.is_long()).count()
    }
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

/// How much of that may take long: as much as two of its connections ask for at once.
const SEARCHES_AN_ACCOUNT_MAX: usize = 8;

/// How much may wait of all, briefly, behind searches, and of these.
const BRIEF_MAX: usize = 4096;
const BEHIND_MAX: usize = 4096;
const LONG_MAX: usize = 1024;

impl Turns {
    /// Has `job` wait for its turn. What is owed to who came in always may.
    pub(super) fn add(&mut self, job: Job) -> Result<(), Box<(Job, Full)>> {
        let who = job.by;
        let nobody = Account::default();
        let account = self.accounts.get(&who).unwrap_or(&nobody);
        let (before, wait) = (account.jobs.len(), account.wait(&job));
        let full = account.is_full(&job).or_else(|| self.waiting.is_full(wait));
        if let Some(full) = full.filter(|_| !job.query.is_owed()) {
            return Err(Box::new((job, full)));
        }
        *self.waiting.of(wait) += 1;
        self.accounts.entry(who).or_default().jobs.push_back((wait, job));
        if before == 0 {
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
        let (wait, job) = account.jobs.pop_front()?;
        let (client, wanted, is_long) = (job.client, job.wanted.clone(), job.query.is_long());
        account.reading = Some(Reading { client, wanted, is_long });
        *self.waiting.of(wait) -= 1;
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
        if let Some(reading) = account.reading.as_ref().filter(|reading| reading.client == client) {
            reading.wanted.give_up();
        }
        let jobs = std::mem::take(&mut account.jobs).into_iter();
        let (dropped, kept): (Vec<_>, Vec<_>) = jobs.partition(|(_, job)| job.client == client);
        account.jobs = kept.into();
        if !dropped.is_empty() {
            for (wait, _) in &dropped {
                *self.waiting.of(*wait) -= 1;
            }
            // What it wants first may be of another kind now.
            self.quick.retain(|other| *other != who);
            self.long.retain(|other| *other != who);
            self.line_up(who);
        }
        dropped.into_iter().map(|(_, job)| job).collect()
    }

    /// Has an account wait for its turn, if it wants something and has none; forgets who wants nothing.
    fn line_up(&mut self, who: AccountId) {
        let Some(account) = self.accounts.get(&who) else { return };
        if account.reading.is_some() {
            return;
        }
        match account.jobs.front() {
            Some((_, job)) if job.query.is_long() => self.long.push_back(who),
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
        assert_eq!((&turns.waiting, turns.accounts.len()), (&Waiting::default(), 0));
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
        let most = u64::try_from(BRIEF_MAX).unwrap();
        let mut turns = of(&(0..most).map(|who| (who, who, 1)).collect::<Vec<_>>());
        let refused = turns.add(job((most, most, 9), page())).unwrap_err();
        assert_eq!(refused.1, Full::All);
    }

    #[test]
    fn searches_and_what_is_behind_them_and_what_is_quick_take_no_room_of_each_other() {
        let mut turns = Turns::default();
        // Each as much as one may, until no more is taken.
        let mut accounts = 1..;
        let mut fill = |turns: &mut Turns, pages| loop {
            let who = accounts.next().unwrap();
            let searches = (0..SEARCHES_AN_ACCOUNT_MAX).map(|_| search());
            let all = searches.chain((0..pages).map(|_| page()));
            let mut added = all.map(|it| turns.add(job((who, who, 1), it)));
            if let Some(refused) = added.find_map(Result::err) {
                break refused.1;
            }
            let refused = turns.add(job((who, who, 2), search())).unwrap_err();
            assert_eq!(refused.1, Full::Account);
        };
        let pages = WAITING_AN_ACCOUNT_MAX - SEARCHES_AN_ACCOUNT_MAX;
        assert_eq!(fill(&mut turns, pages), Full::All);
        assert_eq!((turns.waiting.brief, turns.waiting.behind), (0, BEHIND_MAX));
        assert!(turns.waiting.long < LONG_MAX, "there is room for searches of others");
        assert_eq!(fill(&mut turns, 0), Full::All);
        assert_eq!(turns.waiting, Waiting { brief: 0, behind: BEHIND_MAX, long: LONG_MAX });
        turns.add(job((9999, 9999, 1), page())).unwrap();
        assert_eq!(turns.next(Takes::Quick).map(|job| job.by), Some(AccountId(Seq(9999))));
        let accounts = turns.accounts.len();
        assert!(turns.add(job((9998, 9998, 1), search())).is_err());
        assert_eq!(turns.accounts.len(), accounts, "who is refused is forgotten");
        while let Some(job) = turns.next(Takes::All) {
            turns.done(job.by);
        }
        turns.done(AccountId(Seq(9999)));
        assert_eq!((&turns.waiting, turns.accounts.len()), (&Waiting::default(), 0));
    }

    #[test]
    fn of_one_account_so_many_searches_wait() {
        let mut turns = Turns::default();
        for re in 0..SEARCHES_AN_ACCOUNT_MAX as u64 {
            turns.add(job((1, 1, re), search())).unwrap();
        }
        assert_eq!(turns.add(job((1, 2, 9), search())).unwrap_err().1, Full::Account);
        turns.add(job((1, 2, 9), page())).unwrap();
        turns.next(Takes::All).unwrap();
        turns.add(job((1, 2, 10), search())).unwrap();
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
        assert_eq!((&turns.waiting, turns.accounts.len()), (&Waiting::default(), 0));
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
        assert_eq!((&turns.waiting, turns.accounts.len()), (&Waiting::default(), 0));
    }
}
