//! Messages made up of pieces, good and bad, and any bytes at all.

use proptest::prelude::*;

use super::*;

/// Pieces that messages, good and bad, are made of.
fn connection() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just("GET / HTTP/1.1\r\nHost: a\r\n"),
        2 => Just("POST http://a/b HTTP/1.1\r\nHost: a\r\n"),
        1 => Just("GET / HTTP/1.0\r\n"),
        1 => Just("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"),
        1 => Just("GET /\u{e4} HTTP/1.1\r\nHost: a\r\n"),
        1 => Just("GET /`?`\" HTTP/1.1\r\nHost: a\r\n"),
        2 => Just("Transfer-Encoding: chunked\r\n"),
        2 => Just("Content-Length: 7\r\n"),
        1 => Just("X: \u{e4} \"a\"\t\r\n"),
        1 => Just(" a\r\n"),
        6 => Just("\r\n"),
        1 => Just("\n"),
        1 => Just("\r"),
        1 => Just("\0"),
        2 => Just("7\r\n1234567\r\n"),
        2 => Just("0\r\n"),
        1 => Just("3;a=\"b\"\r\nabc\r\n"),
        1 => Just("1234567"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>, tail: Vec<u8>) {
        for start in ["", "GET ", "GET / HTTP/1.1\r\n", &with("")[..20], &chunked("")] {
            let mut guard = Guard::new(LIMITS);
            for piece in [start.as_bytes(), &bytes, &tail] {
                prop_assert!(guard.feed(piece).passed <= piece.len());
            }
        }
    }

    #[test]
    fn pieces_do_not_change_the_verdict(bytes in connection(), cuts: Vec<u8>) {
        let (refusal, heads, stage) = judge(&[&bytes]);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (piece, after) = rest.split_at(rest.len().min(cut.into()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(judge(&pieces), (refusal, heads, stage));
    }

    #[test]
    fn what_passes_is_read_alike_by_the_parser_behind(bytes in connection()) {
        let mut guard = Guard::new(LIMITS);
        let mut passed = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            let heads = guard.heads();
            let before = guard.stage();
            let fed = guard.feed(&[*byte]);
            if fed.refusal.is_some() || fed.passed == 0 {
                break;
            }
            if before == Stage::BetweenMessages {
                passed.clear();
            }
            passed.push(*byte);
            let mut fields = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut fields);
            let read = request.parse(&passed);
            if guard.heads() > heads {
                prop_assert_eq!(read, Ok(httparse::Status::Complete(passed.len())), "at {}", at);
            } else if guard.stage() == Stage::Head {
                let complete = matches!(read, Ok(httparse::Status::Complete(_)));
                prop_assert!(!complete, "at {}", at);
            }
        }
    }
}
