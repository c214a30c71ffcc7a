//! How long a body is, and its chunks.

use super::*;

#[test]
fn chunks_pass() {
    for body in [
        "1\r\na\r\n0\r\n\r\n",
        "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        "2\r\n\r\n\r\n0\r\n\r\n",
        "0000000000000001\r\na\r\n0000000000000000\r\n\r\n",
        "1;a\r\nx\r\n0;b=c;d=\"e\"\r\n\r\n",
        "1;a=\"; \\\" \t\\\\\";b\r\nx\r\n0\r\n\r\n",
        "0\r\nX: a\r\nY:\r\n\r\n",
    ] {
        passes(chunked(body), 1, Stage::BetweenMessages);
    }
    passes(chunked("ffffffffffffffff\r\n0\r\n\r\n"), 1, Stage::Body);
    passes(with("Content-Length: 9999999999999999999\r\n"), 1, Stage::Body);
    passes(with("Transfer-Encoding:\tCHUNKED \r\n") + "0\r\n\r\n", 1, Stage::BetweenMessages);
    let extension = ";".to_owned() + &"a".repeat(255);
    passes(
        chunked(&format!("1{extension}\r\nx\r\n0{extension}\r\n\r\n")),
        1,
        Stage::BetweenMessages,
    );
}

#[test]
fn a_length_is_one_number_told_once() {
    for bad in [
        "",
        "+1",
        "-1",
        "1,1",
        "1, 1",
        "1;",
        "1 1",
        "0x1",
        "1e1",
        "1.0",
        "a",
        "\"1\"",
        "1,",
        "\u{661}",
        "18446744073709551616",
        "00000000000000000001",
    ] {
        refuses(with(&format!("Content-Length: {bad}\r\n")), Refusal::ContentLength);
    }
    let repeated = Refusal::ContentLengthRepeated;
    refuses(with("Content-Length: 1\r\nContent-Length: 2\r\n"), repeated);
    refuses(with("Content-Length: 1\r\ncontent-length: 1\r\n"), repeated);
    refuses(with("Content-Length: 0\r\nX: a\r\nContent-Length: 0\r\n"), repeated);
}

#[test]
fn a_transfer_coding_is_chunked_alone() {
    for bad in [
        "",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;a",
        "chunked;q=1",
        "xchunked",
        "chunke",
        "chunked x",
        "\"chunked\"",
        "chun ked",
        "'chunked'",
        "chunked\u{a0}",
    ] {
        refuses(with(&format!("Transfer-Encoding: {bad}\r\n")), Refusal::TransferCoding);
    }
    refuses(
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        Refusal::TransferEncodingRepeated,
    );
    refuses(
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"),
        Refusal::TransferEncodingRepeated,
    );
    refuses(with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), Refusal::TwoLengths);
    refuses(with("Content-Length: 0\r\ntransfer-encoding: Chunked\r\n"), Refusal::TwoLengths);
    refuses(
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::TransferEncodingOn10,
    );
    refuses(
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::ConnectBody,
    );
    refuses("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n", Refusal::ConnectBody);
}

#[test]
fn chunks_are_strict() {
    for (body, passed, expect) in [
        ("\r\n", 0, Refusal::ChunkSize(b'\r')),
        ("\n", 0, Refusal::ChunkSize(b'\n')),
        ("g\r\n", 0, Refusal::ChunkSize(b'g')),
        (" 1\r\n", 0, Refusal::ChunkSize(b' ')),
        ("+1\r\n", 0, Refusal::ChunkSize(b'+')),
        ("-1\r\n", 0, Refusal::ChunkSize(b'-')),
        ("0x1\r\n", 1, Refusal::ChunkSize(b'x')),
        ("1 \r\n", 1, Refusal::ChunkSize(b' ')),
        ("1\t;a\r\n", 1, Refusal::ChunkSize(b'\t')),
        ("1\n", 1, Refusal::ChunkSize(b'\n')),
        ("1,1\r\n", 1, Refusal::ChunkSize(b',')),
        ("1\0\r\n", 1, Refusal::ChunkSize(0)),
        (";a\r\n", 0, Refusal::ChunkSize(b';')),
        ("00000000000000001\r\n", 16, Refusal::ChunkSizeTooLong),
        ("10000000000000000\r\n", 16, Refusal::ChunkSizeTooLong),
        ("1\rx", 2, Refusal::ChunkLineEnd(b'x')),
        ("1\r\r\n", 2, Refusal::ChunkLineEnd(b'\r')),
        ("0\r\r\n\n", 2, Refusal::ChunkLineEnd(b'\r')),
        ("1;\r\n", 2, Refusal::ChunkExtension(b'\r')),
        ("1;\n", 2, Refusal::ChunkExtension(b'\n')),
        ("1;;a\r\n", 2, Refusal::ChunkExtension(b';')),
        ("1; a\r\n", 2, Refusal::ChunkExtension(b' ')),
        ("1;a \r\n", 3, Refusal::ChunkExtension(b' ')),
        ("1;a\n", 3, Refusal::ChunkExtension(b'\n')),
        ("1;a=\r\n", 4, Refusal::ChunkExtension(b'\r')),
        ("1;=a\r\n", 2, Refusal::ChunkExtension(b'=')),
        ("1;a=b=c\r\n", 5, Refusal::ChunkExtension(b'=')),
        ("1;a=\"b\r\n", 6, Refusal::ChunkExtension(b'\r')),
        ("1;a=\"b\n\"\r\n", 6, Refusal::ChunkExtension(b'\n')),
        ("1;a=\"\\\n\"\r\n", 6, Refusal::ChunkExtension(b'\n')),
        ("1;a=\"\0\"\r\n", 5, Refusal::ChunkExtension(0)),
        ("1;a=\"b\"c\r\n", 7, Refusal::ChunkExtension(b'c')),
        ("1;a=b\"c\"\r\n", 5, Refusal::ChunkExtension(b'"')),
        ("1;a\rX\n", 4, Refusal::ChunkLineEnd(b'X')),
        ("1\r\nab\r\n", 4, Refusal::ChunkDataEnd(b'b')),
        ("1\r\na\n", 4, Refusal::ChunkDataEnd(b'\n')),
        ("1\r\na0\r\n", 4, Refusal::ChunkDataEnd(b'0')),
        ("1\r\na\r0\r\n", 5, Refusal::ChunkDataEnd(b'0')),
        ("1\r\na\r\r\n", 5, Refusal::ChunkDataEnd(b'\r')),
        ("1\r\na\r\n\r\n", 6, Refusal::ChunkSize(b'\r')),
        ("0\r\n\n", 3, Refusal::BareLf),
        ("0\r\n\r\r\n", 3, Refusal::BareCr),
        ("0\r\nX: a\n\r\n", 3, Refusal::BareLf),
        ("0\r\nX: a\r\n\n", 9, Refusal::BareLf),
        ("0\r\nX: a\r\n b\r\n\r\n", 9, Refusal::FoldedLine),
        ("0\r\nX : a\r\n\r\n", 3, Refusal::FieldName(b' ')),
        ("0\r\nX: \0\r\n\r\n", 3, Refusal::FieldValue(0)),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", 3, Refusal::FieldName(b' ')),
        ("0\r\nContent-Length: 1\r\n\r\n", 3, Refusal::TrailerFraming),
        ("0\r\nA: a\r\nTransfer-Encoding: chunked\r\n\r\n", 9, Refusal::TrailerFraming),
        ("0\r\nHOST: b\r\n\r\n", 3, Refusal::TrailerFraming),
    ] {
        let head = chunked("");
        refuses_after(format!("{head}{body}"), head.len() + passed, expect);
    }
    let extension = ";".to_owned() + &"a".repeat(256);
    let expect = Refusal::ChunkExtensionTooLong { max: 256 };
    refuses(chunked(&format!("1{extension}\r\n")), expect);
}

#[test]
fn chunk_extensions_have_a_limit_in_all() {
    /// How many bytes of a body pass, in pieces of `len`, and why the others do not.
    fn judged(body: &str, len: usize) -> (usize, Option<Refusal>) {
        let mut guard = Guard::new(LIMITS);
        _ = guard.feed(chunked("").as_bytes());
        let mut passed = 0;
        for piece in body.as_bytes().chunks(len) {
            let fed = guard.feed(piece);
            passed += fed.passed;
            if fed.refusal.is_some() {
                return (passed, fed.refusal);
            }
        }
        assert_eq!(guard.stage(), Stage::BetweenMessages);
        (passed, None)
    }
    let max = usize::from(CHUNK_EXTENSIONS_BYTES_MAX);
    let chunk = |bytes: usize| format!("1;{}\r\nx\r\n", "a".repeat(bytes - 1));
    let longest = chunk(256).repeat(max / 256) + &chunk(max % 256);
    let refusal = Some(Refusal::ChunkExtensionsTooLong { max: CHUNK_EXTENSIONS_BYTES_MAX });
    for len in [1, 7, usize::MAX] {
        let whole = format!("{longest}1\r\nx\r\n0\r\n\r\n");
        assert_eq!(judged(&whole, len), (whole.len(), None));
        // Of each body anew.
        let twice = format!("{longest}0\r\n\r\n{}{longest}0\r\n\r\n", chunked(""));
        assert_eq!(judged(&twice, len), (twice.len(), None));
        assert_eq!(judged(&format!("{longest}1;a\r\n"), len), (longest.len() + 1, refusal));
        let one_more = chunk(256).repeat(max / 256) + &chunk(max % 256 + 1);
        let at = one_more.len() - "\r\nx\r\n".len() - 1;
        assert_eq!(judged(&one_more, len), (at, refusal));
    }
}

#[test]
fn trailers_may_be_as_long_as_the_parser_takes() {
    let limits = HeadLimits { head_bytes_max: 1 << 16, line_bytes_max: 1 << 16, ..LIMITS };
    let judged = |bytes: u32| {
        let mut guard = Guard::new(limits);
        let value = "a".repeat(usize::try_from(bytes).unwrap() - "X:\r\n\r\n".len());
        let fed = guard.feed(chunked(&format!("0\r\nX:{value}\r\n\r\n")).as_bytes());
        fed.refusal
    };
    assert_eq!(judged(TRAILERS_BYTES_MAX), None);
    let refusal = Refusal::HeadTooLarge { max: TRAILERS_BYTES_MAX };
    assert_eq!(judged(TRAILERS_BYTES_MAX + 1), Some(refusal));
}
