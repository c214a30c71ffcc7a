//! Reads an object of JSON ([RFC 8259]) value by value, without making a tree of it.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use std::borrow::Cow;

use super::Broken;

/// How deep a value that nobody asks for may be nested.
const DEPTH_MAX: usize = 32;

/// A place in a line.
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// At most the length of `text`, and between two characters of it.
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads the object that is all of `line`. `each` is given the key of every value that is not
    /// null, and takes the value, or skips it.
    ///
    /// # Errors
    ///
    /// What `each` says, and whatever is not JSON.
    pub(super) fn read_object(
        line: &'a [u8],
        mut each: impl FnMut(&str, &mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let text = str::from_utf8(line).map_err(|_| Broken::NotText)?;
        let mut cursor = Self { text, at: 0 };
        cursor.take(b'{', "an object")?;
        if cursor.next() != Some(b'}') {
            cursor.member(&mut each)?;
            while cursor.next() == Some(b',') {
                cursor.at += 1;
                cursor.member(&mut each)?;
            }
        }
        cursor.take(b'}', "`,` or `}`")?;
        match cursor.next() {
            None => Ok(()),
            Some(_) => Err(cursor.lacks("the end of the line")),
        }
    }

    /// The text that is next, for `key`.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Cow<'a, str>, Broken> {
        match self.next() {
            Some(b'"') => self.string(),
            _ => Err(Broken::Value { key, expected: "a text" }),
        }
    }

    /// The whole number that is next, for `key`.
    pub(super) fn number(&mut self, key: &'static str) -> Result<u64, Broken> {
        self.next();
        let digits = &self.text[self.at..];
        let len = scalar_len(digits);
        self.at += len;
        // `parse` takes a plus, JSON does not.
        let number = Some(&digits[..len]).filter(|digits| !digits.starts_with('+'));
        let number = number.and_then(|digits| digits.parse().ok());
        number.ok_or(Broken::Value { key, expected: "a whole number" })
    }

    /// Passes over the value that is next, of whatever kind.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        let mut open = Vec::new();
        loop {
            match self.next() {
                Some(b'"') => _ = self.string()?,
                Some(bracket @ (b'{' | b'[')) if open.len() < DEPTH_MAX => {
                    open.push(bracket + 2);
                    self.at += 1;
                }
                Some(bracket @ (b'}' | b']')) if open.last() == Some(&bracket) => {
                    open.pop();
                    self.at += 1;
                }
                Some(b',' | b':') if !open.is_empty() => self.at += 1,
                Some(_) => match scalar_len(&self.text[self.at..]) {
                    0 => return Err(self.lacks("a value")),
                    len => self.at += len,
                },
                None => return Err(self.lacks("a value")),
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// `"key": value`
    fn member(
        &mut self,
        each: &mut impl FnMut(&str, &mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.next();
        let key = self.string()?;
        self.take(b':', "`:`")?;
        if self.next() == Some(b'n') && self.text[self.at..].starts_with("null") {
            return self.skip();
        }
        each(&key, self)
    }

    /// What is between quotes.
    fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.take(b'"', "a text in quotes")?;
        let start = self.at;
        self.at += plain_len(&self.text.as_bytes()[start..]);
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(&self.text[start..self.at - 1]))
            }
            Some(b'\\') => self.string_with_escapes(start).map(Cow::Owned),
            _ => Err(self.lacks("`\"`")),
        }
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<String, Broken> {
        let mut unescaped = self.text[start..self.at].to_owned();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(unescaped);
                }
                Some(b'\\') => {
                    self.at += 1;
                    unescaped.push(self.escape()?);
                }
                _ => return Err(self.lacks("`\"`")),
            }
            let len = plain_len(&self.text.as_bytes()[self.at..]);
            unescaped.push_str(&self.text[self.at..self.at + len]);
            self.at += len;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Broken> {
        let char = match self.text.as_bytes().get(self.at) {
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.units(),
            _ => return Err(self.lacks("an escape")),
        };
        self.at += 1;
        Ok(char)
    }

    /// `uHHHH`, or the two halves of a pair.
    fn units(&mut self) -> Result<char, Broken> {
        let first = self.unit()?;
        let second = match first {
            0xD800..=0xDBFF => {
                self.at += 1;
                Some(self.unit()?)
            }
            _ => None,
        };
        let mut chars = char::decode_utf16([first].into_iter().chain(second));
        let char = chars.next().and_then(Result::ok);
        char.filter(|_| chars.next().is_none()).ok_or_else(|| self.lacks("a character's number"))
    }

    fn unit(&mut self) -> Result<u16, Broken> {
        let digits = self.text.get(self.at..self.at + 5).and_then(|text| text.strip_prefix('u'));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.lacks("four hexadecimal digits"))?;
        self.at += 5;
        Ok(unit)
    }

    /// Takes `byte`, after spaces.
    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Broken> {
        if self.next() != Some(byte) {
            return Err(self.lacks(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// The byte that is next, after spaces. It is not taken.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn lacks(&self, expected: &'static str) -> Broken {
        Broken::Syntax { at: self.at + 1, expected }
    }
}

/// How long the number, or the true, false or null, is that `text` begins with.
fn scalar_len(text: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

/// How many bytes there are before a quote, a backslash, a control, or the end.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the eight are compared at once")]
fn plain_len(bytes: &[u8]) -> usize {
    let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
    let all_plain = |eight: &&[u8; 8]| eight.iter().fold(true, |all, &byte| all & is_plain(byte));
    let (eights, _) = bytes.as_chunks::<8>();
    let start = eights.iter().take_while(all_plain).count() * 8;
    let rest = bytes[start..].iter().position(|&byte| !is_plain(byte));
    rest.map_or(bytes.len(), |len| start + len)
}
