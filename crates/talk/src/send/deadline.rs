//! Until when the other side is heard.

use tokio::time::{Duration, Instant};

/// Until when the other side is heard, by its own time: what came before that is heard, however long
/// somebody takes to read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn within(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    pub(super) fn at(self) -> Instant {
        self.0
    }

    /// Hears by `hear`, whose time does not count.
    pub(super) fn hear<T>(&mut self, hear: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let heard = hear();
        self.0 += before.elapsed();
        heard
    }
}
