//! Secrets that are no passwords but drawn: as text, and as what is kept of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 bits.
pub type Bits = [u8; 32];

/// `bits` as text: 43 letters, digits, `-` and `_` (base64url without padding, RFC 4648, section 5).
pub fn print_bits(bits: &Bits) -> String {
    URL_SAFE_NO_PAD.encode(bits)
}

/// The bits that [`print_bits`] prints so; `None` if it prints none so.
pub fn read_bits(text: &str) -> Option<Bits> {
    // The decoder asks for a little more than it fills; what fills more is too long.
    let mut decoded = [0; 35];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut decoded).ok()?;
    decoded[..len].try_into().ok()
}

/// What may be kept of `bits` that were drawn at random: their SHA-256. Quick, as nobody can try
/// them all; passwords are [hashed slowly](super::hash_password).
pub fn digest(bits: &Bits) -> Bits {
    Sha256::digest(bits).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_text_of_256_bits_is_none() {
        let good = print_bits(&[0xff; 32]);
        assert_eq!(good, format!("{}8", "_".repeat(42)));
        // The last character has two bits that stand for nothing, and are 0.
        let unclean = format!("{}9", &good[..42]);
        let (short, long) = (good[..42].to_owned(), format!("{good}A"));
        let others = [&*short, &*long, &unclean, "", "=", "é", &"A".repeat(1000)];
        for bad in others.into_iter().chain([&*good.replace('_', "/"), &*format!("{good}=")]) {
            assert_eq!(read_bits(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_standard() {
        let digest = digest(&[0; 32]);
        assert_eq!(digest[..4], [0x66, 0x68, 0x7a, 0xad], "of 32 zeros, as `sha256sum` says");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(bits: Bits) {
            prop_assert_eq!(read_bits(&print_bits(&bits)), Some(bits));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = read_bits(&text);
        }

        #[test]
        fn what_is_read_has_one_text(text in "[-_A-Za-z0-9]{42,44}") {
            if let Some(bits) = read_bits(&text) {
                prop_assert_eq!(print_bits(&bits), text);
            }
        }
    }
}
