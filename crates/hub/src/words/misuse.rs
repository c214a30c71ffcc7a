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
        let what = match &self.amiss {
            Amiss::Nowhere => return NOWHERE.of(lang).to_owned(),
            Amiss::Unknown(name) => UNKNOWN.of(lang).replacen("{}", &format!("{name:?}"), 1),
            Amiss::Missing(argument) => argument.missing(lang),
            Amiss::Wrong { argument, found } => argument.wrong(&format!("{found:?}"), lang),
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

    /// What stands of it behind what is wrong.
    pub(super) fn behind(self, lang: Lang) -> String {
        let (line, example) = (self.line(lang), self.example.of(lang));
        match lang {
            Lang::En => format!(": {line}, as in {example}"),
            Lang::Fr => format!(" : {line}, par exemple {example}"),
        }
    }
}

pub(super) const NOWHERE: Text = Text {
    en: "you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
    fr: "vous n'êtes dans aucun salon : /join SALON entre dans un salon, /msg NOM TEXTE parle à une personne",
};

/// `{}` is what was typed.
pub(super) const UNKNOWN: Text = Text {
    en: "no command is called {}: /help lists them",
    fr: "aucune commande ne s'appelle {} : /help les donne toutes",
};
