//! What the fields of a head say of its body ([RFC 9112 §6]): alike in requests and answers.
//!
//! [RFC 9112 §6]: https://www.rfc-editor.org/rfc/rfc9112#section-6

use super::refusal::Refusal;

/// A version of HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// The two fields that frame a body, as far as they came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) version: Version,
    content_length: Option<u64>,
    chunked: bool,
}

/// A body's length, if a head names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Length(u64),
    Chunked,
    Nothing,
}

impl Lengths {
    pub(super) fn of(version: Version) -> Self {
        Self { version, content_length: None, chunked: false }
    }

    /// Reads the trimmed value of a `Content-Length` field.
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.content_length.is_some() {
            return Err(Refusal::ContentLengthRepeated);
        }
        self.content_length = Some(parse_length(value).ok_or(Refusal::ContentLength)?);
        Ok(())
    }

    /// Reads the trimmed value of a `Transfer-Encoding` field.
    pub(super) fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.version == Version::Http10 {
            return Err(Refusal::TransferEncodingOn10);
        }
        if self.chunked {
            return Err(Refusal::TransferEncodingRepeated);
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::TransferCoding);
        }
        self.chunked = true;
        Ok(())
    }

    /// What they come to, at the end of the head.
    pub(super) fn named(&self) -> Result<Named, Refusal> {
        match (self.chunked, self.content_length) {
            (true, Some(_)) => Err(Refusal::TwoLengths),
            (true, None) => Ok(Named::Chunked),
            (false, Some(length)) => Ok(Named::Length(length)),
            (false, None) => Ok(Named::Nothing),
        }
    }
}

/// Reads the value of a `Content-Length` field: 1 to 19 digits, which always fit into 64 bits.
pub fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |length, digit: &u8| length * 10 + u64::from(digit - b'0');
    Some(value.iter().fold(0, append))
}
