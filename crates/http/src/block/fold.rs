//! What rules and URLs are brought to before they are compared: percent-encodings decoded, and what
//! an upstream may take for the same made the same.

/// What each byte counts as: letters are small, a plus is a space, a backslash is a slash.
///
/// In queries a plus is a space to whoever reads forms, and elsewhere nobody blocks one without
/// the other. Browsers and Windows take a backslash for a slash.
pub(super) static FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut byte = 0_u8;
    loop {
        folded[byte as usize] = match byte {
            b'+' => b' ',
            b'\\' => b'/',
            byte => byte.to_ascii_lowercase(),
        };
        if byte == u8::MAX {
            break folded;
        }
        byte += 1;
    }
};

/// What `byte` counts as.
pub(super) fn fold_byte(byte: u8) -> u8 {
    FOLDED[usize::from(byte)]
}

/// What was seen of bytes as they were folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// ASCII without percent-encodings and `;`, and behind no slash another one or a dot.
    Plain,
    /// Perhaps something else.
    Odd,
}

/// Makes of all of `bytes` from `start` on what each of them counts as.
///
/// *Cost*: some 30 steps for 8 bytes together, unless there is something odd, a plus or a backslash.
pub(super) fn fold_from(start: usize, bytes: &mut Vec<u8>) -> Seen {
    let len = bytes.len();
    // So that none are left at the end.
    bytes.extend_from_slice(&[0; 8]);
    let mut sight = Sight::default();
    let (words, _) = bytes[start..].as_chunks_mut();
    for word in words {
        let letters = u64::from_le_bytes(*word);
        sight.see(letters);
        *word = in_lower_case(letters).to_le_bytes();
    }
    bytes.truncate(len);
    if sight.special & HIGH != 0 {
        for byte in &mut bytes[start..] {
            *byte = fold_byte(*byte);
        }
    }
    if (sight.special | sight.pairs) & HIGH == 0 { Seen::Plain } else { Seen::Odd }
}

/// What is looked for eight bytes at a time, with the arithmetic for bytes in a word (Hacker's
/// Delight, 6-1): the highest bit of a byte says that it is there.
#[derive(Debug, Default)]
struct Sight {
    /// A plus, a backslash, a percent sign, or what is not ASCII.
    special: u64,
    /// A slash or a dot after a slash, or a `;`. After something special perhaps another.
    pairs: u64,
    /// The slashes of the word before.
    slashes: u64,
}

impl Sight {
    fn see(&mut self, word: u64) {
        // One byte may borrow from the next: then it is there itself, or the next is a dot after a
        // slash. So nothing is said to be there that is not, and nothing is missed.
        let is = |byte: u8| (word ^ each(byte)).wrapping_sub(ONES);
        self.special |= word | is(b'+') | is(b'\\') | is(b'%');
        let slashes = is(b'/');
        let behind = slashes << 8 | self.slashes >> 56;
        self.pairs |= behind & (slashes | is(b'.')) | is(b';');
        self.slashes = slashes;
    }
}

/// A word with small letters; all else stays.
fn in_lower_case(word: u64) -> u64 {
    let low = word & !HIGH;
    let from_a = low + each(0x80 - b'A');
    let beyond_z = low + each(0x7f - b'Z');
    let capitals = from_a & !beyond_z & !word & HIGH;
    word | capitals >> 2
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// A word of this byte.
fn each(byte: u8) -> u64 {
    ONES * u64::from(byte)
}

/// What `bytes` count as. Letters beyond ASCII are small, too; what is no UTF-8 stays.
pub(super) fn fold(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_ascii() {
        return bytes.iter().map(|&byte| fold_byte(byte)).collect();
    }
    let mut folded = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        // One by one: what a letter becomes is not to depend on those around it.
        for small in chunk.valid().chars().flat_map(char::to_lowercase) {
            match u8::try_from(small).ok().filter(u8::is_ascii) {
                Some(byte) => folded.push(fold_byte(byte)),
                None => folded.extend(small.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        folded.extend(chunk.invalid());
    }
    folded
}

/// `bytes` with percent-encodings decoded, once. A `%` without two hexadecimal digits stays.
pub(super) fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let escaped = if *first == b'%' { escaped(after) } else { None };
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// The byte whose two digits `digits` starts with.
fn escaped(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::block::looks::is_plain;

    #[test]
    fn what_upstreams_take_for_the_same_is_the_same() {
        check_fold("aZ09-._~!", "az09-._~!");
        check_fold("a+b c\\d/e", "a b c/d/e");
        check_fold("КАЗИНО İ ẞ", "казино i\u{307} ß");
        // The sign for Kelvin is small in ASCII.
        check_fold("\u{212a}+", "k ");
        assert_eq!(fold(b"A\xc0\xaf\xffB+\xd0"), b"a\xc0\xaf\xffb \xd0");
    }

    #[track_caller]
    fn check_fold(text: &str, expect: &str) {
        assert_eq!(String::from_utf8(fold(text.as_bytes())).unwrap(), expect);
    }

    #[test]
    fn every_byte_at_every_place_is_folded_as_by_itself() {
        for byte in 0..=u8::MAX {
            for (len, at) in (1..20).flat_map(|len| (0..len).map(move |at| (len, at))) {
                let mut text = vec![b'z'; len];
                text[at] = byte;
                check_together(&text);
            }
        }
    }

    #[test]
    fn what_is_odd_is_seen_at_every_place() {
        for pair in ["//", "/.", "/\\", "\\.", "a%", "a+", "aé", ";:", "\u{7f}/", "./", "..", ":<"]
        {
            for (before, after) in (0..20).flat_map(|before| [(before, 0), (before, 9)]) {
                let text = ["a".repeat(before), pair.into(), "a".repeat(after)].concat();
                let is_odd = !matches!(pair, "\u{7f}/" | "./" | ".." | ":<");
                assert_eq!(check_together(text.as_bytes()) == Seen::Odd, is_odd, "{text:?}");
            }
        }
    }

    /// Folds `text` behind another, and compares it with what each byte counts as.
    #[track_caller]
    fn check_together(text: &[u8]) -> Seen {
        let mut together = [b"A", text].concat();
        let seen = fold_from(1, &mut together);
        let one_by_one: Vec<_> = text.iter().map(|&byte| fold_byte(byte)).collect();
        assert_eq!(together, [b"A", &one_by_one[..]].concat());
        seen
    }

    #[test]
    fn encodings_are_decoded_once_and_what_is_none_stays() {
        check_decode("%61%4a%C3%a9", "aJé");
        check_decode("%2561%25", "%61%");
        check_decode("100%", "100%");
        check_decode("%", "%");
        check_decode("%4", "%4");
        check_decode("%%41%4g%+1%u0041", "%A%4g%+1%u0041");
    }

    #[track_caller]
    fn check_decode(text: &str, expect: &str) {
        assert_eq!(String::from_utf8(decode(text.as_bytes())).unwrap(), expect);
    }

    proptest! {
        #[test]
        fn what_is_seen_as_plain_is(path in "/[/.a;+%\\\\é]{0,30}", bytes: Vec<u8>) {
            check_together(&bytes);
            prop_assert!(is_plain(&path) || check_together(path.as_bytes()) == Seen::Odd);
        }

        #[test]
        fn what_is_folded_stays_as_it_is(bytes: Vec<u8>, text: String) {
            for folded in [fold(&bytes), fold(text.as_bytes())] {
                prop_assert!(folded.iter().all(|&byte| fold_byte(byte) == byte));
                prop_assert!(!folded.iter().any(u8::is_ascii_uppercase));
            }
            decode(&bytes);
        }
    }
}
