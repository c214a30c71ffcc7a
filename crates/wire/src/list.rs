//! Comma-separated lists in field values ([RFC 9110 §5.6.1]).
//!
//! [RFC 9110 §5.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1

/// The parts of `value` between `separator`s that stand outside quotes.
///
/// Each is trimmed of spaces and tabs; empty ones are left out, as a recipient must. In quotes a
/// backslash takes the next byte with it. A quote left open takes all that follows.
pub fn parts(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = part_len(bytes, separator);
        rest = bytes.get(end + 1..);
        Some(trim(&bytes[..end]))
    })
    .filter(|part| !part.is_empty())
}

/// `bytes` without the spaces and tabs around it.
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn part_len(bytes: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => return at,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_at_commas_outside_quotes() {
        check("", &[]);
        check(" , ,\t", &[]);
        check("a", &["a"]);
        check("a, b\t,,c ", &["a", "b", "c"]);
        check(r#"a;x="1,2", b"#, &[r#"a;x="1,2""#, "b"]);
        check(r#""a\",b", c"#, &[r#""a\",b""#, "c"]);
        check(r#"a, "b, c"#, &["a", r#""b, c"#]);
    }

    #[track_caller]
    fn check(value: &str, expect: &[&str]) {
        let got: Vec<_> = parts(value.as_bytes(), b',').map(String::from_utf8_lossy).collect();
        assert_eq!(got, expect, "for {value:?}");
    }
}
