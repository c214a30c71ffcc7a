//! Cutting a head that was judged.
//!
//! The [guard](super::Guard) has looked at each byte: here they are looked at only as far as it
//! takes to find where things end. What is cut of other bytes makes no sense, and does no harm.

use memchr::memchr;

use crate::list::trim;

/// A request's head in pieces, none of which is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutHead<'h> {
    /// The method, as it came.
    pub method: &'h [u8],
    /// The target, as it came.
    pub target: &'h [u8],
    /// `HTTP/1.1`, or another version.
    pub version: &'h [u8],
    /// The lines behind the first.
    pub fields: CutFields<'h>,
}

/// The fields of a head, each a name and a value without the space around it. It ends before what
/// is no field line; [`CutFields::is_over`] says whether that was the head's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutFields<'h> {
    rest: &'h [u8],
}

impl<'h> CutHead<'h> {
    /// Cuts `head`, which a guard let pass. `None` for what has no request line.
    pub fn of(head: &'h [u8]) -> Option<Self> {
        let (line, rest) = line(head)?;
        let (method, line) = line.split_at_checked(memchr(b' ', line)?)?;
        let line = &line[1..];
        let (target, version) = line.split_at_checked(memchr(b' ', line)?)?;
        Some(Self { method, target, version: &version[1..], fields: CutFields { rest } })
    }
}

impl CutFields<'_> {
    /// Whether the head ends here, and nothing is behind it.
    pub fn is_over(&self) -> bool {
        self.rest == b"\r\n"
    }
}

impl<'h> Iterator for CutFields<'h> {
    type Item = (&'h [u8], &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Names are short: to look at each byte costs less than to begin to look at many at once.
        let colon = self.rest.iter().position(|&byte| matches!(byte, b':' | b'\r'))?;
        let (name, value) = self.rest.split_at(colon);
        let (value, rest) = line(value.strip_prefix(b":")?)?;
        self.rest = rest;
        Some((name, trim(value)))
    }
}

/// The first line of `text`, without its end, and what comes behind that.
fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let newline = memchr(b'\n', text)?;
    Some((text[..newline].strip_suffix(b"\r")?, &text[newline + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_is_cut_where_its_lines_and_fields_end() {
        check("GET / HTTP/1.1\r\n\r\n", "GET|/|HTTP/1.1|");
        check("GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n", "GET|/a?b|HTTP/1.1|Host=a");
        check("GET / HTTP/1.1\r\nA:b\r\nC:\t d e \r\nF:\r\n\r\n", "GET|/|HTTP/1.1|A=b,C=d e,F=");
        check("GET / HTTP/1.1\r\nA: b:c\r\n\r\n", "GET|/|HTTP/1.1|A=b:c");
    }

    #[test]
    fn what_is_no_head_is_not_taken_for_one() {
        check("", "nothing");
        check("GET / HTTP/1.1\n\n", "nothing");
        check("GET /\r\n\r\n", "nothing");
        check("GET / HTTP/1.1\r\n", "not over");
        check("GET / HTTP/1.1\r\nA: b\r\n", "not over");
        check("GET / HTTP/1.1\r\nA\r\n\r\n", "not over");
        check("GET / HTTP/1.1\r\nA: b\n\r\n", "not over");
        check("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", "not over");
    }

    #[track_caller]
    fn check(head: &str, expect: &str) {
        assert_eq!(told(head.as_bytes()), expect, "{head:?}");
    }

    fn told(head: &[u8]) -> String {
        let Some(mut cut) = CutHead::of(head) else { return "nothing".to_owned() };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields: Vec<_> = cut
            .fields
            .by_ref()
            .map(|(name, value)| format!("{}={}", text(name), text(value)))
            .collect();
        if !cut.fields.is_over() {
            return "not over".to_owned();
        }
        let (method, target, version) = (text(cut.method), text(cut.target), text(cut.version));
        format!("{method}|{target}|{version}|{}", fields.join(","))
    }

    proptest! {
        #[test]
        fn nothing_panics(head: Vec<u8>) {
            told(&head);
        }
    }
}
