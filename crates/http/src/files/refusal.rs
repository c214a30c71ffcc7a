//! Why a request gets no file.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use http::StatusCode;
use rustix::io::Errno;

/// Why a request gets no file. Says no more than its caller may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The path means no file.
    BadPath,
    /// What is there may not be read.
    Denied,
    /// A folder without an index, where folders are not listed.
    Unlisted,
    /// There is nothing; or nothing that is anybody's business.
    Missing,
    /// We serve files, we don't change them.
    BadMethod,
    /// No coding that is acceptable.
    NotAcceptable,
    /// `If-Match` or `If-Unmodified-Since` did not hold.
    Unmet,
    /// No byte that is asked for exists.
    Unsatisfiable {
        /// How many do.
        size: u64,
    },
    /// It can be had later.
    Busy,
    /// Our own fault.
    Broken,
}

/// What answers without a file may have for a status: each may have a page of its own.
pub const ERROR_STATUSES: [u16; 9] = [400, 403, 404, 405, 406, 412, 416, 500, 503];

impl Refusal {
    /// What `errno` means to who asked for a file.
    pub(super) fn of(errno: Errno) -> Self {
        match errno {
            // XDEV: a symbolic link out of the root. NXIO: a socket, or a device without a driver.
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::XDEV
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL
            | Errno::ISDIR
            | Errno::STALE => Self::Missing,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            // AGAIN: renames went on while the kernel resolved a link.
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN | Errno::INTR => Self::Busy,
            _ => Self::Broken,
        }
    }

    /// What `errno`, met with one name of a folder, means to who asked for all of them: nothing, if it is
    /// about that name alone.
    pub(super) fn of_one(errno: Errno) -> Option<Self> {
        let refusal = Self::of(errno);
        (refusal == Self::Busy || errno == Errno::IO).then_some(refusal)
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::BadPath => StatusCode::BAD_REQUEST,
            Self::Denied | Self::Unlisted => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Unmet => StatusCode::PRECONDITION_FAILED,
            Self::Unsatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// One sentence for a person.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::BadPath => "The address is malformed.",
            Self::Denied => "This may not be read.",
            Self::Unlisted => "This folder has no index page, and folders are not listed here.",
            Self::Missing => "There is nothing at this address.",
            Self::BadMethod => "Files here can only be read.",
            Self::NotAcceptable => "This cannot be had in a coding that you accept.",
            Self::Unmet => "This is not in the state that you expected.",
            Self::Unsatisfiable { .. } => "The part that you asked for is beyond the end.",
            Self::Busy => "The server is busy. Try again in a moment.",
            Self::Broken => "Something went wrong on the server.",
        }
    }
}

/// Lets one log line of a kind through every ten seconds.
#[derive(Debug, Default)]
pub(super) struct Hush {
    /// Seconds since 1970.
    last: AtomicU64,
}

impl Hush {
    /// Whether it is time for a line.
    pub(super) fn lets(&self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let last = self.last.load(Ordering::Relaxed);
        let due = now.abs_diff(last) >= 10;
        due && self.last.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_listed_and_no_other() {
        let mut found: Vec<_> = [
            Refusal::BadPath,
            Refusal::Denied,
            Refusal::Missing,
            Refusal::BadMethod,
            Refusal::NotAcceptable,
            Refusal::Unmet,
            Refusal::Unsatisfiable { size: 0 },
            Refusal::Broken,
            Refusal::Busy,
        ]
        .map(|refusal| refusal.status().as_u16())
        .into();
        found.sort_unstable();
        assert_eq!(found, ERROR_STATUSES);
    }

    #[test]
    fn what_the_system_says_becomes_a_status() {
        check(Errno::NOENT, 404);
        check(Errno::NOTDIR, 404);
        check(Errno::LOOP, 404);
        check(Errno::XDEV, 404);
        check(Errno::NAMETOOLONG, 404);
        check(Errno::NXIO, 404);
        check(Errno::ACCESS, 403);
        check(Errno::PERM, 403);
        check(Errno::MFILE, 503);
        check(Errno::NFILE, 503);
        check(Errno::AGAIN, 503);
        check(Errno::IO, 500);
    }

    #[test]
    fn what_is_wrong_with_one_name_is_left_out_and_what_is_wrong_with_us_is_told() {
        let about_it =
            [Errno::NOENT, Errno::XDEV, Errno::LOOP, Errno::ACCESS, Errno::NOTDIR, Errno::NOTCONN];
        assert_eq!(about_it.map(Refusal::of_one), [None; 6]);
        let busy = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
        assert_eq!(busy.map(Refusal::of_one), [Some(Refusal::Busy); 3]);
        assert_eq!(Refusal::of_one(Errno::IO), Some(Refusal::Broken));
    }

    #[test]
    fn a_line_is_let_through_every_ten_seconds() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let hush = Hush::default();
        assert!(hush.lets(at(1000)));
        assert!(!hush.lets(at(1009)));
        assert!(hush.lets(at(1010)));
        assert!(hush.lets(at(500)), "a clock that was set back must not silence for ever");
    }

    #[track_caller]
    fn check(errno: Errno, expect: u16) {
        assert_eq!(Refusal::of(errno).status().as_u16(), expect, "for {errno}");
    }
}
