//! The one place where the time is asked for.

use std::time::SystemTime;

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "below this crate time is a parameter")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
