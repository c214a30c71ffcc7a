//! Opening a call, on any transport.

use std::{io, sync::Arc};

use relais_net::{
    DialError, Dialed, DialedDatagrams, Dialer, Endpoint, Scheme, Stream, Timings,
    tls::{CertificateDer, ClientSession, Protocols},
};
use relais_wire::{
    http1::{
        HeadLimits,
        response::{Asked, HeadReader},
    },
    web_socket::{is_accepted, key_of},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Duration, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role as Side, WebSocketConfig},
};

use super::call::{Call, MESSAGE_BYTES_MAX};

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
    /// Who answered: an address, or a path.
    pub peer: String,
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
    #[error("{endpoint} answers {status}: expected 101, which begins a WebSocket")]
    Status {
        /// Who.
        endpoint: Endpoint,
        /// What it answers.
        status: u16,
    },
    /// It answers, and speaks no WebSocket.
    #[error("{endpoint} speaks no WebSocket: {why}")]
    NoWebSocket {
        /// Who.
        endpoint: Endpoint,
        /// Half a sentence.
        why: String,
    },
    /// It takes too long to begin a WebSocket.
    #[error("{endpoint} did not begin a WebSocket within {most:?}")]
    Late {
        /// Who.
        endpoint: Endpoint,
        /// How long it might have taken.
        most: Duration,
    },
    /// The connection broke.
    #[error("the connection to {endpoint} broke while a WebSocket was asked for")]
    Broken {
        /// Who.
        endpoint: Endpoint,
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
pub async fn open(
    dialer: &Dialer,
    target: &Target,
    Upgrade { drawn, most }: Upgrade,
) -> Result<Opened, OpenError> {
    let endpoint = &target.endpoint;
    if endpoint.scheme == Scheme::Udp {
        let DialedDatagrams { socket, address, timings } = dialer.dial_datagrams(endpoint).await?;
        let call = Call::of_datagrams(Arc::new(socket));
        let peer = address.to_string();
        return Ok(Opened { call, peer, session: None, chain: Vec::new(), timings });
    }
    let is_web_socket = matches!(endpoint.scheme, Scheme::Ws | Scheme::Wss);
    let protocols = if is_web_socket { Protocols::Http1 } else { Protocols::Plain };
    let Dialed { stream, session, timings, .. } = dialer.dial(endpoint, protocols).await?;
    let chain = stream.shown_chain().to_vec();
    let address = stream.socket().and_then(|socket| socket.peer_addr().ok());
    let peer = address.map_or_else(|| endpoint.to_string(), |address| address.to_string());
    let call = if is_web_socket {
        let late = |_| OpenError::Late { endpoint: endpoint.clone(), most };
        timeout(most, upgrade(stream, target, drawn)).await.map_err(late)??
    } else {
        Call::of_stream(stream)
    };
    Ok(Opened { call, peer, session, chain, timings })
}

/// Asks for a WebSocket.
async fn upgrade(
    mut stream: Stream,
    Target { endpoint, path }: &Target,
    drawn: [u8; 16],
) -> Result<Call, OpenError> {
    let broken = |source| OpenError::Broken { endpoint: endpoint.clone(), source };
    let no = |why: String| OpenError::NoWebSocket { endpoint: endpoint.clone(), why };
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
                let endpoint = endpoint.clone();
                return Err(OpenError::Status { endpoint, status: head.status });
            }
            Some(head) => break head.len,
        }
        if stream.read_buf(&mut came).await.map_err(broken)? == 0 {
            return Err(no("it hung up".to_owned()));
        }
    };
    if !is_accepted(&came[..length], &key) {
        return Err(no("its answer is to another request".to_owned()));
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let early = came.split_off(length);
    let socket = WebSocketStream::from_partially_read(stream, early, Side::Client, Some(config));
    Ok(Call::of_web_socket(socket.await))
}
