//! A parameter of a query, as servers read it: some find others in it than its sender wrote.

use std::borrow::Cow;

/// What stands between two `&` of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter<'q>(pub &'q str);

impl<'q> Parameter<'q> {
    /// Its name, decoded once.
    pub(crate) fn name(self) -> Cow<'q, [u8]> {
        decoded(self.0.split('=').next().unwrap_or_default().as_bytes())
    }

    /// The names that servers may know it by: without spaces around it, and as the list that
    /// `a[b]` is a part of.
    pub(crate) fn known_by(self, is: impl Fn(&[u8]) -> bool) -> bool {
        let name = self.name();
        let trimmed = name.trim_ascii();
        let list = trimmed.split(|&byte| byte == b'[').next().unwrap_or_default();
        is(trimmed) || is(list)
    }

    /// Whether it may be another, or several: its name is encoded twice, or in no known way, or
    /// servers that take `;` for `&` find more in it.
    pub(crate) fn is_read_twice(self) -> bool {
        self.is_several() || self.name().contains(&b'%')
    }

    /// Whether servers that take `;` for `&` find more than one in it (CVE-2021-23336).
    pub(crate) fn is_several(self) -> bool {
        self.0.contains(';')
    }
}

/// `text` with what is percent-encoded decoded once, and `+` as a space. What is malformed stays.
pub(crate) fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| b"%+".contains(byte)) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, byte_of(after)) {
            (b'%', Some(byte)) => (byte, &after[2..]),
            (b'+', _) => (b' ', after),
            _ => (*first, after),
        };
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(decoded)
}

/// What the two digits that `text` begins with mean.
fn byte_of(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_decoded_once() {
        check("id=1", "id");
        check("i%64=1", "id");
        check("%69D=%3d", "iD");
        check("a+b%20c", "a b c");
        check("a%2564", "a%64");
        check("a%", "a%");
        check("a%6", "a%6");
        check("a%6x=", "a%6x");
        check("%3d=x", "=");
        check("", "");
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let parameter = Parameter(&text);
            prop_assert!(parameter.name().len() <= text.len());
            parameter.known_by(<[u8]>::is_empty);
            parameter.is_read_twice();
        }
    }

    #[track_caller]
    fn check(parameter: &str, expect: &str) {
        assert_eq!(*Parameter(parameter).name(), *expect.as_bytes(), "for {parameter:?}");
    }
}
