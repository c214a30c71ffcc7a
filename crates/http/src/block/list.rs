//! A block list in a file, and following the file's changes.

use std::{
    ffi::OsStr,
    io::{self, Read as _},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use relais_net::open_regular;
use relais_wire::visible::is_disturbing;
use rustix::fs::{AtFlags, CWD};
use tracing::{info, warn};

use super::{BadLine, BadList, Rules};
use crate::Stamp;

/// The rules in a file. They change with it, under those who ask.
#[derive(Debug)]
pub struct BlockList {
    path: PathBuf,
    /// For strangers: without its folder.
    name: String,
    rules: ArcSwap<Rules>,
    /// The number of those rules, or for a moment of those before them.
    number: AtomicU64,
    watched: Mutex<Watched>,
}

/// Why there is no block list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The system does not give its file.
    #[error("cannot read block list {path:?}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its file has more bytes than a list may have.
    #[error("block list {0:?} is too large: expected at most {LIST_BYTES_MAX} bytes")]
    TooLarge(PathBuf),
    /// A line is malformed.
    #[error("bad block list {path:?}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which lines, and why.
        source: BadList,
    },
}

/// What a look at the file brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The file is as it was; or it changes just now, and the next look will tell.
    Unchanged,
    /// It was read: its rules are those that count now.
    Read,
    /// It is malformed or gone: the rules from before stay.
    Kept,
}

/// The most bytes that a list may have.
const LIST_BYTES_MAX: u64 = 256 << 20;

/// What is known of the file.
#[derive(Debug)]
struct Watched {
    /// What was seen last.
    last: Look,
    /// What was judged last: its rules were taken, or it was warned of.
    judged: Option<Look>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    There(Stamp),
    Gone(io::ErrorKind),
}

impl BlockList {
    /// Reads the list in the file at `path`.
    ///
    /// Blocks; see [`Rules::parse`].
    ///
    /// # Errors
    ///
    /// [`ListError`].
    pub fn load(path: PathBuf) -> Result<Self, ListError> {
        let (rules, stamps) = read(&path)?;
        let last = Look::There(stamps.after);
        let judged = stamps.agree().then_some(last);
        let name = shown(path.file_name().unwrap_or(path.as_os_str()));
        let number = AtomicU64::new(rules.number().get());
        let (rules, watched) = (ArcSwap::from_pointee(rules), Mutex::new(Watched { last, judged }));
        Ok(Self { path, name, rules, number, watched })
    }

    /// The rules that count now.
    pub fn rules(&self) -> Guard<Arc<Rules>> {
        self.rules.load()
    }

    /// The number of the rules that count now, or counted a moment ago.
    ///
    /// *Cost*: a fraction of that of [`Self::rules`].
    pub(super) fn number(&self) -> NonZeroU64 {
        NonZeroU64::new(self.number.load(Relaxed)).unwrap_or(NonZeroU64::MAX)
    }

    /// Where the list is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its file is called, without its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Looks at the file, and reads it if it changed. To be called once a second or so.
    ///
    /// A file is read when it was seen twice in the same state: one that is just being written is
    /// not taken for whole. If it cannot be read, or is malformed, the rules from before stay; that
    /// is warned of once for each state of the file.
    ///
    /// Blocks; see [`Rules::parse`].
    pub fn refresh(&self) -> Refreshed {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let look = look(&self.path);
        let is_still = std::mem::replace(&mut watched.last, look) == look;
        if !is_still || watched.judged == Some(look) {
            return Refreshed::Unchanged;
        }
        watched.judged = Some(look);
        match read(&self.path) {
            Ok((_, stamps)) if !(stamps.agree() && look == Look::There(stamps.after)) => {
                watched.judged = None;
                Refreshed::Unchanged
            }
            Ok((rules, _)) => {
                info!(list = %self.path.display(), rules = rules.len(), "read a block list again");
                let number = rules.number().get();
                self.rules.store(Arc::new(rules));
                self.number.store(number, Relaxed);
                Refreshed::Read
            }
            Err(error) => {
                warn!("{}; the rules from before stay", told(&error));
                Refreshed::Kept
            }
        }
    }

    /// Starts a thread that [refreshes](Self::refresh) `list` so often, and ends when nobody else
    /// has the list.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had.
    pub fn watch(list: &Arc<Self>, every: Duration) -> io::Result<JoinHandle<()>> {
        let watched = Arc::downgrade(list);
        thread::Builder::new().name("relais-blocklist".into()).spawn(move || {
            while let Some(list) = watched.upgrade() {
                list.refresh();
                drop(list);
                thread::park_timeout(every);
            }
        })
    }
}

/// In one line what is wrong, and where.
fn told(error: &ListError) -> String {
    match error {
        ListError::Unreadable { source, .. } => {
            let why = source.to_string();
            format!(
                "{error}: {}",
                why.split(" (os error").next().unwrap_or_default().to_lowercase()
            )
        }
        ListError::TooLarge(_) => error.to_string(),
        ListError::Malformed { path, source: BadList { lines } } => {
            let line = |bad: &BadLine| format!("{}:{}: {bad}", path.display(), bad.line);
            lines.iter().map(line).collect::<Vec<_>>().join("; ")
        }
    }
}

fn look(path: &Path) -> Look {
    match rustix::fs::statx(CWD, path, AtFlags::empty(), Stamp::WANTED) {
        Ok(found) => Look::There(Stamp::from(&found)),
        Err(errno) => Look::Gone(io::Error::from(errno).kind()),
    }
}

/// What a file was like before it was read, and after.
struct Stamps {
    before: Stamp,
    after: Stamp,
}

impl Stamps {
    /// Whether what was read is of one state.
    fn agree(&self) -> bool {
        self.before == self.after
    }
}

fn read(path: &Path) -> Result<(Rules, Stamps), ListError> {
    let unreadable = |source| ListError::Unreadable { path: path.to_owned(), source };
    let file = open_regular(path).map_err(unreadable)?;
    let before = Stamp::of(&file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    (&file).take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let after = Stamp::of(&file).map_err(unreadable)?;
    if bytes.len() as u64 > LIST_BYTES_MAX {
        return Err(ListError::TooLarge(path.to_owned()));
    }
    let malformed = |source| ListError::Malformed { path: path.to_owned(), source };
    let rules = Rules::parse(bytes).map_err(malformed)?;
    Ok((rules, Stamps { before, after }))
}

/// A name that may be looked at.
fn shown(name: &OsStr) -> String {
    let escape = |char: char| {
        let escaped = is_disturbing(char).then(|| char.escape_unicode());
        let plain = escaped.is_none().then_some(char);
        escaped.into_iter().flatten().chain(plain)
    };
    name.to_string_lossy().chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests;
