//! Dictionaries of structured fields ([RFC 9651 §4.2.2]), as far as caches need their values.
//!
//! All of a field is checked, as one error anywhere makes it no dictionary at all.
//!
//! [RFC 9651 §4.2.2]: https://www.rfc-editor.org/rfc/rfc9651#section-4.2.2

/// A member's value, without its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Boolean(bool),
    Integer(i64),
    String(Vec<u8>),
    /// An inner list of strings alone; no cache directive has one.
    Strings(Vec<Vec<u8>>),
    /// A token, a decimal, bytes, a date or another list: no cache directive has one.
    Other,
}

/// Reads a dictionary: its keys, each once, and their values. A key that comes again has its last
/// value.
///
/// `None` if `field` is anything else.
pub(crate) fn read_dictionary(field: &[u8]) -> Option<Vec<(&[u8], Value)>> {
    let mut cursor = Cursor { rest: field };
    let mut members: Vec<(&[u8], Value)> = Vec::new();
    cursor.skip(b" ");
    while !cursor.rest.is_empty() {
        let key = cursor.key()?;
        let value = if cursor.take(b'=') { cursor.item_or_list()? } else { Value::Boolean(true) };
        cursor.parameters()?;
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some(member) => member.1 = value,
            None => members.push((key, value)),
        }
        cursor.next_member()?;
    }
    Some(members)
}

/// Reads a list whose members are strings all of them; what parameters they have is left out.
///
/// `None` if `field` is anything else ([RFC 9651 §4.2.1]).
///
/// [RFC 9651 §4.2.1]: https://www.rfc-editor.org/rfc/rfc9651#section-4.2.1
pub(crate) fn read_strings(field: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut cursor = Cursor { rest: field };
    let mut strings = Vec::new();
    cursor.skip(b" ");
    while !cursor.rest.is_empty() {
        let Value::String(string) = cursor.item()? else { return None };
        strings.push(string);
        cursor.parameters()?;
        cursor.next_member()?;
    }
    Some(strings)
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Goes on to the next member, or to the end; `None` if neither follows.
    fn next_member(&mut self) -> Option<()> {
        self.skip(b" \t");
        if self.rest.is_empty() {
            return Some(());
        }
        let is_comma = self.take(b',');
        self.skip(b" \t");
        // A comma at the end promises more.
        (is_comma && !self.rest.is_empty()).then_some(())
    }

    fn skip(&mut self, bytes: &[u8]) {
        self.run(|byte| bytes.contains(&byte));
    }

    /// Takes the bytes of a kind.
    fn run(&mut self, is_one: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self.rest.iter().position(|&byte| !is_one(byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(len);
        self.rest = rest;
        run
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(is_next)..];
        is_next
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        let starts =
            self.rest.first().is_some_and(|&byte| byte.is_ascii_lowercase() || byte == b'*');
        let is_key = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
        };
        starts.then(|| self.run(is_key))
    }

    fn item_or_list(&mut self) -> Option<Value> {
        if !self.take(b'(') {
            return self.item();
        }
        let mut strings = Some(Vec::new());
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Some(strings.map_or(Value::Other, Value::Strings));
            }
            match (self.item()?, &mut strings) {
                (Value::String(string), Some(strings)) => strings.push(string),
                _ => strings = None,
            }
            self.parameters()?;
            if !matches!(self.rest.first(), Some(b' ' | b')')) {
                return None;
            }
        }
    }

    fn parameters(&mut self) -> Option<()> {
        while self.take(b';') {
            self.skip(b" ");
            self.key()?;
            if self.take(b'=') {
                self.item()?;
            }
        }
        Some(())
    }

    fn item(&mut self) -> Option<Value> {
        match *self.rest.first()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string().map(Value::String),
            b'*' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.run(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
                });
                Some(Value::Other)
            }
            b'?' => {
                self.next();
                match self.next()? {
                    b'1' => Some(Value::Boolean(true)),
                    b'0' => Some(Value::Boolean(false)),
                    _ => None,
                }
            }
            b':' => self.bytes(),
            b'@' => {
                self.next();
                matches!(self.number()?, Value::Integer(_)).then_some(Value::Other)
            }
            b'%' => self.display_string(),
            _ => None,
        }
    }

    /// An integer of at most 15 digits, or a decimal of at most 12 and 3.
    fn number(&mut self) -> Option<Value> {
        let minus = self.take(b'-');
        let digits = self.run(|byte| byte.is_ascii_digit());
        if self.take(b'.') {
            let fraction = self.run(|byte| byte.is_ascii_digit());
            let is_decimal = (1..=12).contains(&digits.len()) && (1..=3).contains(&fraction.len());
            return is_decimal.then_some(Value::Other);
        }
        if !(1..=15).contains(&digits.len()) {
            return None;
        }
        let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        Some(Value::Integer(if minus { -number } else { number }))
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        self.next();
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => text.push(self.next().filter(|byte| b"\"\\".contains(byte))?),
                byte @ b' '..=b'~' => text.push(byte),
                _ => return None,
            }
        }
    }

    fn bytes(&mut self) -> Option<Value> {
        self.next();
        self.run(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        self.take(b':').then_some(Value::Other)
    }

    /// `%"..."`, with non-ASCII as `%` and two lower-case hexadecimal digits.
    fn display_string(&mut self) -> Option<Value> {
        self.next();
        if !self.take(b'"') {
            return None;
        }
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return std::str::from_utf8(&text).ok().map(|_| Value::Other),
                b'%' => text.push(self.hex()? << 4 | self.hex()?),
                byte @ b' '..=b'~' => text.push(byte),
                _ => return None,
            }
        }
    }

    fn hex(&mut self) -> Option<u8> {
        match self.next()? {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_have_values_of_a_type() {
        check("", Some(""));
        check("  ", Some(""));
        check("a", Some("a=true"));
        check("a=?0,b=?1", Some("a=false b=true"));
        check("a=1 ,\tb=-20", Some("a=1 b=-20"));
        check("a=999999999999999", Some("a=999999999999999"));
        check(r#"a="x\"\\y""#, Some(r#"a="x\"\\y""#));
        check("a=tok/en:*, b=1.5, c=:aGk=:, d=@12, e=%\"f%c3%bc\"", Some("a=* b=* c=* d=* e=*"));
        check("a=(1 \"b\"  c;x=1 );y, *b=()", Some("a=* *b=()"));
        check("a=(\"b\" \"c d\";x );y, b=(\"c\" d)", Some("a=(b c d) b=*"));
        check("a;x=1;y;z=\"w\", b=2; u=?1", Some("a=true b=2"));
    }

    #[test]
    fn the_last_of_two_counts() {
        check("a=1, b=2, a=3", Some("a=3 b=2"));
    }

    #[test]
    fn one_error_spoils_it_all() {
        for field in [
            "a=",
            "A=1",
            "1=1",
            "=1",
            ",a",
            "a,",
            "a, ",
            "a,,b",
            "a b",
            "a= 1",
            "a =1",
            "a=1 2",
            "a=1.",
            "a=.1",
            "a=1.2345",
            "a=1234567890123.1",
            "a=1234567890123456",
            "a=-",
            "a=--1",
            "a=?",
            "a=?2",
            "a=?true",
            "a=\"",
            "a=\"x\\y\"",
            "a=\"\u{1}\"",
            "a=\"ü\"",
            "a=:",
            "a=:~:",
            "a=@",
            "a=@1.5",
            "a=%",
            "a=%\"%C3\"",
            "a=%\"%ff\"",
            "a=%\"",
            "a=(",
            "a=(1",
            "a=(1,2)",
            "a=(1\"x\")",
            "a;",
            "a;=1",
            "a;B",
            "a;x=",
            "max-age=1, &&&&&",
            "a='1'",
            "\u{0}",
        ] {
            check(field, None);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(field: Vec<u8>, text in "[a-c*=(),;:?@%\"\\\\ 0-9.-]{0,40}") {
            read_dictionary(&field);
            read_dictionary(text.as_bytes());
            read_strings(&field);
            read_strings(text.as_bytes());
        }
    }

    #[track_caller]
    fn check(field: &str, expect: Option<&str>) {
        let text = |(key, value): &(&[u8], Value)| {
            let key = String::from_utf8_lossy(key);
            match value {
                Value::Boolean(is) => format!("{key}={is}"),
                Value::Integer(number) => format!("{key}={number}"),
                Value::String(text) => format!("{key}={:?}", String::from_utf8_lossy(text)),
                Value::Strings(texts) => {
                    let texts = texts.iter().map(|text| String::from_utf8_lossy(text));
                    format!("{key}=({})", texts.collect::<Vec<_>>().join(" "))
                }
                Value::Other => format!("{key}=*"),
            }
        };
        let read = read_dictionary(field.as_bytes());
        let read = read.map(|members| members.iter().map(text).collect::<Vec<_>>().join(" "));
        assert_eq!(read.as_deref(), expect, "for {field:?}");
    }
}
