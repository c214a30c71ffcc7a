//! Takes in what was found: shows it, counts it, and says at the end what it was found in.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use relais_inspect::Findings;
use tracing::Level;

use super::show::{Done, Show};
use crate::{
    columns::clean,
    measure::{counted, said_bytes, said_count, said_time},
    output::tell,
    stop::Stop,
};

/// So many broken lines are told of one by one.
const BROKEN_TOLD_MAX: usize = 20;

/// What was found, all in all.
#[derive(Debug)]
pub(super) struct Report {
    show: Show,
    exchanges: u64,
    bytes: u64,
    /// How many lines were passed over, and how many of them were told of.
    broken: u64,
    told: usize,
    /// How many lines the logs say are missing.
    dropped: u64,
    /// How many lines of each file were searched.
    lines: HashMap<PathBuf, u64>,
}

impl Report {
    pub(super) fn new(show: Show) -> Self {
        let lines = HashMap::new();
        Self { show, exchanges: 0, bytes: 0, broken: 0, told: 0, dropped: 0, lines }
    }

    /// Takes in what was found next in `file`. Gives why no more is to be looked for.
    pub(super) fn take(&mut self, file: &Path, findings: &Findings) -> Option<Done> {
        self.tell_broken(file, findings);
        self.exchanges += findings.exchanges;
        self.bytes += findings.bytes;
        self.broken += findings.broken;
        self.dropped += findings.dropped;
        match self.lines.get_mut(file) {
            Some(lines) => *lines += findings.lines,
            None => _ = self.lines.insert(file.to_owned(), findings.lines),
        }
        self.show.take(findings)
    }

    /// Counts the lines of `file` from its first again: another one has taken its place.
    pub(super) fn begin_anew(&mut self, file: &Path) {
        self.lines.remove(file);
    }

    /// Says what all was found in. Nothing if nobody reads it.
    ///
    /// `doubts` are told if nothing was found.
    pub(super) fn end(
        self,
        done: Option<Done>,
        took: Duration,
        doubts: &[String],
    ) -> Result<(), Stop> {
        let sum = match done {
            Some(Done::NobodyReads) => return Ok(()),
            Some(Done::Unprintable(error)) => {
                return Err(anyhow::Error::from(error).context("printing").into());
            }
            Some(Done::Enough) => self.sum(took) + "; more were not looked for",
            None => self.sum(took),
        };
        self.show.end();
        if !is_quiet() {
            tell(sum);
        }
        if !is_quiet() && self.show.count == 0 {
            doubts.iter().for_each(tell);
        }
        Ok(())
    }

    fn sum(&self, took: Duration) -> String {
        let (count, all) = (said_count(self.show.count), counted(self.exchanges, "exchange"));
        let (bytes, took) = (said_bytes(self.bytes), said_time(took));
        let part = |count, what| match count {
            0 => String::new(),
            _ => format!("; {} {what}", counted(count, "line")),
        };
        let (broken, dropped) =
            (part(self.broken, "passed over"), part(self.dropped, "never written"));
        format!("{count} of {all}, {bytes} in {took}{broken}{dropped}")
    }

    fn tell_broken(&mut self, file: &Path, findings: &Findings) {
        let before = self.lines.get(file).copied().unwrap_or(0);
        let left = BROKEN_TOLD_MAX - self.told;
        for (line, why) in findings.broken_first.iter().take(left) {
            self.told += 1;
            if !is_quiet() {
                let file = clean(&file.to_string_lossy());
                tell(format_args!("{file}:{}: passed over: {why}", before + line + 1));
            }
        }
    }
}

/// Whether only errors are to be told.
fn is_quiet() -> bool {
    !tracing::enabled!(Level::WARN)
}
