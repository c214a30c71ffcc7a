//! What is tried where a hub refuses who came in the way that was known here: a token may be of no use any more,
//! and who was asked for a name may have an account.

use relais_hub::{
    Lang,
    client::Entrance,
    protocol::{Code, Proof, Refusal, Secret},
    words,
};

use super::{
    phrases::{HAS_ACCOUNT, NO_USE},
    said,
};
use crate::{output::tell, stop::Stop, visible::Escaped};

/// What is tried once a hub refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Nothing: who asks said how to come in.
    Nothing,
    /// A password in place of the token that was kept, of who is called so where it is asked for.
    Password(String),
    /// Logging in with this, in place of making an account: nobody said that there is none.
    LogIn(Secret),
    /// Nothing but another name, or another password: that was tried.
    AnotherName,
}

impl Otherwise {
    /// The way in that is left to `user` behind this refusal, and what is tried behind that; `None` if none is.
    /// Tells of it in `lang`, and may ask at the terminal.
    ///
    /// # Errors
    ///
    /// The terminal's.
    pub(super) fn after(
        &self,
        refusal: &Refusal,
        (user, lang): (&str, Lang),
    ) -> Result<Option<(Entrance, Self)>, Stop> {
        let (password, then) = match self {
            Self::Password(who) if is_of_no_use(refusal) && said::is_to_be_had() => {
                tell(NO_USE.of(lang));
                (said::known(who)?, Self::Nothing)
            }
            Self::LogIn(password) if refusal.code == Code::AccountExists => {
                tell(format_args!("{} {}", Escaped(user.as_bytes()), HAS_ACCOUNT.of(lang)));
                (password.clone(), Self::AnotherName)
            }
            _ => return Ok(None),
        };
        let proof = Proof::Password { user: user.to_owned(), password };
        Ok(Some((Entrance::LogIn(proof), then)))
    }

    /// What `user` may do who is refused, where it is not what others may: `usual`.
    pub(super) fn hint(
        &self,
        refusal: &Refusal,
        (user, lang): (&str, Lang),
        usual: Option<&str>,
    ) -> Option<String> {
        let user = Escaped(user.as_bytes());
        match (self, refusal.code) {
            (Self::AnotherName, Code::BadCredentials) => Some(match lang {
                Lang::En => format!(
                    "if that is you, `--user={user}` asks for the password once more; else take another name"
                ),
                Lang::Fr => format!(
                    "si c'est vous, `--user={user}` redemande le mot de passe ; sinon, prenez un autre nom"
                ),
            }),
            (Self::LogIn(_), Code::RegistrationClosed) => {
                let others = usual.map_or_else(String::new, |usual| format!("; {usual}"));
                Some(match lang {
                    Lang::En => {
                        format!("`--user={user}` logs in to an account that is there{others}")
                    }
                    Lang::Fr => format!("`--user={user}` ouvre un compte qui existe déjà{others}"),
                })
            }
            _ => usual.map(str::to_owned),
        }
    }
}

/// Whether the token is refused, and not the account.
pub(super) fn is_of_no_use(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::TokenExpired | Code::SessionRevoked) && !is_gone(refusal)
}

/// Whether the account was deleted: nobody logs in as it any more.
fn is_gone(refusal: &Refusal) -> bool {
    refusal.code == Code::SessionRevoked && refusal.why == words::DELETED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret("secret-pass".to_owned())
    }

    #[test]
    fn who_was_asked_and_has_an_account_logs_in_once_with_what_was_typed() {
        let exists = Refusal::of(Code::AccountExists);
        let first = Otherwise::LogIn(secret());
        let (entrance, then) = first.after(&exists, ("bob", Lang::En)).unwrap().unwrap();
        let proof = Proof::Password { user: "bob".to_owned(), password: secret() };
        assert_eq!((entrance, &then), (Entrance::LogIn(proof), &Otherwise::AnotherName));
        assert_eq!(then.after(&exists, ("bob", Lang::En)).unwrap(), None);
    }

    #[test]
    fn nothing_else_is_tried_of_who_said_how_to_come_in_or_is_refused_for_another_reason() {
        let check = |otherwise: Otherwise, refusal: Refusal| {
            assert_eq!(otherwise.after(&refusal, ("bob", Lang::En)).unwrap(), None);
        };
        for code in [Code::AccountExists, Code::TokenExpired, Code::SessionRevoked] {
            check(Otherwise::Nothing, Refusal::of(code));
        }
        check(Otherwise::LogIn(secret()), Refusal::of(Code::NameConfusable));
        check(Otherwise::Password("bob".to_owned()), Refusal::of(Code::NameInvalid));
        let deleted = Refusal::of(Code::SessionRevoked).why(words::DELETED);
        check(Otherwise::Password("bob".to_owned()), deleted);
    }

    #[test]
    fn what_is_left_to_try_is_told() {
        let check = |otherwise: &Otherwise, code: Code, expect: &str| {
            let hint = otherwise.hint(&Refusal::of(code), ("bob", Lang::En), Some("usual"));
            assert_eq!(hint.as_deref(), Some(expect));
            let hint = otherwise.hint(&Refusal::of(code), ("bob", Lang::Fr), Some("usual"));
            assert_eq!(hint.as_deref() == Some("usual"), expect == "usual");
        };
        let log_in = Otherwise::LogIn(secret());
        let closed = "`--user=bob` logs in to an account that is there; usual";
        check(&log_in, Code::RegistrationClosed, closed);
        check(&log_in, Code::NameInvalid, "usual");
        let again =
            "if that is you, `--user=bob` asks for the password once more; else take another name";
        check(&Otherwise::AnotherName, Code::BadCredentials, again);
        check(&Otherwise::Nothing, Code::BadCredentials, "usual");
    }
}
