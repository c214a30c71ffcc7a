//! What lets a program say something in one room over HTTP, and nothing else.

use relais_http::auth::{digest, print_bits, read_bits};
use zeroize::Zeroizing;

use super::token::{Token, TokenHash};
use crate::protocol::Secret;

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
