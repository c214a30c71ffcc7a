//! How a field of a request's head is spelled.

use std::str::FromStr;

/// A field as curl has it, `NAME: VALUE`, without the blanks around either. What may stand in them is
/// for who sends it to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Before the first colon.
    pub(crate) name: String,
    /// Behind it.
    pub(crate) value: String,
}

/// Why a text is not a [`Field`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no colon in {0:?}: expected NAME: VALUE")]
pub(crate) struct BadField(String);

impl FromStr for Field {
    type Err = BadField;

    fn from_str(text: &str) -> Result<Self, BadField> {
        let (name, value) = text.split_once(':').ok_or_else(|| BadField(text.to_owned()))?;
        Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_the_first_colon() {
        check("Host: a:1", Ok(("Host", "a:1")));
        check("X:", Ok(("X", "")));
        check("X", Err("no colon in \"X\": expected NAME: VALUE"));
    }

    #[track_caller]
    fn check(text: &str, expect: Result<(&str, &str), &str>) {
        let read = text.parse::<Field>().map_err(|error| error.to_string());
        let read = read.as_ref().map(|Field { name, value }| (&**name, &**value));
        assert_eq!(read.map_err(|error| &**error), expect);
    }
}
