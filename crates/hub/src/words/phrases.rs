//! What the door of plain text says of its own.

use super::lang::{Lang, Text};

/// Something that is said without being asked, or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// To who comes.
    Greeting,
    /// A secret is waited for.
    Password,
    /// The same, which is not known yet.
    NewPassword,
    /// Nobody takes another name.
    NameStays,
    /// The language is another now.
    Language,
    /// Nothing is written to a disk here.
    NoDisk,
}

impl Phrase {
    /// The whole line in `lang`, its line end included.
    pub fn line(self, lang: Lang) -> String {
        format!("# {}\n", self.text().of(lang))
    }

    fn text(self) -> Text {
        match self {
            Self::Greeting => Text {
                en: "relais — /help for help, quit to leave, /lang fr pour le français",
                fr: "relais — /help pour l'aide, fin ou quit pour sortir, /lang en for English",
            },
            Self::Password => Text { en: "password:", fr: "mot de passe :" },
            Self::NewPassword => NEW_PASSWORD,
            Self::NameStays => Text {
                en: "an account keeps its name: /register NAME makes another account",
                fr: "un compte garde son nom : /register NOM crée un autre compte",
            },
            Self::NoDisk => Text {
                en: "nothing is written to a disk from here: `relais chat` and the page have /export, programs EXPORT",
                fr: "rien ne s'écrit sur un disque d'ici : `relais chat` et la page ont /export, les programmes EXPORT",
            },
            Self::Language => Text { en: "English from here on", fr: "en français désormais" },
        }
    }
}

/// Asks for a password that is to be: what it has to be is said before it is typed.
const NEW_PASSWORD: Text = Text {
    en: "a password, of 8 characters or more:",
    fr: "un mot de passe, de 8 caractères ou plus :",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::PASSWORD_CHARS_MIN;

    #[test]
    fn a_new_password_is_asked_for_with_the_rule_that_holds() {
        for lang in Lang::ALL {
            let asked = Phrase::NewPassword.line(lang);
            assert!(asked.contains(&format!(" {PASSWORD_CHARS_MIN} ")), "{asked}");
        }
    }
}
