//! Patterns of URLs, in which `*` stands for anything.

use std::str::FromStr;

use super::{BadPattern, within_limits};
use crate::glob;

/// A pattern in which each `*` stands for any text, or none, slashes included; all else stands for
/// itself. `?` does, too: in URLs it begins the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Whether all of `text` looks so.
    ///
    /// *Cost*: linear in the text and the pattern together.
    pub fn matches(&self, text: &str) -> bool {
        glob::matches(self.0.as_bytes(), text.as_bytes())
    }

    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Glob {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        within_limits(text).map(|text| Self(text.to_owned()))
    }
}
