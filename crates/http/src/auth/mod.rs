//! Who asks: basic authentication (RFC 7617) before another handler.
//!
//! Passwords are hashed slowly on purpose, so that is done apart from the event loop, by few at a
//! time, with a short queue before them; what was found right is remembered for a while; and who is
//! wrong too often has to wait.

mod basic;
mod bits;
mod credentials;
mod debts;
mod hashed;
mod known;
mod limits;
mod slate;
mod slates;
mod throttle;
mod turns;
mod users;
mod verified;

use std::{fmt, str::FromStr, sync::Arc};

pub use basic::Basic;
pub use bits::{Bits, digest, print_bits, read_bits};
pub use credentials::{BadPassword, check_password};
pub use debts::Debts;
pub use hashed::{Hashed, NOBODYS_HASH, WrongHash, hash_password, hash_password_on};
pub use known::Known;
pub use limits::Limits;
pub use slate::Slate;
pub use turns::{Turn, Turns};
pub use users::{Users, UsersError, WrongUser, check_name};

/// Who asked, by name. Put into the extensions of the request that the inner handler gets, and of
/// its answer, for the access log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(pub Arc<str>);

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a password is asked for, as a browser shows it: 1 to 128 printable ASCII characters but `"`
/// and `\`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm(Box<str>);

/// Why a text is not a [`Realm`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad realm {0:?}: expected 1 to 128 printable ASCII characters, no quote, no backslash")]
pub struct ParseRealmError(String);

impl FromStr for Realm {
    type Err = ParseRealmError;

    fn from_str(text: &str) -> Result<Self, ParseRealmError> {
        let fits = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte);
        if (1..=128).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(ParseRealmError(text.to_owned()))
        }
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_cannot_break_out_of_its_quotes() {
        assert_eq!("the site's".parse::<Realm>().unwrap().to_string(), "the site's");
        for bad in ["", "a\"b", "a\\b", "a\r\nSet-Cookie: x", "é", "\u{7f}", &"a".repeat(129)] {
            let error = bad.parse::<Realm>().unwrap_err();
            assert_eq!(error, ParseRealmError(bad.to_owned()));
        }
    }
}
