//! Connections that wait for their next request, each on the core that made it.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::{Limits, link::Link};
use crate::clock::coarse_now;

/// Which upstream a connection leads to: a number for each that there ever was.
pub(super) type Id = u64;

/// How often those that wait are looked at.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Idle {
    link: Box<Link>,
    /// On the coarse clock, in milliseconds.
    until: u64,
}

/// How many wait on a core at most, whatever they lead to.
const LINKS_MAX: usize = 1024;

#[derive(Debug, Default)]
struct Pool {
    /// By upstream; the one used last is at the back.
    idle: HashMap<Id, VecDeque<Idle>>,
    /// How many those are in all. At most [`LINKS_MAX`].
    count: usize,
    /// Whether the task that sweeps is there.
    swept: bool,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Takes the connection that was used last, if one is still open.
pub(super) fn take(upstream: Id) -> Option<Box<Link>> {
    POOL.with_borrow_mut(|pool| {
        let idle = pool.idle.get_mut(&upstream)?;
        while let Some(Idle { mut link, .. }) = idle.pop_back() {
            pool.count -= 1;
            if link.is_open() {
                return Some(link);
            }
        }
        None
    })
}

/// Keeps `link`, which is between two requests; closes it where there is no place, or where so many
/// are called that others may need its.
pub(super) fn put(upstream: Id, link: Box<Link>, limits: &Limits) {
    if link.is_of_a_crowd() {
        return;
    }
    POOL.with_borrow_mut(|pool| {
        let idle = pool.idle.entry(upstream).or_default();
        if idle.len() >= limits.idle_links_max && idle.pop_front().is_some() {
            pool.count -= 1;
        }
        if limits.idle_links_max > 0 && pool.count < LINKS_MAX {
            let idle_max = u64::try_from(limits.idle_max.as_millis()).unwrap_or(u64::MAX);
            idle.push_back(Idle { link, until: coarse_now().saturating_add(idle_max) });
            pool.count += 1;
        }
        if !std::mem::replace(&mut pool.swept, true) {
            tokio::spawn(sweep());
        }
    });
}

/// Closes what has waited too long, and what its upstream has closed. Ends when nothing is left.
async fn sweep() {
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = coarse_now();
        let is_over = POOL.with_borrow_mut(|pool| {
            pool.idle.retain(|_, idle| {
                idle.retain_mut(|Idle { link, until }| *until > now && link.is_open());
                !idle.is_empty()
            });
            pool.count = pool.idle.values().map(VecDeque::len).sum();
            pool.swept = !pool.idle.is_empty();
            !pool.swept
        });
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_net::{Client, Gate, Stream};

    use super::*;

    fn link(limits: &Limits) -> (Link, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1);
        (Link::new(Stream::Memory(near), limits.head), far)
    }

    fn counted() -> usize {
        POOL.with_borrow(|pool| {
            assert_eq!(pool.count, pool.idle.values().map(VecDeque::len).sum::<usize>());
            pool.count
        })
    }

    #[tokio::test]
    async fn so_many_wait_for_one_upstream_and_so_many_for_all() {
        let limits = Limits { idle_links_max: 2, ..Limits::default() };
        let mut ends = Vec::new();
        let mut keep = |upstream| {
            let (link, far) = link(&limits);
            ends.push(far);
            put(upstream, Box::new(link), &limits);
        };
        for _ in 0..3 {
            keep(0);
        }
        assert_eq!(counted(), 2);
        for upstream in 1..2000 {
            keep(upstream);
        }
        assert_eq!(counted(), LINKS_MAX);
        assert!(take(1).is_some() && take(1).is_none() && take(1999).is_none());
        assert_eq!(counted(), LINKS_MAX - 1);
        keep(1999);
        assert_eq!(counted(), LINKS_MAX);
        assert!(take(1999).is_some());
    }

    #[tokio::test]
    async fn none_are_kept_where_others_may_need_their_places() {
        let calls = Gate::new(3, 3);
        let limits = Limits::default();
        let mut ends = Vec::new();
        let mut called = || {
            let (link, far) = link(&limits);
            ends.push(far);
            Box::new(link.at(Some(calls.enter(Client::Local, 1).unwrap())))
        };
        let (first, second) = (called(), called());
        put(7, first, &limits);
        assert_eq!((counted(), calls.inside()), (0, 1), "two of three are under way");
        put(7, second, &limits);
        assert_eq!((counted(), calls.inside()), (1, 1));
    }

    #[tokio::test]
    async fn none_are_kept_where_none_may_wait() {
        let limits = Limits { idle_links_max: 0, ..Limits::default() };
        let (link, _far) = link(&limits);
        put(0, Box::new(link), &limits);
        assert_eq!(counted(), 0);
    }
}
