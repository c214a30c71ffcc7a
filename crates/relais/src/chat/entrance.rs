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
use relais_net::Endpoint;

use super::{flags::Flags, kept::Kept};
use crate::{complaint::Wrong, password, stop::Stop};

/// The variable that has the password of those who do not type it.
const PASSWORD: &str = "RELAIS_PASSWORD";

/// How to come in, and as whom. May ask at the terminal.
pub(super) fn of(
    flags: &Flags,
    (kept, endpoint): (&Kept, &Endpoint),
) -> Result<(Entrance, String), Stop> {
    if flags.by_certificate {
        // Who that is the hub tells.
        return Ok((Entrance::LogIn(Proof::External), String::new()));
    }
    let Some(user) = flags.user.clone().or_else(|| kept.only()) else {
        let wrong = Wrong::expected("nobody in particular would talk", "a name");
        let hint =
            "say who of those logged in from here; `--user NAME --register` makes an account";
        return Err(Stop::of_flag("--user", wrong.hint(hint)));
    };
    // Of several hubs each may know another password.
    let is_one = flags.endpoints.len() == 1;
    let who = if is_one { user.clone() } else { format!("{user} at {endpoint}") };
    if flags.register {
        let password = secret(&who, Question::Twice)?;
        let invitation = flags.invitation.clone().map(Secret);
        return Ok((Entrance::Register { user: user.clone(), password, invitation }, user));
    }
    let proof = if let Some(token) = kept.token(&user) {
        Proof::Token(token)
    } else {
        let password = secret(&who, Question::Once)?;
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

/// The password of `who`.
fn secret(who: &str, question: Question) -> Result<Secret, Stop> {
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
    Ok(ask(who, question)?)
}

fn ask(who: &str, question: Question) -> anyhow::Result<Secret> {
    let first = Secret(password::ask(&format!("password of {who}: "))?);
    if question == Question::Twice && Secret(password::ask("once more: ")?) != first {
        bail!("the two passwords differ");
    }
    Ok(first)
}
