//! What lines are made of: keys, numbers and texts, printed in few steps.

use std::io::Write as _;

use crate::visible::InJson;

/// Stands for the rest of a longer text. No URL holds it: there it would be percent-encoded.
const CUT: &str = "…";

/// Appends what is of the same length each time.
pub(super) fn put<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N]) {
    out.extend_from_slice(bytes);
}

/// A value of ours, which needs no escaping. `key` opens the quotes.
pub(super) fn word<const N: usize>(out: &mut Vec<u8>, key: &[u8; N], word: &str) {
    put(out, key);
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// A value of a stranger's. `key` opens the quotes.
pub(super) fn text<const N: usize>(
    out: &mut Vec<u8>,
    key: &[u8; N],
    text: impl AsRef<[u8]>,
    bytes_max: usize,
) {
    texts(out, key, &[text], bytes_max);
}

/// The same of a value in pieces, one after the other. What is not UTF-8 is replaced.
///
/// Nearly every one is plain and not too long: it is copied, and looked at after that.
pub(super) fn texts<const N: usize>(
    out: &mut Vec<u8>,
    key: &[u8; N],
    pieces: &[impl AsRef<[u8]>],
    bytes_max: usize,
) {
    put(out, key);
    let start = out.len();
    for piece in pieces {
        out.extend_from_slice(piece.as_ref());
    }
    if out.len() - start > bytes_max || !is_plain(&out[start..]) {
        escape(out, start, bytes_max);
    }
    out.push(b'"');
}

/// Makes of what `out` has from `start` on the inside of a JSON string, of so many bytes of it at most.
#[cold]
fn escape(out: &mut Vec<u8>, start: usize, bytes_max: usize) {
    let whole = out.split_off(start);
    let whole = String::from_utf8_lossy(&whole);
    let kept = &whole[..whole.floor_char_boundary(bytes_max)];
    write!(out, "{}", InJson(kept)).expect("memory takes what it is given");
    if kept.len() < whole.len() {
        out.extend_from_slice(CUT.as_bytes());
    }
}

pub(super) fn number<const N: usize>(out: &mut Vec<u8>, key: &[u8; N], number: u64) {
    put(out, key);
    digits(out, number);
}

/// A number in decimal digits. Most are small.
pub(super) fn digits(out: &mut Vec<u8>, number: u64) {
    match number {
        0..10 => out.push(two_digits(number)[1]),
        10..100 => put(out, &two_digits(number)),
        100..1000 => {
            let ([_, first], [second, third]) = four_digits(number);
            put(out, &[first, second, third]);
        }
        1000..10_000 => {
            let ([first, second], [third, fourth]) = four_digits(number);
            put(out, &[first, second, third, fourth]);
        }
        10_000.. => {
            digits(out, number / 10_000);
            let ([first, second], [third, fourth]) = four_digits(number % 10_000);
            put(out, &[first, second, third, fourth]);
        }
    }
}

/// A number below 10,000, with zeros before it.
fn four_digits(number: u64) -> ([u8; 2], [u8; 2]) {
    (two_digits(number / 100), two_digits(number % 100))
}

/// A number below 100, with zeros before it.
fn two_digits(number: u64) -> [u8; 2] {
    static PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[b'0'; 2]; 100];
        let mut number = 0_u8;
        while number < 100 {
            pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
            number += 1;
        }
        pairs
    };
    PAIRS[usize::try_from(number).expect("a number below 100")]
}

/// Whether a text needs no escaping: visible ASCII and spaces, but no `"` and no `\`.
fn is_plain(text: &[u8]) -> bool {
    let is_plain = |word: &[u8; 8]| is_plain_word(u64::from_le_bytes(*word));
    let (words, rest) = text.as_chunks();
    match text.last_chunk() {
        // Those behind the last word are judged in one, too, with some of it again.
        Some(last) => words.iter().all(is_plain) && is_plain(last),
        None => rest.iter().all(|&byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')),
    }
}

/// The same of eight bytes at once, with the arithmetic for bytes in a word (Hacker's Delight, 6-1).
///
/// A byte's highest bit is set where it is to be found. What a byte borrows from the one above, or
/// carries to it, is of no account: it is to be found itself then.
fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let each = |byte: u8| ONES * u64::from(byte);
    let below = |word: u64, byte: u8| word.wrapping_sub(each(byte));
    let is = |byte: u8| below(word ^ each(byte), 1);
    let above_tilde = word | word.wrapping_add(ONES);
    (above_tilde | below(word, b' ') | is(b'"') | is(b'\\')) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_as_by_itself() {
        for byte in 0..=u8::MAX {
            let expect = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            for len in 1..50 {
                for at in 0..len {
                    let mut text = vec![b'~'; len];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), expect, "{byte} at {at} of {len}");
                }
            }
        }
        assert!(is_plain(b""));
    }

    #[test]
    fn numbers_are_printed_as_always() {
        let tens = (0..20).map(|power| 10_u64.pow(power));
        let near = tens.flat_map(|ten| [ten - 1, ten, ten + 1, ten.wrapping_mul(12_345)]);
        for number in near.chain(0..20_000).chain([u64::MAX, 100_001_000, 90_000_070_000]) {
            let mut out = Vec::new();
            digits(&mut out, number);
            assert_eq!(str::from_utf8(&out), Ok(&*number.to_string()));
        }
    }

    #[test]
    fn a_text_in_pieces_is_cut_as_a_whole() {
        let check = |pieces: &[&str], expect: &str| {
            let mut out = Vec::new();
            texts(&mut out, b"\"", pieces, 4);
            assert_eq!(str::from_utf8(&out), Ok(expect));
        };
        check(&["ab", "", "cd"], "\"abcd\"");
        check(&["ab", "cde"], "\"abcd…\"");
        check(&["abcd", "", "e", "f"], "\"abcd…\"");
        check(&["a\"", "é"], "\"a\\\"é\"");
        check(&["abc", "é"], "\"abc…\"");
    }
}
