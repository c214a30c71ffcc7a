//! Bodies of which all or parts are sent.

use std::fmt::Write;

use http::HeaderValue;
use relais_cache::StoredBody;
use relais_wire::range::{ByteRange, print_content_range};

use crate::{Body, FileSpan, Piece};

/// All bytes of a form of a file.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Memory(StoredBody),
    /// All of a file.
    File(FileSpan),
}

impl Content {
    pub(super) fn whole(self) -> Body {
        match self {
            Self::Memory(body) => Body::stored(body),
            Self::File(whole) => Body::of([Piece::File(whole)]),
        }
    }

    /// These bytes of it, which it has.
    pub(super) fn part(&self, range: ByteRange) -> Piece {
        match self {
            Self::Memory(body) => {
                let at = |byte| usize::try_from(byte).expect("a place in memory");
                Piece::Bytes(body.bytes().slice(at(range.first)..=at(range.last)))
            }
            Self::File(whole) => {
                let (offset, len) = (range.first, range.len());
                Piece::File(FileSpan { offset, len, ..whole.clone() })
            }
        }
    }
}

/// Several parts as one body ([RFC 9110 §14.6]), and its `Content-Type`.
///
/// `tag` is the form's entity tag, and the boundary is made of it: for the boundary to be in the
/// file, a file would have to hold its own digest.
///
/// [RFC 9110 §14.6]: https://www.rfc-editor.org/rfc/rfc9110#section-14.6
pub(super) fn multipart(
    content: &Content,
    parts: &[ByteRange],
    size: u64,
    (media, tag): (&str, &str),
) -> (Body, HeaderValue) {
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    let mut between = String::new();
    for &part in parts {
        let range = print_content_range(Some(part), size);
        write!(
            between,
            "--relais-{tag}\r\nContent-Type: {media}\r\nContent-Range: {range}\r\n\r\n"
        )
        .expect("a string takes everything");
        pieces.push(Piece::Bytes(std::mem::take(&mut between).into()));
        pieces.push(content.part(part));
        between.push_str("\r\n");
    }
    write!(between, "--relais-{tag}--\r\n").expect("a string takes everything");
    pieces.push(Piece::Bytes(between.into()));
    let name = format!("multipart/byteranges; boundary=relais-{tag}");
    (Body::of(pieces), HeaderValue::try_from(name).expect("a tag is ASCII"))
}
