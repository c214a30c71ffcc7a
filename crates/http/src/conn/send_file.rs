//! The system calls that send files: without a copy where nobody can tell, else with as few as can
//! be.
//!
//! `sendfile` puts no bytes into a socket's queue but references to the pages of the file: what is
//! written to the file before they leave is sent in their place, and no look at the file tells that
//! from here. An answer that comes to its end must not be of two states. So whatever may still wait
//! somewhere when the file is looked at for the last time, after the last byte was queued, is
//! copied:
//!
//! - for a reader on this host all of it, as the references lie in his socket's queue, too, for as
//!   long as he does not read;
//! - for others the end of each body, of more bytes than our queue can hold: by the time the last of
//!   it is queued, all before it has left. Then it is in the memory of another host.
//!
//! An answer that breaks off may hold pages of the new state. And readers who have another address
//! than this host and still are on it, as in a container, are not told from others: their queues
//! may hold references to what was sent by `sendfile`.

use std::{
    cell::RefCell,
    fs,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    sync::LazyLock,
    task::{Context, Poll, ready},
};

use rustix::net::{SendFlags, sockopt::socket_send_buffer_size};
use tokio::{io::Interest, net::TcpStream};

use crate::{FileSpan, body::Step};

/// How much is copied at a time, so that a change is noticed soon.
const COPY_BYTES: usize = 512 * 1024;

/// The same where there is no mapping: it should stay in the processor's cache.
const READ_BYTES: usize = 128 * 1024;

thread_local! {
    /// Where files are read that have no mapping.
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Who reads at a connection's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody on this host.
    Here,
    /// Somebody elsewhere, as far as addresses tell.
    Away {
        /// More than our socket's queue for him ever holds, in bytes.
        queue_bytes: u64,
    },
}

/// What is sent next of a step, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// So many bytes at most, by `sendfile`.
    Referred(usize),
    /// So many at most, copied.
    Copied(usize),
}

impl Reader {
    /// Who is at the other end of `stream`.
    pub(super) fn of(stream: &TcpStream) -> Self {
        let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else {
            // He has gone. Nothing is lost by care.
            return Self::Here;
        };
        let (peer, local) = (peer.ip().to_canonical(), local.ip().to_canonical());
        if peer.is_loopback() || peer == local {
            return Self::Here;
        }
        let ours = socket_send_buffer_size(stream).unwrap_or(0) as u64;
        Self::Away { queue_bytes: queue_bytes(ours.max(*QUEUE_BYTES_MAX)) }
    }
}

/// To how many bytes the kernel lets a socket's queue grow, as this host is configured: the last of
/// the three of `tcp_wmem`. It is read once, and a later change is not noticed.
static QUEUE_BYTES_MAX: LazyLock<u64> = LazyLock::new(|| {
    let told = fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").ok();
    told.as_deref().and_then(parse_wmem).unwrap_or(0)
});

fn parse_wmem(told: &str) -> Option<u64> {
    told.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// More than is ever in a queue that may grow to `max` bytes.
fn queue_bytes(max: u64) -> u64 {
    /// As Linux has it by default.
    const USUAL: u64 = 4 << 20;
    /// The limit is held against the queue before a packet is added to it, not after. Packets on
    /// their way to a card are no larger than this (`GSO_MAX_SIZE`).
    const PACKET_BYTES_MAX: u64 = 512 * 1024;
    max.max(USUAL) + PACKET_BYTES_MAX
}

impl Portion {
    /// What is next for `reader` of `len` bytes of `step` that are to be sent.
    pub(super) fn of_step(len: usize, step: &Step, reader: Reader) -> Self {
        // What never changes may be looked up by the kernel as late as it likes.
        if step.span.file.is_sealed() {
            return Self::Referred(len);
        }
        Self::of(len, step.span.len + step.behind, reader)
    }

    /// What is next for `reader` of `len` bytes that are to be sent, of `left` to the body's end.
    fn of(len: usize, left: u64, reader: Reader) -> Self {
        let referable = match reader {
            Reader::Here => 0,
            Reader::Away { queue_bytes } => left.saturating_sub(queue_bytes),
        };
        if referable == 0 {
            return Self::Copied(len.min(COPY_BYTES));
        }
        Self::Referred(usize::try_from(referable).map_or(len, |referable| len.min(referable)))
    }
}

/// Sends at most `portion` of `step`, and takes it off.
///
/// # Errors
///
/// [`ErrorKind::InvalidData`] if the file changed since it was opened, [`ErrorKind::UnexpectedEof`]
/// if it was cut: what was promised in the head can no longer be sent, and the client must see the
/// message broken. Else what the system says.
pub(super) fn poll_send_file(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    step: &mut Step,
    portion: Portion,
) -> Poll<io::Result<usize>> {
    let span = &mut step.span;
    loop {
        ready!(stream.poll_write_ready(cx))?;
        if !span.file.is_unchanged() {
            return Poll::Ready(Err(changed()));
        }
        match stream.try_io(Interest::WRITABLE, || send(stream, span, portion)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            Ok(0) => {
                let error = io::Error::new(ErrorKind::UnexpectedEof, "the file was cut");
                return Poll::Ready(Err(error));
            }
            // The last of it is judged once more: nobody comes after it to notice.
            Ok(bytes) if bytes as u64 == span.len && !span.file.is_unchanged() => {
                return Poll::Ready(Err(changed()));
            }
            Ok(bytes) => {
                span.offset += bytes as u64;
                span.len -= bytes as u64;
                return Poll::Ready(Ok(bytes));
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

fn send(stream: &TcpStream, span: &FileSpan, portion: Portion) -> io::Result<usize> {
    let file = &span.file;
    match portion {
        Portion::Referred(len) => {
            let mut offset = span.offset;
            Ok(rustix::fs::sendfile(stream, &file.file, Some(&mut offset), len)?)
        }
        Portion::Copied(len) => match file.mapping() {
            Some(mapping) => mapping.send(stream, span.offset, len),
            None => send_read(stream, span, len),
        },
    }
}

fn send_read(stream: &TcpStream, span: &FileSpan, len: usize) -> io::Result<usize> {
    READ.with_borrow_mut(|room| {
        room.resize(READ_BYTES, 0);
        let read = span.file.file.read_at(&mut room[..len.min(READ_BYTES)], span.offset)?;
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        Ok(rustix::net::send(stream, &room[..read], flags)?)
    })
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the file changed")
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;
    use crate::{Body, OpenFile, OpenFiles, Stamp};

    const AWAY: Reader = Reader::Away { queue_bytes: 5000 };

    #[test]
    fn what_may_wait_in_a_queue_when_the_last_byte_is_queued_is_copied() {
        check(4000, 4000, AWAY, Portion::Copied(4000));
        check(4000, 5000, AWAY, Portion::Copied(4000));
        check(4000, 5001, AWAY, Portion::Referred(1));
        check(4000, 9000, AWAY, Portion::Referred(4000));
        check(5001, 5001, AWAY, Portion::Referred(1));
        check(4000, 1 << 40, Reader::Here, Portion::Copied(4000));
        check(COPY_BYTES + 1, 1 << 40, Reader::Here, Portion::Copied(COPY_BYTES));
    }

    #[track_caller]
    fn check(len: usize, left: u64, reader: Reader, expect: Portion) {
        assert_eq!(Portion::of(len, left, reader), expect);
    }

    #[test]
    fn a_queue_holds_what_is_configured_and_a_packet() {
        assert_eq!(parse_wmem("4096\t16384\t8388608\n"), Some(8 << 20));
        assert_eq!(parse_wmem("4096 16384"), None);
        assert_eq!(parse_wmem("4096 16384 many"), None);
        assert_eq!(queue_bytes(0), (4 << 20) + (512 << 10));
        assert_eq!(queue_bytes(4 << 20), (4 << 20) + (512 << 10));
        assert_eq!(queue_bytes(8 << 20), (8 << 20) + (512 << 10));
    }

    #[tokio::test]
    async fn who_calls_from_this_host_is_here() {
        for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let Ok(listener) = TcpListener::bind((host, 0)).await else {
                assert_ne!(host, "127.0.0.1");
                continue;
            };
            let (_client, server) = connect(&listener).await;
            assert_eq!(Reader::of(&server), Reader::Here, "{host}");
        }
    }

    #[tokio::test]
    async fn a_step_is_sent_whole_whoever_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bytes: Vec<u8> = (0..1_000_003_u32).flat_map(u32::to_le_bytes).collect();
        for reader in [AWAY, Reader::Away { queue_bytes: 1 << 20 }, Reader::Here] {
            let (mut client, server) = connect(&listener).await;
            let span = FileSpan { file: file(&bytes), offset: 3, len: 3_000_000, hold: None };
            let mut got = Vec::new();
            let sending = send_all(server, Body::empty().step_of(span), reader);
            let ((), read) = tokio::join!(sending, client.read_to_end(&mut got));
            read.unwrap();
            assert!(got == bytes[3..3_000_003], "{reader:?}");
        }
    }

    async fn send_all(to: TcpStream, mut step: Step, reader: Reader) {
        while step.span.len > 0 {
            let left = step.span.len;
            let portion = Portion::of(usize::try_from(left).unwrap(), left, reader);
            let sent = poll_fn(|cx| poll_send_file(&to, cx, &mut step, portion)).await;
            assert!(sent.unwrap() > 0);
        }
    }

    #[tokio::test]
    async fn a_file_without_a_mapping_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut client, server) = connect(&listener).await;
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut span = FileSpan { file: file(&bytes), offset: 100, len: 300_000, hold: None };
        let mut got = vec![0; 300_000];
        for end in [READ_BYTES, 2 * READ_BYTES, 300_000] {
            let sent = send_read(&server, &span, usize::try_from(span.len).unwrap()).unwrap();
            let start = usize::try_from(span.offset).unwrap() - 100;
            assert_eq!(start + sent, end);
            client.read_exact(&mut got[start..end]).await.unwrap();
            span.offset += sent as u64;
            span.len -= sent as u64;
        }
        assert!(got == bytes[100..300_100]);
        span.offset = bytes.len() as u64;
        assert_eq!(send_read(&server, &span, 1).unwrap(), 0, "behind its end");
    }

    async fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let at = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(at), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    fn file(bytes: &[u8]) -> Arc<OpenFile> {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        let stamp = Stamp::of(&file).unwrap();
        OpenFiles::at_most(1).open(file, stamp)
    }
}
