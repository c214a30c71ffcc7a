//! Passwords that are found by who tries a few.

use relais_wire::plural::plural;
use zeroize::Zeroizing;

use super::usual::USUAL;
use crate::protocol::Secret;

/// The fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Why a password is too easy to guess. Says nothing of what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// All of that length can be tried.
    #[error("{found} character{}: expected at least {PASSWORD_CHARS_MIN}", plural(*found))]
    Short {
        /// How many characters it has.
        found: usize,
    },
    /// It is what everybody knows of who has it.
    #[error("it is the name")]
    Name,
    /// It is what many have, and what is tried first.
    #[error("many people have it")]
    Usual,
}

/// Whether `password` is good enough for who is called `name`.
///
/// # Errors
///
/// Why it is not.
pub fn check_password(password: &Secret, name: &str) -> Result<(), Weak> {
    let found = password.0.chars().count();
    if found < PASSWORD_CHARS_MIN {
        return Err(Weak::Short { found });
    }
    let folded = Zeroizing::new(password.0.to_lowercase());
    if *folded == name.to_lowercase() {
        return Err(Weak::Name);
    }
    if USUAL.contains(&folded.as_str()) {
        return Err(Weak::Usual);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(password: &str, expect: &str) {
        let weak = check_password(&Secret(password.to_owned()), "anabelle-É");
        assert_eq!(weak.map_or_else(|weak| weak.to_string(), |()| String::new()), expect);
    }

    #[test]
    fn what_is_guessed_is_refused_and_told_why() {
        check("", "0 characters: expected at least 8");
        check("éééé", "4 characters: expected at least 8");
        check("zxq-vbk", "7 characters: expected at least 8");
        check("zxq-vbkw", "");
        check("ééééééé", "7 characters: expected at least 8");
        check("anabelle-É", "it is the name");
        check("AnaBelle-é", "it is the name");
        check("anabelle-ée", "");
        check("password", "many people have it");
        check("Password123", "many people have it");
        check("MOTDEPASSE", "many people have it");
        check("12345678", "many people have it");
        check("correct horse battery", "");
    }

    #[test]
    fn the_usual_are_as_they_are_looked_for() {
        for (place, usual) in USUAL.iter().enumerate() {
            assert!(usual.chars().count() >= PASSWORD_CHARS_MIN, "{usual} is refused as it is");
            assert_eq!(usual.to_lowercase(), *usual);
            assert!(!USUAL[..place].contains(usual), "{usual} twice");
        }
    }
}
