//! What is wrong with the store, told to who reads the log: once, and not for each who asks.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, warn};

use super::clock::is_due;
use crate::{model::Millis, protocol::Refusal, store::Broken};

/// What is wrong, if anything is.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// What was told, and when.
    told: Option<(String, Millis)>,
    state: State,
    /// Whether the last that it was given was undone.
    undid: bool,
    /// Until when nothing is written, and what who wants something written is told.
    rest: Option<(Instant, Refusal)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Well,
    /// The store does not take what it is given.
    Ill,
    /// It is not where it was.
    Gone,
}

/// After how long the same is told again.
const TOLD_AGAIN_AFTER: Duration = Duration::from_mins(1);

impl Trouble {
    /// Tells that `what` is so because of `error`, unless that was told.
    pub(super) fn tell(&mut self, (what, error): (&str, &Broken), now: Millis) {
        if self.is_news(error, now) {
            error!(%error, "{what}");
        }
    }

    fn is_news(&mut self, error: &Broken, now: Millis) -> bool {
        let text = error.to_string();
        let is_told =
            |(told, at): &(String, Millis)| *told == text && !is_due((*at, now), TOLD_AGAIN_AFTER);
        if self.told.as_ref().is_some_and(is_told) {
            return false;
        }
        let is_gone = matches!(error, Broken::Gone { .. });
        self.state = if is_gone { State::Gone } else { State::Ill };
        self.told = Some((text, now));
        true
    }

    /// What the store was given was undone.
    pub(super) fn undid(&mut self) {
        self.undid = true;
    }

    /// Whether what it is given next may be undone, too: it took nothing since.
    pub(super) fn is_likely(&self) -> bool {
        self.undid
    }

    /// The disk took nothing: nothing more is written for so long, and refused so.
    pub(super) fn rest(&mut self, refusal: Refusal, lasts: Duration) {
        self.rest = Some((Instant::now() + lasts, refusal));
    }

    /// Whether something may be written at `now`.
    ///
    /// # Errors
    ///
    /// What who wants that is told.
    pub(super) fn may_write(&self, now: Instant) -> Result<(), Refusal> {
        let Some((until, refusal)) = &self.rest else { return Ok(()) };
        let left = until.saturating_duration_since(now);
        if left.is_zero() {
            return Ok(());
        }
        let ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Err(refusal.clone().retry_ms(ms.max(1)))
    }

    /// The store took what it was given: if it did not, that is told to be over.
    pub(super) fn end(&mut self) {
        self.undid = false;
        if std::mem::take(&mut self.state) != State::Well {
            warn!("the hub's store takes again what it is given");
        }
    }

    /// The store is where it was.
    pub(super) fn found(&mut self) {
        if self.state == State::Gone {
            // Once it is lost again, that is news.
            self.told = None;
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone() -> Broken {
        Broken::Gone { path: "hub.db".into() }
    }

    #[test]
    fn the_same_is_told_once_a_minute_and_another_thing_at_once() {
        let mut trouble = Trouble::default();
        let mut is_news = |error: Broken, ms| trouble.is_news(&error, Millis(ms));
        assert_eq!([0, 1, 59_999].map(|ms| is_news(gone(), ms)), [true, false, false]);
        assert!(is_news(Broken::Bug, 59_999));
        assert!(is_news(gone(), 60_000));
        assert!(!is_news(gone(), 119_999));
        assert!(is_news(gone(), 120_000));
    }

    #[test]
    fn it_is_likely_until_something_is_taken() {
        let mut trouble = Trouble::default();
        trouble.undid();
        trouble.found();
        assert!(trouble.is_likely(), "it takes nothing where it is");
        trouble.end();
        assert!(!trouble.is_likely());
    }

    #[test]
    fn it_is_over_once() {
        let mut trouble = Trouble::default();
        trouble.is_news(&gone(), Millis(0));
        trouble.found();
        assert_eq!(trouble.state, State::Well);
        assert!(trouble.is_news(&gone(), Millis(1)));
        trouble.is_news(&Broken::Bug, Millis(1));
        trouble.found();
        assert_eq!(trouble.state, State::Ill, "it takes nothing where it is");
        trouble.end();
        assert_eq!(trouble.state, State::Well);
    }
}
