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
    link: Link,
    /// On the coarse clock, in milliseconds.
    until: u64,
}

#[derive(Debug, Default)]
struct Pool {
    /// By upstream; the one used last is at the back.
    idle: HashMap<Id, VecDeque<Idle>>,
    /// Whether the task that sweeps is there.
    swept: bool,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Takes the connection that was used last, if one is still open.
pub(super) fn take(upstream: Id) -> Option<Link> {
    POOL.with_borrow_mut(|pool| {
        let idle = pool.idle.get_mut(&upstream)?;
        while let Some(Idle { mut link, .. }) = idle.pop_back() {
            if link.is_open() {
                return Some(link);
            }
        }
        None
    })
}

/// Keeps `link`, which is between two requests.
pub(super) fn put(upstream: Id, link: Link, limits: &Limits) {
    POOL.with_borrow_mut(|pool| {
        let idle = pool.idle.entry(upstream).or_default();
        if idle.len() >= limits.idle_links_max {
            idle.pop_front();
        }
        if limits.idle_links_max > 0 {
            let idle_max = u64::try_from(limits.idle_max.as_millis()).unwrap_or(u64::MAX);
            idle.push_back(Idle { link, until: coarse_now().saturating_add(idle_max) });
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
            pool.swept = !pool.idle.is_empty();
            !pool.swept
        });
        if is_over {
            return;
        }
    }
}
