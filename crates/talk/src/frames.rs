//! A `WebSocket`'s frames: how much of them a client keeps, and what goes wrong with them, said as the
//! system says what goes wrong with a stream.

use std::io::{self, ErrorKind};

use tokio_tungstenite::tungstenite::{Error, protocol::WebSocketConfig};

/// How much may wait to be sent beside a message: answers to pings, of 131 bytes each.
const PONGS_BYTES_MAX: usize = 4 << 10;

/// The head of a frame that a client sends, with its mask (RFC 6455 §5.2).
const FRAME_HEAD_BYTES: usize = 14;

/// What every client of a `WebSocket` keeps to, that hears and says messages of so many bytes at most.
///
/// What is to be sent is bounded, too: a server that pings for ever and reads nothing is answered the
/// latest of its pings only (RFC 6455 §5.5.3). So what is said is to be flushed before.
pub(crate) fn of_client(heard_bytes_max: usize, said_bytes_max: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .write_buffer_size(0)
        .max_write_buffer_size(said_bytes_max + FRAME_HEAD_BYTES + PONGS_BYTES_MAX)
        .max_message_size(Some(heard_bytes_max))
        .max_frame_size(Some(heard_bytes_max))
}

/// The same, as an error of the system. What the peer may have written is escaped.
pub(crate) fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => ErrorKind::NotConnected.into(),
        other => {
            io::Error::new(ErrorKind::InvalidData, other.to_string().escape_debug().to_string())
        }
    }
}
