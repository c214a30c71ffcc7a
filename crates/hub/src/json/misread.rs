//! Why what a hub says is not understood, and words that are known.

use super::fields::Amiss;

/// Why what a hub says is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// It is no frame.
    #[error("expected a frame of JSON: {0}")]
    NoFrame(String),
    /// A frame of a later version, perhaps: it can be left out.
    #[error("nothing known is called {0:?}")]
    Unknown(String),
    /// A field is not what it has to be.
    #[error(transparent)]
    Amiss(#[from] Amiss),
}

/// The same word, as it stands in the program.
pub(super) fn one_of(words: &[&'static str], word: &str) -> Option<&'static str> {
    words.iter().copied().find(|known| *known == word)
}

/// The same, which has to be one of them.
pub(super) fn known(words: &[&'static str], word: &str) -> Result<&'static str, Misread> {
    one_of(words, word).ok_or_else(|| Misread::Unknown(word.to_owned()))
}
