//! Files on their way: how an answer ended is known when the last step of it is gone.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{Ended, Tell};
use crate::FileSpan;

/// A step of a file that is on its way, and what is left of it.
pub(crate) struct Step {
    /// What is still to be sent.
    pub(crate) span: FileSpan,
    /// Bytes of the body that follow this step, as far as is known.
    pub(crate) behind: u64,
    /// `None` if nobody is told.
    pub(super) steps: Option<Arc<Steps>>,
}

/// The steps of one body, which was counted as sent when it gave them. How it ended is told when
/// the body and all of them are gone.
pub(super) struct Steps {
    tell: Mutex<Option<Tell>>,
    /// How the body ended.
    ended: Mutex<Ended>,
    /// What was given and not sent.
    unsent: AtomicU64,
}

impl Steps {
    /// `tell` is told when all are gone.
    pub(super) fn new(tell: Tell) -> Self {
        Self {
            tell: Mutex::new(Some(tell)),
            ended: Mutex::new(Ended::Short(0)),
            unsent: AtomicU64::new(0),
        }
    }

    /// The body gave the last of them, and ended so.
    pub(super) fn body_ended(&self, ended: Ended) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = ended;
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(steps) = &self.steps {
            steps.unsent.fetch_add(self.span.len, Relaxed);
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        let tell = self.tell.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let ended = *self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(tell) = tell else { return };
        tell(match (ended, *self.unsent.get_mut()) {
            (Ended::Whole(bytes) | Ended::Short(bytes), unsent) if unsent > 0 => {
                Ended::Short(bytes.saturating_sub(unsent))
            }
            (ended, _) => ended,
        });
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("span", &self.span).finish_non_exhaustive()
    }
}
