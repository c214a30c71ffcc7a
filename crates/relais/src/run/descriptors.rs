//! How many descriptors we may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Where there is no limit, as many as Linux gives a process by default at most.
const UNLIMITED: u64 = 1 << 20;

/// Raises the limit as far as we may, and tells how far that is.
///
/// The soft limit is low (1024) for the sake of programs that use `select`, which we do not.
pub(crate) fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(UNLIMITED),
        Err(_) => current.unwrap_or(UNLIMITED),
    }
}
