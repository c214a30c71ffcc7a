//! What a password is as text, before it is hashed, so that it is the same from every keyboard.

use precis_profiles::{
    OpaqueString,
    precis_core::{DerivedPropertyValue, FreeformClass, StringClass, profile::Rules},
};

/// Why a text is no password. Says nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPassword {
    /// Nothing.
    #[error("an empty password: expected some characters")]
    Empty,
    /// More than is hashed.
    #[error("a password of {found} bytes: expected at most {allowed}")]
    TooLong {
        /// How many it has.
        found: usize,
        /// How many it may have.
        allowed: usize,
    },
    /// Something that another keyboard or program would not send.
    #[error(
        "a character that no password has: expected none that is not seen, or only joins others"
    )]
    Character,
}

/// Checks of characters beside each other cost the square of it.
const BYTES_MAX: usize = 1024;

/// The text of a password by the profile `OpaqueString` of PRECIS ([RFC 8265 §4.2]): in
/// normalization form C, each space of another kind as the usual one. Case and width stay.
///
/// The profile's table knows Unicode up to 6.3. What came later, as many emoji did, is let through:
/// it is no control, and nobody is to be told that his password is from the future.
///
/// # Errors
///
/// If it is empty, of more than 1024 bytes, or has what is not seen: controls, too, and joiners
/// outside of the scripts that are written with them.
///
/// [RFC 8265 §4.2]: https://www.rfc-editor.org/rfc/rfc8265#section-4.2
pub fn password_text(text: &str) -> Result<String, NotAPassword> {
    if text.is_empty() {
        return Err(NotAPassword::Empty);
    }
    if text.len() > BYTES_MAX {
        return Err(NotAPassword::TooLong { found: text.len(), allowed: BYTES_MAX });
    }
    let profile = OpaqueString::new();
    let spaced = profile.additional_mapping_rule(text);
    let composed = spaced.and_then(|text| profile.normalization_rule(text));
    let password = composed.map_err(|_| NotAPassword::Character)?;
    // As it is hashed: judged before, a text could come to what is refused the next time.
    let class = FreeformClass::default();
    let is_known =
        |char: &char| class.get_value_from_char(*char) != DerivedPropertyValue::Unassigned;
    let known: String = password.chars().filter(is_known).collect();
    class.allows(known).map_err(|_| NotAPassword::Character)?;
    Ok(password.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_are_the_same_from_every_keyboard() {
        check("Correct Horse Battery Staple", Ok("Correct Horse Battery Staple"));
        check("πßÅ", Ok("πßÅ"));
        check("A\u{30a}\u{a0}x\u{3000}", Ok("Å x "));
        check("Ｂｏｂ ½", Ok("Ｂｏｂ ½"));
        check("🐒☠🙂🥰", Ok("🐒☠🙂🥰"));
        check("\u{1112}\u{1161}\u{11ab}", Ok("한"));
    }

    #[test]
    fn what_is_no_password_says_why() {
        let refused = "a character that no password has: \
            expected none that is not seen, or only joins others";
        for text in ["a\0", "a\tb", "a\n", "a\u{200b}", "\u{202e}a", "\u{feff}a"] {
            check(text, Err(refused));
        }
        for text in ["\u{200d}", "👩\u{200d}🚀", "·", "\u{387}"] {
            check(text, Err(refused));
        }
        check("", Err("an empty password: expected some characters"));
        check(&"a".repeat(1024), Ok(&"a".repeat(1024)));
        check(&"a".repeat(1025), Err("a password of 1025 bytes: expected at most 1024"));
        let long = "\u{200d}".repeat(10_000);
        check(&long, Err("a password of 30000 bytes: expected at most 1024"));
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let password = password_text(text).map_err(|error| error.to_string());
        assert_eq!(password.as_deref().map_err(String::as_str), expect, "for {text:?}");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_passwords_stay_as_they_come_out(text: String) {
            if let Ok(password) = password_text(&text) {
                prop_assert!(!password.contains(char::is_control));
                prop_assert_eq!(password_text(&password), Ok(password));
            }
        }
    }
}
