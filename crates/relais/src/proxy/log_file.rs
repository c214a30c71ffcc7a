//! Files of lines that stay within their size.

use std::{fmt, path::PathBuf};

use relais_http::line_log;
use relais_inspect::OLDER_MAX;
use serde::Serialize;

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::Size,
};

/// A file that is renamed when it is full, and some of the older ones, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LogFile {
    /// Where it is.
    #[serde(rename = "log")]
    pub path: PathBuf,
    /// How many bytes it may have.
    pub(crate) size_max: Size,
    /// How many older ones are kept.
    pub keep: u32,
}

/// Less, and a line of its own would fill it.
const SIZE_MIN: Size = Size(64 << 10);

impl LogFile {
    /// The file at `path`, of the usual size, with the usual number of older ones.
    pub(crate) fn at(path: PathBuf) -> Self {
        let line_log::LogFile { path, size_max, keep } = line_log::LogFile::at(path);
        Self { path, size_max: Size(size_max), keep }
    }

    /// What is wrong with its numbers, which have these names in the table at `key`.
    pub(crate) fn problems(&self, key: &KeyPath, (size, kept): (&str, &str)) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.size_max < SIZE_MIN {
            let what = format!("`{size}` is too small: {:?}", self.size_max.to_string());
            let wrong = Wrong::expected(what, format!("{SIZE_MIN} or more"));
            problems.push(key.key(size).wrong(wrong));
        }
        if self.keep > OLDER_MAX {
            let what = format!("`{kept}` is too large: {}", self.keep);
            let wrong = Wrong::expected(what, format!("at most {OLDER_MAX}"));
            problems.push(key.key(kept).wrong(wrong));
        }
        problems
    }

    /// What keeps it from being opened, as far as that can be told without making it.
    pub(super) fn unwritable(&self, key: &KeyPath) -> Option<Problem> {
        let path = &self.path;
        let wrong = |what, expected: &str| {
            Some(key.key("log").wrong(Wrong::expected(what, expected).at_home(path)))
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            let what = format!("no folder for the log {:?}", path.display());
            return wrong(what, "a folder that exists");
        }
        path.is_dir()
            .then(|| wrong(format!("the log {:?} is a folder", path.display()), "a file"))?
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, size_max, keep } = self;
        write!(f, "{}", path.display())?;
        if *self == Self::at(path.clone()) {
            return Ok(());
        }
        write!(f, ", {size_max} and {keep} older")
    }
}
