//! Why the guard lets no more of a connection pass.

use crate::host::BadHost;

/// What was found, and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A line that ends without CR.
    #[error("a line that ends in a bare LF: expected CR LF")]
    BareLf,
    /// A CR inside a line.
    #[error("a bare CR in a line: expected CR LF at its end")]
    BareCr,
    /// Nothing but line ends where a request should start.
    #[error("a second empty line before a request: expected one at most")]
    EmptyLines,

    /// Not three words.
    #[error("no request line: expected method, target and version with one space between them")]
    RequestLine,
    /// A byte that no method has.
    #[error("{:?} in the method: expected a token", char::from(*.0))]
    Method(u8),
    /// A byte that no target has.
    #[error(
        "{:?} in the request target: expected visible ASCII, with `<`, `>`, `` ` `` in a path and \
         `\"` in a query percent-encoded",
        char::from(*.0)
    )]
    Target(u8),
    /// A target with a fragment, which is not for servers.
    #[error("a fragment in the request target: expected none")]
    Fragment,
    /// A target in none of the four forms, or in one that is not for its method.
    #[error(
        "a request target that does not fit the method: expected /path, scheme://host/path, \
         host:port for CONNECT, or * for OPTIONS"
    )]
    TargetForm,
    /// A target with an authority that names no host.
    #[error("a bad host in the request target")]
    TargetHost(#[source] BadHost),
    /// A request line over the limit.
    #[error("request line longer than {max} bytes")]
    TargetTooLong {
        /// [`HeadLimits::line_bytes_max`](super::HeadLimits::line_bytes_max)
        max: u32,
    },
    /// A well-formed version, but none that is spoken here.
    #[error("unknown version of HTTP: expected HTTP/1.0 or HTTP/1.1")]
    Version,

    /// A line that continues the one before.
    #[error("a folded line: expected a field name")]
    FoldedLine,
    /// A byte that no field name has: mostly a space before the colon.
    #[error("{:?} in a field name: expected a token with a colon right after it", char::from(*.0))]
    FieldName(u8),
    /// A line that starts with a colon.
    #[error("a field without a name")]
    NoFieldName,
    /// A line without a colon.
    #[error("a field line without a colon")]
    NoColon,
    /// A byte that no field value has.
    #[error("{:?} in a field value: expected visible characters, space or tab", char::from(*.0))]
    FieldValue(u8),
    /// A field line over the limit.
    #[error("field line longer than {max} bytes")]
    LineTooLong {
        /// [`HeadLimits::line_bytes_max`](super::HeadLimits::line_bytes_max)
        max: u32,
    },
    /// A head or trailer section over the limit.
    #[error("head or trailers longer than {max} bytes")]
    HeadTooLarge {
        /// [`HeadLimits::head_bytes_max`](super::HeadLimits::head_bytes_max)
        max: u32,
    },
    /// A head or trailer section with too many fields.
    #[error("more than {max} fields")]
    TooManyFields {
        /// [`HeadLimits::fields_max`](super::HeadLimits::fields_max)
        max: u32,
    },

    /// HTTP/1.1 without `Host`.
    #[error("no Host field: expected one")]
    HostMissing,
    /// `Host` more than once.
    #[error("a second Host field: expected one")]
    HostRepeated,
    /// A `Host` that names none.
    #[error("a bad Host field")]
    Host(#[source] BadHost),
    /// A `Host` that names another than the target.
    #[error("a Host field that disagrees with the request target")]
    HostDisagrees,

    /// `Content-Length` with something else than a number.
    #[error("a bad Content-Length: expected at most 19 digits")]
    ContentLength,
    /// `Content-Length` more than once, be it the same.
    #[error("a second Content-Length: expected one at most")]
    ContentLengthRepeated,
    /// `Content-Length` beside `Transfer-Encoding`.
    #[error("Content-Length with Transfer-Encoding: expected one of them")]
    TwoLengths,
    /// `Transfer-Encoding` more than once.
    #[error("a second Transfer-Encoding: expected one at most")]
    TransferEncodingRepeated,
    /// A transfer coding that is not undone here.
    #[error("unknown transfer coding: expected \"chunked\" alone")]
    TransferCoding,
    /// `Transfer-Encoding` in a version that has none.
    #[error("Transfer-Encoding on HTTP/1.0: expected Content-Length")]
    TransferEncodingOn10,
    /// CONNECT with a body.
    #[error("a body on CONNECT: expected none")]
    ConnectBody,
    /// An expectation that is not met here.
    #[error("unknown expectation: expected \"100-continue\"")]
    Expectation,

    /// A byte that no chunk size has.
    #[error("{:?} in a chunk size: expected hexadecimal digits, then `;` or CR LF", char::from(*.0))]
    ChunkSize(u8),
    /// A chunk size of more than 64 bits.
    #[error("chunk size longer than 16 digits")]
    ChunkSizeTooLong,
    /// A byte that is out of place in a chunk extension.
    #[error("{:?} in a chunk extension: expected `;name` or `;name=value`", char::from(*.0))]
    ChunkExtension(u8),
    /// Chunk extensions over the limit.
    #[error("chunk extensions longer than {max} bytes")]
    ChunkExtensionTooLong {
        /// [`CHUNK_EXTENSION_BYTES_MAX`](super::CHUNK_EXTENSION_BYTES_MAX)
        max: u16,
    },
    /// Chunk extensions over the limit for all chunks of a body.
    #[error("chunk extensions longer than {max} bytes in all")]
    ChunkExtensionsTooLong {
        /// [`CHUNK_EXTENSIONS_BYTES_MAX`](super::CHUNK_EXTENSIONS_BYTES_MAX)
        max: u16,
    },
    /// A CR without LF after a chunk size.
    #[error("{:?} after CR in a chunk size line: expected LF", char::from(*.0))]
    ChunkLineEnd(u8),
    /// More data than the chunk size said.
    #[error("{:?} after the data of a chunk: expected CR LF", char::from(*.0))]
    ChunkDataEnd(u8),
    /// A trailer that would change what was read already.
    #[error("a framing field in the trailers: expected none")]
    TrailerFraming,
}

impl Refusal {
    /// The status that the client is owed before the connection is closed.
    pub fn status(&self) -> u16 {
        match self {
            Self::TargetTooLong { .. } => 414,
            Self::Expectation => 417,
            Self::LineTooLong { .. } | Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => {
                431
            }
            Self::TransferCoding => 501,
            Self::Version => 505,
            _ => 400,
        }
    }
}
