//! `relais password`: a line for an auth file.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use relais_http::auth::{check_name, check_password, hash_password};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{
    complaint::{Complaint, Wrong},
    output::say,
    stop::Stop,
};

/// Longer ones cannot have been typed.
const PASSWORD_BYTES_MAX: usize = 1024;

/// What Ctrl-C types where it is no signal.
const INTERRUPT: u8 = 3;

/// Reads a password and prints `user:hash`, or the hash alone.
pub(crate) fn print_line(user: Option<&str>) -> Result<(), Stop> {
    if let Some(user) = user {
        check_name(user).map_err(|error| {
            let wrong = Wrong::from_error(&error);
            let wrong = Wrong { what: format!("{} {user:?}", wrong.what), ..wrong };
            Stop::Wrong(vec![Complaint::of_flag("USER", wrong)])
        })?;
    }
    let password = read()?;
    check_password(&password)?;
    let hash = hash_password(&password);
    match user {
        Some(user) => say(format_args!("{user}:{hash}")),
        None => say(hash),
    }
    Ok(())
}

fn read() -> anyhow::Result<String> {
    if io::stdin().is_terminal() { twice() } else { from_input() }
}

/// Asks for a new password at the terminal, twice.
pub(crate) fn twice() -> anyhow::Result<String> {
    let password = not_empty(ask("password: ")?)?;
    once_more(&password)?;
    Ok(password)
}

/// Asks for `password` at the terminal once more.
///
/// # Errors
///
/// The terminal's; or that another was typed.
pub(crate) fn once_more(password: &str) -> anyhow::Result<()> {
    if ask("once more: ")? != password {
        bail!("the two passwords differ");
    }
    Ok(())
}

/// Reads a password from standard input: one line.
pub(crate) fn from_input() -> anyhow::Result<String> {
    not_empty(line()?)
}

fn not_empty(password: String) -> anyhow::Result<String> {
    if password.is_empty() {
        bail!("no password: expected one line");
    }
    Ok(password)
}

/// Asks at the terminal, which shows nothing of what is typed.
pub(crate) fn ask(question: &str) -> anyhow::Result<String> {
    let mut talk = io::stderr();
    write!(talk, "{question}").and_then(|()| talk.flush()).context("asking for a password")?;
    let silence = Silence::keep().context("asking the terminal not to show what is typed")?;
    let answer = line();
    drop(silence);
    _ = writeln!(talk);
    answer
}

fn line() -> anyhow::Result<String> {
    let mut line = Vec::new();
    let mut input = io::Read::take(io::stdin().lock(), PASSWORD_BYTES_MAX as u64 + 2);
    input.read_until(b'\n', &mut line).context("reading a password")?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.contains(&INTERRUPT) {
        bail!("interrupted");
    }
    if line.len() > PASSWORD_BYTES_MAX {
        bail!("too long a password: expected {PASSWORD_BYTES_MAX} bytes at most");
    }
    String::from_utf8(line.to_vec()).context("reading a password: expected UTF-8")
}

/// Keeps a terminal from showing what is typed, until dropped.
struct Silence {
    before: Termios,
}

impl Silence {
    fn keep() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        // Without signals, too: one that ended us would leave the terminal silent.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
