//! `sniff = { log, size_max, keep }`: each exchange as a line of a log.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde::Deserialize;

use super::log_file::LogFile;
use crate::{
    base::Base,
    complaint::{KeyPath, Problem},
    spelling::Size,
};

/// The table, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ log = \"var/front.jsonl\" }`")]
pub(crate) struct Table {
    /// Where the lines go.
    log: PathBuf,
    /// How large the file may be.
    size_max: Option<Size>,
    /// How many older ones are kept.
    keep: Option<u32>,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Sniffer")]
pub(crate) struct Flags {
    /// Write a line of JSON for each exchange (see `relais flows`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sniff: Option<PathBuf>,
    /// How large that file may become before another is begun [default: 64MiB]
    #[arg(long, value_name = "SIZE", requires = "sniff")]
    sniff_size_max: Option<Size>,
    /// How many older ones are kept [default: 5]
    #[arg(long, value_name = "NUMBER", requires = "sniff")]
    sniff_keep: Option<u32>,
}

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let Self { sniff, sniff_size_max: size_max, sniff_keep: keep } = self;
        sniff.map(|log| Table { log, size_max, keep })
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(&self, base: &Base, key: &KeyPath) -> Result<LogFile, Vec<Problem>> {
        let LogFile { path, size_max, keep } = LogFile::at(base.join(&self.log));
        let size_max = self.size_max.unwrap_or(size_max);
        let file = LogFile { path, size_max, keep: self.keep.unwrap_or(keep) };
        let problems = file.problems(key, ("size_max", "keep"));
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }
}
