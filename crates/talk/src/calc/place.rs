//! Where in an expression an error is, which fend does not tell.

use std::fmt;

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a character, the first of which is 1.
    At(usize),
    /// Something is missing behind all that is there.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(character) => write!(f, "at character {character}"),
            Self::End => f.write_str("at the end"),
        }
    }
}

/// Where in `expression` that is of which `error` speaks, if that can be told.
pub(super) fn place(expression: &str, error: &str) -> Option<Place> {
    if error.contains("expected a token") || error.contains("unterminated") {
        return Some(Place::End);
    }
    if error.contains("by zero") {
        return zero_divisor(expression).map(Place::At);
    }
    if error.contains("incompatible") || error.contains("must lie") {
        return None;
    }
    // What was found is in quotes, and so may be what was expected.
    let found = match (error.split_once("found '"), error.contains("expecting '")) {
        (Some((_, found)), _) => found.split('\'').next()?,
        (None, true) => return None,
        (None, false) => error.rsplit('\'').nth(1)?,
    };
    let at = if found.chars().all(char::is_alphanumeric) {
        find_word(expression, found)
    } else {
        expression.find(found)
    };
    Some(Place::At(expression[..at?].chars().count() + 1))
}

/// Where `word` stands, and is no part of a longer one.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|at| {
        let after = text[at + word.len()..].chars().next();
        !text[..*at].ends_with(is_word) && !after.is_some_and(is_word)
    })
}

/// Where a division by a plain zero stands.
fn zero_divisor(expression: &str) -> Option<usize> {
    let chars: Vec<char> = expression.chars().collect();
    let mut divisions = chars.iter().enumerate().filter(|(_, char)| "/÷%".contains(**char));
    let at = divisions.find(|(at, _)| {
        let divisor: String = chars[at + 1..].iter().skip_while(|char| **char == ' ').collect();
        let number: String =
            divisor.chars().take_while(|char| char.is_ascii_digit() || *char == '.').collect();
        !number.is_empty() && number.chars().all(|char| "0.".contains(char))
    });
    at.map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Place::{At, End};

    #[test]
    fn places_are_found_where_they_can_be() {
        check("1/0", "division by zero", Some(At(2)));
        check("1/0.5 + 1 / 0.00", "division by zero", Some(At(11)));
        check("1/(1-1)", "division by zero", None);
        check("é + foo", "unknown identifier 'foo'", Some(At(5)));
        check("foobar + foo", "unknown identifier 'foo'", Some(At(10)));
        check("a", "unknown identifier 'b'", None);
        check("(1 + 2 3]", "found ']' while expecting ')'", Some(At(9)));
        check("(1 + 2 )", "found an invalid token while expecting ')'", None);
        check("1 +", "expected a token", Some(End));
        check("'", "", None);
    }

    #[track_caller]
    fn check(expression: &str, error: &str, expect: Option<Place>) {
        assert_eq!(place(expression, error), expect, "{expression}");
    }
}
