//! What lets a program say something in one room over HTTP, and nothing else.

use relais_http::auth::{digest, print_bits, read_bits};
use relais_net::sealing::Signing;
use zeroize::Zeroizing;

use super::token::{Token, TokenHash};
use crate::{model::Cid, protocol::Secret};

/// What these tokens begin with.
const SIGN: &str = "hk_";

/// One of what `random` fills in, which has to be what nobody can guess.
///
/// *Shape*: `hk_` and 43 letters, digits, `-` and `_`. It logs nobody in, however it is spelled: see
/// [`read_hook`].
pub fn draw_hook(random: fn(&mut [u8])) -> Token {
    let mut bits = Zeroizing::new([0; 32]);
    random(bits.as_mut_slice());
    let text = Zeroizing::new(print_bits(&bits));
    Token { text: Secret([SIGN, &text].concat()), hash: hash(&bits) }
}

/// What is kept of the hook's token that `text` is; `None` if it is none, of whatever shape.
pub fn read_hook(text: &str) -> Option<TokenHash> {
    let bits = Zeroizing::new(read_bits(text.strip_prefix(SIGN)?)?);
    Some(hash(&bits))
}

/// Each bit of the SHA-256 is turned: who has a hook's token knows no bits whose own SHA-256, as is kept
/// of what logs in, is that.
fn hash(bits: &[u8; 32]) -> TokenHash {
    TokenHash(digest(bits).map(|byte| !byte))
}

impl TokenHash {
    /// What a program calls what it says by this hook, as its account's [`Cid`]: neither another hook's nor
    /// a client's of this account, whatever they call what they say.
    ///
    /// *Shape*: `hook_` and 43 characters, of an HMAC-SHA256 of `key`.
    ///
    /// # Panics
    ///
    /// Never: these are a cid's characters.
    pub fn named(&self, key: &Cid) -> Cid {
        let bits = Signing::new(&self.0).sign(key.as_str().as_bytes());
        Cid::new(&format!("hook_{}", print_bits(&bits))).expect("48 letters, digits, - and _")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zeros(bytes: &mut [u8]) {
        bytes.fill(0);
    }

    #[test]
    fn a_hook_is_known_by_its_token_which_logs_nobody_in() {
        let Token { text, hash } = draw_hook(zeros);
        assert_eq!(text.0, format!("hk_{}", "A".repeat(43)));
        assert_eq!(read_hook(&text.0), Some(hash));
        assert_eq!(TokenHash::read(&text.0), None);
        assert_ne!(TokenHash::read(&text.0.replace("hk_", "rt_")).unwrap(), hash);
        assert_eq!(read_hook(&text.0.replace("hk_", "rt_")), None);
    }

    #[test]
    fn what_two_hooks_call_the_same_is_not() {
        let key = Cid::new(&"x".repeat(64)).unwrap();
        let [one, other] = [TokenHash([1; 32]), TokenHash([2; 32])];
        assert_eq!(one.named(&key), one.named(&key));
        assert_ne!(one.named(&key), other.named(&key));
        assert_ne!(one.named(&key), one.named(&Cid::new("x").unwrap()));
        assert!(one.named(&key).as_str().starts_with("hook_"));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = draw_hook(zeros).text.0.clone();
        for bad in ["", "hk_", &good[3..], &good[..45], &format!("{good}A")] {
            assert_eq!(read_hook(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(hk_)?\\PC{0,60}") {
            let _ = read_hook(&text);
        }
    }
}
