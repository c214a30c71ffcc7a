//! What comes of asking to be let in: a token to keep, or what to try instead.

use relais_hub::{
    Lang,
    client::News,
    protocol::{Code, Refusal, Secret},
    words::{self, Text},
};

use super::{
    caller::Caller,
    kept::Kept,
    otherwise::{Otherwise, is_of_no_use},
    phrases::{LOST, NO_TOKEN, REFUSES},
};
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
    /// What is tried at first if the hub refuses.
    pub(super) otherwise: Otherwise,
}

impl Door {
    /// Waits to be let in, and tries what else there is. Gives what the hub tells who is. May ask at the
    /// terminal.
    ///
    /// # Errors
    ///
    /// Why nobody is, or that there is no hub.
    pub(super) async fn enter(&self, caller: &mut Caller, lang: Lang) -> Result<News, Stop> {
        let mut otherwise = self.otherwise.clone();
        loop {
            match caller.next().await? {
                Some(News::Refused(refusal)) => {
                    let why = self.refused_by((&refusal, lang), &otherwise);
                    let left = otherwise.after(&refusal, (&self.user, lang))?;
                    let Some((entrance, then)) = left else { return Err(why) };
                    caller.enter_by(entrance);
                    otherwise = then;
                }
                Some(news) => return Ok(news),
                None => tell(LOST.of(lang)),
            }
        }
    }

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
        kept.map_err(|error| format!("{}{}{error}", NO_TOKEN.of(lang), lang.colon()))
    }

    /// Why nobody is let in, or is in no more. A token that is of no use is forgotten.
    pub(super) fn refused(&self, refusal: &Refusal, lang: Lang) -> Stop {
        self.refused_by((refusal, lang), &Otherwise::Nothing)
    }

    /// The same, of who could try that.
    fn refused_by(&self, (refusal, lang): (&Refusal, Lang), otherwise: &Otherwise) -> Stop {
        if matches!(refusal.code, Code::TokenExpired | Code::SessionRevoked) {
            self.kept.forget(&self.user);
        }
        if is_of_no_use(refusal) {
            return told(refusal, lang, Some(self.how_to_come_back(lang)));
        }
        let usual = hint(refusal).map(|hint| hint.of(lang));
        told(refusal, lang, otherwise.hint(refusal, (&self.user, lang), usual))
    }

    fn how_to_come_back(&self, lang: Lang) -> String {
        let user = Escaped(self.user.as_bytes());
        match lang {
            Lang::En => format!(
                "the same command with `--user={user}` asks for the password, or reads RELAIS_PASSWORD"
            ),
            Lang::Fr => format!(
                "la même commande avec `--user={user}` demande le mot de passe, ou lit RELAIS_PASSWORD"
            ),
        }
    }
}

/// Why the hub does not do what was asked, and what to try.
pub(super) fn refused(refusal: &Refusal, lang: Lang) -> Stop {
    told(refusal, lang, hint(refusal).map(|hint| hint.of(lang).to_owned()))
}

fn told(refusal: &Refusal, lang: Lang, hint: Option<String>) -> Stop {
    let sentence = words::sentence(refusal, lang);
    let sentence = Escaped(sentence.as_bytes());
    let what = format!("{}{}{sentence}", REFUSES.of(lang), lang.colon());
    let wrong = Wrong { what, expected: None, hint };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

fn hint(refusal: &Refusal) -> Option<Text> {
    Some(match refusal.code {
        // Of a certificate it is told why.
        Code::BadCredentials if refusal.why.is_empty() => Text {
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
        Code::TlsRequired => Text {
            en: "call it as tls://host:port, where it listens with TLS",
            fr: "appelez-le par tls://hôte:port, là où il écoute avec TLS",
        },
        Code::RegistrationClosed if refusal.field == Some("invitation") => {
            Text { en: "`--invitation CODE` shows one", fr: "`--invitation CODE` en montre une" }
        }
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
    fn who_was_logged_out_is_told_how_to_come_back_and_its_token_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::of(folder.path(), &"tcp://127.0.0.1:6680".parse().unwrap());
        let door = Door { kept, user: "ana".into(), otherwise: Otherwise::Nothing };
        for code in [Code::TokenExpired, Code::SessionRevoked] {
            door.kept.keep("ana", "rt_1").unwrap();
            let Stop::Refused(told) = door.refused(&Refusal::of(code), Lang::En) else {
                panic!("it is no refusal");
            };
            assert!(
                told[0].to_string().contains("`--user=ana` asks for the password"),
                "{}",
                told[0]
            );
            assert_eq!(door.kept.token("ana"), None);
        }
    }

    #[test]
    fn whose_account_was_deleted_is_told_that_and_not_to_log_in() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::of(folder.path(), &"tcp://127.0.0.1:6680".parse().unwrap());
        let door = Door { kept, user: "ana".into(), otherwise: Otherwise::Nothing };
        door.kept.keep("ana", "rt_1").unwrap();
        let refusal = Refusal::of(Code::SessionRevoked).why(words::DELETED);
        let Stop::Refused(told) = door.refused(&refusal, Lang::En) else {
            panic!("it is no refusal");
        };
        let told = told[0].to_string();
        assert!(told.contains("this account was deleted") && !told.contains("log"), "{told}");
        assert_eq!(door.kept.token("ana"), None);
    }

    #[test]
    fn each_refusal_at_the_door_says_what_to_try() {
        let invited = Refusal::of(Code::RegistrationClosed).field("invitation");
        assert_eq!(hint(&invited).unwrap().en, "`--invitation CODE` shows one");
        assert_eq!(hint(&Refusal::of(Code::BadCredentials).why("no certificate was shown")), None);
        for (code, expect) in [
            (Code::BadCredentials, "`--register` makes an account"),
            (Code::AccountExists, "without `--register`"),
            (Code::TlsRequired, "tls://host:port"),
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
