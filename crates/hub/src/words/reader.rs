//! Whom lines are shown to.

use std::fmt::{Arguments, Write};

use super::{
    lang::{Lang, Text},
    plain::Room,
};
use crate::protocol::Place;

/// Whom lines are shown to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reader<'a> {
    /// In which language.
    pub lang: Lang,
    /// What its account is called, if it has one.
    pub me: Option<&'a str>,
    /// Where what it types is said. Of other rooms the name is shown, too.
    pub here: Option<&'a Place>,
}

impl Reader<'_> {
    /// Adds a line of the hub itself, in the reader's language.
    pub(super) fn say(self, out: &mut String, en: Arguments<'_>, fr: Arguments<'_>) {
        match self.lang {
            Lang::En => note(out, en),
            Lang::Fr => note(out, fr),
        }
    }

    /// Whether somebody of this name reads.
    pub(super) fn is(self, name: &str) -> bool {
        self.me == Some(name)
    }

    /// One word.
    pub(super) fn word(self, en: &'static str, fr: &'static str) -> &'static str {
        Text { en, fr }.of(self.lang)
    }

    /// ` (#lab)`, where the reader could not tell.
    pub(super) fn elsewhere(self, room: &Place) -> String {
        if self.here == Some(room) { String::new() } else { format!(" ({})", Room(room)) }
    }
}

/// Adds a line of the hub itself that is the same in every language.
pub(super) fn note(out: &mut String, text: Arguments<'_>) {
    writeln!(out, "# {text}").expect("a string that takes all");
}
