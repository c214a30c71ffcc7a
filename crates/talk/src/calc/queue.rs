//! Expressions that wait for a child, in a fair order: each client in turn, whoever asked most, and
//! of a client's callers the one that was worked for least.
//!
//! One that sends nothing but what takes long holds up itself: the next client waits for one of its
//! expressions, not for all of them, and who calls from the same address goes before it from then on.
//! Who may be made up has the turns of one client, however many those are. Strangers come last.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use relais_net::Client;

/// Who has something worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Whom we know, or who need not be known.
    Known(Client),
    /// Who sent a datagram from there, which may be forged: all of these together have the turns of one
    /// that is known, and among themselves each address in turn.
    Unproven(Client),
    /// Anybody: after all others, and with one expression of its address at once.
    Stranger(Client),
}

/// Jobs, each of a client. There are at most `places.all`.
#[derive(Debug)]
pub(super) struct Queue<J> {
    places: Places,
    waiting: Mutex<Waiting<J>>,
    stirred: Condvar,
}

/// How many jobs may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) all: usize,
    /// Of them, of those who are unproven.
    pub(super) unproven: usize,
    /// Of them, of any one client that is no stranger.
    pub(super) of_one: usize,
}

#[derive(Debug)]
struct Waiting<J> {
    known: Turns<J>,
    unproven: Turns<J>,
    /// How many turns the known have before the next of the unproven.
    known_first: usize,
    /// Who has to wait for all of these.
    strangers: VecDeque<J>,
    is_closed: bool,
}

/// Clients in the order of their turns. None is without a job; `count` is how many there are in all.
#[derive(Debug)]
struct Turns<J> {
    clients: VecDeque<(Client, Jobs<J>)>,
    count: usize,
}

/// A client's jobs, each with how long was worked for its caller before: the least first, and of equals
/// the one that came first.
type Jobs<J> = VecDeque<(Duration, J)>;

impl<J> Queue<J> {
    pub(super) fn new(places: Places) -> Self {
        let waiting = Waiting {
            known: Turns::new(),
            unproven: Turns::new(),
            known_first: 1,
            strangers: VecDeque::new(),
            is_closed: false,
        };
        Self { places, waiting: Mutex::new(waiting), stirred: Condvar::new() }
    }

    /// Adds a job of a caller for whom so long was worked before. Gives the job that has no place: the last
    /// of a client that has more than one may have; where as many wait as may of the unproven, or of all,
    /// the last stranger's, else the last of who has most, of the unproven before the known.
    pub(super) fn add(&self, asker: Asker, worked: Duration, job: J) -> Option<J> {
        let Places { all, unproven, of_one } = self.places;
        let mut waiting = self.lock();
        let mut dropped = match asker {
            Asker::Known(client) => waiting.known.add(client, (worked, job), of_one),
            Asker::Unproven(client) => waiting.unproven.add(client, (worked, job), of_one),
            Asker::Stranger(_) => {
                waiting.strangers.push_back(job);
                None
            }
        };
        if waiting.unproven.count > unproven {
            dropped = waiting.unproven.drop_one();
        } else if waiting.count() > all {
            dropped = waiting.drop_one();
        }
        drop(waiting);
        self.stirred.notify_one();
        dropped
    }

    /// Waits for the next job. `None` once it is closed. Blocks.
    pub(super) fn next(&self) -> Option<J> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(job) = waiting.take() {
                return Some(job);
            }
            waiting = self.stirred.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops what waits; nothing more is given out.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        (waiting.known, waiting.unproven) = (Turns::new(), Turns::new());
        waiting.strangers.clear();
        drop(waiting);
        self.stirred.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Waiting<J> {
    fn count(&self) -> usize {
        self.known.count + self.unproven.count + self.strangers.len()
    }

    fn take(&mut self) -> Option<J> {
        let [is_known, is_unproven] = [&self.known, &self.unproven].map(|turns| turns.count > 0);
        if is_known && (self.known_first > 0 || !is_unproven) {
            self.known_first = self.known_first.saturating_sub(1);
            return self.known.take();
        }
        if is_unproven {
            // Whoever of the known asks meanwhile does not wait for two of them.
            self.known_first = self.known.clients.len().max(1);
            return self.unproven.take();
        }
        self.strangers.pop_front()
    }

    fn drop_one(&mut self) -> Option<J> {
        let stranger = self.strangers.pop_back();
        stranger.or_else(|| self.unproven.drop_one()).or_else(|| self.known.drop_one())
    }
}

impl<J> Turns<J> {
    fn new() -> Self {
        Self { clients: VecDeque::new(), count: 0 }
    }

    /// Adds a job. Gives the last of its client's, if that has more than `of_one` then.
    fn add(&mut self, client: Client, job: (Duration, J), of_one: usize) -> Option<J> {
        let at = self.clients.iter().position(|(known, _)| *known == client);
        let at = at.unwrap_or_else(|| {
            self.clients.push_back((client, VecDeque::new()));
            self.clients.len() - 1
        });
        let jobs = &mut self.clients[at].1;
        let behind = jobs.partition_point(|(worked, _)| *worked <= job.0);
        jobs.insert(behind, job);
        self.count += 1;
        if jobs.len() > of_one { self.drop_of(at) } else { None }
    }

    fn take(&mut self) -> Option<J> {
        let (client, mut jobs) = self.clients.pop_front()?;
        let (_, job) = jobs.pop_front()?;
        if !jobs.is_empty() {
            self.clients.push_back((client, jobs));
        }
        self.count -= 1;
        Some(job)
    }

    /// Drops the last job of the client that has most.
    fn drop_one(&mut self) -> Option<J> {
        let most = (0..self.clients.len()).max_by_key(|at| self.clients[*at].1.len())?;
        self.drop_of(most)
    }

    /// Drops the last job of the client whose turn that is.
    fn drop_of(&mut self, at: usize) -> Option<J> {
        let (_, dropped) = self.clients[at].1.pop_back()?;
        if self.clients[at].1.is_empty() {
            self.clients.remove(at);
        }
        self.count -= 1;
        Some(dropped)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Adds these jobs, named by their client, which is a stranger if that is a capital, and unproven if it
    /// is a digit, a number, and how many seconds were worked for their caller, if any; gives the order in
    /// which they are taken, and those without a place. There are 4, and 3 for each client and for all that
    /// are unproven.
    fn order(jobs: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        let queue = Queue::new(Places { all: 4, unproven: 3, of_one: 3 });
        let asker = |job: &str| {
            let name = job.as_bytes()[0];
            let client = Client::V4(Ipv4Addr::new(192, 0, 2, name.to_ascii_lowercase()));
            match name {
                b'A'..=b'Z' => Asker::Stranger(client),
                b'0'..=b'9' => Asker::Unproven(client),
                _ => Asker::Known(client),
            }
        };
        let worked = |job: &str| Duration::from_secs(job[2..].trim().parse().unwrap_or(0));
        let add = |job: &&'static str| queue.add(asker(job), worked(job), *job);
        let dropped = jobs.iter().filter_map(add).collect();
        let count = queue.lock().count();
        let taken = (0..count).filter_map(|_| queue.next()).collect();
        assert_eq!(queue.lock().count(), 0);
        (taken, dropped)
    }

    #[test]
    fn each_client_has_its_turn() {
        assert_eq!(order(&["a1", "a2", "a3", "b1"]), (vec!["a1", "b1", "a2", "a3"], vec![]));
        assert_eq!(order(&["a1", "b1", "a2", "b2"]), (vec!["a1", "b1", "a2", "b2"], vec![]));
    }

    #[test]
    fn of_one_client_who_was_worked_for_least_comes_first_and_most_loses_its_place() {
        assert_eq!(order(&["a1 9", "a2 1", "a3"]), (vec!["a3", "a2 1", "a1 9"], vec![]));
        assert_eq!(order(&["a1 1", "b1 9", "a2"]), (vec!["a2", "b1 9", "a1 1"], vec![]));
        let (taken, dropped) = order(&["a1 1", "a2 9", "a3 1", "a4", "a5"]);
        assert_eq!((taken, dropped), (vec!["a4", "a5", "a1 1"], vec!["a2 9", "a3 1"]));
    }

    #[test]
    fn a_client_has_so_many_places_however_many_are_free() {
        let (taken, dropped) = order(&["a1", "a2", "a3", "a4", "b1"]);
        assert_eq!((taken, dropped), (vec!["a1", "b1", "a2", "a3"], vec!["a4"]));
    }

    #[test]
    fn of_a_full_queue_who_has_most_loses_one() {
        let (taken, dropped) = order(&["a1", "a2", "a3", "a4", "a5", "b1", "c1"]);
        assert_eq!((taken, dropped), (vec!["a1", "b1", "c1", "a2"], vec!["a4", "a5", "a3"]));
    }

    #[test]
    fn strangers_come_last_and_are_the_first_to_lose_their_place() {
        assert_eq!(order(&["A1", "B1", "a1", "b1"]), (vec!["a1", "b1", "A1", "B1"], vec![]));
        let (taken, dropped) = order(&["A1", "B1", "C1", "a1", "D1", "a2", "b1"]);
        assert_eq!((taken, dropped), (vec!["a1", "b1", "a2", "A1"], vec!["D1", "C1", "B1"]));
    }

    #[test]
    fn who_is_unproven_has_the_turns_of_one_client_and_a_part_of_the_places() {
        assert_eq!(order(&["11", "21", "a1", "b1"]), (vec!["a1", "11", "b1", "21"], vec![]));
        assert_eq!(order(&["11", "21", "12", "A1"]), (vec!["11", "21", "12", "A1"], vec![]));
        let (taken, dropped) = order(&["11", "12", "21", "31", "41"]);
        assert_eq!((taken, dropped), (vec!["11", "21", "31"], vec!["12", "41"]));
        let (taken, dropped) = order(&["11", "21", "31", "a1", "b1", "a2"]);
        assert_eq!((taken, dropped), (vec!["a1", "11", "b1", "a2"], vec!["31", "21"]));
    }

    #[test]
    fn who_is_known_waits_for_one_that_is_unproven() {
        let queue = Queue::new(Places { all: 9, unproven: 9, of_one: 1 });
        let client = |last| Client::V4(Ipv4Addr::new(192, 0, 2, last));
        let add = |asker, job| queue.add(asker, Duration::ZERO, job);
        for number in 1..=6 {
            add(Asker::Unproven(client(number)), number);
        }
        for number in 1..=5 {
            assert_eq!(queue.next(), Some(number));
            add(Asker::Known(client(1)), 0);
            assert_eq!(queue.next(), Some(0));
        }
    }

    #[test]
    fn who_waits_is_woken_by_a_job_and_by_the_end() {
        let queue = std::sync::Arc::new(Queue::new(Places { all: 1, unproven: 1, of_one: 1 }));
        let worker = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || (queue.next(), queue.next())
        });
        queue.add(Asker::Known(Client::Local), Duration::ZERO, 1);
        while queue.lock().count() > 0 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), (Some(1), None));
    }
}
