//! Good answers and bad ones, each whole and cut at every place.

use super::*;
use crate::http1::{HeadLimits, Refusal, Version};

mod bodies;
mod heads;
mod pieces;

const LIMITS: HeadLimits = HeadLimits { head_bytes_max: 600, line_bytes_max: 400, fields_max: 8 };

/// A 200 with `fields`.
fn with(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n")
}

/// What is read of `input`, whose first bytes come in pieces that end at `cuts`.
fn read(input: &[u8], cuts: &[usize], asked: Asked) -> (Result<Option<Head>, BadHead>, HeadReader) {
    let mut reader = HeadReader::new(LIMITS);
    for &cut in cuts {
        let read = reader.read(&input[..cut], asked);
        if read != Ok(None) {
            return (read, reader);
        }
    }
    (reader.read(input, asked), reader)
}

/// The same, and none of it depends on how it was cut.
#[track_caller]
fn read_however_cut(input: &[u8], asked: Asked) -> (Result<Option<Head>, BadHead>, HeadReader) {
    let (whole, reader) = read(input, &[], asked);
    for cut in 0..input.len() {
        let (start, _) = read(&input[..cut], &[], asked);
        assert!(start == Ok(None) || start == whole, "{start:?} for {}", cut_text(input, cut));
        let (resumed, again) = read(input, &[cut], asked);
        assert_eq!(resumed, whole, "for {}", cut_text(input, cut));
        if whole.is_ok() {
            assert_eq!(again.fields(), reader.fields(), "for {}", cut_text(input, cut));
        }
    }
    let all: Vec<_> = (0..input.len()).collect();
    assert_eq!(read(input, &all, asked).0, whole, "byte by byte for {}", input.escape_ascii());
    (whole, reader)
}

fn cut_text(input: &[u8], cut: usize) -> String {
    format!("{} | {}", input[..cut].escape_ascii(), input[cut..].escape_ascii())
}

/// `status reason, framing, persistence` and a line for each field.
#[track_caller]
fn reads(input: impl AsRef<[u8]>, asked: Asked, expect: &str) {
    let input = input.as_ref();
    let (head, reader) = read_however_cut(input, asked);
    let head = head.unwrap().expect("a whole head");
    assert_eq!(head.len, input.len());
    let text = |at| String::from_utf8_lossy(&input[at]);
    let (status, reason) = (head.status, text(head.reason.clone()));
    let start = format!("{status} {reason}, {:?}, {:?}", head.framing, head.persistence);
    let fields = reader.fields().iter();
    let fields = fields.map(|at| format!("\n{}={}", text(at.name()), text(at.value())));
    let found: String = std::iter::once(start).chain(fields).collect();
    assert_eq!(found, expect, "for {}", input.escape_ascii());
}

#[track_caller]
fn refuses(input: impl AsRef<[u8]>, asked: Asked, expect: impl Into<BadHead>) {
    let input = input.as_ref();
    let (head, _) = read_however_cut(input, asked);
    assert_eq!(head, Err(expect.into()), "for {}", input.escape_ascii());
}

#[test]
fn a_status_of_no_class_is_taken_by_who_shows_it_alone() {
    let check = |text: &str, expect: Result<u16, BadHead>| {
        let mut reader = HeadReader::new(LIMITS).of_any_status();
        let read = reader.read(text.as_bytes(), Asked::Usual);
        assert_eq!(read.map(|head| head.unwrap().status), expect, "{text}");
    };
    check("HTTP/1.1 999 Odd\r\n\r\n", Ok(999));
    check("HTTP/1.1 600\r\n\r\n", Ok(600));
    check("HTTP/1.1 099 Odd\r\n\r\n", Err(BadHead::Status(99)));
    let refused = HeadReader::new(LIMITS).read(b"HTTP/1.1 999 Odd\r\n\r\n", Asked::Usual);
    assert_eq!(refused.map(|_| ()), Err(BadHead::Status(999)));
}
