//! `access_log = { file, format }`: one line for each answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    config::Base,
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Where the lines go; `-` is the standard output.
    pub file: PathBuf,
    /// How they look.
    #[serde(default)]
    pub format: Format,
}

/// How a line looks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessLog {
    /// Where the lines go.
    pub to: To,
    /// How they look.
    pub format: Format,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
        let wrong = |what, expected: &str| Some(key.key("file").wrong(Wrong::expected(what, expected)));
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return wrong(format!("no folder for the access log {file:?}"), "a folder that exists");
        }
        if file.is_dir() {
            return wrong(format!("the access log {file:?} is a folder"), "a file");
        }
        None
    }
}

impl std::fmt::Display for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = match self.format {
            Format::Combined => "combined",
            Format::Json => "json",
        };
        match &self.to {
            To::Stdout => write!(f, "standard output, {format}"),
            To::File(file) => write!(f, "{}, {format}", file.display()),
        }
    }
}
