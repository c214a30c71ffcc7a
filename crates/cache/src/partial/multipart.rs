//! Several parts of a response as one body ([RFC 9110 §14.6]).
//!
//! [RFC 9110 §14.6]: https://www.rfc-editor.org/rfc/rfc9110#section-14.6

use std::{
    fmt::Write,
    hash::{BuildHasher, RandomState},
};

use relais_wire::range::ByteRange;

use super::SizedRange;
use crate::stored_body::StoredBody;

/// What is between the parts of a body, as `multipart/byteranges` has it.
#[derive(Clone, Debug)]
pub(crate) struct Multipart {
    /// What comes before each part.
    heads: Vec<String>,
    /// What comes behind the last.
    end: String,
    boundary: String,
}

impl Multipart {
    /// What is between these `ranges` of a response with this `media` type.
    ///
    /// The boundary is drawn anew each time: nobody can have written it into the response.
    pub(crate) fn of(ranges: &[ByteRange], size: Option<u64>, media: Option<&[u8]>) -> Self {
        let boundary = format!("relais-{:016x}", RandomState::new().hash_one(ranges.len()));
        let media = media.and_then(|media| std::str::from_utf8(media).ok());
        let head = |(at, &part): (usize, &ByteRange)| {
            let mut head = format!("{}--{boundary}\r\n", if at == 0 { "" } else { "\r\n" });
            if let Some(media) = media {
                write!(head, "Content-Type: {media}\r\n").expect("a string takes everything");
            }
            let range = SizedRange { part: Some(part), size };
            write!(head, "Content-Range: {range}\r\n\r\n").expect("a string takes everything");
            head
        };
        let heads = ranges.iter().enumerate().map(head).collect();
        Self { heads, end: format!("\r\n--{boundary}--\r\n"), boundary }
    }

    /// The value of `Content-Type`.
    pub(crate) fn media_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// How many bytes it has with these `ranges` in it.
    pub(crate) fn len(&self, ranges: &[ByteRange]) -> u64 {
        let heads: usize = self.heads.iter().map(String::len).sum();
        let bytes: u64 = ranges.iter().map(ByteRange::len).sum();
        bytes + (heads + self.end.len()) as u64
    }

    /// The body: each part in the pieces that `cut` makes of it.
    pub(crate) fn pieces<T: From<StoredBody>>(
        &self,
        ranges: &[ByteRange],
        cut: impl Fn(ByteRange) -> Vec<T>,
    ) -> Vec<T> {
        let text = |text: &String| StoredBody::guarded(text.clone().into_bytes(), ()).into();
        let parts = self.heads.iter().zip(ranges);
        let parts = parts.flat_map(|(head, &range)| std::iter::once(text(head)).chain(cut(range)));
        parts.chain([text(&self.end)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_between_boundaries() {
        let ranges = [ByteRange { first: 0, last: 1 }, ByteRange { first: 5, last: 6 }];
        let multipart = Multipart::of(&ranges, Some(10), Some(b"text/plain"));
        let cut = |range: ByteRange| {
            let at = |byte| usize::try_from(byte).unwrap();
            let bytes = b"0123456789"[at(range.first)..=at(range.last)].to_vec();
            vec![StoredBody::guarded(bytes, ())]
        };
        let body: Vec<_> = multipart
            .pieces(&ranges, cut)
            .iter()
            .flat_map(|piece| piece.bytes().to_vec())
            .collect();
        assert_eq!(body.len() as u64, multipart.len(&ranges));
        let media = multipart.media_type();
        let boundary = media.strip_prefix("multipart/byteranges; boundary=").unwrap();
        let expect = format!(
            "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
             --{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n56\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expect);
        let other = Multipart::of(&ranges, None, None);
        assert_ne!(other.media_type(), media);
    }
}
