//! What comes of asking to be let in: a token to keep, or what to try instead.

use relais_hub::{
    Lang,
    protocol::{Code, Refusal, Secret},
    words,
};

use super::kept::Kept;
use crate::{
    complaint::{Complaint, Wrong},
    output::tell,
    stop::Stop,
    visible::Escaped,
};

/// Who asks to be let in, and what is kept of it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) kept: Kept,
    pub(super) user: String,
    pub(super) lang: Lang,
}

impl Door {
    /// Keeps the token of who is in as `user`, if the hub gave one.
    pub(super) fn keep(&self, user: &str, token: Option<&Secret>) {
        let kept = token.map_or(Ok(()), |token| self.kept.keep(user, &token.0));
        if let Err(error) = kept {
            tell(format_args!("the next login asks for the password: no token is kept: {error}"));
        }
    }

    /// Why nobody is let in. A token that is of no use is forgotten.
    pub(super) fn refused(&self, refusal: &Refusal) -> Stop {
        if matches!(refusal.code, Code::TokenExpired | Code::SessionRevoked) {
            self.kept.forget(&self.user);
        }
        refused(refusal, self.lang)
    }
}

/// Why the hub does not do what was asked, and what to try.
pub(super) fn refused(refusal: &Refusal, lang: Lang) -> Stop {
    let sentence = words::sentence(refusal, lang);
    let what = format!("the hub refuses: {}", Escaped(sentence.as_bytes()));
    let hint = hint(refusal.code).map(str::to_owned);
    let wrong = Wrong { what, expected: None, hint };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

fn hint(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::BadCredentials => "is the name right? `--register` makes an account",
        Code::AccountExists => "without `--register` it logs in",
        Code::NameTaken | Code::NameConfusable | Code::NameInvalid => "another name will do",
        Code::TokenExpired | Code::SessionRevoked => {
            "the same command again asks for the password, or reads RELAIS_PASSWORD"
        }
        Code::TlsRequired => "call it as tls://host:port, where it listens with TLS",
        Code::RegistrationClosed => "who runs the hub makes accounts",
        Code::NoSuchRoom | Code::NotInRoom => "`relais chat`, and /rooms, shows which there are",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_at_the_door_says_what_to_try() {
        for (code, expect) in [
            (Code::BadCredentials, "`--register` makes an account"),
            (Code::AccountExists, "without `--register`"),
            (Code::TlsRequired, "tls://host:port"),
            (Code::TokenExpired, "asks for the password"),
        ] {
            let Stop::Refused(complaints) = refused(&Refusal::of(code), Lang::En) else {
                panic!("it is no refusal");
            };
            let found = complaints[0].to_string();
            assert!(found.contains(expect), "{found}");
        }
    }
}
