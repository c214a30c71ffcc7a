//! What the door of plain text says of its own.

use super::lang::{Lang, Text};

/// Something that is said without being asked, or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// To who comes.
    Greeting,
    /// A secret is waited for.
    Password,
    /// Nobody takes another name.
    NameStays,
    /// The language is another now.
    Language,
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
            Self::NameStays => Text {
                en: "an account keeps its name: /register NAME makes another account",
                fr: "un compte garde son nom : /register NOM crée un autre compte",
            },
            Self::Language => Text { en: "English from here on", fr: "en français désormais" },
        }
    }
}
