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

/// Makes of `bytes` what each of them counts as.
///
/// *Cost*: many bytes at a time.
pub(super) fn fold_in_place(bytes: &mut [u8]) {
    bytes.make_ascii_lowercase();
    let first = memchr::memchr2(b'+', b'\\', bytes).unwrap_or(bytes.len());
    for byte in &mut bytes[first..] {
        *byte = fold_byte(*byte);
    }
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
        fn what_is_folded_stays_as_it_is(bytes: Vec<u8>, text: String) {
            for folded in [fold(&bytes), fold(text.as_bytes())] {
                prop_assert!(folded.iter().all(|&byte| fold_byte(byte) == byte));
                prop_assert!(!folded.iter().any(u8::is_ascii_uppercase));
            }
            decode(&bytes);
        }
    }
}
