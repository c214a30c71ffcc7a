//! `access_log = { file, format }`: one line for each answer.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use relais_http::access_log::{AccessLog as HttpLog, Closed, Format as HttpFormat, Sink};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ file = \"access.log\" }`")]
pub struct Table {
    /// Where the lines go; `-` is the standard output.
    pub file: PathBuf,
    /// How they look.
    #[serde(default)]
    pub format: Format,
}

/// How a line looks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As Apache and nginx write it.
    #[default]
    Combined,
    /// One JSON object.
    Json,
}

/// An access log, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AccessLog {
    /// Where the lines go.
    pub to: To,
    /// How they look.
    pub format: Format,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// The standard output.
    Stdout,
    /// The end of a file, which is made if it is not there.
    File(PathBuf),
}

impl AccessLog {
    pub(crate) fn plan(Table { file, format }: Table, base: &Base) -> Self {
        let to = if file.as_os_str() == "-" { To::Stdout } else { To::File(base.join(&file)) };
        Self { to, format }
    }

    /// What keeps the log from being opened, as far as that can be told without making a file.
    pub(crate) fn problem(&self, key: &KeyPath) -> Option<Problem> {
        let To::File(file) = &self.to else { return None };
        let wrong = |what, expected: &str| {
            Some(key.key("file").wrong(Wrong::expected(what, expected).at_home(file)))
        };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return wrong(
                format!("no folder for the access log {:?}", file.display()),
                "a folder that exists",
            );
        }
        if file.is_dir() {
            return wrong(format!("the access log {:?} is a folder", file.display()), "a file");
        }
        None
    }
}

/// The logs that are open. They outlive a reload, and sites that name the same share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    open: HashMap<AccessLog, HttpLog>,
}

impl Logs {
    /// The log that is `planned`, opened if it is not open yet.
    pub(crate) fn open(&mut self, planned: &AccessLog, key: &KeyPath) -> Result<HttpLog, Problem> {
        if let Some(log) = self.open.get(planned) {
            return Ok(log.clone());
        }
        let format = match planned.format {
            Format::Combined => HttpFormat::Combined,
            Format::Json => HttpFormat::Json,
        };
        let sink = match &planned.to {
            To::Stdout => Sink::Writer(Box::new(io::stdout())),
            To::File(file) => Sink::File(file.clone()),
        };
        let log = HttpLog::start(sink, format).map_err(|error| {
            let why = Wrong::from_error(&error).what;
            let path = match &planned.to {
                To::Stdout => planned.to.to_string(),
                To::File(file) => format!("{:?}", file.display()),
            };
            let what = format!("cannot write the access log {path}: {why}");
            key.key("file").wrong(Wrong { what, expected: None, hint: None })
        })?;
        self.open.insert(planned.clone(), log.clone());
        Ok(log)
    }

    /// Opens the files of these anew, and forgets the others.
    pub(crate) fn keep<'p>(&mut self, planned: impl Iterator<Item = &'p AccessLog>) {
        let planned: HashSet<_> = planned.collect();
        self.open.retain(|log, _| planned.contains(log));
        for log in self.open.values() {
            log.reopen();
        }
    }

    /// Waits until all is written, but for all logs together not longer than `patience`.
    ///
    /// Blocks: to be called from outside the event loop.
    pub(crate) fn shutdown(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        for (planned, log) in &self.open {
            let left = deadline.saturating_duration_since(Instant::now());
            if log.shutdown(left) == Closed::TimedOut {
                warn!(log = %planned.to, "the end of the access log is lost: it takes too long");
            }
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(file) => write!(f, "{}", file.display()),
        }
    }
}

impl fmt::Display for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Combined => "combined",
            Format::Json => "json",
        };
        write!(f, "{}, {format}", self.to)
    }
}
