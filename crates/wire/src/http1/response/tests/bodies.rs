//! Bodies of every framing.

use super::*;
use crate::http1::{CHUNK_EXTENSION_BYTES_MAX, ChunkSize, LAST_CHUNK};

/// What became of a body: its content, its trailers, and what was left behind it, or why not.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    content: Vec<u8>,
    trailers: String,
    left: Vec<u8>,
    at_close: AtClose,
    refusal: Option<Refusal>,
}

/// Feeds the pieces as a client does: what is not consumed stays in the buffer.
fn read(framing: Framing, pieces: &[&[u8]]) -> Read {
    let mut decoder = BodyDecoder::new(framing, LIMITS);
    let mut buffer = Vec::new();
    let (mut content, mut trailers, mut refusal) = (Vec::new(), String::new(), None);
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while !decoder.has_ended() && refusal.is_none() {
            let step = match decoder.decode(&buffer) {
                Ok(step) => step,
                Err(found) => {
                    refusal = Some(found);
                    break;
                }
            };
            assert_eq!(step.ended, decoder.has_ended());
            assert!(step.data.end <= step.consumed && step.consumed <= buffer.len());
            content.extend_from_slice(&buffer[step.data]);
            let text = |at| String::from_utf8_lossy(&buffer[at]);
            let fields = decoder.trailers().iter().filter(|_| step.ended);
            trailers.extend(fields.map(|at| format!("{}={};", text(at.name()), text(at.value()))));
            buffer.drain(..step.consumed);
            if step.consumed == 0 {
                break;
            }
        }
    }
    if refusal.is_some() {
        buffer.clear();
    }
    Read { content, trailers, left: buffer, at_close: decoder.at_close(), refusal }
}

#[track_caller]
fn read_however_cut(framing: Framing, input: &[u8]) -> Read {
    let whole = read(framing, &[input]);
    for cut in 0..=input.len() {
        let (start, end) = input.split_at(cut);
        assert_eq!(read(framing, &[start, end]), whole, "for {}", cut_text(input, cut));
    }
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(read(framing, &bytes), whole, "byte by byte for {}", input.escape_ascii());
    whole
}

/// A chunked body becomes `content` and `trailers`, and nothing less than all of it does.
#[track_caller]
fn reads(input: &str, content: &str, trailers: &str) {
    let found = read_however_cut(Framing::Chunked, input.as_bytes());
    let (content, trailers) = (content.as_bytes().to_vec(), trailers.to_owned());
    let (at_close, refusal) = (AtClose::Whole, None);
    assert_eq!(found, Read { content, trailers, left: vec![], at_close, refusal }, "{input:?}");
    for cut in 0..input.len() {
        let found = read(Framing::Chunked, &[&input.as_bytes()[..cut]]);
        assert_eq!((found.at_close, found.refusal), (AtClose::Cut, None), "{:?}", &input[..cut]);
    }
}

#[track_caller]
fn refuses(input: impl AsRef<[u8]>, expect: Refusal) {
    let input = input.as_ref();
    let found = read_however_cut(Framing::Chunked, input);
    assert_eq!(found.refusal, Some(expect), "for {}", input.escape_ascii());
    assert_eq!(found.at_close, AtClose::Cut);
}

#[test]
fn chunks_are_joined() {
    reads("0\r\n\r\n", "", "");
    reads("000\r\n\r\n", "", "");
    reads("5\r\nhello\r\n0\r\n\r\n", "hello", "");
    reads("1\r\nh\r\n00A\r\n\r\n0\r\n\r\n1\r\n\r\n0\r\n\r\n", "h\r\n0\r\n\r\n1\r\n", "");
    reads("5;a;b=c;d=\"\\\";\"\r\nhello\r\n0;x\r\n\r\n", "hello", "");
    reads("2\r\nhi\r\n0\r\nETag: \"a\" \r\nX:\r\n\r\n", "hi", "ETag=\"a\";X=;");
}

#[test]
fn chunks_are_strict() {
    refuses("\r\n", Refusal::ChunkSize(b'\r'));
    refuses("x\r\n", Refusal::ChunkSize(b'x'));
    refuses("-1\r\n", Refusal::ChunkSize(b'-'));
    refuses("+1\r\n", Refusal::ChunkSize(b'+'));
    refuses(" 1\r\n", Refusal::ChunkSize(b' '));
    refuses("0x1\r\n", Refusal::ChunkSize(b'x'));
    refuses("1 \r\n", Refusal::ChunkSize(b' '));
    refuses("1\n", Refusal::ChunkSize(b'\n'));
    refuses("1\ra", Refusal::ChunkLineEnd(b'a'));
    refuses(";a\r\n", Refusal::ChunkSize(b';'));
    refuses("1;\r\n", Refusal::ChunkExtension(b'\r'));
    refuses("1;a\n", Refusal::ChunkExtension(b'\n'));
    refuses("1;a=\"\n", Refusal::ChunkExtension(b'\n'));
    refuses("00000000000000001\r\n", Refusal::ChunkSizeTooLong);
    refuses("1\r\nab", Refusal::ChunkDataEnd(b'b'));
    refuses("1\r\na\n", Refusal::ChunkDataEnd(b'\n'));
    refuses("1\r\na\r0", Refusal::ChunkDataEnd(b'0'));
    refuses("1\r\na0\r\n\r\n", Refusal::ChunkDataEnd(b'0'));
}

#[test]
fn trailers_are_strict() {
    refuses("0\r\n\n", Refusal::BareLf);
    refuses("0\r\nA: b\n\r\n", Refusal::BareLf);
    refuses("0\r\nA : b\r\n\r\n", Refusal::FieldName(b' '));
    refuses("0\r\n b\r\n\r\n", Refusal::FoldedLine);
    refuses("0\r\nContent-Length: 1\r\n\r\n", Refusal::TrailerFraming);
    refuses("0\r\ntransfer-encoding: chunked\r\n\r\n", Refusal::TrailerFraming);
    refuses("0\r\nHTTP/1.1 200 OK\r\n\r\n", Refusal::FieldName(b'/'));
}

#[test]
fn every_limit_is_reached() {
    let extension = |bytes: u16| format!("1;{}\r\na\r\n", "x".repeat(usize::from(bytes) - 1));
    let max = CHUNK_EXTENSION_BYTES_MAX;
    assert_eq!(read(Framing::Chunked, &[extension(max).as_bytes()]).refusal, None);
    refuses(extension(max + 1), Refusal::ChunkExtensionTooLong { max });

    let max = LIMITS.line_bytes_max;
    let line =
        |bytes: u32| format!("0\r\nA:{}\r\n", "x".repeat(usize::try_from(bytes - 4).unwrap()));
    assert_eq!(read(Framing::Chunked, &[line(max).as_bytes()]).refusal, None);
    refuses(line(max + 1), Refusal::LineTooLong { max });

    let max = LIMITS.head_bytes_max;
    let section = |bytes: u32| {
        let rest = "x".repeat(usize::try_from(bytes - 300 - 4 - 2).unwrap());
        format!("0\r\nA:{}\r\nA:{rest}\r\n\r\n", "x".repeat(296))
    };
    assert_eq!(read(Framing::Chunked, &[section(max).as_bytes()]).at_close, AtClose::Whole);
    refuses(section(max + 1), Refusal::HeadTooLarge { max });

    let max = LIMITS.fields_max;
    let fields =
        |count: u32| format!("0\r\n{}", "A: b\r\n".repeat(usize::try_from(count).unwrap()));
    assert_eq!(read(Framing::Chunked, &[fields(max).as_bytes()]).refusal, None);
    refuses(fields(max + 1), Refusal::TooManyFields { max });
}

#[test]
fn the_largest_chunk_is_no_overflow() {
    let found = read_however_cut(Framing::Chunked, b"ffffffffffffffff\r\nabc");
    assert_eq!((found.content.as_slice(), found.refusal), (&b"abc"[..], None));
    assert_eq!(found.at_close, AtClose::Cut);
}

#[test]
fn what_comes_behind_a_body_is_left() {
    let check = |framing, input: &str, content: &str, left: &str| {
        let found = read_however_cut(framing, input.as_bytes());
        assert_eq!(found.content, content.as_bytes());
        assert_eq!(found.left, left.as_bytes());
        assert_eq!(found.at_close, AtClose::Whole);
    };
    check(Framing::Nothing, "HTTP", "", "HTTP");
    check(Framing::Length(0), "HTTP", "", "HTTP");
    check(Framing::Length(5), "helloHTTP", "hello", "HTTP");
    check(Framing::Chunked, "1\r\na\r\n0\r\n\r\nHTTP", "a", "HTTP");
    check(Framing::Chunked, "0\r\nA: b\r\n\r\nHTTP", "", "HTTP");
    check(Framing::UntilClose, "helloHTTP", "helloHTTP", "");
    check(Framing::Tunnel, "hello", "hello", "");
}

#[test]
fn a_length_that_is_not_reached_is_a_cut() {
    let found = read_however_cut(Framing::Length(5), b"hell");
    assert_eq!((found.content.as_slice(), found.at_close), (&b"hell"[..], AtClose::Cut));
    let mut decoder = BodyDecoder::new(Framing::Length(5), LIMITS);
    assert_eq!(decoder.left(), Some(5));
    assert_eq!(decoder.decode(b"hell"), Ok(Decoded { data: 0..4, consumed: 4, ended: false }));
    assert_eq!(decoder.left(), Some(1));
    assert_eq!(decoder.decode(b"o!"), Ok(Decoded { data: 0..1, consumed: 1, ended: true }));
    assert_eq!(decoder.left(), Some(0));
    assert_eq!(BodyDecoder::new(Framing::Chunked, LIMITS).left(), None);
}

#[test]
fn who_was_refused_stays_so() {
    let mut decoder = BodyDecoder::new(Framing::Chunked, LIMITS);
    assert_eq!(
        decoder.decode(b"0\r\nA\r\n"),
        Ok(Decoded { data: 3..3, consumed: 3, ended: false })
    );
    let refused = decoder.decode(b"A\r\n");
    assert_eq!(refused, Err(Refusal::NoColon));
    assert_eq!(decoder.decode(b"\r\n"), refused);
}

#[test]
fn what_is_written_reads_back() {
    let mut written = Vec::new();
    for len in [1, 9, 10, 255, 256, 70_000] {
        let size = ChunkSize::of(std::num::NonZeroUsize::new(len).unwrap());
        written.extend_from_slice(size.as_ref());
        written.extend(std::iter::repeat_n(b'a', len));
        written.extend_from_slice(b"\r\n");
    }
    written.extend_from_slice(LAST_CHUNK);
    let found = read(Framing::Chunked, &[&written]);
    assert_eq!((found.content.len(), found.at_close), (70_531, AtClose::Whole));
}
