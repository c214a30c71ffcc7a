//! Data to standard output, talk to standard error.
//!
//! A reader that went away is no failure of ours. What cannot be written otherwise is one: [`print`]
//! and [`print_line`] give it back, and what was said is asked for at the end of a command
//! ([`unsaid`]). It is dropped by those that tell or greet.

use std::{
    fmt::Display,
    io::{self, Write as _},
    sync::OnceLock,
};

use anyhow::Context as _;
use clap::ColorChoice;

use crate::columns;

/// How much a command tells beside what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Errors alone: `-q`.
    Less,
    /// What has to be known.
    Usual,
    /// How it came about, too: `-v`.
    More,
}

/// Prints a line of data. What is lost, [`unsaid`] tells.
pub(crate) fn say(line: impl Display) {
    if let Err(error) = print(format!("{line}\n").as_bytes()) {
        // Of several the first: the others follow from it.
        _ = UNSAID.set(error);
    }
}

/// Why something that was to be said could not be written, to a full disk for example; `None` if all
/// was, or its reader had enough.
pub(crate) fn unsaid() -> Option<&'static io::Error> {
    UNSAID.get()
}

static UNSAID: OnceLock<io::Error> = OnceLock::new();

/// Prints a line for who starts a server, which runs whether or not that can be read.
pub(crate) fn greet(line: impl Display) {
    _ = print(format!("{line}\n").as_bytes());
}

/// Prints a text of data as it is, which may be long.
///
/// # Errors
///
/// What is lost, to a full disk for example. A reader that has enough has lost nothing.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    print_on(text).map(|_| ())
}

/// Prints a line of data, on which somebody may rely.
///
/// # Errors
///
/// As [`print`]'s.
pub(crate) fn print_line(line: impl Display) -> anyhow::Result<()> {
    print(format!("{line}\n").as_bytes()).context(PRINTING)
}

/// What was being done where data is lost.
pub(crate) const PRINTING: &str = "writing to standard output";

/// Whether somebody reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Reads,
    HasEnough,
}

/// The same as [`print`], for who has more to print.
pub(crate) fn print_on(text: &[u8]) -> io::Result<Reader> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Reads),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::HasEnough),
        Err(error) => Err(error),
    }
}

/// Standard output without std's buffer, which keeps what it could not write and tries again later. Here
/// every byte that [`write`](io::Write::write) counts has been written, and no other.
#[derive(Debug)]
pub(crate) struct Unbuffered;

impl io::Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(io::stdout().lock(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line of talk.
pub(crate) fn tell(line: impl Display) {
    _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints talk in the place of what was told so last, on a terminal: as much of it as its line has room
/// for. What went on in the next line would stay there.
pub(crate) fn tell_over(text: impl AsRef<str>) {
    let err = io::stderr();
    let room = columns::of(&err).unwrap_or(usize::MAX);
    let text: String = columns::begin(text.as_ref(), room).collect();
    // To the first column, and empty to the last.
    _ = write!(err.lock(), "\r\x1b[K{text}");
}

/// Whether what goes to `out` has colours.
pub(crate) fn is_coloured(choice: ColorChoice, out: &impl io::IsTerminal) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !is_refused && out.is_terminal()
        }
    }
}
