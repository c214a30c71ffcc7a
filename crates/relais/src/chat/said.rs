//! The password of who comes in: as the environment has it, or as it is typed at the terminal.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use relais_hub::protocol::Secret;

use crate::{complaint::Wrong, hub::new_password, password, stop::Stop};

/// The variable that has the password of those who do not type it.
pub(super) const PASSWORD: &str = "RELAIS_PASSWORD";

/// Whether a password is said, or can be asked for.
pub(super) fn is_to_be_had() -> bool {
    env::var_os(PASSWORD).is_some() || io::stdin().is_terminal()
}

/// The password of `who`, which the hub knows.
///
/// # Errors
///
/// The terminal's; or that there is none, and no password is said.
pub(super) fn known(who: &str) -> Result<Secret, Stop> {
    of(who, Question::Known)
}

/// The password that `who` is to have, whose account is called `user`.
///
/// # Errors
///
/// The terminal's; that it will not do, or that there is no terminal, and no password is said.
pub(super) fn new(who: &str, user: &str) -> Result<Secret, Stop> {
    of(who, Question::New(user))
}

/// Which password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question<'a> {
    /// One that the hub knows.
    Known,
    /// One that is to be, of who is called so.
    New(&'a str),
}

/// The password of `who`.
fn of(who: &str, question: Question<'_>) -> Result<Secret, Stop> {
    if let Ok(password) = env::var(PASSWORD) {
        return Ok(Secret(password));
    }
    if !io::stdin().is_terminal() {
        let wrong = Wrong::expected(
            format!("no password of {who:?}"),
            format!("one in {PASSWORD}, or a terminal to ask at"),
        );
        return Err(Stop::of_flag("--user", wrong));
    }
    let asked = match question {
        Question::Known => password::ask(&format!("password of {who}: ")).map(Secret),
        Question::New(user) => new_password(who, user),
    };
    Ok(asked?)
}
