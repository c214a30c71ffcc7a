//! Who talks, and how that is shown: by a token that was kept, or by a password.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use anyhow::bail;
use relais_hub::{
    client::Entrance,
    protocol::{Proof, Secret},
};

use super::{flags::Flags, kept::Kept};
use crate::{complaint::Wrong, password, stop::Stop};

/// The variable that has the password of those who do not type it.
const PASSWORD: &str = "RELAIS_PASSWORD";

/// How to come in, and as whom. May ask at the terminal.
pub(super) fn of(flags: &Flags, kept: &Kept) -> Result<(Entrance, String), Stop> {
    let Some(user) = flags.user.clone().or_else(|| kept.only()) else {
        let wrong = Wrong::expected("nobody in particular would talk", "a name");
        let hint = "`--user NAME --register` makes an account";
        return Err(Stop::of_flag("--user", wrong.hint(hint)));
    };
    if flags.register {
        let password = secret(&user, Question::Twice)?;
        let invitation = flags.invitation.clone().map(Secret);
        return Ok((Entrance::Register { user: user.clone(), password, invitation }, user));
    }
    let proof = if let Some(token) = kept.token(&user) {
        Proof::Token(token)
    } else {
        let password = secret(&user, Question::Once)?;
        Proof::Password { user: user.clone(), password }
    };
    Ok((Entrance::LogIn(proof), user))
}

/// How often a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Once,
    Twice,
}

/// The password of `user`.
fn secret(user: &str, question: Question) -> Result<Secret, Stop> {
    if let Ok(password) = env::var(PASSWORD) {
        return Ok(Secret(password));
    }
    if !io::stdin().is_terminal() {
        let wrong = Wrong::expected(
            format!("no password of {user:?}"),
            format!("one in {PASSWORD}, or a terminal to ask at"),
        );
        return Err(Stop::of_flag("--user", wrong));
    }
    Ok(ask(user, question)?)
}

fn ask(user: &str, question: Question) -> anyhow::Result<Secret> {
    let first = Secret(password::ask(&format!("password of {user}: "))?);
    if question == Question::Twice && Secret(password::ask("once more: ")?) != first {
        bail!("the two passwords differ");
    }
    Ok(first)
}
