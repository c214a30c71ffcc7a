//! How long may be waited for what is still to be written when we leave.

use std::time::Duration;

/// How long may be waited for what is still to be written when we leave, from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// All logs together.
    pub(crate) logs: Duration,
    /// The disks of all caches together. What is not written then is missing at the next start, and no
    /// harm.
    pub(crate) disks: Duration,
}

impl Leaving {
    /// When everybody is gone.
    pub(crate) const IN_PEACE: Self =
        Self { logs: Duration::from_secs(5), disks: Duration::from_secs(10) };

    /// When callers were cut off: somebody waits for us to be gone.
    pub(crate) const IN_HASTE: Self =
        Self { logs: Duration::from_secs(1), disks: Duration::from_secs(1) };
}
