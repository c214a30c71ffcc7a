//! Expressions that wait for a child, in a fair order: each client in turn, whoever asked most, and
//! of a client's callers the one that was worked for least.
//!
//! One that sends nothing but what takes long holds up itself: the next client waits for one of its
//! expressions, not for all of them, and who calls from the same address goes before it from then on.
//! Strangers come last.

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
    /// Anybody: after all that are known, and with one expression of its address at once.
    Stranger(Client),
}

/// Jobs, each of a client. `count` is how many there are in all, and at most `places.all`.
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
    /// Of them, of any one client that we know.
    pub(super) of_one: usize,
}

/// Clients in the order of their turns. None is without a job.
#[derive(Debug)]
struct Waiting<J> {
    turns: VecDeque<(Client, Jobs<J>)>,
    /// Who has to wait for all of these.
    strangers: VecDeque<J>,
    count: usize,
    is_closed: bool,
}

/// A client's jobs, each with how long was worked for its caller before: the least first, and of equals
/// the one that came first.
type Jobs<J> = VecDeque<(Duration, J)>;

impl<J> Queue<J> {
    pub(super) fn new(places: Places) -> Self {
        let waiting = Waiting {
            turns: VecDeque::new(),
            strangers: VecDeque::new(),
            count: 0,
            is_closed: false,
        };
        Self { places, waiting: Mutex::new(waiting), stirred: Condvar::new() }
    }

    /// Adds a job of a caller for whom so long was worked before. Gives the job that has no place: the last
    /// of a client that has more than one may have; of a full queue the last stranger's, else the last of
    /// the client that has most of them.
    pub(super) fn add(&self, asker: Asker, worked: Duration, job: J) -> Option<J> {
        let mut waiting = self.lock();
        waiting.count += 1;
        let crowded = match asker {
            Asker::Known(client) => {
                let (at, count) = waiting.add(client, (worked, job));
                (count > self.places.of_one).then_some(at)
            }
            Asker::Stranger(_) => {
                waiting.strangers.push_back(job);
                None
            }
        };
        let dropped = match crowded {
            Some(at) => waiting.drop_of(at),
            None if waiting.count > self.places.all => waiting.drop_one(),
            None => None,
        };
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
        waiting.turns.clear();
        waiting.strangers.clear();
        drop(waiting);
        self.stirred.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Waiting<J> {
    /// Adds a job. Gives whose turn that is, and how many jobs that client has.
    fn add(&mut self, client: Client, job: (Duration, J)) -> (usize, usize) {
        let at = self.turns.iter().position(|(known, _)| *known == client);
        let at = at.unwrap_or_else(|| {
            self.turns.push_back((client, VecDeque::new()));
            self.turns.len() - 1
        });
        let jobs = &mut self.turns[at].1;
        let behind = jobs.partition_point(|(worked, _)| *worked <= job.0);
        jobs.insert(behind, job);
        (at, jobs.len())
    }

    fn take(&mut self) -> Option<J> {
        let Some((client, mut jobs)) = self.turns.pop_front() else {
            let job = self.strangers.pop_front()?;
            self.count -= 1;
            return Some(job);
        };
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.turns.push_back((client, jobs));
        }
        self.count -= 1;
        job.map(|(_, job)| job)
    }

    fn drop_one(&mut self) -> Option<J> {
        if let Some(job) = self.strangers.pop_back() {
            self.count -= 1;
            return Some(job);
        }
        let most = (0..self.turns.len()).max_by_key(|at| self.turns[*at].1.len())?;
        self.drop_of(most)
    }

    /// Drops the last job of the client whose turn that is.
    fn drop_of(&mut self, at: usize) -> Option<J> {
        let (_, dropped) = self.turns[at].1.pop_back()?;
        if self.turns[at].1.is_empty() {
            self.turns.remove(at);
        }
        self.count -= 1;
        Some(dropped)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Adds these jobs, named by their client, which is a stranger if that is a capital, a number, and how
    /// many seconds were worked for their caller, if any; gives the order in which they are taken, and those
    /// without a place. There are 4, and 3 for each client.
    fn order(jobs: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        let queue = Queue::new(Places { all: 4, of_one: 3 });
        let asker = |job: &str| {
            let name = job.as_bytes()[0];
            let client = Client::V4(Ipv4Addr::new(192, 0, 2, name.to_ascii_lowercase()));
            if name.is_ascii_uppercase() { Asker::Stranger(client) } else { Asker::Known(client) }
        };
        let worked = |job: &str| Duration::from_secs(job[2..].trim().parse().unwrap_or(0));
        let add = |job: &&'static str| queue.add(asker(job), worked(job), *job);
        let dropped = jobs.iter().filter_map(add).collect();
        let count = queue.lock().count;
        let taken = (0..count).filter_map(|_| queue.next()).collect();
        assert_eq!(queue.lock().count, 0);
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
    fn who_waits_is_woken_by_a_job_and_by_the_end() {
        let queue = std::sync::Arc::new(Queue::new(Places { all: 1, of_one: 1 }));
        let worker = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || (queue.next(), queue.next())
        });
        queue.add(Asker::Known(Client::Local), Duration::ZERO, 1);
        while queue.lock().count > 0 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), (Some(1), None));
    }
}
