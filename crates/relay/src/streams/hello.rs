//! What a caller says first, where that tells whom it wants. Read, never answered.

use std::{io, time::Duration};

use relais_net::Stream;
use relais_wire::client_hello::{self, HELLO_BYTES_MAX, Hello, Look, Malformed};
use tokio::{io::AsyncReadExt as _, time::timeout};

/// How much is asked for at a time: a hello is mostly less than 2 KiB.
const READ_BYTES: usize = 2 << 10;

/// Why nothing is known of whom a caller wants.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelloError {
    #[error("no TLS hello: {0}")]
    Malformed(#[from] Malformed),
    #[error("no TLS hello in {0:?}")]
    Late(Duration),
    #[error("closed before its TLS hello")]
    Closed,
    #[error("broken before its TLS hello")]
    Broken(#[source] io::Error),
}

/// Reads a hello from `stream`. All that came with it is left in `came`.
pub(super) async fn read_hello(
    stream: &mut Stream,
    came: &mut Vec<u8>,
    most: Duration,
) -> Result<Hello, HelloError> {
    let reading = async {
        let mut until = 0;
        loop {
            let mut part = [0; READ_BYTES];
            let read = stream.read(&mut part).await.map_err(HelloError::Broken)?;
            if read == 0 {
                return Err(HelloError::Closed);
            }
            came.extend_from_slice(&part[..read]);
            if came.len() < until {
                continue;
            }
            match client_hello::read(came)? {
                Look::Hello(hello) => return Ok(hello),
                Look::Until(bytes) => until = bytes,
            }
            debug_assert!(came.len() < HELLO_BYTES_MAX, "then it is too long");
        }
    };
    timeout(most, reading).await.unwrap_or(Err(HelloError::Late(most)))
}

#[cfg(test)]
pub(super) mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    const MOST: Duration = Duration::from_secs(5);

    /// A hello that asks for `name`; without extensions, all there may be less of, if that is empty.
    pub(in crate::streams) fn hello(name: &[u8]) -> Vec<u8> {
        let with_len = |head: &[u8], bytes: &[u8]| {
            [head, &[0, u8::try_from(bytes.len()).unwrap()], bytes].concat()
        };
        let extension = with_len(&[0, 0], &with_len(&[], &with_len(&[0], name)));
        let extensions = if name.is_empty() { Vec::new() } else { with_len(&[], &extension) };
        let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
        with_len(&[22, 3, 1], &with_len(&[1, 0], &body))
    }

    async fn read_of(says: &[u8]) -> (Result<Hello, HelloError>, Vec<u8>) {
        let (mut client, near) = duplex(1 << 16);
        client.write_all(says).await.unwrap();
        drop(client);
        let mut came = Vec::new();
        let read = read_hello(&mut Stream::Memory(near), &mut came, MOST).await;
        (read, came)
    }

    #[tokio::test]
    async fn what_was_read_is_kept() {
        let says = [&hello(b"")[..], b"more"].concat();
        let (read, came) = read_of(&says).await;
        assert_eq!(read.unwrap(), Hello::default());
        assert_eq!(came, says);
    }

    #[tokio::test]
    async fn what_is_none_is_told() {
        let check = async |says: &[u8], expect: &str| {
            assert_eq!(read_of(says).await.0.unwrap_err().to_string(), expect);
        };
        check(b"", "closed before its TLS hello").await;
        check(&hello(b"")[..20], "closed before its TLS hello").await;
        check(b"GET / HTTP/1.1\r\n", "no TLS hello: no TLS client hello").await;
        let endless = [22, 3, 1, 0, 1, 1].repeat(4000);
        check(&endless, "no TLS hello: a TLS client hello longer than 16384 bytes").await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let (_client, near) = duplex(1);
        let late = read_hello(&mut Stream::Memory(near), &mut Vec::new(), MOST).await.unwrap_err();
        assert_eq!(late.to_string(), "no TLS hello in 5s");
    }
}
