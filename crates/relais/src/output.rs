//! Data to standard output, talk to standard error.
//!
//! A reader that went away is no failure of ours: what cannot be written is dropped.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line of data.
pub(crate) fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a text of data as it is, which may be long.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Prints a line of talk.
pub(crate) fn tell(line: impl Display) {
    _ = writeln!(io::stderr().lock(), "{line}");
}
