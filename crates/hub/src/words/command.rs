//! What a command is.

use super::{
    lang::{Lang, Text},
    misuse::Usage,
    reading::Read,
};

/// Something that can be typed.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What it is called, and what else it is called. Without the `/`.
    pub names: &'static [&'static str],
    /// Who may.
    pub who: Who,
    /// What is typed behind it; `[]` is around what may be left out.
    pub arguments: Text,
    /// What it does.
    pub does: Text,
    /// How it is typed, for example.
    pub example: Text,
    pub(super) read: Read,
}

/// Where nothing is typed behind it.
pub(super) const NOTHING: Text = same("");

/// The same in each language.
pub(super) const fn same(text: &'static str) -> Text {
    Text { en: text, fr: text }
}

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever comes.
    Anybody,
    /// Who is logged in.
    Account,
    /// Moderators and owners of the room.
    Moderator,
    /// Owners of the room.
    Owner,
    /// Administrators of the hub.
    Administrator,
}

impl Command {
    /// What is typed: `/join ROOM`.
    pub fn line(&self, lang: Lang) -> String {
        self.usage().line(lang)
    }

    pub(super) fn usage(&self) -> Usage {
        Usage { name: self.names[0], arguments: self.arguments, example: self.example }
    }

    /// What it does, and for whom.
    pub(super) fn about(&self, lang: Lang) -> String {
        let does = self.does.of(lang);
        self.who.text().map_or(does.to_owned(), |who| format!("{does} ({})", who.of(lang)))
    }
}

impl Who {
    /// Where it is worth saying.
    fn text(self) -> Option<Text> {
        match self {
            Self::Anybody | Self::Account => None,
            Self::Moderator => Some(Text { en: "moderators", fr: "modérateurs" }),
            Self::Owner => Some(Text { en: "owners", fr: "propriétaires" }),
            Self::Administrator => Some(Text { en: "administrators", fr: "administrateurs" }),
        }
    }
}
