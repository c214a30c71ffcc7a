//! A chunked body, byte by byte ([RFC 9112 §7.1]).
//!
//! [RFC 9112 §7.1]: https://www.rfc-editor.org/rfc/rfc9112#section-7.1

use super::refusal::Refusal;
use crate::class::{TOKEN, VALUE};

/// The most bytes of extensions that one chunk may have, the first `;` included.
///
/// Nobody uses them but to hide something or to make a server read a lot for little.
pub const CHUNK_EXTENSION_BYTES_MAX: u16 = 256;

/// The most bytes of extensions that all chunks of a request together may have: the parser behind the
/// guard takes a byte less than 16 KiB, and breaks off then without an answer.
pub const CHUNK_EXTENSIONS_BYTES_MAX: u16 = 16 * 1024 - 1;

/// Where in the chunks a body is, up to the last chunk's size line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunks {
    /// The size as far as it was read; then the bytes of data still to come.
    left: u64,
    extension_bytes: u16,
    /// How many bytes of extensions all chunks together may still have; `None` is any number.
    extensions_left: Option<u16>,
    at: At,
}

/// What was read last, or, of line ends, what has to come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// `digits <= 16`
    Size {
        digits: u8,
    },
    Semicolon,
    Name,
    Equals,
    Value,
    Quoted,
    Escape,
    Unquoted,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// The size line of the last chunk is over. Trailers are next.
    End,
}

impl Default for At {
    fn default() -> Self {
        Self::Size { digits: 0 }
    }
}

impl Chunks {
    /// At the start of a request's body.
    pub(super) fn of_request() -> Self {
        Self { extensions_left: Some(CHUNK_EXTENSIONS_BYTES_MAX), ..Self::default() }
    }

    /// Takes bytes of the body up to the end of its last chunk's size line.
    ///
    /// Returns how many are sound: at least one of a non-empty `bytes`. It stops before the first
    /// malformed byte, which the next call then starts with.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the very first byte is malformed.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut taken = 0;
        while taken < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                taken += self.take_data(bytes.len() - taken);
                continue;
            }
            match self.next(bytes[taken]) {
                Ok(at) => self.at = at,
                Err(refusal) if taken == 0 => return Err(refusal),
                Err(_) => break,
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// Takes what stands before the next data, or up to the end of the last chunk's size line;
    /// returns how many bytes: none if data is next.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if any of it is malformed.
    pub(super) fn take_framing(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut taken = 0;
        while taken < bytes.len() && !matches!(self.at, At::Data | At::End) {
            self.at = self.next(bytes[taken])?;
            taken += 1;
        }
        Ok(taken)
    }

    /// Whether the last chunk has come.
    pub(super) fn ended(&self) -> bool {
        self.at == At::End
    }

    /// Takes up to `available` bytes of data; returns how many: none if something else is next.
    pub(super) fn take_data(&mut self, available: usize) -> usize {
        if self.at != At::Data {
            return 0;
        }
        let taken = super::count_down(&mut self.left, available);
        if self.left == 0 {
            self.at = At::DataCr;
        }
        taken
    }

    /// Where `byte` leads. Changes nothing if it leads nowhere.
    fn next(&mut self, byte: u8) -> Result<At, Refusal> {
        match (self.at, byte) {
            (At::Size { digits }, _) => self.next_in_size(digits, byte),
            (At::SizeLf, b'\n') if self.left == 0 => Ok(At::End),
            (At::SizeLf, b'\n') => Ok(At::Data),
            (At::SizeLf, _) => Err(Refusal::ChunkLineEnd(byte)),
            (At::DataCr, b'\r') => Ok(At::DataLf),
            (At::DataLf, b'\n') => {
                *self = Self { extensions_left: self.extensions_left, ..Self::default() };
                Ok(self.at)
            }
            (At::DataCr | At::DataLf, _) => Err(Refusal::ChunkDataEnd(byte)),
            _ => self.next_in_extension(byte),
        }
    }

    fn next_in_size(&mut self, digits: u8, byte: u8) -> Result<At, Refusal> {
        match (byte, char::from(byte).to_digit(16)) {
            (_, Some(_)) if digits == 16 => Err(Refusal::ChunkSizeTooLong),
            (_, Some(digit)) => {
                // At most 16 digits of 4 bits: nothing is shifted out.
                self.left = self.left << 4 | u64::from(digit);
                Ok(At::Size { digits: digits + 1 })
            }
            (b';', None) if digits > 0 => {
                self.count_extension_byte()?;
                Ok(At::Semicolon)
            }
            (b'\r', None) if digits > 0 => Ok(At::SizeLf),
            _ => Err(Refusal::ChunkSize(byte)),
        }
    }

    fn next_in_extension(&mut self, byte: u8) -> Result<At, Refusal> {
        let at = match (self.at, byte) {
            (At::Name | At::Value | At::Unquoted, b'\r') => return Ok(At::SizeLf),
            (At::Name | At::Value | At::Unquoted, b';') => At::Semicolon,
            (At::Name, b'=') => At::Equals,
            (At::Semicolon | At::Name, _) if TOKEN.has(byte) => At::Name,
            (At::Equals | At::Value, _) if TOKEN.has(byte) => At::Value,
            (At::Equals, b'"') => At::Quoted,
            (At::Quoted, b'"') => At::Unquoted,
            (At::Quoted, b'\\') => At::Escape,
            (At::Quoted | At::Escape, _) if VALUE.has(byte) => At::Quoted,
            _ => return Err(Refusal::ChunkExtension(byte)),
        };
        self.count_extension_byte()?;
        Ok(at)
    }

    /// Counts a byte of extensions, of this chunk and of all.
    fn count_extension_byte(&mut self) -> Result<(), Refusal> {
        if self.extension_bytes == CHUNK_EXTENSION_BYTES_MAX {
            return Err(Refusal::ChunkExtensionTooLong { max: CHUNK_EXTENSION_BYTES_MAX });
        }
        if let Some(left) = &mut self.extensions_left {
            let max = CHUNK_EXTENSIONS_BYTES_MAX;
            *left = left.checked_sub(1).ok_or(Refusal::ChunkExtensionsTooLong { max })?;
        }
        self.extension_bytes += 1;
        Ok(())
    }
}
