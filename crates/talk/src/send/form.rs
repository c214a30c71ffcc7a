//! How a message is given that is no text: in hexadecimal, or as a text with escapes.

/// A text is not bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHex {
    /// Something else stands in it.
    #[error("bad digit {0:?}: expected hexadecimal digits, e.g. \"48 69 0a\"")]
    Digit(char),
    /// A part of it, or its begin, has a digit too few, or too many.
    #[error("half a byte in {0:?}: expected two hexadecimal digits for each")]
    Half(String),
}

/// Reads bytes in hexadecimal, two digits each. White space, colons, commas and `0x` between them are
/// passed over.
///
/// # Errors
///
/// [`BadHex`]
pub fn parse_hex(text: &str) -> Result<Vec<u8>, BadHex> {
    let text = text.replace("0x", " ");
    let is_between = |char: char| char.is_ascii_whitespace() || matches!(char, ':' | ',');
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for part in text.split(is_between) {
        parse_part(part, &mut bytes)?;
    }
    Ok(bytes)
}

/// Adds the bytes of digits with nothing between them.
fn parse_part(part: &str, bytes: &mut Vec<u8>) -> Result<(), BadHex> {
    let digit = |char: char| {
        let digit = char.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digit.ok_or(BadHex::Digit(char))
    };
    let digits: Vec<u8> = part.chars().map(digit).collect::<Result<_, _>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        let begin = part.chars().take(TOLD_CHARS_MAX).collect::<String>();
        let more = if begin.len() < part.len() { "…" } else { "" };
        return Err(BadHex::Half(begin + more));
    }
    bytes.extend(pairs.iter().map(|[high, low]| high << 4 | low));
    Ok(())
}

/// How much of what is no bytes is told.
const TOLD_CHARS_MAX: usize = 32;

/// A text has an escape that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEscape {
    /// Something else stands behind a backslash.
    #[error(
        "bad escape {0:?}: expected \\r, \\n, \\t, \\0, \\\\ or \\x and two hexadecimal digits"
    )]
    Unknown(String),
    /// Nothing does.
    #[error("a backslash at the end: expected an escape, e.g. \\n, or \\\\ for one")]
    Unfinished,
}

/// Reads a text in which `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` stand for bytes.
///
/// # Errors
///
/// [`BadEscape`]
pub fn parse_escapes(text: &[u8]) -> Result<Vec<u8>, BadEscape> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, length) = match behind {
            [] => return Err(BadEscape::Unfinished),
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => return Err(unknown(&rest[..3])),
            },
            [b'x', ..] => return Err(unknown(rest)),
            [..] => return Err(unknown(&rest[..1])),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn unknown(behind: &[u8]) -> BadEscape {
    BadEscape::Unknown(format!("\\{}", String::from_utf8_lossy(behind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_hexadecimal() {
        check("", Ok(b""));
        check("4869 0A", Ok(b"Hi\n"));
        check("0x48, 0x69:0a\n", Ok(b"Hi\n"));
        check("486", Err(BadHex::Half("486".into())));
        check("4 8", Err(BadHex::Half("4".into())));
        check("0 ff", Err(BadHex::Half("0".into())));
        check("ff 0", Err(BadHex::Half("0".into())));
        check("0x0ff", Err(BadHex::Half("0ff".into())));
        check(&"f".repeat(41), Err(BadHex::Half(format!("{}…", "f".repeat(32)))));
        check("4g", Err(BadHex::Digit('g')));
        check("é", Err(BadHex::Digit('é')));
    }

    #[test]
    fn escapes_stand_for_bytes() {
        let check = |text: &str, expect: Result<&[u8], &str>| {
            let found = parse_escapes(text.as_bytes()).map_err(|error| error.to_string());
            match (found, expect) {
                (Ok(found), Ok(expect)) => assert_eq!(found, expect),
                (Err(found), Err(expect)) => assert!(found.starts_with(expect), "{found}"),
                (found, expect) => panic!("{found:?}, expected {expect:?}"),
            }
        };
        check("GET /\\r\\n", Ok(b"GET /\r\n"));
        check("é\\t\\0\\\\n\\xfF", Ok(b"\xc3\xa9\t\0\\n\xff"));
        check("\\", Err("a backslash at the end"));
        check("a\\q", Err(r#"bad escape "\\q""#));
        check("\\x4", Err(r#"bad escape "\\x4""#));
        check("\\xg0b", Err(r#"bad escape "\\xg0""#));
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&[u8], BadHex>) {
        assert_eq!(parse_hex(text), expect.map(<[u8]>::to_vec));
    }
}
