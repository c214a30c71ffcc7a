//! SHA-1 ([RFC 3174]), for the one protocol that asks for it and not for its strength: WebSocket.
//!
//! [RFC 3174]: https://www.rfc-editor.org/rfc/rfc3174

/// The hash of a short `message`.
pub(crate) fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(message.len()).expect("memory has an end") * 8;
    padded.extend_from_slice(&bits.to_be_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let (blocks, _) = padded.as_chunks::<64>();
    for block in blocks {
        stir(&mut state, block);
    }
    let mut hash = [0; 20];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

fn stir(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0; 80];
    let (fours, _) = block.as_chunks::<4>();
    for (word, bytes) in words.iter_mut().zip(fours) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..80 {
        let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
        words[at] = u32::rotate_left(mixed, 1);
    }
    let [mut one, mut two, mut three, mut four, mut five] = *state;
    for (round, word) in words.into_iter().enumerate() {
        let (mix, constant): (u32, u32) = match round {
            0..20 => ((two & three) | (!two & four), 0x5a82_7999),
            20..40 => (two ^ three ^ four, 0x6ed9_eba1),
            40..60 => ((two & three) | (two & four) | (three & four), 0x8f1b_bcdc),
            _ => (two ^ three ^ four, 0xca62_c1d6),
        };
        let turned = one.rotate_left(5).wrapping_add(mix).wrapping_add(five);
        let next = turned.wrapping_add(constant).wrapping_add(word);
        (five, four, three, two, one) = (four, three, two.rotate_left(30), one, next);
    }
    for (sum, word) in state.iter_mut().zip([one, two, three, four, five]) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        check(b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        check(b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
        check(
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        );
        check(&[b'a'; 1_000], "291e9a6c66994949b57ba5e650361e98fc36b1ba");
    }

    #[track_caller]
    fn check(message: &[u8], expect: &str) {
        let pairs = (0..expect.len()).step_by(2).map(|at| &expect[at..at + 2]);
        let expect: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        assert_eq!(sha1(message).as_slice(), expect);
    }
}
