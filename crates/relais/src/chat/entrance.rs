//! Who talks, and how that is shown: by a token that was kept, or by a password.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use relais_hub::{
    client::Entrance,
    protocol::{Proof, Secret},
};
use relais_net::Endpoint;

use super::{
    flags::Flags,
    kept::Kept,
    naming::{self, Account, Named},
    otherwise::Otherwise,
    said,
};
use crate::{complaint::Wrong, stop::Stop, visible::Escaped};

/// How somebody comes in.
#[derive(Debug)]
pub(super) struct Coming {
    pub(super) entrance: Entrance,
    pub(super) user: String,
    /// What is tried if the hub refuses that.
    pub(super) otherwise: Otherwise,
}

/// How to come in, and as whom. May ask at the terminal.
pub(super) fn of(flags: &Flags, (kept, endpoint): (&Kept, &Endpoint)) -> Result<Coming, Stop> {
    if flags.by_certificate {
        // Who that is the hub tells.
        let entrance = Entrance::LogIn(Proof::External);
        return Ok(Coming { entrance, user: String::new(), otherwise: Otherwise::Nothing });
    }
    let Named { user, account } = named(flags, (kept, endpoint))?;
    // Of several hubs each may know another password.
    let is_one = flags.endpoints.len() == 1;
    let who = if is_one { user.clone() } else { format!("{user} at {endpoint}") };
    if account == Account::New {
        let password = said::new(&who, &user)?;
        let invitation = flags.invitation.clone().map(Secret);
        let otherwise = if flags.register {
            Otherwise::Nothing
        } else {
            // What was asked may have been answered in haste.
            Otherwise::LogIn(password.clone())
        };
        let entrance = Entrance::Register { user: user.clone(), password, invitation };
        return Ok(Coming { entrance, user, otherwise });
    }
    let (proof, otherwise) = if let Some(token) = kept.token(&user) {
        (Proof::Token(token), Otherwise::Password(who))
    } else {
        let password = said::known(&who)?;
        (Proof::Password { user: user.clone(), password }, Otherwise::Nothing)
    };
    Ok(Coming { entrance: Entrance::LogIn(proof), user, otherwise })
}

/// Who talks: who is named, or known here alone. Another is asked at the terminal who it is.
fn named(flags: &Flags, (kept, endpoint): (&Kept, &Endpoint)) -> Result<Named, Stop> {
    if let Some(user) = flags.user.clone().or_else(|| kept.only()) {
        let account = if flags.register { Account::New } else { Account::There };
        return Ok(Named { user, account });
    }
    let known = kept.all();
    let named = if io::stdin().is_terminal() {
        naming::named((&known, &endpoint.to_string()), naming::ask)?
    } else {
        None
    };
    named.ok_or_else(|| Stop::of_flag("--user", nobody_named(&known)))
}

/// Whether somebody may have to type something to come in.
pub(super) fn is_asked_for(flags: &Flags, kept: &Kept) -> bool {
    if flags.by_certificate {
        return false;
    }
    // Without a name there is something to say, too.
    let Some(user) = flags.user.clone().or_else(|| kept.only()) else { return true };
    let has_token = !flags.register && kept.token(&user).is_some();
    !has_token && env::var_os(said::PASSWORD).is_none()
}

/// What is wrong where it is not said who talks; `logged_in` are those who could.
fn nobody_named(logged_in: &[String]) -> Wrong {
    let names: Vec<_> = logged_in.iter().map(|name| Escaped(name.as_bytes()).to_string()).collect();
    let there = match &names[..] {
        [] => "nobody is logged in from here yet".to_owned(),
        names => format!("logged in from here: {}", names.join(", ")),
    };
    Wrong::expected("it is not said who you are", "`--user NAME`")
        .hint(format!("{there}; `--user NAME --register` makes an account"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_say_who_it_is_is_told_who_it_may_be() {
        let hint = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            nobody_named(&names).hint.unwrap()
        };
        let register = "; `--user NAME --register` makes an account";
        assert_eq!(hint(&[]), format!("nobody is logged in from here yet{register}"));
        assert_eq!(
            hint(&["ana", "b\u{1b}"]),
            format!("logged in from here: ana, b\\u{{1b}}{register}")
        );
    }
}
