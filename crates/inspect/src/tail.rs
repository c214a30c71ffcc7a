//! Goes on where a log ends, while it is being written.

use std::{
    fs, io,
    path::{Path, PathBuf},
    slice,
};

use crate::{
    generations::logs,
    judge::{Findings, Judge, Keep},
    source::Source,
};

/// How much is read at once, in bytes.
const STEP_BYTES: usize = 256 << 10;

/// How long a line may be, in bytes: one that does not end within is taken for torn.
const LINE_BYTES_MAX: usize = 256 << 10;

/// What comes to a log. When the log is put aside and begun anew, it goes on with the new file.
#[derive(Debug)]
pub struct Tail {
    /// Where the log is.
    path: PathBuf,
    source: Source,
    /// How much of the source was read.
    at: u64,
    /// The beginning of a line that has not ended yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Goes on after the end of `source`, which is that of a line: see [`Source::end_at_line`].
    pub fn after(source: Source) -> Self {
        Self { path: source.path().to_owned(), at: source.len(), source, begun: Vec::new() }
    }

    /// Judges what has come since this was asked last; nothing is waited for.
    ///
    /// Gives at most one file's at once: ask again until `None`. The lines are counted from where
    /// the last ones ended, anew in a new file: see [`More`].
    ///
    /// # Errors
    ///
    /// What the system says when the file is read.
    pub fn more(&mut self, judge: &Judge, keep: Keep) -> io::Result<Option<More>> {
        let len = self.source.len_now()?;
        if len < self.at {
            // A line that had not ended was taken back, as the disk was full; or all was, in its place.
            let whole = self.at - self.begun.len() as u64;
            self.at = if len < whole { 0 } else { whole };
            self.begun.clear();
        }
        if let Some(lines) = self.read()? {
            return Ok(Some(More::Lines(judge.judge(&lines, keep))));
        }
        let Some(next) = self.successor()? else { return Ok(None) };
        // What was written between reading and renaming.
        if let Some(lines) = self.read()? {
            return Ok(Some(More::Lines(judge.judge(&lines, keep))));
        }
        let torn = std::mem::take(&mut self.begun);
        (self.source, self.at) = (next, 0);
        Ok(Some(More::Anew(judge.judge(&torn, keep))))
    }

    /// Where the log is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a step on. Gives the lines that have ended by that.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let start = self.begun.len();
            self.begun.resize(start + STEP_BYTES, 0);
            let read = self.source.read_at(&mut self.begun[start..], self.at);
            self.begun.truncate(start + *read.as_ref().unwrap_or(&0));
            self.at += read? as u64;
            let end = memchr::memrchr(b'\n', &self.begun[start..]).map(|end| start + end + 1);
            let is_torn = self.begun.len() > LINE_BYTES_MAX;
            match end.or(is_torn.then_some(self.begun.len())) {
                Some(end) => {
                    let begun = self.begun.split_off(end);
                    return Ok(Some(std::mem::replace(&mut self.begun, begun)));
                }
                None if self.begun.len() == start => return Ok(None),
                None => (),
            }
        }
    }

    /// The file that comes after this one, if there is one: this one was renamed.
    fn successor(&self) -> io::Result<Option<Source>> {
        let files = logs(slice::from_ref(&self.path)).concat();
        let is_ours = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| self.source.is(&found));
        let next = match files.iter().position(is_ours) {
            Some(at) => files.get(at + 1),
            None => files.last(),
        };
        match next.map(|next| Source::open(next)) {
            // Renamed, and nothing is there yet.
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.transpose(),
        }
    }
}

/// What has come to a log.
#[derive(Debug)]
pub enum More {
    /// More lines.
    Lines(Findings),
    /// The end of a file; what comes is in a new one.
    Anew(Findings),
}

#[cfg(test)]
mod tests;
