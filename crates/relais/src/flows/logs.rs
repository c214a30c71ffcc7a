//! The files that are searched.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use relais_inspect::{Source, Tail, logs};

use crate::{
    complaint::{Complaint, Wrong},
    stop::Stop,
};

/// Logs that are open.
#[derive(Debug)]
pub(super) struct Logs {
    /// All their files, log by log, the oldest of each first.
    pub(super) sources: Vec<Source>,
    /// Which of them are the newest of their log: those that more comes to.
    newest: Vec<usize>,
}

/// Where a log is taken to end that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After the last line that has its end.
    Line,
    /// The same, or after a last exchange that lacks nothing but that.
    Exchange,
}

impl Logs {
    /// Opens the logs that `named` are of.
    pub(super) fn open(named: &[PathBuf]) -> Result<Self, Stop> {
        let mut all = Self { sources: Vec::new(), newest: Vec::new() };
        for files in logs(named) {
            // The newest first: if the log is put aside meanwhile, a file is seen under two names,
            // and none is missed.
            let mut sources: Vec<Source> = Vec::new();
            for (age, file) in files.iter().rev().enumerate() {
                match Source::open(file) {
                    Ok(source) if sources.iter().any(|known| known.is_same(&source)) => (),
                    Ok(source) => sources.push(source),
                    Err(_) if age > 0 && !file.exists() => (),
                    Err(error) => return Err(Stop::Wrong(vec![unreadable(file, &error)])),
                }
            }
            sources.reverse();
            all.sources.extend(sources);
            all.newest.push(all.sources.len() - 1);
        }
        Ok(all)
    }

    /// Leaves lines out that are being written just now. Who goes on with `tails` sees them there.
    pub(super) fn end_at(&mut self, end: End) -> anyhow::Result<()> {
        for &newest in &self.newest {
            let source = &mut self.sources[newest];
            let ended = match end {
                End::Line => source.end_at_line(),
                End::Exchange => source.end_at_exchange(),
            };
            ended.with_context(|| format!("reading {:?}", source.path().display()))?;
        }
        Ok(())
    }

    /// What comes to them.
    pub(super) fn tails(self) -> Vec<Tail> {
        let Self { sources, newest } = self;
        let sources = sources.into_iter().enumerate();
        let newest = sources.filter(|(index, _)| newest.contains(index));
        newest.map(|(_, source)| Tail::after(source)).collect()
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Complaint {
    Complaint::of_flag("FILE", Wrong::reading("the log", file, error))
}
