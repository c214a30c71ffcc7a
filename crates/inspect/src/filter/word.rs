//! A text that somebody looks for.

use std::{convert::Infallible, str::FromStr};

use relais_wire::visible::InJson;

use crate::needle::{Case, Needle};

/// A text that is looked for. Without a capital in it, capitals and small letters are the same, of
/// ASCII alone; with one, they are not.
#[derive(Clone, Debug)]
pub struct Word {
    text: String,
    case: Case,
    /// `None` if the text is empty, which is everywhere.
    needle: Option<Needle>,
}

impl Word {
    /// Looks for `text`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let case = if text.contains(char::is_uppercase) { Case::Apart } else { Case::Same };
        let needle = (!text.is_empty()).then(|| Needle::new(text.as_bytes(), case));
        Self { text, case, needle }
    }

    /// Whether it is in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.find(text.as_bytes()).is_some())
    }

    /// What a line of a log has if the word is in one of its texts, and how it is compared.
    pub(super) fn in_line(&self) -> (String, Case) {
        (InJson(&self.text).to_string(), self.case)
    }
}

impl FromStr for Word {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_makes_case_count() {
        let check = |word: &str, text: &str, expect| {
            assert_eq!(Word::new(word).is_in(text), expect, "{word:?} in {text:?}");
        };
        check("", "", true);
        check("index", "/INDEX.html", true);
        check("Index", "/INDEX.html", false);
        check("INDEX", "/INDEX.html", true);
        check("É", "é", false);
        check("é", "É", false);
    }
}
