//! What logs a device in again: drawn at random, told once, and kept as a hash only.

use std::fmt;

use relais_http::auth::{digest, print_bits, read_bits};
use zeroize::Zeroizing;

use crate::protocol::Secret;

/// What all tokens begin with, so that people, and programs that look for lost secrets, know them.
const SIGN: &str = "rt_";

/// The same of invitations.
const INVITATION_SIGN: &str = "ri_";

/// A token, of 256 bits.
///
/// *Shape*: `rt_` and 43 letters, digits, `-` and `_`.
#[derive(Debug)]
pub struct Token {
    /// What is told, once, to whom it is for.
    pub text: Secret,
    /// What is kept.
    pub hash: TokenHash,
}

/// What is kept of a token: the SHA-256 of its bits. Nobody gets the token from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl Token {
    /// One of what `random` fills in, which has to be what nobody can guess.
    pub fn draw(random: fn(&mut [u8])) -> Self {
        Self::with_sign(SIGN, random)
    }

    /// The same for an invitation, which no login takes: `ri_` and as much.
    pub fn invitation(random: fn(&mut [u8])) -> Self {
        Self::with_sign(INVITATION_SIGN, random)
    }

    fn with_sign(sign: &str, random: fn(&mut [u8])) -> Self {
        let mut bits = Zeroizing::new([0; 32]);
        random(bits.as_mut_slice());
        let text = Zeroizing::new(print_bits(&bits));
        Self { text: Secret([sign, &text].concat()), hash: TokenHash(digest(&bits)) }
    }
}

impl TokenHash {
    /// What is kept of the token that `text` is; `None` if it is none, of whatever shape.
    pub fn read(text: &str) -> Option<Self> {
        Self::with_sign(SIGN, text)
    }

    /// The same of an invitation.
    pub fn read_invitation(text: &str) -> Option<Self> {
        Self::with_sign(INVITATION_SIGN, text)
    }

    /// Whether `text` begins as all invitations do: cut or mistyped it is none, and nothing else either.
    pub fn is_like_an_invitation(text: &str) -> bool {
        text.starts_with(INVITATION_SIGN)
    }

    fn with_sign(sign: &str, text: &str) -> Option<Self> {
        let bits = Zeroizing::new(read_bits(text.strip_prefix(sign)?)?);
        Some(Self(digest(&bits)))
    }

    /// What an invitation is called: `i_` and 8 characters.
    pub fn invited(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("i_{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    /// What the session is called that the token is for: `s_` and 8 characters, `s_66687aad`.
    /// Among the few sessions of an account that is
    /// the only one, but for one chance in millions.
    pub fn session(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("s_{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({}…)", self.session())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ones(bytes: &mut [u8]) {
        bytes.fill(0xff);
    }

    fn zeros(bytes: &mut [u8]) {
        bytes.fill(0);
    }

    #[test]
    fn a_token_is_what_was_drawn_and_is_known_by_its_hash() {
        let token = Token::draw(ones);
        assert_eq!(token.text.0, format!("rt_{}8", "_".repeat(42)));
        assert_eq!(TokenHash::read(&token.text.0), Some(token.hash));
        let other = Token::draw(zeros);
        assert_eq!(other.text.0, format!("rt_{}", "A".repeat(43)));
        assert_ne!(other.hash, token.hash);
    }

    #[test]
    fn a_session_is_called_by_the_hash_of_its_token() {
        assert_eq!(Token::draw(zeros).hash.session(), "s_66687aad");
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = Token::draw(zeros).text.0.clone();
        let bad = ["", "rt_", "rt", "66687aad", &good[3..], &good[..45], &good.to_uppercase()];
        for bad in bad.into_iter().chain([&*format!("{good}A"), &*format!(" {good}")]) {
            assert_eq!(TokenHash::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_invitation_is_no_token() {
        let drawn = Token::invitation(zeros);
        assert_eq!(drawn.text.0, format!("ri_{}", "A".repeat(43)));
        assert_eq!(TokenHash::read_invitation(&drawn.text.0), Some(drawn.hash));
        assert_eq!(TokenHash::read(&drawn.text.0), None);
        assert_eq!(TokenHash::read_invitation(&Token::draw(zeros).text.0), None);
        assert_eq!(drawn.hash.invited(), "i_66687aad");
    }

    #[test]
    fn neither_token_nor_hash_is_shown() {
        let shown = format!("{:?}", Token::draw(zeros));
        assert_eq!(shown, "Token { text: Secret(..), hash: TokenHash(s_66687aad…) }");
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(rt_|ri_)?\\PC{0,60}") {
            let _ = (TokenHash::read(&text), TokenHash::read_invitation(&text));
        }
    }
}
