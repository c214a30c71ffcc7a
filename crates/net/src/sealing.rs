//! Bytes that only who has a key can read, or can have written: for protocols of datagrams, which have
//! no TLS below them.

use std::fmt;

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};

/// How long a key is, in bytes.
pub const KEY_BYTES: usize = 32;

/// How much longer what is sealed is than what it was made of.
pub const TAG_BYTES: usize = 16;

/// Seals and opens, with one key: `ChaCha20-Poly1305` (RFC 8439).
pub struct Sealing {
    key: LessSafeKey,
}

impl Sealing {
    /// With `key`.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of its length");
        Self { key: LessSafeKey::new(key) }
    }

    /// Seals what is in `bytes`, as the `number`th under this key, beside a `head` that stays readable.
    /// The nonce is four bytes of zero, then the number: no two may be sealed as the same.
    pub fn seal(&self, number: u64, head: &[u8], bytes: &mut Vec<u8>) {
        let sealed = self.key.seal_in_place_append_tag(nonce(number), Aad::from(head), bytes);
        sealed.expect("less than 256 GiB");
    }

    /// Opens `bytes` in place; `None` of what was not sealed so.
    pub fn open<'b>(&self, number: u64, head: &[u8], bytes: &'b mut [u8]) -> Option<&'b [u8]> {
        let opened = self.key.open_in_place(nonce(number), Aad::from(head), bytes);
        opened.ok().map(|opened| &*opened)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Signs, and tells what was signed, with one key: HMAC-SHA256 (RFC 2104).
pub struct Signing {
    /// What the key is made of: that itself is forty times as large.
    key: Box<[u8]>,
}

impl Signing {
    /// With `key`.
    pub fn new(key: &[u8]) -> Self {
        Self { key: key.into() }
    }

    /// The signature of `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        let mut signature = [0; 32];
        signature.copy_from_slice(hmac::sign(&key, bytes).as_ref());
        signature
    }
}

/// Whether two are the same, in a time that tells nothing of where they differ.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// The key for `purpose` that comes of `key`: the first 32 bytes of HKDF-SHA256 (RFC 5869).
pub fn derive(key: &[u8; KEY_BYTES], salt: &[u8], purpose: &[u8]) -> [u8; KEY_BYTES] {
    let extracted = Signing::new(salt).sign(key);
    Signing::new(&extracted).sign(&[purpose, &[1]].concat())
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(..)")
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let mut digits = Vec::new();
        relais_wire::datagram::write_hex(bytes, &mut digits);
        String::from_utf8(digits).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_and_number_alone() {
        let sealing = Sealing::new(&[7; KEY_BYTES]);
        let mut bytes = b"hello".to_vec();
        sealing.seal(5, b"head", &mut bytes);
        assert_eq!(bytes.len(), 5 + TAG_BYTES);
        let open = |sealing: &Sealing, number, head: &[u8]| {
            sealing.open(number, head, &mut bytes.clone()).map(<[u8]>::to_vec)
        };
        assert_eq!(open(&sealing, 5, b"head"), Some(b"hello".to_vec()));
        assert_eq!(open(&sealing, 6, b"head"), None);
        assert_eq!(open(&sealing, 5, b"Head"), None);
        assert_eq!(open(&Sealing::new(&[8; KEY_BYTES]), 5, b"head"), None);
        assert_eq!(sealing.open(5, b"head", &mut [0; 3]), None);
    }

    #[test]
    fn signatures_are_those_of_the_specification() {
        // RFC 4231, test case 2.
        let signature = Signing::new(b"Jefe").sign(b"what do ya want for nothing?");
        let expect = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&signature), expect);
        assert!(is_same(&signature, &signature.clone()) && !is_same(&signature, &[0; 32]));
    }

    #[test]
    fn a_derived_key_is_that_of_the_specification() {
        // RFC 5869, test case 1, whose key is shorter: extracted and expanded by the same steps.
        let extracted = Signing::new(&(0..=0x0c).collect::<Vec<u8>>()).sign(&[0x0b; 22]);
        let expanded = Signing::new(&extracted)
            .sign(&[&(0xf0..=0xf9).collect::<Vec<u8>>()[..], &[1]].concat());
        let expect = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
        assert_eq!(hex(&expanded), expect);
        let key = [1; KEY_BYTES];
        assert_ne!(derive(&key, b"a", b"up"), derive(&key, b"a", b"down"));
        assert_ne!(derive(&key, b"a", b"up"), derive(&key, b"b", b"up"));
    }
}
