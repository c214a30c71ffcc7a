//! Which bytes may stand where: the character classes of the grammars, in one table.

/// A set of bytes, as a bit of the table.
#[derive(Clone, Copy)]
pub(crate) struct Class(u8);

/// What names are made of: methods, field names, codings ([RFC 9110 §5.6.2]).
///
/// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
pub(crate) const TOKEN: Class = Class(1);
/// What field values are made of: visible bytes, those above ASCII, space and tab.
pub(crate) const VALUE: Class = Class(1 << 1);
/// What request targets are made of up to their query: visible ASCII, but no `?`, and no `#`, `<`,
/// `>` and backtick. More than [RFC 3986 §3.3] has, as browsers send more ([URL, path state]).
///
/// [RFC 3986 §3.3]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
/// [URL, path state]: https://url.spec.whatwg.org/#path-state
pub(crate) const TARGET: Class = Class(1 << 2);
/// What queries are made of, with their `?`: visible ASCII, but no `#`, `<`, `>` and `"`. More than
/// [RFC 3986 §3.4] has, as browsers send more ([URL, query state]).
///
/// [RFC 3986 §3.4]: https://www.rfc-editor.org/rfc/rfc3986#section-3.4
/// [URL, query state]: https://url.spec.whatwg.org/#query-state
pub(crate) const QUERY: Class = Class(1 << 7);
/// What registered names are made of, percent-encodings left out ([RFC 3986 §3.2.2]).
///
/// [RFC 3986 §3.2.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
pub(crate) const REG_NAME: Class = Class(1 << 3);
/// What entity tags hold between their quotes ([RFC 9110 §8.8.3]).
///
/// [RFC 9110 §8.8.3]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
pub(crate) const TAG: Class = Class(1 << 4);
/// What never needs percent-encoding in a URI ([RFC 3986 §2.3]).
///
/// [RFC 3986 §2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
pub(crate) const UNRESERVED: Class = Class(1 << 5);
/// What may stand as it is in the path of a file: no controls, no `\`, `?`, `#` or `%`.
pub(crate) const PATH: Class = Class(1 << 6);

impl Class {
    /// Whether `byte` is in the class.
    pub(crate) const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self.0 != 0
    }

    /// Whether every byte of `bytes` is in the class.
    pub(crate) fn has_all(self, bytes: &[u8]) -> bool {
        self.count(bytes) == bytes.len()
    }

    /// How many bytes `bytes` starts with that are in the class.
    pub(crate) fn count(self, bytes: &[u8]) -> usize {
        bytes.iter().position(|&byte| !self.has(byte)).unwrap_or(bytes.len())
    }
}

/// Whether `text` is a token: what names are made of, and not empty ([RFC 9110 §5.6.2]).
///
/// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && TOKEN.has_all(text)
}

/// How many bytes `bytes` starts with that are in [`VALUE`]: [`Class::count`], but quicker for
/// the bulk of a head, as eight bytes without a control are passed at once.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the eight are compared at once")]
pub(crate) fn count_value(bytes: &[u8]) -> usize {
    let no_control = |eight: &&[u8; 8]| {
        eight.iter().fold(true, |none, &byte| none & (byte >= b' ') & (byte != 0x7F))
    };
    let (eights, _) = bytes.as_chunks::<8>();
    let start = eights.iter().take_while(no_control).count() * 8;
    start + VALUE.count(&bytes[start..])
}

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = classes_of(byte);
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

const fn classes_of(byte: u8) -> u8 {
    let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let sub_delim =
        matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
    let token = byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        );
    let visible = byte.is_ascii_graphic() || byte >= 0x80;
    let mut classes = 0;
    if token {
        classes |= TOKEN.0;
    }
    if visible || byte == b' ' || byte == b'\t' {
        classes |= VALUE.0;
    }
    if byte.is_ascii_graphic() && !matches!(byte, b'#' | b'<' | b'>' | b'`' | b'?') {
        classes |= TARGET.0;
    }
    if byte.is_ascii_graphic() && !matches!(byte, b'#' | b'<' | b'>' | b'"') {
        classes |= QUERY.0;
    }
    if unreserved || sub_delim {
        classes |= REG_NAME.0;
    }
    if visible && byte != b'"' {
        classes |= TAG.0;
    }
    if unreserved {
        classes |= UNRESERVED.0;
    }
    if (visible || byte == b' ') && !matches!(byte, b'\\' | b'?' | b'#' | b'%') {
        classes |= PATH.0;
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_their_grammars_say() {
        check(TOKEN, "!#$%&'*+-.^_`|~09AZaz", " \t\r\n\0\"(),/:;<=>?@[\\]{}\x7f");
        check(VALUE, " \t!~\"az", "\0\r\n\x0b\x0c\x1f\x7f");
        check(TARGET, "!/%~az[\\]^_{|}\"", "#<>`? \t\r\n\0\x7f");
        check(QUERY, "!/?%~az[\\]^_{|}`", "#<>\" \t\r\n\0\x7f");
        check(REG_NAME, "-._~!$&'()*+,;=09AZaz", "%:@/?#[] \"\\^`{|}\0");
        check(TAG, "!#~az,\\", "\" \t\0\x7f");
        check(UNRESERVED, "-._~09AZaz", "!%&'/:+ ");
        check(PATH, "/ !az~'\"", "\\?#%\t\0\x7f");
        for class in [VALUE, TAG, PATH] {
            assert!(class.has(0x80) && class.has(0xFF));
        }
        for class in [TOKEN, TARGET, QUERY, REG_NAME, UNRESERVED] {
            assert!(!class.has(0x80) && !class.has(0xFF));
        }
    }

    #[test]
    fn values_are_counted_alike_both_ways() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut value = [b'a'; 20];
                value[at] = byte;
                assert_eq!(count_value(&value), VALUE.count(&value), "{byte} at {at}");
            }
        }
    }

    #[track_caller]
    fn check(class: Class, within: &str, without: &str) {
        assert!(class.has_all(within.as_bytes()), "not all of {within:?}");
        for byte in without.bytes() {
            assert!(!class.has(byte), "{:?}", char::from(byte));
        }
    }
}
