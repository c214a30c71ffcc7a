//! Expressions that wait for a child, in a fair order: each client in turn, whoever asked most.
//!
//! One that sends nothing but what takes long holds up itself: the next client waits for one of its
//! expressions, not for all of them.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, PoisonError},
};

use relais_net::Client;

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
    count: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new(jobs_max: usize) -> Self {
        let waiting = Waiting { turns: VecDeque::new(), count: 0, is_closed: false };
        Self { jobs_max, waiting: Mutex::new(waiting), stirred: Condvar::new() }
    }

    /// Adds a job. Gives the job that has no place: of a full queue the last of the client that has
    /// most of them, so that one client does not take every place.
    pub(super) fn add(&self, client: Client, job: J) -> Option<J> {
        let mut waiting = self.lock();
        waiting.add(client, job);
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
        drop(waiting);
        self.stirred.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Waiting<J> {
    fn add(&mut self, client: Client, job: J) {
        self.count += 1;
        match self.turns.iter_mut().find(|(known, _)| *known == client) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.turns.push_back((client, VecDeque::from([job]))),
        }
    }

    fn take(&mut self) -> Option<J> {
        let (client, mut jobs) = self.turns.pop_front()?;
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.turns.push_back((client, jobs));
        }
        self.count -= 1;
        job
    }

    fn drop_one(&mut self) -> Option<J> {
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

    /// Adds these jobs, named by their client and a number; gives the order in which they are taken,
    /// and those without a place.
    fn order(jobs: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        let queue = Queue::new(4);
        let client = |job: &str| Client::V4(Ipv4Addr::new(192, 0, 2, job.as_bytes()[0]));
        let dropped = jobs.iter().filter_map(|job| queue.add(client(job), *job)).collect();
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
    fn who_waits_is_woken_by_a_job_and_by_the_end() {
        let queue = std::sync::Arc::new(Queue::new(1));
        let worker = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || (queue.next(), queue.next())
        });
        queue.add(Client::Local, 1);
        while queue.lock().count > 0 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), (Some(1), None));
    }
}
