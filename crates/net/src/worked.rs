//! How long was worked for a caller, so that others may come first.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How long was worked for a caller: of those who ask from one address the one may come first for whom it
/// was least.
#[derive(Debug, Default)]
pub struct Worked(AtomicU64);

impl Worked {
    /// How long it was so far, to the microsecond.
    pub fn so_far(&self) -> Duration {
        Duration::from_micros(self.0.load(Relaxed))
    }

    /// Adds a while. Past half a million years it counts no further.
    pub fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        _ = self.0.fetch_update(Relaxed, Relaxed, |before| Some(before.saturating_add(micros)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worked_adds_up_and_never_begins_anew() {
        let worked = Worked::default();
        for micros in [5, 7] {
            worked.add(Duration::from_micros(micros));
        }
        assert_eq!(worked.so_far(), Duration::from_micros(12));
        worked.add(Duration::MAX);
        worked.add(Duration::from_micros(1));
        assert_eq!(worked.so_far(), Duration::from_micros(u64::MAX));
    }
}
