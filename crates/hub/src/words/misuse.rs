//! What is wrong with a line that was typed, in the words of the command: what is missing or not what it may be,
//! how it is typed, and an example.

use super::{
    argument::Argument,
    command::Command,
    commands::command_named,
    lang::{Lang, Text},
    plain::Plain,
};
use crate::protocol::{Code, Refusal};

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    /// The first name of the command that it begins with.
    pub(super) command: Option<&'static str>,
    pub(super) amiss: Amiss,
}

/// What is wrong with what stands behind a command, or with where it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Amiss {
    /// It is about the room where it is typed, and that is none.
    Nowhere,
    /// No command is called so.
    Unknown(String),
    Missing(Argument),
    /// What is typed is not what it may be.
    Wrong {
        argument: Argument,
        found: String,
    },
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
        match self.command.and_then(command_named) {
            Some(command) => format!("{what}{}", usage(command, lang)),
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

fn usage(command: &Command, lang: Lang) -> String {
    let (line, example) = (command.line(lang), command.example.of(lang));
    match lang {
        Lang::En => format!(": {line}, as in {example}"),
        Lang::Fr => format!(" : {line}, par exemple {example}"),
    }
}

const NOWHERE: Text = Text {
    en: "you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
    fr: "vous n'êtes dans aucun salon : /join SALON entre dans un salon, /msg NOM TEXTE parle à une personne",
};
