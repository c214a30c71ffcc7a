//! What is served and how, as it is told.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use http::{HeaderValue, StatusCode};

use super::OwnFiles;
use crate::OpenFiles;

/// What [`Files`](super::Files) serves, and how.
///
/// Paths in here are below the root, as in a URL: names with slashes between them, not encoded, a
/// leading slash or none.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the files are.
    pub root: Root,
    /// Names of files that stand for the folder they are in; the first that is there counts.
    pub index: Vec<String>,
    /// Whether folders without an index show what is in them. If not, they answer 403, like
    /// nginx's: the folder is there (its name without a slash is redirected to it), so 404 would
    /// only pretend.
    pub listing: Listing,
    /// The file that answers, with 200, for paths where nothing is: the page of an application
    /// that knows its paths itself. For names with an extension only to who would rather have HTML
    /// than text; never for who would rather have JSON.
    pub fallback: Option<String>,
    /// The files that are the bodies of error answers.
    pub error_pages: BTreeMap<StatusCode, String>,
    /// `Cache-Control` by a pattern over the file's path; the first that matches counts.
    ///
    /// *Shape*: a glob. `*` does not match a slash, `**` does. A pattern without a slash is of the
    /// name in any folder: `*.css`, and `assets/**`.
    pub cache_control: Vec<(String, HeaderValue)>,
    /// Whether names that start with a dot are served.
    pub dotfiles: Dotfiles,
    /// Files and folders that are not there for callers, also where a symbolic link leads to them. With
    /// each file those beside it that have its name and a number behind, as older logs do (`FILE.1`,
    /// `FILE-20260131`, `FILE.1.gz`), and `FILE-wal`, `FILE-shm` and `FILE.lock`, which are a
    /// database's. A hard link or another mount is another path, by which they are there.
    pub own_files: OwnFiles,
    /// How bodies are coded.
    pub compress: Compress,
    /// How much of everything.
    pub limits: Limits,
    /// Places for the files that are too big for memory. A quarter of them may be taken by files that
    /// stay open for who asks next, each for [`Limits::renew_after`].
    pub open_files: OpenFiles,
    /// Says what time it is.
    pub clock: fn() -> SystemTime,
}

impl Options {
    /// The defaults for `root`: `index.html`, no listings, dotfiles hidden, bodies coded, and places
    /// for 256 open files.
    pub fn of(root: Root, clock: fn() -> SystemTime) -> Self {
        Self {
            root,
            index: vec!["index.html".to_owned()],
            listing: Listing::Off,
            fallback: None,
            error_pages: BTreeMap::new(),
            cache_control: Vec::new(),
            dotfiles: Dotfiles::Hidden,
            own_files: OwnFiles::default(),
            compress: Compress::On(Levels::default()),
            limits: Limits::default(),
            open_files: OpenFiles::at_most(256),
            clock,
        }
    }
}

/// Where the files are.
#[derive(Clone, Debug)]
pub enum Root {
    /// In a folder. Nothing outside of it is ever served: symbolic links are followed as far as
    /// they are relative and stay inside.
    Folder(PathBuf),
    /// In this program.
    Embedded(&'static [Asset]),
}

/// A file that is a part of this program.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its path below the root.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// When it was last changed, if that is known: seconds since 1970.
    pub modified_secs: Option<u64>,
}

/// Whether folders show what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// They do not.
    Off,
    /// As a table in HTML, or as JSON for who would rather have it.
    On,
}

/// Whether names that start with a dot are served. `/.well-known/` (RFC 8615) always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dotfiles {
    /// They are as if they were not there, through symbolic links, too.
    Hidden,
    /// They are files like any other.
    Shown,
}

/// How bodies are coded for who accepts it. Only types that gain by it are: text, code, fonts, but
/// not images or archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Not at all.
    Off,
    /// From files that lie beside the asked one and are not older: `name.zst`, `name.br`,
    /// `name.gz`.
    Sidecars,
    /// From such files, else by ourselves.
    On(Levels),
}

/// How much effort goes into coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// For `gzip`: 1 to 9.
    pub gzip: u32,
    /// For `br`: 0 to 11.
    pub br: u32,
    /// For `zstd`: 1 to 19.
    pub zstd: i32,
}

impl Default for Levels {
    fn default() -> Self {
        Self { gzip: 6, br: 5, zstd: 6 }
    }
}

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Who asks for more ranges of a file than this gets all of it.
    pub ranges_max: usize,
    /// Memory for small files and for coded ones, in bytes. A quarter of it is the latter's. With
    /// those on their way twice as much may be taken, after which files are sent from disk, as they
    /// are.
    pub hot_bytes_max: u64,
    /// Files up to this size, in bytes, are kept in memory.
    pub hot_file_bytes_max: u64,
    /// Files below this size, in bytes, are not worth coding.
    pub compress_bytes_min: u64,
    /// Files above this size, in bytes, are not coded by us.
    pub compress_bytes_max: u64,
    /// How many files may wait to be coded; the next one is sent as it is.
    pub compress_waiting_max: usize,
    /// How many threads code.
    pub compress_threads: usize,
    /// How many entries a listing shows.
    pub listing_entries_max: usize,
    /// How many folders are listed at once.
    pub listings_max: usize,
    /// How many may wait for that.
    pub listings_waiting_max: usize,
    /// Memory for listings that are being sent, in bytes.
    pub listings_bytes_max: u64,
    /// A file in memory is looked up anew after this long, although it did not change: new
    /// sidecars, and a root that was replaced, are noticed then. (A changed file is noticed at
    /// once.)
    pub renew_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ranges_max: 16,
            hot_bytes_max: 64 << 20,
            hot_file_bytes_max: 256 << 10,
            compress_bytes_min: 256,
            compress_bytes_max: 4 << 20,
            compress_waiting_max: 64,
            compress_threads: 2,
            listing_entries_max: 10_000,
            listings_max: 4,
            listings_waiting_max: 64,
            listings_bytes_max: 64 << 20,
            renew_after: Duration::from_secs(1),
        }
    }
}

/// What a file is sent for that no caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer for paths where nothing is.
    Fallback,
    /// To go with this status.
    ErrorPage(StatusCode),
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fallback => f.write_str("the fallback"),
            Self::ErrorPage(status) => write!(f, "the error page for {status}"),
        }
    }
}

/// Why files cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is nothing at the root's path.
    #[error("no folder at {path:?}")]
    RootMissing {
        /// Where.
        path: PathBuf,
    },
    /// The root is something else.
    #[error("not a folder: {path:?}: expected a folder")]
    RootNotFolder {
        /// Where.
        path: PathBuf,
    },
    /// The root cannot be opened.
    #[error("opening the folder {path:?}")]
    Root {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pattern does not parse.
    #[error("bad pattern {glob:?}: {why}: expected a glob")]
    Glob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An index is no name.
    #[error("bad index {name:?}: expected the name of a file, without slashes")]
    Index {
        /// What was found.
        name: String,
    },
    /// An error page or the fallback is not there, or no file that can be read.
    #[error("no readable file {path:?} below the root, for {purpose}: expected one")]
    File {
        /// Below the root.
        path: String,
        /// What it was for.
        purpose: Purpose,
    },
    /// No thread for coding.
    #[error("starting a thread that compresses")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
}
