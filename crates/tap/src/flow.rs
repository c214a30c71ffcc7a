//! The data path's end.

use std::{
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use bytes::Bytes;

use crate::{
    event::{Direction, Ending, Ends, Event, FlowId},
    shared::{Detail, Shared},
    watcher::Watcher,
};

/// Where flows are reported. Cheap to clone; every clone reports to the same watchers.
#[derive(Clone, Debug)]
pub struct Tap {
    shared: Arc<Shared>,
}

impl Tap {
    /// A tap that keeps at most `events_max` undelivered events for its slowest watcher, and of what
    /// passed at most 16 MiB.
    ///
    /// # Panics
    ///
    /// If `events_max` is 0.
    pub fn new(events_max: usize) -> Self {
        Self { shared: Arc::new(Shared::new(events_max)) }
    }

    /// Opens a flow, which began `at`. Between whom is only asked for if somebody watches.
    pub fn open(&self, ends: impl FnOnce() -> Ends, at: SystemTime) -> Flow {
        let id = FlowId(self.shared.flows.fetch_add(1, Ordering::Relaxed));
        let flow = Flow { id, tap: self.clone(), ending: None };
        flow.report(Detail::Flows, || Event::Opened { flow: id, ends: ends(), at });
        flow
    }

    /// Starts watching. Sees what is reported from now on.
    pub fn watch(&self, detail: Detail) -> Watcher {
        let events = Arc::clone(&self.shared.events);
        let reader = events.join();
        self.shared.watchers_of(detail).fetch_add(1, Ordering::Relaxed);
        Watcher { events, reader, detail, shared: Arc::downgrade(&self.shared) }
    }
}

/// The data path's end of one flow. Reports [`Event::Closed`] when dropped.
#[derive(Debug)]
pub struct Flow {
    id: FlowId,
    tap: Tap,
    ending: Option<Ending>,
}

impl Flow {
    /// This flow's name.
    pub fn id(&self) -> FlowId {
        self.id
    }

    /// Whether somebody wants to see the bytes themselves. Costs one load.
    pub fn wants_bytes(&self) -> bool {
        self.tap.shared.is_watched(Detail::Bytes)
    }

    /// Reports that `bytes` passed. Copies them only if someone asked for them.
    pub fn bytes(&self, direction: Direction, bytes: &[u8]) {
        self.report(Detail::Bytes, || Event::Bytes {
            flow: self.id,
            direction,
            bytes: Bytes::copy_from_slice(bytes),
        });
    }

    /// Reports a protocol's remark. `text` is only called if someone watches.
    pub fn note(&self, what: &'static str, text: impl FnOnce() -> String) {
        self.report(Detail::Flows, || Event::Note { flow: self.id, what, text: text() });
    }

    /// Ends the flow, and says how.
    pub fn close(mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    fn report(&self, detail: Detail, event: impl FnOnce() -> Event) {
        if self.tap.shared.is_watched(detail) {
            self.tap.shared.events.put(event());
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let ending = self.ending.take();
        self.report(Detail::Flows, || Event::Closed { flow: self.id, ending });
    }
}

#[cfg(test)]
mod tests {
    use crate::By;

    use super::*;

    fn ends() -> Ends {
        Ends { client: "a".into(), server: "b".into() }
    }

    #[tokio::test]
    async fn a_watcher_sees_a_flow_from_opened_to_closed() {
        let tap = Tap::new(8);
        let mut watcher = tap.watch(Detail::Bytes);
        let flow = tap.open(ends, SystemTime::UNIX_EPOCH);
        let id = flow.id();
        flow.bytes(Direction::ToServer, b"hi");
        let ending = Ending {
            at: SystemTime::UNIX_EPOCH,
            by: By::Client,
            why: "closed".into(),
            to_server: 2,
            to_client: 0,
        };
        flow.close(ending.clone());
        assert!(matches!(watcher.next().await, Some(Event::Opened { flow, .. }) if flow == id));
        assert!(matches!(watcher.next().await, Some(Event::Bytes { bytes, .. }) if bytes == "hi"));
        let closed = Event::Closed { flow: id, ending: Some(ending) };
        assert_eq!(watcher.next().await, Some(closed));
        drop(tap);
        assert_eq!(watcher.next().await, None);
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_what_it_lost_and_slows_nobody() {
        let tap = Tap::new(2);
        let mut watcher = tap.watch(Detail::Bytes);
        let flow = tap.open(ends, SystemTime::UNIX_EPOCH);
        for _ in 0..5 {
            flow.bytes(Direction::ToClient, b"x");
        }
        assert_eq!(watcher.next().await, Some(Event::Missed { events: 4 }));
        assert!(matches!(watcher.next().await, Some(Event::Bytes { .. })));
    }

    #[tokio::test]
    async fn bytes_are_copied_for_those_who_asked_for_them() {
        let tap = Tap::new(8);
        let mut watcher = tap.watch(Detail::Flows);
        let flow = tap.open(ends, SystemTime::UNIX_EPOCH);
        flow.bytes(Direction::ToServer, b"hi");
        assert!(!flow.wants_bytes());
        let other = tap.watch(Detail::Bytes);
        assert!(flow.wants_bytes());
        drop(other);
        drop(flow);
        assert!(matches!(watcher.next().await, Some(Event::Opened { .. })));
        assert!(matches!(watcher.next().await, Some(Event::Closed { ending: None, .. })));
    }

    #[test]
    fn without_a_watcher_nothing_is_built() {
        let tap = Tap::new(2);
        let flow = tap.open(|| unreachable!("nobody watches"), SystemTime::UNIX_EPOCH);
        flow.note("relay.upstream", || unreachable!("nobody watches"));
    }
}
