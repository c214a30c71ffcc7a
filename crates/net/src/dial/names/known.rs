//! What is known of names, and which of them are being asked for.

use std::{collections::HashMap, io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

/// How long an answer is believed: short beside what the zones of servers that move say, long beside
/// the time in which a pool opens its connections.
pub(super) const KEPT: Duration = Duration::from_secs(10);

/// How long after that it stands in for an answer that does not come: as long as a resolver may be
/// away, and not so long that a name which is gone leads somewhere for ever.
pub(super) const OLD_MAX: Duration = Duration::from_mins(10);

/// How many names are kept.
const NAMES_MAX: usize = 256;

/// The addresses of a name.
pub(super) type Found = Arc<[IpAddr]>;

/// What the resolver says to all who wait for a name.
pub(super) type Answer = Result<Found, Arc<io::Error>>;

/// What is known of names.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// At most [`NAMES_MAX`].
    names: HashMap<Box<str>, Entry>,
    /// A thread waits for each of these.
    under_way: HashMap<Box<str>, watch::Receiver<Option<Answer>>>,
}

#[derive(Debug)]
struct Entry {
    found: Found,
    /// Until when it is believed.
    until: Instant,
    /// Until when it is better than nothing.
    end: Instant,
}

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recalled {
    /// It is to be believed.
    Fresh(Found),
    /// It was so some minutes ago.
    Old(Found),
}

impl Known {
    pub(super) fn recall(&self, name: &str, now: Instant) -> Option<Recalled> {
        let Entry { found, until, end } = self.names.get(name).filter(|entry| now < entry.end)?;
        debug_assert!(until <= end);
        let recalled = if now < *until { Recalled::Fresh } else { Recalled::Old };
        Some(recalled(Arc::clone(found)))
    }

    /// Keeps what was found, in place of what ends first if there is no room.
    pub(super) fn keep(&mut self, name: &str, found: &Found, now: Instant) {
        if self.names.len() >= NAMES_MAX {
            self.names.retain(|_, entry| now < entry.end);
        }
        if self.names.len() >= NAMES_MAX && !self.names.contains_key(name) {
            let first = self.names.iter().min_by_key(|(_, entry)| entry.end);
            let first = first.map(|(name, _)| name.clone());
            first.and_then(|name| self.names.remove(&name));
        }
        let (until, end) = (now + KEPT, now + KEPT + OLD_MAX);
        self.names.insert(name.into(), Entry { found: Arc::clone(found), until, end });
        debug_assert!(self.names.len() <= NAMES_MAX);
    }

    /// Believes what is known of a name once more, as nothing better was to be had.
    pub(super) fn believe(&mut self, name: &str, now: Instant) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.until = entry.end.min(now + KEPT).max(entry.until);
        }
    }

    /// What to wait at for the answer about a name that is asked for already.
    pub(super) fn under_way(&self, name: &str) -> Option<watch::Receiver<Option<Answer>>> {
        self.under_way.get(name).cloned()
    }

    /// Notes that a name is asked for, and where its answer is told.
    pub(super) fn begin(&mut self, name: &str, answer: watch::Receiver<Option<Answer>>) {
        let before = self.under_way.insert(name.into(), answer);
        debug_assert!(before.is_none(), "asked for once at a time");
    }

    /// Notes that it is no more.
    pub(super) fn end(&mut self, name: &str) {
        self.under_way.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        [[192, 0, 2, 1].into()].into()
    }

    const TICK: Duration = Duration::from_nanos(1);

    #[test]
    fn what_is_known_grows_old_and_is_forgotten_in_time() {
        let (mut known, start) = (Known::default(), Instant::now());
        known.keep("a", &found(), start);
        let (fresh, old) = (Some(Recalled::Fresh(found())), Some(Recalled::Old(found())));
        assert_eq!(known.recall("a", start + KEPT - TICK), fresh);
        assert_eq!(known.recall("a", start + KEPT), old);
        known.believe("a", start + KEPT);
        assert_eq!(known.recall("a", start + KEPT * 2 - TICK), fresh);
        assert_eq!(known.recall("a", start + KEPT * 2), old);
        // Not for ever.
        let end = start + KEPT + OLD_MAX;
        known.believe("a", end - TICK * 2);
        assert_eq!(known.recall("a", end - TICK), fresh);
        assert_eq!(known.recall("a", end), None);
        assert_eq!(known.recall("b", start), None);
    }

    #[test]
    fn who_was_asked_for_first_makes_room() {
        let (mut known, start) = (Known::default(), Instant::now());
        for n in 0..u32::try_from(NAMES_MAX).unwrap() {
            known.keep(&n.to_string(), &found(), start + TICK * n);
        }
        let now = start + KEPT - TICK;
        known.keep("1", &found(), now);
        assert!(known.recall("0", now).is_some());
        known.keep("more", &found(), now);
        assert_eq!(known.names.len(), NAMES_MAX);
        assert_eq!(known.recall("0", now), None);
        assert!(known.recall("1", now).is_some() && known.recall("more", now).is_some());
        known.keep("later", &found(), now + KEPT + OLD_MAX);
        assert_eq!(known.names.len(), 1);
    }
}
