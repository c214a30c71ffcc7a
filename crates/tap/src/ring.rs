//! Events on their way to those who watch: a bounded queue that each of them reads at its own pace.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::event::Event;

/// How many bytes of what passed are kept for the slowest watcher.
pub(crate) const BYTES_MAX: usize = 16 << 20;

#[derive(Debug)]
pub(crate) struct Ring {
    events_max: usize,
    kept: Mutex<Kept>,
    /// Something was put in, or nothing more will be.
    news: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    /// Those that somebody has not read.
    events: VecDeque<Event>,
    /// What they hold of what passed. At most [`BYTES_MAX`], unless one alone has more.
    bytes: usize,
    /// The number of the first of them, of all there ever were.
    first: u64,
    /// The number of the next that each reader reads. `None` where there is no reader.
    readers: Vec<Option<u64>>,
    is_closed: bool,
}

/// A place from which somebody reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader(usize);

impl Ring {
    /// For at most `events_max` events, at least 1.
    pub(crate) fn new(events_max: usize) -> Self {
        assert!(events_max > 0, "no room for an event");
        Self { events_max, kept: Mutex::default(), news: Notify::new() }
    }

    /// Puts `event` in for those who read now. What is oldest goes if there is no room.
    pub(crate) fn put(&self, event: Event) {
        let mut kept = self.lock();
        if kept.readers.iter().all(Option::is_none) {
            return;
        }
        kept.bytes += bytes_of(&event);
        kept.events.push_back(event);
        while kept.events.len() > self.events_max || kept.bytes > BYTES_MAX && kept.events.len() > 1
        {
            kept.drop_first();
        }
        drop(kept);
        self.news.notify_waiters();
    }

    /// Nothing more will be put in.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_waiters();
    }

    /// Begins to read what is put in from now on.
    pub(crate) fn join(&self) -> Reader {
        let mut kept = self.lock();
        let next = Some(kept.end());
        let place = kept.readers.iter().position(Option::is_none).unwrap_or(kept.readers.len());
        if place == kept.readers.len() {
            kept.readers.push(next);
        } else {
            kept.readers[place] = next;
        }
        Reader(place)
    }

    pub(crate) fn leave(&self, Reader(place): Reader) {
        let mut kept = self.lock();
        kept.readers[place] = None;
        kept.forget_read();
    }

    /// Waits for the next event; `None` once it is closed and all is read.
    ///
    /// Cancel safe: what is given is read, and nothing else.
    pub(crate) async fn next(&self, reader: Reader) -> Option<Event> {
        loop {
            // Before it is looked at: what comes in between is told, too.
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            match self.lock().read(reader) {
                Read::Event(event) => return Some(event),
                Read::Closed => return None,
                Read::Nothing => (),
            }
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing that holds the lock can panic half-way through a change.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reader finds.
enum Read {
    Event(Event),
    Nothing,
    Closed,
}

impl Kept {
    /// The number of the event that is put in next.
    fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn read(&mut self, Reader(place): Reader) -> Read {
        let Some(next) = self.readers[place] else { return Read::Closed };
        if next < self.first {
            self.readers[place] = Some(self.first);
            return Read::Event(Event::Missed { events: self.first - next });
        }
        let at = usize::try_from(next - self.first).unwrap_or(usize::MAX);
        let Some(event) = self.events.get(at).cloned() else {
            return if self.is_closed { Read::Closed } else { Read::Nothing };
        };
        self.readers[place] = Some(next + 1);
        if at == 0 {
            self.forget_read();
        }
        Read::Event(event)
    }

    /// Drops those that every reader has read.
    fn forget_read(&mut self) {
        let unread = self.readers.iter().flatten().min().copied().unwrap_or(u64::MAX);
        while self.first < unread && !self.events.is_empty() {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some(event) = self.events.pop_front() else { return };
        self.bytes -= bytes_of(&event);
        self.first += 1;
    }
}

fn bytes_of(event: &Event) -> usize {
    if let Event::Bytes { bytes, .. } = event { bytes.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Direction, event::FlowId};

    fn event(bytes: usize) -> Event {
        let (flow, direction) = (FlowId(1), Direction::ToServer);
        Event::Bytes { flow, direction, bytes: Bytes::from(vec![0; bytes]) }
    }

    fn kept(ring: &Ring) -> (usize, usize) {
        let kept = ring.lock();
        (kept.events.len(), kept.bytes)
    }

    #[tokio::test]
    async fn what_all_have_read_is_kept_no_more() {
        let ring = Ring::new(8);
        ring.put(event(1));
        assert_eq!(kept(&ring), (0, 0));
        let (one, other) = (ring.join(), ring.join());
        ring.put(event(2));
        ring.put(event(3));
        assert_eq!(ring.next(one).await, Some(event(2)));
        assert_eq!(kept(&ring), (2, 5));
        assert_eq!(ring.next(other).await, Some(event(2)));
        assert_eq!(kept(&ring), (1, 3));
        ring.leave(other);
        ring.put(event(4));
        assert_eq!(ring.next(one).await, Some(event(3)));
        ring.close();
        assert_eq!(ring.next(one).await, Some(event(4)));
        assert_eq!((ring.next(one).await, kept(&ring)), (None, (0, 0)));
    }

    #[tokio::test]
    async fn the_slowest_loses_what_is_oldest_by_number_and_by_bytes() {
        let ring = Ring::new(100);
        let (slow, quick) = (ring.join(), ring.join());
        for _ in 0..40 {
            ring.put(event(BYTES_MAX / 4));
            assert_eq!(ring.next(quick).await, Some(event(BYTES_MAX / 4)));
        }
        assert_eq!(kept(&ring), (4, BYTES_MAX));
        assert_eq!(ring.next(slow).await, Some(Event::Missed { events: 36 }));
        ring.put(event(2 * BYTES_MAX));
        assert_eq!(kept(&ring), (1, 2 * BYTES_MAX));
        assert_eq!(ring.next(slow).await, Some(Event::Missed { events: 4 }));
        assert_eq!(ring.next(slow).await, Some(event(2 * BYTES_MAX)));
        for _ in 0..150 {
            ring.put(event(1));
        }
        assert_eq!(kept(&ring), (100, 100));
        assert_eq!(ring.next(slow).await, Some(Event::Missed { events: 50 }));
    }

    #[tokio::test]
    async fn who_waits_is_told_of_news_and_of_the_end() {
        let ring = Ring::new(8);
        let reader = ring.join();
        let putting = async {
            tokio::task::yield_now().await;
            ring.put(event(1));
        };
        assert_eq!(tokio::join!(ring.next(reader), putting).0, Some(event(1)));
        let closing = async {
            tokio::task::yield_now().await;
            ring.close();
        };
        assert_eq!(tokio::join!(ring.next(reader), closing).0, None);
    }
}
