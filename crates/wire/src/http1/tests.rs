//! Good messages, and some hundred and more bad ones, each whole and cut at every place.

use super::*;

mod bodies;
mod connections;
mod heads;
mod pieces;

const LIMITS: HeadLimits = HeadLimits { head_bytes_max: 600, line_bytes_max: 400, fields_max: 8 };

#[test]
fn refusals_have_their_status() {
    assert_eq!(Refusal::BareLf.status(), 400);
    assert_eq!(Refusal::TargetTooLong { max: 1 }.status(), 414);
    assert_eq!(Refusal::Expectation.status(), 417);
    assert_eq!(Refusal::LineTooLong { max: 1 }.status(), 431);
    assert_eq!(Refusal::HeadTooLarge { max: 1 }.status(), 431);
    assert_eq!(Refusal::TooManyFields { max: 1 }.status(), 431);
    assert_eq!(Refusal::TransferCoding.status(), 501);
    assert_eq!(Refusal::Version.status(), 505);
}

#[test]
fn refusals_say_what_was_found_and_expected() {
    assert_eq!(
        Refusal::FieldName(b' ').to_string(),
        "' ' in a field name: expected a token with a colon right after it"
    );
    assert_eq!(
        Refusal::ChunkDataEnd(0).to_string(),
        "'\\0' after the data of a chunk: expected CR LF"
    );
    assert_eq!(
        Refusal::ChunkExtensionTooLong { max: 256 }.to_string(),
        "chunk extensions longer than 256 bytes"
    );
    assert_eq!(
        Refusal::ChunkExtensionsTooLong { max: 9 }.to_string(),
        "chunk extensions longer than 9 bytes in all"
    );
}

#[test]
fn the_line_under_way_is_what_came_since_the_last_one() {
    let mut guard = Guard::new(LIMITS);
    for (piece, line) in [
        ("GET / HT", "GET / HT"),
        ("TP/1.1\r", "GET / HTTP/1.1\r"),
        ("\nHost: a\r\nTransfer-", "Transfer-"),
        ("Encoding: chunked\r\n\r\n", ""),
        ("3\r\na\nb\r\n0\r\nX", "X"),
        (": y\r\n\r\nGET", "GET"),
        ("\0 / HTTP/1.1\r\nHost", ""),
    ] {
        _ = guard.feed(piece.as_bytes());
        assert_eq!(guard.line(), line.as_bytes(), "{piece:?}");
    }
}

/// A request with `fields` after its `Host`.
fn with(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A request with the chunked `body`.
fn chunked(body: &str) -> String {
    with("Transfer-Encoding: chunked\r\n") + body
}

#[track_caller]
fn passes(input: impl AsRef<[u8]>, heads: u64, stage: Stage) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed, Fed { passed: input.len(), refusal: None }, "for {}", input.escape_ascii());
    judge_however_cut(input, (None, heads, stage));
}

/// Everything is refused but what is sound before the last message, or within its body.
#[track_caller]
fn refuses(input: impl AsRef<[u8]>, expect: Refusal) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed.refusal, Some(expect), "for {}", input.escape_ascii());
    let mut guard = Guard::new(LIMITS);
    let _ = guard.feed(input);
    judge_however_cut(input, (Some(expect), guard.heads(), Stage::Refused));
    // What passes of a refused head is nothing; what passes of a body comes after a whole head.
    assert_eq!(fed.passed == 0, guard.heads() == 0, "for {}", input.escape_ascii());
}

#[track_caller]
fn refuses_after(input: impl AsRef<[u8]>, passed: usize, expect: Refusal) {
    let input = input.as_ref();
    let fed = Guard::new(LIMITS).feed(input);
    assert_eq!(fed, Fed { passed, refusal: Some(expect) }, "for {}", input.escape_ascii());
    refuses(input, expect);
}

#[track_caller]
fn judge_however_cut(input: &[u8], expect: (Option<Refusal>, u64, Stage)) {
    for cut in 0..=input.len() {
        let (start, end) = input.split_at(cut);
        assert_eq!(judge(&[start, end]), expect, "cut at {cut} of {}", input.escape_ascii());
    }
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(judge(&bytes), expect, "byte by byte for {}", input.escape_ascii());
}

fn judge(pieces: &[&[u8]]) -> (Option<Refusal>, u64, Stage) {
    let mut guard = Guard::new(LIMITS);
    let refusal = pieces.iter().find_map(|piece| guard.feed(piece).refusal);
    (refusal, guard.heads(), guard.stage())
}
