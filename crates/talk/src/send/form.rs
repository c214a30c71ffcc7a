//! How a message is given that is no text: in hexadecimal.

/// A text is not bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHex {
    /// Something else stands in it.
    #[error("bad digit {0:?}: expected hexadecimal digits, e.g. \"48 69 0a\"")]
    Digit(char),
    /// A digit is alone.
    #[error("half a byte at the end: expected two hexadecimal digits for each")]
    Half,
}

/// Reads bytes in hexadecimal, two digits each. White space, colons, commas and `0x` between them are
/// passed over.
///
/// # Errors
///
/// [`BadHex`]
pub fn parse_hex(text: &str) -> Result<Vec<u8>, BadHex> {
    let (mut bytes, mut high) = (Vec::new(), None);
    let text = text.replace("0x", " ");
    for char in text.chars() {
        if high.is_none() && (char.is_ascii_whitespace() || matches!(char, ':' | ',')) {
            continue;
        }
        let digit = char.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(BadHex::Digit(char))?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    if high.is_some() { Err(BadHex::Half) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_hexadecimal() {
        check("", Ok(b""));
        check("4869 0A", Ok(b"Hi\n"));
        check("0x48, 0x69:0a\n", Ok(b"Hi\n"));
        check("486", Err(BadHex::Half));
        check("4 8", Err(BadHex::Digit(' ')));
        check("4g", Err(BadHex::Digit('g')));
        check("é", Err(BadHex::Digit('é')));
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&[u8], BadHex>) {
        assert_eq!(parse_hex(text), expect.map(<[u8]>::to_vec));
    }
}
