//! Opening a call, on any transport.

use std::{io, sync::Arc};

use relais_net::{
    Callee, DialError, Dialed, DialedDatagrams, Dialer, Endpoint, Scheme, Stream, Timings,
    tls::{CertificateDer, ClientSession, Protocols},
};
use relais_wire::{
    http1::{
        HeadLimits,
        response::{Asked, HeadReader},
    },
    web_socket::{judge_answer, key_of},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Duration, timeout},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role as Side};

use super::call::{Call, MESSAGE_BYTES_MAX};
use crate::frames::of_client;

/// How large the head of an answer to who asks for a WebSocket may be.
const HEAD: HeadLimits =
    HeadLimits { head_bytes_max: 16 << 10, line_bytes_max: 8 << 10, fields_max: 100 };

/// How a WebSocket is asked for (RFC 6455 §4.1).
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    /// 16 bytes, drawn at random for each: what answers them was made for this request.
    pub drawn: [u8; 16],
    /// How long the answer may take.
    pub most: Duration,
}

/// Whom to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is, and what is spoken there.
    pub endpoint: Endpoint,
    /// What a WebSocket is asked for: a path, perhaps with a query. Of other transports `/`.
    pub path: String,
}

/// A call that was answered.
#[derive(Debug)]
pub struct Opened {
    /// What is talked through.
    pub call: Call,
    /// Who answered, and at which of its addresses.
    pub callee: Callee,
    /// What TLS agreed on, where there is TLS.
    pub session: Option<ClientSession>,
    /// The certificates that the other side showed, its own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// How long it took.
    pub timings: Timings,
}

/// Why a call was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answered, or nobody who is believed.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It answers, and will not have a WebSocket.
    #[error("{callee} answers {status}: expected 101, which begins a WebSocket")]
    Status {
        /// Who.
        callee: Callee,
        /// What it answers.
        status: u16,
    },
    /// It answers, and speaks no WebSocket.
    #[error("{callee} speaks no WebSocket: {why}")]
    NoWebSocket {
        /// Who.
        callee: Callee,
        /// Half a sentence.
        why: String,
    },
    /// It takes too long to begin a WebSocket.
    #[error("{callee} did not begin a WebSocket within {most:?}")]
    Late {
        /// Who.
        callee: Callee,
        /// How long it might have taken.
        most: Duration,
    },
    /// The connection broke.
    #[error("the connection to {callee} broke while a WebSocket was asked for")]
    Broken {
        /// Who.
        callee: Callee,
        /// What the system says.
        source: io::Error,
    },
}

/// Calls `target`, and has a WebSocket begin where it is one.
///
/// Cancel safe: a call given up is hung up.
///
/// # Errors
///
/// [`OpenError`]
pub async fn open(dialer: &Dialer, target: &Target, asking: Upgrade) -> Result<Opened, OpenError> {
    let endpoint = &target.endpoint;
    if endpoint.scheme == Scheme::Udp {
        let DialedDatagrams { socket, address, timings } = dialer.dial_datagrams(endpoint).await?;
        let call = Call::of_datagrams(Arc::new(socket));
        let callee = Callee { endpoint: endpoint.clone(), address: Some(address) };
        return Ok(Opened { call, callee, session: None, chain: Vec::new(), timings });
    }
    let is_web_socket = matches!(endpoint.scheme, Scheme::Ws | Scheme::Wss);
    let protocols = if is_web_socket { Protocols::Http1 } else { Protocols::Plain };
    let Dialed { stream, session, timings, .. } = dialer.dial(endpoint, protocols).await?;
    let chain = stream.shown_chain().to_vec();
    let address = stream.socket().and_then(|socket| socket.peer_addr().ok());
    let callee = Callee { endpoint: endpoint.clone(), address };
    let call = if is_web_socket {
        upgrade(stream, (target, &callee), asking).await?
    } else {
        Call::of_stream(stream)
    };
    Ok(Opened { call, callee, session, chain, timings })
}

/// Asks for a WebSocket, and gives up in time.
async fn upgrade(
    stream: Stream,
    (target, callee): (&Target, &Callee),
    Upgrade { drawn, most }: Upgrade,
) -> Result<Call, OpenError> {
    let late = |_| OpenError::Late { callee: callee.clone(), most };
    timeout(most, ask(stream, (target, callee), drawn)).await.map_err(late)?
}

async fn ask(
    mut stream: Stream,
    (Target { endpoint, path }, callee): (&Target, &Callee),
    drawn: [u8; 16],
) -> Result<Call, OpenError> {
    let broken = |source| OpenError::Broken { callee: callee.clone(), source };
    let no = |why: String| OpenError::NoWebSocket { callee: callee.clone(), why };
    let key = key_of(drawn);
    let at = endpoint.host_port().map(ToString::to_string).unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let (mut came, mut reader) = (Vec::new(), HeadReader::new(HEAD));
    let length = loop {
        let head = reader.read(&came, Asked::Upgrade).map_err(|bad| no(bad.to_string()))?;
        match head {
            None => {}
            Some(head) if head.status != 101 => {
                let callee = callee.clone();
                return Err(OpenError::Status { callee, status: head.status });
            }
            Some(head) => break head.len,
        }
        if stream.read_buf(&mut came).await.map_err(broken)? == 0 {
            return Err(no("it hung up".to_owned()));
        }
    };
    judge_answer(&came[..length], &key).map_err(|why| no(why.to_string()))?;
    let config = of_client(MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
    let early = came.split_off(length);
    let socket = WebSocketStream::from_partially_read(stream, early, Side::Client, Some(config));
    Ok(Call::of_web_socket(socket.await))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;
    use crate::send::{
        Asked as Answer, Ended, Manner, OnceAnswered, OnceEnded, Patience, Told, Turns,
    };

    const DRAWN: [u8; 16] = *b"the sample nonce";
    const OPENS: &str = "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// Opens a WebSocket at a server that answers this, and then says nothing.
    async fn opened(answer: &[u8]) -> Result<Call, String> {
        let (ours, mut theirs) = duplex(1 << 20);
        let answer = answer.to_vec();
        tokio::spawn(async move {
            _ = theirs.write_all(&answer).await;
            while theirs.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        });
        let endpoint: Endpoint = "ws://127.0.0.1:1".parse().unwrap();
        let callee = Callee { endpoint: endpoint.clone(), address: None };
        let target = Target { endpoint: endpoint.clone(), path: "/".to_owned() };
        let asking = Upgrade { drawn: DRAWN, most: Duration::from_millis(200) };
        let opened = upgrade(Stream::Memory(ours), (&target, &callee), asking).await;
        opened.map_err(|error| error.to_string().replace(&endpoint.to_string(), "it"))
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_begin_a_web_socket_is_told_and_bounded() {
        let check = async |answer: &str, expect: &str| {
            assert_eq!(opened(answer.as_bytes()).await.unwrap_err(), expect);
        };
        check("", "it did not begin a WebSocket within 200ms").await;
        check("HTTP/1.1 101 x\r\n", "it did not begin a WebSocket within 200ms").await;
        let status = "it answers 403: expected 101, which begins a WebSocket";
        check("HTTP/1.1 403 No\r\n\r\n", status).await;
        let other = "it speaks no WebSocket: its answer is to another request";
        check("HTTP/1.1 101 x\r\n\r\n", other).await;
        let other = "it speaks no WebSocket: its answer has no `Upgrade: websocket`";
        check(&OPENS.replace("websocket", "h2c"), other).await;
        let many = format!("HTTP/1.1 101 x\r\n{}", "a: b\r\n".repeat(100_000));
        let error = opened(many.as_bytes()).await.unwrap_err();
        assert!(error.starts_with("it speaks no WebSocket: "), "{error}");
        let long = format!("HTTP/1.1 101 x\r\na: {}", "b".repeat(100_000));
        let error = opened(long.as_bytes()).await.unwrap_err();
        assert!(error.starts_with("it speaks no WebSocket: "), "{error}");
    }

    /// What comes of a message if behind the head of its answer there are these bytes.
    async fn ask(frames: &[u8]) -> (Vec<u8>, Result<Answer, String>) {
        let mut call = opened(&[OPENS.as_bytes(), frames].concat()).await.unwrap();
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| {
            heard.extend_from_slice(bytes);
            std::ops::ControlFlow::Break(())
        };
        let wait = Duration::from_millis(200);
        let asked =
            call.ask(b"x", Patience { first: wait, next: wait, stall: wait }, &mut hear).await;
        (heard, asked.map_err(|error| error.to_string()))
    }

    /// How a dialogue ends in which three messages are said, if behind the head there are these bytes.
    async fn hold(frames: &[u8]) -> String {
        let call = opened(&[OPENS.as_bytes(), frames].concat()).await.unwrap();
        let (sender, mut input) = tokio::sync::mpsc::channel(3);
        for _ in 0..3 {
            sender.try_send(bytes::Bytes::from_static(b"x")).unwrap();
        }
        drop(sender);
        let manner = Manner {
            turns: Turns::EachAnswered,
            wait: Duration::from_millis(200),
            once_ended: OnceEnded::SaysOn,
            once_answered: OnceAnswered::HangsUp,
        };
        let mut audience = |_: Told<'_>| std::ops::ControlFlow::Continue(());
        match call.hold(&mut input, manner, &mut audience).await.unwrap() {
            Ended::Unsaid(Some(goodbye)) => format!("unsaid: {goodbye}"),
            ended => format!("{ended:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_closes_a_web_socket_before_all_was_said_is_told_to_have() {
        assert_eq!(hold(b"\x81\x00\x81\x00\x81\x00").await, "AllAnswered");
        assert_eq!(hold(b"\x81\x00\x88\x02\x03\xf1").await, "unsaid: code 1009");
        assert_eq!(hold(b"\x88\x02\x03\xe8").await, "unsaid: code 1000");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_with_the_head_is_heard_and_what_is_too_long_is_not() {
        assert_eq!(ask(b"\x81\x02ok").await, (b"ok".to_vec(), Ok(Answer::Answered)));
        for (frame, word) in [(&b"\x88\x00"[..], "no code"), (b"\x88\x02\x03\xe8", "code 1000")] {
            let (heard, asked) = ask(frame).await;
            let Ok(Answer::Ended(Some(goodbye))) = asked else { panic!("{asked:?}") };
            assert_eq!((heard, goodbye.to_string().as_str()), (Vec::new(), word));
        }
        let (_, asked) = ask(b"\x88\x06\x03\xf1long").await;
        let Ok(Answer::Refused(goodbye)) = asked else { panic!("{asked:?}") };
        assert_eq!(goodbye.to_string(), "code 1009, \"long\"");
        let length = (MESSAGE_BYTES_MAX as u64 + 1).to_be_bytes();
        let (heard, asked) = ask(&[b"\x82\x7f", &length[..], b"begin"].concat()).await;
        assert!(heard.is_empty() && asked.unwrap_err().contains("too long"));
    }
}
