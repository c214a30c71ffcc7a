//! Names in other scripts as DNS has them ([RFC 3492]), for a hint.
//!
//! Only the encoding: which letters are the same as others ([UTS 46]) takes tables that would make
//! this program larger by a sixth of a megabyte, and two dozen crates, for names that lists have in
//! ASCII. So a rule in another script is refused, and told how it is likely to be written.
//!
//! [RFC 3492]: https://www.rfc-editor.org/rfc/rfc3492
//! [UTS 46]: https://www.unicode.org/reports/tr46/

/// `name` in small letters, each label that is not ASCII as `xn--…`.
pub(super) fn in_ascii(name: &str) -> String {
    let name = name.to_lowercase();
    let labels = name.split('.').map(|label| {
        if label.is_ascii() { label.to_owned() } else { format!("xn--{}", encode(label)) }
    });
    labels.collect::<Vec<_>>().join(".")
}

// The parameters of section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const BIAS: u32 = 72;
const FIRST: u32 = 128;

/// Section 6.3: the ASCII of `label`, then for each other letter, smallest first, how far it is
/// from the one before.
///
/// *Cost*: quadratic; lines of lists are short.
fn encode(label: &str) -> String {
    let mut encoded: String = label.chars().filter(char::is_ascii).collect();
    let basic = count(&encoded);
    if basic > 0 {
        encoded.push('-');
    }
    let (mut handled, mut delta, mut bias, mut from) = (basic, 0_u32, BIAS, FIRST);
    let letters: Vec<u32> = label.chars().map(u32::from).collect();
    while let Some(&next) = letters.iter().filter(|&&letter| letter >= from).min() {
        delta = delta.saturating_add((next - from).saturating_mul(handled + 1));
        for &letter in &letters {
            if letter < next {
                delta = delta.saturating_add(1);
            } else if letter == next {
                write_number(delta, bias, &mut encoded);
                let damp = if handled == basic { DAMP } else { 2 };
                bias = adapt(delta / damp, handled + 1);
                (delta, handled) = (0, handled + 1);
            }
        }
        delta = delta.saturating_add(1);
        from = next + 1;
    }
    encoded
}

fn count(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Section 3.3: a number of digits whose weights depend on `bias`.
fn write_number(mut number: u32, bias: u32, encoded: &mut String) {
    for weight in (BASE..).step_by(36) {
        let threshold = weight.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if number < threshold {
            break;
        }
        encoded.push(digit(threshold + (number - threshold) % (BASE - threshold)));
        number = (number - threshold) / (BASE - threshold);
    }
    encoded.push(digit(number));
}

fn digit(value: u32) -> char {
    // As radix 36 has its letters last, and Punycode its digits.
    let turned = if value < 26 { value + 10 } else { value - 26 };
    char::from_digit(turned, BASE).unwrap_or('-')
}

/// Section 3.4; `delta` is damped already.
fn adapt(mut delta: u32, points: u32) -> u32 {
    delta += delta / points;
    let mut bias = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        bias += BASE;
    }
    bias + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_written_as_dns_has_them() {
        check("Bücher.Example", "xn--bcher-kva.example");
        check("казино.рф", "xn--80aodfsg.xn--p1ai");
        check("faß.de", "xn--fa-hia.de");
        check("plain.example", "plain.example");
        check("ü.ü.", "xn--tda.xn--tda.");
    }

    /// From section 7.1: A, B, and L.
    #[test]
    fn the_samples_of_the_rfc_are_encoded() {
        check("ليهمابتكلموشعربي؟", "xn--egbpdaj6bu4bxfgehfvwxn");
        check("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye");
        check("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b");
    }

    #[track_caller]
    fn check(name: &str, expect: &str) {
        assert_eq!(in_ascii(name), expect);
    }

    proptest! {
        #[test]
        fn nothing_panics(name: String, letters in "[a-zé😀\u{10ffff}.]{0,64}") {
            prop_assert!(in_ascii(&name).is_ascii());
            prop_assert!(in_ascii(&letters).is_ascii());
        }
    }
}
