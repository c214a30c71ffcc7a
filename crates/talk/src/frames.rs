//! What goes wrong with a `WebSocket`'s frames, said as the system says what goes wrong with a stream.

use std::io::{self, ErrorKind};

use tokio_tungstenite::tungstenite::Error;

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
