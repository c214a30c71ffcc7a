//! What carries a session: lines there and back over a stream, or messages of a `WebSocket`. A session
//! knows no more of it than is said here.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use relais_net::Stream;

use super::{
    End, Way,
    carrier::Carrier,
    heard::Heard,
    lines::{Line, Lines},
    web_socket::WebSocket,
};
use crate::{counts::Doorway, limits::Limits, wire::Wire};

/// What carries a session.
#[derive(Debug)]
pub(crate) enum Link {
    /// Lines over a stream, in the dialect that their first byte tells.
    Lines(Arc<Wire>, Lines),
    /// Frames of JSON, each a message of a `WebSocket`. Boxed: most sessions are none.
    WebSocket(Box<WebSocket>),
    /// Frames of JSON, each a datagram.
    Datagrams(Box<Carrier>),
}

impl Link {
    /// Lines over `stream`, each of at most so many bytes.
    pub(crate) fn lines(stream: Stream, bytes_max: usize) -> Self {
        Self::Lines(Wire::new(stream), Lines::new(bytes_max))
    }

    /// Messages of a `WebSocket` on `stream`, of which `early` came behind its opening; each of at most
    /// so many bytes.
    pub(crate) async fn web_socket(stream: Stream, early: Bytes, bytes_max: usize) -> Self {
        Self::WebSocket(Box::new(WebSocket::new(stream, early, bytes_max).await))
    }

    /// On what it may be told frames while its session waits, just as they are.
    pub(super) fn wire(&self) -> Option<Arc<Wire>> {
        match self {
            Self::Lines(wire, _) => Some(Arc::clone(wire)),
            Self::WebSocket(_) | Self::Datagrams(_) => None,
        }
    }

    /// By which way a client is here that came in that `way`.
    pub(super) fn doorway(&self, way: Way) -> Doorway {
        match self {
            Self::Lines(..) if way.peer.ip().is_none() => Doorway::Unix,
            Self::Lines(..) if way.is_private => Doorway::Tls,
            Self::Lines(..) => Doorway::Tcp,
            Self::WebSocket(_) => Doorway::WebSocket,
            Self::Datagrams(_) => Doorway::Udp,
        }
    }

    /// Waits for what the client says.
    ///
    /// # Errors
    ///
    /// What the system says: the client is gone.
    pub(super) fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        match self {
            Self::Lines(wire, lines) => {
                let bytes = ready!(lines.poll_read(cx, wire))?;
                Poll::Ready(Ok(if bytes == 0 { Heard::End } else { Heard::Bytes(bytes) }))
            }
            Self::WebSocket(socket) => socket.poll_hear(cx),
            Self::Datagrams(carrier) => carrier.poll_hear(cx),
        }
    }

    /// What the first byte is that came and was not heard, where it tells the dialect.
    pub(super) fn first_byte(&self) -> Option<u8> {
        match self {
            Self::Lines(_, lines) => lines.first_byte(),
            Self::WebSocket(_) | Self::Datagrams(_) => None,
        }
    }

    /// The next line or frame that came, if it is whole, or too long.
    pub(super) fn next(&mut self) -> Option<Line> {
        match self {
            Self::Lines(_, lines) => lines.next(),
            Self::WebSocket(socket) => socket.next(),
            Self::Datagrams(carrier) => carrier.next(),
        }
    }

    /// Tells `lines`, each with its end, and takes off their front what was told: to be asked again
    /// with what is left of them. All of them are on their way once it is ready.
    ///
    /// # Errors
    ///
    /// What the system says: the client is gone.
    pub(super) fn poll_tell(
        &mut self,
        cx: &mut Context<'_>,
        lines: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Lines(wire, _) => wire.poll_tell(cx, lines),
            Self::WebSocket(socket) => socket.poll_tell(cx, lines),
            Self::Datagrams(carrier) => carrier.poll_tell(cx, lines),
        }
    }

    /// Whether others began to tell something of which the rest is yet to be told: before all else, or with
    /// nothing.
    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Lines(wire, _) => wire.has_begun(),
            Self::WebSocket(_) | Self::Datagrams(_) => false,
        }
    }

    /// From here on the client may be silent for as long as it likes, if it is there: that is asked
    /// now and then.
    pub(super) fn keep_alive(&mut self, limits: &Limits) {
        match self {
            // Where the system does not, there is nothing to be done.
            Self::Lines(wire, _) => {
                let alive =
                    |stream: &Stream| stream.keep_alive(limits.asked_after, limits.gone_after);
                _ = wire.with(alive);
            }
            Self::WebSocket(socket) => socket.keep_alive(limits),
            // It has to say something now and then from the first on.
            Self::Datagrams(_) => {}
        }
    }

    /// Ends it so that what was told last is heard, and how it is over, if there is a word for that.
    /// Takes a moment at most.
    pub(super) async fn linger(&mut self, end: &End) {
        match self {
            Self::Lines(wire, _) => {
                if let Some(mut stream) = wire.take() {
                    stream.linger().await;
                }
            }
            // Boxed for the size of every connection's task.
            Self::WebSocket(socket) => Box::pin(socket.close(end)).await,
            Self::Datagrams(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use relais_net::Peer;
    use relais_tap::By;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn by_which_way_somebody_came_the_link_and_the_peer_tell() {
        let far = Peer::Net(([192, 0, 2, 1], 1).into());
        let check = |peer, is_private, expect| {
            let link = Link::lines(Stream::Memory(duplex(1).1), 8);
            let way = Way { peer, is_private, certificate: None };
            assert_eq!(link.doorway(way), expect);
        };
        check(far, false, Doorway::Tcp);
        check(far, true, Doorway::Tls);
        check(Peer::Local, false, Doorway::Unix);
        let socket = Link::web_socket(Stream::Memory(duplex(1).1), Bytes::new(), 8).await;
        let way = Way { peer: far, is_private: true, certificate: None };
        assert_eq!(socket.doorway(way), Doorway::WebSocket);
    }

    #[tokio::test]
    async fn what_comes_is_heard_line_by_line_to_its_end() {
        let (mut client, stream) = duplex(64);
        let mut link = Link::lines(Stream::Memory(stream), 8);
        client.write_all(b"a\nb").await.unwrap();
        assert_eq!(poll_fn(|cx| link.poll_hear(cx)).await.unwrap(), Heard::Bytes(3));
        assert_eq!(link.first_byte(), Some(b'a'));
        assert_eq!((link.next(), link.next()), (Some(Line::Whole(b"a".to_vec())), None));
        drop(client);
        assert_eq!(poll_fn(|cx| link.poll_hear(cx)).await.unwrap(), Heard::End);
    }

    #[tokio::test]
    async fn what_does_not_fit_at_once_is_told_in_parts() {
        let (mut client, stream) = duplex(4);
        let mut link = Link::lines(Stream::Memory(stream), 8);
        let telling = async {
            let mut lines: &[u8] = b"one\ntwo\nthree\n";
            poll_fn(|cx| link.poll_tell(cx, &mut lines)).await.unwrap();
            link.linger(&(By::Relais, "over".into())).await;
        };
        let mut heard = String::new();
        let hearing = async {
            client.read_to_string(&mut heard).await.unwrap();
            drop(client);
        };
        tokio::join!(telling, hearing);
        assert_eq!(heard, "one\ntwo\nthree\n");
    }

    #[tokio::test]
    async fn who_is_gone_is_told_nothing() {
        let (client, stream) = duplex(4);
        let mut link = Link::lines(Stream::Memory(stream), 8);
        drop(client);
        let mut lines: &[u8] = b"one\n";
        assert!(poll_fn(|cx| link.poll_tell(cx, &mut lines)).await.is_err());
    }
}
