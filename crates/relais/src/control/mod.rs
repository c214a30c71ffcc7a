//! The control socket: how other commands speak with a relais that runs.
//!
//! A Unix socket in the data folder, for its owner only. One line of JSON asks, one answers; before
//! that there may be others, each with something that was found. Lines, callers at once and times are
//! bounded.

mod cache;
mod client;
mod hub;
mod server;

use std::{
    fmt, fs,
    path::{self, Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub(crate) use cache::{AskedFor, CacheRequest, Chosen, Fetches, Hardness, OfCaches, read_fields};
pub(crate) use client::{Found, Running, ask, reload, running};
pub(crate) use hub::{Hidden, HubRequest, OfHub, WhatWasSaid};
pub(crate) use server::listen;

use crate::data::Data;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Read the configuration again.
    // Braces: serde lets unknown fields pass beside a variant without.
    Reload {},
    /// Say what runs, and where it listens.
    Listening {},
    /// Something of the caches.
    Cache(CacheRequest),
    /// Something of a hub.
    Hub(HubRequest),
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Answer {
    /// Something that was found. More comes.
    Found(Value),
    /// What runs.
    Listening(Listening),
    /// It is done.
    Done {
        /// What was done.
        text: String,
    },
    /// It is not, and nothing has changed.
    Refused(Refusal),
}

/// What a relais runs, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// Itself, in words.
    pub(crate) runs: String,
    /// The ports where it speaks HTTP.
    pub(crate) ports: Vec<u16>,
    /// The hubs. Earlier versions have none to look after.
    #[serde(default)]
    pub(crate) hubs: Vec<HubAt>,
    /// The proxies that have a cache. Earlier versions do not say.
    #[serde(default)]
    pub(crate) caches: Option<Vec<String>>,
    /// The file that it runs, by its whole path as it was said, links and all. Earlier versions do not say.
    #[serde(default)]
    pub(crate) file: Option<String>,
}

impl Listening {
    /// Whether it has a cache, as far as it says.
    pub(crate) fn has_caches(&self) -> bool {
        self.caches.as_ref().is_none_or(|caches| !caches.is_empty())
    }
}

/// A hub, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HubAt {
    /// Its name.
    pub(crate) name: String,
    /// The ports.
    pub(crate) ports: Vec<u16>,
    /// The file of its log.
    pub(crate) store: String,
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// Complaints, as they are printed.
    pub(crate) text: String,
    /// The exit code for whoever asked.
    pub(crate) exit: u8,
}

/// To whom a request's answers go. Closed once whoever asked is gone.
pub(crate) type Answers = mpsc::Sender<Answer>;

/// A request that waits for its answers.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: Request,
    /// With room for one.
    pub(crate) answers: Answers,
}

/// What was found may be a token, and is not shown.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(_) => f.write_str("Found(..)"),
            Self::Listening(listening) => f.debug_tuple("Listening").field(listening).finish(),
            Self::Done { text } => f.debug_struct("Done").field("text", text).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The longest request, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// How long a request may take to come, and an answer to be taken.
const LINE_MAX: Duration = Duration::from_secs(2);

/// How long a line of many may take to be taken: somebody may be reading them in a pager.
const FOUND_MAX: Duration = Duration::from_mins(10);

/// Where the relais that runs the demo is spoken to.
fn socket_of_demo(data: &Data) -> anyhow::Result<PathBuf> {
    // No file's: those end in a hash.
    Ok(data.sockets()?.join("demo.sock"))
}

/// Where the relais is spoken to that runs what a command line says, or the demo beside another, and speaks
/// HTTP at these ports.
///
/// *Shape*: `run/port-PORT.sock`; `run/pid-PID.sock` for who has none.
fn socket_of_flags(ports: &[u16], data: &Data) -> anyhow::Result<PathBuf> {
    // No file's either.
    let name = match ports.first() {
        Some(port) => format!("port-{port}.sock"),
        None => format!("pid-{}.sock", std::process::id()),
    };
    Ok(data.sockets()?.join(name))
}

/// `file` by its whole path, links and all, if that can be told.
pub(crate) fn as_said(file: &Path) -> Option<String> {
    path::absolute(file).ok()?.into_os_string().into_string().ok()
}

/// Where the relais that runs `file` is spoken to.
///
/// *Shape*: `run/NAME-HASH.sock` in the data folder: the file's name for people, a hash of its
/// whole path so that two files of one name have two sockets.
fn socket_of(file: &Path, data: &Data) -> anyhow::Result<PathBuf> {
    let whole = fs::canonicalize(file).with_context(|| format!("finding {:?}", file.display()))?;
    socket_of_whole(&whole, data)
}

/// The same, of a file that is gone from its folder.
fn socket_of_gone(file: &Path, data: &Data) -> anyhow::Result<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    let folder = folder.with_context(|| format!("finding the folder of {:?}", file.display()))?;
    socket_of_whole(&folder.join(file.file_name().unwrap_or_default()), data)
}

fn socket_of_whole(whole: &Path, data: &Data) -> anyhow::Result<PathBuf> {
    let stem = whole.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem.chars().filter(char::is_ascii_alphanumeric).take(NAME_MAX).collect();
    let hash = hash(whole.as_os_str().as_encoded_bytes());
    Ok(data.sockets()?.join(format!("{name}-{hash:016x}.sock")))
}

/// As much of a file's name as a socket's has; the path of a socket is 107 bytes at most.
const NAME_MAX: usize = 16;

/// FNV-1a, 64 bits. The same in every version of relais, which std's hashes are not.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_file_is_found_where_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::of(Some(folder.path().to_owned())).unwrap();
        let file = folder.path().join("relais.toml");
        fs::write(&file, "").unwrap();
        let there = socket_of(&file, &data).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(socket_of(&file, &data).is_err());
        assert_eq!(socket_of_gone(&file, &data).unwrap(), there);
    }

    #[test]
    fn the_hash_is_fnv() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_token_that_is_told_is_not_shown() {
        let found = Answer::Found(serde_json::json!({ "token": "rt_secret" }));
        assert_eq!(format!("{found:?}"), "Found(..)");
    }

    #[test]
    fn lines_are_as_written_down() {
        assert_eq!(serde_json::to_string(&Request::Reload {}).unwrap(), r#"{"do":"reload"}"#);
        let purge = OfCaches::Purge { what: Chosen::Tag("a".to_owned()), how: Hardness::Soft };
        let line =
            r#"{"do":"cache","proxy":null,"of":{"purge":{"what":{"tag":"a"},"how":"soft"}}}"#;
        let request = Request::Cache(CacheRequest { proxy: None, of: purge });
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        assert_eq!(serde_json::from_str::<Request>(line).unwrap(), request);
        let refused = Answer::Refused(Refusal { text: "no".to_owned(), exit: 2 });
        let line = serde_json::to_string(&refused).unwrap();
        assert_eq!(line, r#"{"refused":{"text":"no","exit":2}}"#);
        assert_eq!(serde_json::from_str::<Answer>(&line).unwrap(), refused);
    }
}
