//! A password of an account that is to be: what it has to be is said before it is typed, and what is wrong with it
//! before it is typed again.

use anyhow::bail;
use relais_hub::{
    name,
    proof::{PASSWORD_CHARS_MIN, check_password},
    protocol::Secret,
};

use crate::{
    output::tell,
    password::{ask, once_more},
};

/// Asks at the terminal for a new password of `who`, whose account is called `user`, then for the same again. One
/// that a hub would not take is asked for once more.
///
/// # Errors
///
/// The terminal's; that the second will not do either, or that the last two differ.
pub(crate) fn new_password(who: &str, user: &str) -> anyhow::Result<Secret> {
    let question = format!("password of {who}, {PASSWORD_CHARS_MIN} characters or more: ");
    let mut first = Secret(ask(&question)?);
    if let Some(why) = wrong(&first, user) {
        tell(why);
        first = Secret(ask(&question)?);
        if let Some(why) = wrong(&first, user) {
            bail!(why);
        }
    }
    once_more(&first.0)?;
    Ok(first)
}

/// What is wrong with `password` for who is called `user`, if anything is.
fn wrong(password: &Secret, user: &str) -> Option<String> {
    let why = match name::password_text(&password.0) {
        Ok(text) => check_password(&Secret(text), user).err()?.to_string(),
        Err(why) => why.to_string(),
    };
    Some(format!("this password will not do: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hub_would_not_take_is_told_before_it_is_asked() {
        let wrong = |password: &str| wrong(&Secret(password.to_owned()), "anabelle");
        let short = "this password will not do: 5 characters: expected at least 8";
        assert_eq!(wrong("short").as_deref(), Some(short));
        assert!(wrong("anabelle").unwrap().contains("it is the name"));
        assert!(wrong("").unwrap().contains("an empty password"));
        assert_eq!(wrong("secret-pass"), None);
    }
}
