//! What comes of asking to be let in: a token to keep, or what to try instead.

use relais_hub::{
    Lang,
    protocol::{Code, Refusal, Secret},
    words::{self, Text},
};

use super::{
    kept::Kept,
    phrases::{NO_TOKEN, REFUSES},
};
use crate::{
    complaint::{Complaint, Wrong},
    stop::Stop,
    visible::Escaped,
};

/// Who asks to be let in, and what is kept of it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) kept: Kept,
    pub(super) user: String,
}

impl Door {
    /// Keeps the token of who is in as `user`, if the hub gave one.
    ///
    /// # Errors
    ///
    /// What is to be told in `lang`, if it cannot be kept.
    pub(super) fn keep(
        &self,
        user: &str,
        token: Option<&Secret>,
        lang: Lang,
    ) -> Result<(), String> {
        let kept = token.map_or(Ok(()), |token| self.kept.keep(user, &token.0));
        kept.map_err(|error| format!("{}: {error}", NO_TOKEN.of(lang)))
    }

    /// Why nobody is let in. A token that is of no use is forgotten.
    pub(super) fn refused(&self, refusal: &Refusal, lang: Lang) -> Stop {
        if matches!(refusal.code, Code::TokenExpired | Code::SessionRevoked) {
            self.kept.forget(&self.user);
        }
        refused(refusal, lang)
    }
}

/// Why the hub does not do what was asked, and what to try.
pub(super) fn refused(refusal: &Refusal, lang: Lang) -> Stop {
    let sentence = words::sentence(refusal, lang);
    let what = format!("{}: {}", REFUSES.of(lang), Escaped(sentence.as_bytes()));
    let hint = hint(refusal.code).map(|hint| hint.of(lang).to_owned());
    let wrong = Wrong { what, expected: None, hint };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

fn hint(code: Code) -> Option<Text> {
    Some(match code {
        Code::BadCredentials => Text {
            en: "is the name right? `--register` makes an account",
            fr: "le nom est-il juste ? `--register` crée un compte",
        },
        Code::AccountExists => Text {
            en: "without `--register` it logs in",
            fr: "sans `--register`, c'est une connexion",
        },
        Code::NameTaken | Code::NameConfusable | Code::NameInvalid => {
            Text { en: "another name will do", fr: "un autre nom convient" }
        }
        Code::TokenExpired | Code::SessionRevoked => Text {
            en: "the same command again asks for the password, or reads RELAIS_PASSWORD",
            fr: "la même commande demande alors le mot de passe, ou lit RELAIS_PASSWORD",
        },
        Code::TlsRequired => Text {
            en: "call it as tls://host:port, where it listens with TLS",
            fr: "appelez-le par tls://hôte:port, là où il écoute avec TLS",
        },
        Code::RegistrationClosed => Text {
            en: "who runs the hub makes accounts",
            fr: "c'est qui tient le serveur qui crée les comptes",
        },
        Code::NoSuchRoom | Code::NotInRoom => Text {
            en: "`relais chat`, and /rooms, shows which there are",
            fr: "`relais chat`, puis /rooms, montre ceux qu'il y a",
        },
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
            let Stop::Refused(complaints) = refused(&Refusal::of(code), Lang::Fr) else {
                panic!("it is no refusal");
            };
            assert!(complaints[0].to_string().contains("le serveur refuse"), "{}", complaints[0]);
        }
    }
}
