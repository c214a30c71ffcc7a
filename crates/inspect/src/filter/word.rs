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

    /// Whether it is in the URL `url`, or names the index of the folder that `url` is: who looks for
    /// the index means that, too.
    pub fn is_in_url(&self, url: &str) -> bool {
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        self.is_in(url) || self.names_index() && path.ends_with('/')
    }

    /// Whether it is what a folder's page is called, or the beginning of that.
    fn names_index(&self) -> bool {
        ["index", "index.htm", "index.html"].contains(&&*self.text)
    }

    /// What a line of a log has if it may have one of several.
    pub(super) fn needle_in_line(&self) -> Option<Needle> {
        if !self.names_index() {
            return None;
        }
        let folders = ["/\"", "/?"].map(|end| Needle::new(end.as_bytes(), Case::Apart));
        Some(Needle::any(self.needle.iter().cloned().chain(folders)))
    }

    /// What a line of a log has if the word is in one of its texts, and how it is compared; not if it
    /// may have something else.
    pub(super) fn in_line(&self) -> Option<(String, Case)> {
        (!self.names_index()).then(|| (InJson(&self.text).to_string(), self.case))
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
    fn who_looks_for_an_index_finds_folders() {
        let check = |word: &str, url: &str, expect| {
            assert_eq!(Word::new(word).is_in_url(url), expect, "{word:?} in {url:?}");
        };
        check("index", "http://a/", true);
        check("index.html", "http://a/b/?c", true);
        check("index.html", "http://a/index.html", true);
        check("index", "http://a/b", false);
        check("index", "http://a/b?c/", false);
        check("Index", "http://a/", false);
        check("index.php", "http://a/", false);
        check("inde", "http://a/", false);
    }

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
