//! Why the store does not do what it is asked.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

use crate::model::Seq;

/// Why the store does not do what it is asked. After it, what was written since the group of entries
/// began is to be [rolled back](super::Store::roll_back).
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The disk takes no more.
    #[error("no space is left for the store")]
    Full {
        /// What SQLite says.
        source: Sqlite,
    },
    /// Another process has it.
    #[error("{path:?} is used by process {pid}; end it, or name another file")]
    InUse {
        /// The store.
        path: PathBuf,
        /// Its id, as it said; `?` if it did not.
        pid: String,
    },
    /// Something that is no hub holds the file: it can be tried again.
    #[error("another program holds the store")]
    Locked {
        /// What SQLite says.
        source: Sqlite,
    },
    /// A later version wrote it.
    #[error("{path:?} has format {found}, and this version knows formats up to {known}")]
    Newer {
        /// The store.
        path: PathBuf,
        /// The format that it says it has.
        found: i64,
        /// The last that is known here.
        known: i64,
    },
    /// An earlier version wrote it, and it does not get what it lacks.
    #[error("{path:?} cannot be brought from format {found} to {known}, and is as it was")]
    Older {
        /// The store.
        path: PathBuf,
        /// The format that it has.
        found: i64,
        /// The last that is known here.
        known: i64,
        /// Why.
        source: Box<Broken>,
    },
    /// A bug ended what was written.
    #[error("a bug ended it; please report it")]
    Bug,
    /// A file of it was deleted, renamed or cut short while it is used.
    #[error("{path:?} is not where it was, or was cut short; put it back, or end the hub")]
    Gone {
        /// Which.
        path: PathBuf,
    },
    /// It is somebody else's database.
    #[error("{path:?} is no hub's; name another file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is written there is damaged.
    #[error("the store is damaged")]
    Damaged {
        /// What SQLite says.
        source: Sqlite,
    },
    /// SQLite's log beside it is damaged where entries stand that were answered: SQLite would leave them
    /// out, and all behind them.
    #[error(
        "{path:?} is damaged, and what was written last is in it; put a copy of the store back, or take \
         that file away to go on without"
    )]
    Torn {
        /// The log.
        path: PathBuf,
    },
    /// An entry says nothing that anybody can have written, or is missing.
    #[error("the store has nothing at {seq} that is known")]
    Unknown {
        /// Its place.
        seq: Seq,
    },
    /// Its place, or what its client calls it, is another's.
    #[error("entry {seq} is there already, or one of its account that is called the same")]
    Twice {
        /// Its place.
        seq: Seq,
        /// What SQLite says.
        source: Sqlite,
    },
    /// The system says no, to a file beside the database.
    #[error("{doing} {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite says no: the disk failed, or there is a bug.
    #[error("using the store")]
    Failed {
        /// What SQLite says.
        source: Sqlite,
    },
}

/// What SQLite says, told once: what lies below it says the same with its number.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Sqlite(pub(super) rusqlite::Error);

impl Broken {
    /// Whether the disk takes nothing, or fails: as it may for a while.
    pub(crate) fn is_of_disk(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Failed { source } => {
                source.0.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
            }
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for Broken {
    fn from(said: rusqlite::Error) -> Self {
        let extended = said.sqlite_error().map(|error| error.extended_code);
        let code = said.sqlite_error_code();
        let source = Sqlite(said);
        match code {
            Some(ErrorCode::DiskFull) => Self::Full { source },
            // No space for the index of its log.
            _ if extended == Some(SQLITE_IOERR_SHMSIZE) => Self::Full { source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { source },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { source },
            _ => Self::Failed { source },
        }
    }
}

/// What makes a [`Broken`] of what the system says.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Broken {
    let path = path.to_owned();
    move |source| Broken::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_can_be_done_about_it_is_told_apart() {
        check(ffi::SQLITE_FULL, "no space is left for the store");
        check(SQLITE_IOERR_SHMSIZE, "no space is left for the store");
        check(ffi::SQLITE_BUSY, "another program holds the store");
        check(ffi::SQLITE_BUSY_SNAPSHOT, "another program holds the store");
        check(ffi::SQLITE_CORRUPT_INDEX, "the store is damaged");
        check(ffi::SQLITE_NOTADB, "the store is damaged");
        check(ffi::SQLITE_IOERR_WRITE, "using the store");
    }

    #[test]
    fn what_sqlite_says_of_it_is_told_once() {
        let said = Some("disk I/O error".to_owned());
        let said = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), said);
        let broken = Broken::from(said);
        let source = broken.source().unwrap();
        assert_eq!(source.to_string(), "disk I/O error");
        assert!(source.source().is_none());
    }

    #[track_caller]
    fn check(code: i32, expect: &str) {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(Broken::from(source).to_string(), expect);
    }
}
