//! What a request says of who asks: RFC 7617's user and password.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};

use super::users::NAME_BYTES_MAX;

/// The longest password that anybody can get in by, in bytes.
const PASSWORD_BYTES_MAX: usize = 1024;

/// The longest credentials looked at, in bytes of base64: those of the longest name and password.
const TOKEN_BYTES_MAX: usize = (NAME_BYTES_MAX + 1 + PASSWORD_BYTES_MAX).div_ceil(3) * 4;

/// A password that no client can send (RFC 7617).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad password: expected 1 to {PASSWORD_BYTES_MAX} bytes without control characters")]
pub struct BadPassword;

/// Whether anybody can get in by `password`.
///
/// # Errors
///
/// [`BadPassword`], if not: it is empty, too long, or holds what must not be sent. It is not told.
pub fn check_password(password: &str) -> Result<(), BadPassword> {
    let is_typed = !password.chars().any(char::is_control);
    let fits = (1..=PASSWORD_BYTES_MAX).contains(&password.len());
    if is_typed && fits { Ok(()) } else { Err(BadPassword) }
}

/// A user and a password, as a caller gave them.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// A password. Never printed.
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The credentials of the one `Authorization: Basic …` among `headers`, still encoded.
///
/// `None` also for two of them: what one reader takes for the user, another may not.
pub(super) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"basic ";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked(SCHEME.len())?;
    let token = token.trim_ascii();
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    (fits && scheme.eq_ignore_ascii_case(SCHEME)).then_some(token)
}

impl Credentials {
    /// Decodes a [`token`]: base64 of `user:password` in UTF-8, without control characters
    /// (RFC 7617, section 2).
    pub(super) fn decode(token: &[u8]) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        if text.chars().any(char::is_control) {
            return None;
        }
        let (user, password) = text.split_once(':')?;
        Some(Self { user: user.to_owned(), password: Secret(password.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_longest_name_and_password_are_read_and_nothing_that_is_longer_or_no_text() {
        let (name, most) = ("n".repeat(NAME_BYTES_MAX), "p".repeat(PASSWORD_BYTES_MAX));
        assert_eq!(check_password(&most), Ok(()));
        check(&basic(format!("{name}:{most}").as_bytes()), Some((&name, &most)));
        for bad in ["", "a\tb", "a\u{85}", &format!("{most}p")] {
            assert_eq!(check_password(bad), Err(BadPassword));
        }
    }

    #[track_caller]
    fn check(value: &str, expect: Option<(&str, &str)>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        let found = token(&headers).and_then(Credentials::decode);
        let found = found.as_ref().map(|found| (&*found.user, &*found.password.0));
        assert_eq!(found, expect, "{value}");
    }

    fn basic(text: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn credentials_are_decoded() {
        // The two of RFC 7617.
        check("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some(("Aladdin", "open sesame")));
        check("Basic dGVzdDoxMjPCow==", Some(("test", "123£")));
        check("bASIC   dGVzdDoxMjPCow==", Some(("test", "123£")));
        check(&basic(b"a:b:c"), Some(("a", "b:c")));
        check(&basic(b":"), Some(("", "")));
    }

    #[test]
    fn what_is_malformed_is_none() {
        for bad in ["", "Basic", "Basic ", "Basic *", "Bearer dGVzdDoxMjPCow==", "Basic dGVzdDox="]
        {
            check(bad, None);
        }
        check("BasicdGVzdDoxMjPCow==", None);
        check(&basic(b"no colon"), None);
        check(&basic(b"nul:\0"), None);
        check(&basic(b"line:\r\n"), None);
        check(&basic(b"latin1:\xa3"), None);
        check(&basic(format!("a:{}", "b".repeat(TOKEN_BYTES_MAX)).as_bytes()), None);
    }

    #[test]
    fn two_are_none() {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            let value = HeaderValue::from_static("Basic dGVzdDoxMjPCow==");
            headers.append(header::AUTHORIZATION, value);
        }
        assert_eq!(token(&headers), None);
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", Secret("open sesame".into())), "Secret(…)");
    }
}
