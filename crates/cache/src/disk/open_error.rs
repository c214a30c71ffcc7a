//! Why a folder cannot be used, and of which file an error is.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::format::FORMAT;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("{path:?} is used by process {pid}; end it, or name another folder")]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Its id, as it said; `?` if it did not.
        pid: String,
    },
    /// It was written by another version.
    #[error("{path:?} has format {found:?}, not {FORMAT:?}; delete the folder to start anew")]
    OtherFormat {
        /// The folder.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// What says which format it has is missing or damaged: without the secret that is in it, nothing
    /// that is stored can be read.
    #[error(
        "{path:?} is no format of a cache's, and without it nothing in {folder:?} can be read; \
         delete the folder to start anew, or name another"
    )]
    NoFormat {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// There is no cache in it to be looked at.
    #[error("{path:?} holds no cache")]
    NoCache {
        /// The folder.
        path: PathBuf,
    },
    /// Something else is in it.
    #[error("{path:?} holds {found:?}, which is no cache's; name an empty folder")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The system says no.
    #[error("{doing} {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What makes an [`OpenError`] of what the system says.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { doing, path, source }
}

/// What says of which file an error is.
pub(super) fn naming(path: &Path) -> impl Fn(io::Error) -> io::Error {
    let path = path.to_owned();
    move |error| io::Error::new(error.kind(), Named { path: path.clone(), error })
}

/// An error of the system about a file.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {error}")]
struct Named {
    path: PathBuf,
    error: io::Error,
}
