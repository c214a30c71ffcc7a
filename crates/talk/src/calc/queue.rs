//! Expressions that wait for a child, in a fair order: each client in turn, whoever asked most.
//!
//! One that sends nothing but what takes long holds up itself: the next client waits for one of its
//! expressions, not for all of them. Strangers come last.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, PoisonError},
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

/// Jobs, each of a client. `count` is how many there are in all, and at most `jobs_max`.
#[derive(Debug)]
pub(super) struct Queue<J> {
    jobs_max: usize,
    waiting: Mutex<Waiting<J>>,
    stirred: Condvar,
}

/// Clients in the order of their turns. None is without a job.
#[derive(Debug)]
struct Waiting<J> {
    turns: VecDeque<(Client, VecDeque<J>)>,
    /// Who has to wait for all of these.
    strangers: VecDeque<J>,
    count: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(jobs_max: usize) -> Self {
        let waiting = Waiting {
            turns: VecDeque::new(),
            strangers: VecDeque::new(),
            count: 0,
            is_closed: false,
        };
        Self { jobs_max, waiting: Mutex::new(waiting), stirred: Condvar::new() }
    }

    /// Adds a job. Gives the job that has no place: of a full queue the last stranger's, else the last of the
    /// client that has most of them, so that one client does not take every place.
    pub(super) fn add(&self, asker: Asker, job: J) -> Option<J> {
        let mut waiting = self.lock();
        match asker {
            Asker::Known(client) => waiting.add(client, job),
            Asker::Stranger(_) => waiting.strangers.push_back(job),
        }
        waiting.count += 1;
        let dropped = if waiting.count > self.jobs_max { waiting.drop_one() } else { None };
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
    fn add(&mut self, client: Client, job: J) {
        match self.turns.iter_mut().find(|(known, _)| *known == client) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.turns.push_back((client, VecDeque::from([job]))),
        }
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
        job
    }

    fn drop_one(&mut self) -> Option<J> {
        if let Some(job) = self.strangers.pop_back() {
            self.count -= 1;
            return Some(job);
        }
        let most = (0..self.turns.len()).max_by_key(|at| self.turns[*at].1.len())?;
        let dropped = self.turns[most].1.pop_back();
        if self.turns[most].1.is_empty() {
            self.turns.remove(most);
        }
        self.count -= 1;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Adds these jobs, named by their client, which is a stranger if that is a capital, and a number; gives
    /// the order in which they are taken, and those without a place.
    fn order(jobs: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        let queue = Queue::new(4);
        let asker = |job: &str| {
            let name = job.as_bytes()[0];
            let client = Client::V4(Ipv4Addr::new(192, 0, 2, name.to_ascii_lowercase()));
            if name.is_ascii_uppercase() { Asker::Stranger(client) } else { Asker::Known(client) }
        };
        let dropped = jobs.iter().filter_map(|job| queue.add(asker(job), *job)).collect();
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
    fn of_a_full_queue_who_has_most_loses_one() {
        let (taken, dropped) = order(&["a1", "a2", "a3", "a4", "a5", "b1", "c1"]);
        assert_eq!((taken, dropped), (vec!["a1", "b1", "c1", "a2"], vec!["a5", "a4", "a3"]));
    }

    #[test]
    fn strangers_come_last_and_are_the_first_to_lose_their_place() {
        assert_eq!(order(&["A1", "B1", "a1", "b1"]), (vec!["a1", "b1", "A1", "B1"], vec![]));
        let (taken, dropped) = order(&["A1", "B1", "C1", "a1", "D1", "a2", "b1"]);
        assert_eq!((taken, dropped), (vec!["a1", "b1", "a2", "A1"], vec!["D1", "C1", "B1"]));
    }

    #[test]
    fn who_waits_is_woken_by_a_job_and_by_the_end() {
        let queue = std::sync::Arc::new(Queue::new(1));
        let worker = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || (queue.next(), queue.next())
        });
        queue.add(Asker::Known(Client::Local), 1);
        while queue.lock().count > 0 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), (Some(1), None));
    }
}
