//! What commands are about: how each thing is called where it is typed, and in the protocol, and what it may be.

use super::lang::{Lang, Text};

/// Something that stands behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its field in the protocol.
    pub(super) field: &'static str,
    /// How it is called in the line of the command.
    pub(super) word: Text,
    /// What it has to be, behind "is not".
    pub(super) expected: Text,
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

impl Argument {
    /// That `found` is not what it has to be.
    pub(super) fn not(self, found: &str) -> Amiss {
        Amiss::Wrong { argument: self, found: found.to_owned() }
    }

    /// That it is not there.
    pub(super) fn missing(self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("{} is missing", self.word.en),
            Lang::Fr => format!("il manque {}", self.word.fr),
        }
    }

    /// That `found`, which is quoted, is not what it has to be.
    pub(super) fn wrong(self, found: &str, lang: Lang) -> String {
        match lang {
            Lang::En => format!("{found} is not {}", self.expected.en),
            Lang::Fr => format!("{found} n'est pas {}", self.expected.fr),
        }
    }
}

/// One that may be anything.
const fn any(field: &'static str, en: &'static str, fr: &'static str) -> Argument {
    Argument { field, word: Text { en, fr }, expected: Text { en, fr } }
}

/// The same, of which not everything will do.
const fn only(argument: Argument, en: &'static str, fr: &'static str) -> Argument {
    Argument { expected: Text { en, fr }, ..argument }
}

const fn number(argument: Argument) -> Argument {
    only(argument, "a number", "un nombre")
}

const fn time(argument: Argument) -> Argument {
    only(argument, "a time, such as 30s, 10m, 2h or 7d", "une durée, comme 30s, 10m, 2h ou 7j")
}

pub(super) const USER: Argument = any("user", "NAME", "NOM");
pub(super) const NAME: Argument = any("name", "NAME", "NOM");
pub(super) const ROOM: Argument = only(
    any("room", "ROOM", "SALON"),
    "one word, as a room's name is",
    "un mot, comme un nom de salon",
);
pub(super) const BODY: Argument = any("body", "TEXT", "TEXTE");
pub(super) const SIGN: Argument = any("emoji", "SIGN", "SIGNE");
pub(super) const SOUGHT: Argument = any("q", "WORDS", "MOTS");
pub(super) const OLD: Argument = any("old", "OLD", "ANCIEN");
pub(super) const NEW: Argument = any("new", "NEW", "NOUVEAU");
pub(super) const SESSION: Argument = any("session", "SESSION", "SESSION");
pub(super) const EXPRESSION: Argument = any("expr", "EXPRESSION", "EXPRESSION");

pub(super) const FILE: Argument = any("file", "FILE", "FICHIER");

pub(super) const SEQ: Argument = number(any("seq", "NUMBER", "NUMÉRO"));
pub(super) const LIMIT: Argument = number(any("limit", "N", "N"));
pub(super) const BEFORE: Argument = number(any("before", "NUMBER", "NUMÉRO"));
pub(super) const SECONDS: Argument = number(any("seconds", "SECONDS", "SECONDES"));
pub(super) const DAYS: Argument = only(
    any("days", "DAYS|forever", "JOURS|toujours"),
    "a number of days, 1 or more, or forever",
    "un nombre de jours, 1 ou plus, ou toujours",
);
pub(super) const TIME: Argument = time(any("seconds", "30s|10m|2h|7d", "30s|10m|2h|7j"));

pub(super) const LANG: Argument =
    only(any("lang", "en|fr", "en|fr"), "a language: en or fr", "une langue : en ou fr");
pub(super) const MODE: Argument = only(
    any("mode", "turns|free|end", "tours|libre|fin"),
    "turns, free or end",
    "tours, libre ou fin",
);
pub(super) const ACCESS: Argument =
    only(any("private", "private", "privé"), "private, or nothing", "privé, ou rien");
pub(super) const ROLE: Argument = only(
    any("role", "member|moderator|owner", "membre|modérateur|propriétaire"),
    "member, moderator or owner",
    "membre, modérateur ou propriétaire",
);
pub(super) const LEVEL: Argument = only(
    any("level", "all|mentions|none", "tout|mentions|rien"),
    "all, mentions or none",
    "tout, mentions ou rien",
);

/// All of them.
pub(super) const ALL: [Argument; 22] = [
    USER, NAME, ROOM, BODY, SIGN, SOUGHT, OLD, NEW, SESSION, FILE, EXPRESSION, SEQ, LIMIT, BEFORE,
    SECONDS, DAYS, TIME, LANG, MODE, ACCESS, ROLE, LEVEL,
];
