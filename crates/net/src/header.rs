//! The PROXY header that a relay sends first, taken off a connection: all of it, and nothing more.

use std::{
    io::{self, ErrorKind},
    os::fd::AsFd,
};

use relais_wire::proxy_header::{HEADER_BYTES_MAX, Malformed, Told, read};
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;

use crate::Stream;

/// Takes the header off `stream`, which is plain, and waits for it as long as that takes.
///
/// # Errors
///
/// The connection's, or [`ErrorKind::InvalidData`] if there is none: then its own bytes are not to be
/// told from it.
pub(crate) async fn take(stream: &Stream) -> io::Result<Told> {
    let mut came = Vec::new();
    loop {
        let before = came.len();
        came.resize(HEADER_BYTES_MAX, 0);
        let seen = receive(stream, &mut came[before..], RecvFlags::PEEK).await?;
        came.truncate(before + seen);
        let malformed = |error: Malformed| io::Error::new(ErrorKind::InvalidData, error);
        match read(&came).map_err(malformed)? {
            Some((told, len)) => {
                take_off(stream, len - before).await?;
                return Ok(told);
            }
            None if seen == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            None if came.len() == HEADER_BYTES_MAX => return Err(malformed(Malformed::TooLong)),
            // All of it is of the header. Taken off, so that what comes next is waited for.
            None => take_off(stream, seen).await?,
        }
    }
}

/// Throws away `len` bytes that were seen.
async fn take_off(stream: &Stream, len: usize) -> io::Result<()> {
    let (mut room, mut left) = (vec![0; len], len);
    while left > 0 {
        match receive(stream, &mut room[..left], RecvFlags::empty()).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            took => left -= took,
        }
    }
    Ok(())
}

async fn receive(stream: &Stream, room: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
    fn now(socket: impl AsFd, room: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        Ok(recv(socket, room, flags | RecvFlags::DONTWAIT)?.0)
    }
    match stream {
        Stream::Tcp(socket) => {
            socket.async_io(Interest::READABLE, || now(socket, room, flags)).await
        }
        Stream::Unix(socket) => {
            socket.async_io(Interest::READABLE, || now(socket, room, flags)).await
        }
        Stream::Tls(_) | Stream::Within(_) | Stream::Memory(_) => {
            Err(ErrorKind::Unsupported.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    use super::*;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n";

    /// What is read of a relay that says these pieces, one after the other, and what is left.
    async fn taken(pieces: &[&[u8]]) -> (io::Result<Told>, String) {
        let (mut relay, near) = UnixStream::pair().unwrap();
        let mut near = Stream::Unix(near);
        let saying = async {
            for piece in pieces {
                relay.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(relay);
        };
        let (told, ()) = tokio::join!(take(&near), saying);
        let mut left = String::new();
        near.read_to_string(&mut left).await.unwrap();
        (told, left)
    }

    #[tokio::test]
    async fn nothing_is_taken_but_the_header() {
        let (source, destination) =
            ("192.0.2.1:51000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
        let expect = Told::Call { source, destination };
        let whole = [LINE, b"GET"].concat();
        for pieces in
            [&[&whole[..]][..], &[&LINE[..9], &LINE[9..], b"GET"], &[&LINE[..40], &whole[40..]]]
        {
            let (told, left) = taken(pieces).await;
            assert_eq!((told.unwrap(), &*left), (expect, "GET"));
        }
    }

    #[tokio::test]
    async fn what_is_no_header_ends_the_call() {
        let check = async |says: &[u8], expect| {
            assert_eq!(taken(&[says]).await.0.unwrap_err().kind(), expect, "{says:?}");
        };
        check(b"GET / HTTP/1.1\r\n", ErrorKind::InvalidData).await;
        check(&LINE[..20], ErrorKind::UnexpectedEof).await;
        check(b"", ErrorKind::UnexpectedEof).await;
        check(&[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 600]].concat(), ErrorKind::InvalidData).await;
    }
}
