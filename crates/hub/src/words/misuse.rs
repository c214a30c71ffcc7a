//! What is wrong with a line that was typed, in the words of the command: what is missing or not what it may be,
//! how it is typed, and an example.

use super::{
    argument::Amiss,
    lang::{Lang, Text},
    plain::Plain,
};
use crate::protocol::{Code, Refusal};

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    /// How the command is typed that it begins with.
    pub(super) usage: Option<Usage>,
    pub(super) amiss: Amiss,
}

/// How a command is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) name: &'static str,
    pub(super) arguments: Text,
    pub(super) example: Text,
}

impl Misuse {
    /// One sentence about it. What was typed is in it as it was.
    pub fn sentence(&self, lang: Lang) -> String {
        let what = match (&self.amiss, lang) {
            (Amiss::Nowhere, _) => return NOWHERE.of(lang).to_owned(),
            (Amiss::Unknown(name), Lang::En) => {
                return format!("no command is called {name:?}: /help lists them");
            }
            (Amiss::Unknown(name), Lang::Fr) => {
                return format!("aucune commande ne s'appelle {name:?} : /help les donne toutes");
            }
            (Amiss::Missing(argument), Lang::En) => format!("{} is missing", argument.word.en),
            (Amiss::Missing(argument), Lang::Fr) => format!("il manque {}", argument.word.fr),
            (Amiss::Wrong { argument, found }, Lang::En) => {
                format!("{found:?} is not {}", argument.expected.en)
            }
            (Amiss::Wrong { argument, found }, Lang::Fr) => {
                format!("{found:?} n'est pas {}", argument.expected.fr)
            }
        };
        match self.usage {
            Some(usage) => format!("{what}{}", usage.behind(lang)),
            None => what,
        }
    }

    /// The same as a line of the hub, its end included.
    pub fn line(&self, lang: Lang) -> String {
        format!("# {}\n", Plain(&self.sentence(lang)))
    }

    /// What a program is told of it.
    pub fn refusal(&self) -> Refusal {
        let (code, field) = match &self.amiss {
            Amiss::Nowhere => (Code::NotInRoom, None),
            Amiss::Unknown(_) => (Code::UnknownCommand, None),
            Amiss::Missing(argument) => (Code::MissingField, Some(argument.field)),
            Amiss::Wrong { argument, .. } => (Code::BadField, Some(argument.field)),
        };
        Refusal { field, ..Refusal::of(code).why(self.sentence(Lang::En)) }
    }

    /// Whether all that is missing is a room to be in.
    pub fn is_nowhere(&self) -> bool {
        self.amiss == Amiss::Nowhere
    }
}

impl Usage {
    /// `/join ROOM`
    pub(super) fn line(self, lang: Lang) -> String {
        format!("/{} {}", self.name, self.arguments.of(lang)).trim_end().to_owned()
    }

    fn behind(self, lang: Lang) -> String {
        let (line, example) = (self.line(lang), self.example.of(lang));
        match lang {
            Lang::En => format!(": {line}, as in {example}"),
            Lang::Fr => format!(" : {line}, par exemple {example}"),
        }
    }
}

const NOWHERE: Text = Text {
    en: "you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
    fr: "vous n'êtes dans aucun salon : /join SALON entre dans un salon, /msg NOM TEXTE parle à une personne",
};
