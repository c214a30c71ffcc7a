//! Answers made up of pieces, good and bad, and any bytes at all.

use proptest::prelude::*;

use super::*;

/// Pieces that answers, good and bad, are made of.
fn connection() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just("HTTP/1.1 200 OK\r\n"),
        1 => Just("HTTP/1.1 204\r\n"),
        1 => Just("HTTP/1.0 404 N\u{e4}\r\n"),
        1 => Just("HTTP/1.1 100 \r\n"),
        1 => Just("HTTP/1.1 "),
        2 => Just("Transfer-Encoding: chunked\r\n"),
        2 => Just("Content-Length: 7\r\n"),
        2 => Just("Connection: close, a\r\n"),
        1 => Just("X: \u{e4} \"a\"\t\r\n"),
        1 => Just("Y:\r\n"),
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

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![Just(Asked::Usual), Just(Asked::Head), Just(Asked::Connect), Just(Asked::Upgrade)]
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        4 => Just(Framing::Chunked),
        1 => (0_u64..20).prop_map(Framing::Length),
        1 => Just(Framing::UntilClose),
    ]
}

proptest! {
    #[test]
    fn nothing_panics(pieces: Vec<Vec<u8>>, asked in asked(), framing in framing()) {
        for start in ["", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA:"] {
            let mut reader = HeadReader::new(LIMITS);
            let mut buffer = start.as_bytes().to_vec();
            for piece in &pieces {
                buffer.extend_from_slice(piece);
                if let Ok(Some(head)) = reader.read(&buffer, asked) {
                    prop_assert!(head.len <= buffer.len());
                }
                // Not as it should be called: in other bytes than before.
                _ = reader.read(piece, asked);
            }
        }
        for start in ["", "1", "0\r\n", "0\r\nA:"] {
            let mut decoder = BodyDecoder::new(framing, LIMITS);
            _ = decoder.decode(start.as_bytes());
            for piece in &pieces {
                if let Ok(decoded) = decoder.decode(piece) {
                    prop_assert!(decoded.data.end <= decoded.consumed);
                    prop_assert!(decoded.consumed <= piece.len());
                }
            }
        }
    }

    #[test]
    fn pieces_do_not_change_what_is_read(bytes in connection(), asked in asked()) {
        _ = read_however_cut(&bytes, asked);
    }

    #[test]
    fn what_is_read_is_read_alike_by_another_parser(bytes in connection(), asked in asked()) {
        let mut reader = HeadReader::new(LIMITS);
        let Ok(Some(head)) = reader.read(&bytes, asked) else { return Ok(()) };
        // The other one knows of no later version.
        prop_assume!(matches!(bytes[7], b'0' | b'1'));
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut other = httparse::Response::new(&mut fields);
        prop_assert_eq!(other.parse(&bytes), Ok(httparse::Status::Complete(head.len)));
        prop_assert_eq!(other.code, Some(head.status));
        prop_assert_eq!(other.version, Some(u8::from(head.version == Version::Http11)));
        let ours: Vec<_> =
            reader.fields().iter().map(|at| (&bytes[at.name()], &bytes[at.value()])).collect();
        let theirs: Vec<_> =
            other.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_good_head_is_read(
        status in 200_u16..600,
        fields in proptest::collection::vec(("[!#-'*+.0-9A-Z^-z|~-]{1,20}", "[!-~\u{80}-\u{ff}]([ -~\t]{0,20}[!-~])?"), 0..9),
    ) {
        let framing = |name: &str| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        };
        let lines = fields.iter().filter(|(name, _)| !framing(name));
        let lines: Vec<_> = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("HTTP/1.1 {status} x\r\n{}\r\n", lines.concat());
        let mut reader = HeadReader::new(LIMITS);
        let read = reader.read(text.as_bytes(), Asked::Usual);
        prop_assert!(matches!(read, Ok(Some(_))), "{:?} for {:?}", read, text);
        prop_assert_eq!(reader.fields().len(), lines.len());
    }
}
