//! Opening a call, on any transport.

use std::{io, sync::Arc};

use relais_net::{
    DialError, Dialed, DialedDatagrams, Dialer, Endpoint, Scheme, Stream, Timings,
    tls::{CertificateDer, ClientSession, Protocols},
};
use tokio::time::{Duration, timeout};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{self, handshake::client::generate_key, http, protocol::WebSocketConfig},
};

use super::call::{Call, MESSAGE_BYTES_MAX};

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

/// Calls `target`. A WebSocket has `upgrade_max` to begin (RFC 6455 §4.1).
///
/// Cancel safe: a call given up is hung up.
///
/// # Errors
///
/// [`OpenError`]
pub async fn open(
    dialer: &Dialer,
    target: &Target,
    upgrade_max: Duration,
) -> Result<Opened, OpenError> {
    let Target { endpoint, path } = target;
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
        let upgrading = upgrade(stream, endpoint, path);
        timeout(upgrade_max, upgrading)
            .await
            .map_err(|_| OpenError::Late { endpoint: endpoint.clone(), most: upgrade_max })??
    } else {
        Call::of_stream(stream)
    };
    Ok(Opened { call, peer, session, chain, timings })
}

/// Asks for a WebSocket. The head of the answer is bounded by tungstenite, at 64 KiB.
async fn upgrade(stream: Stream, endpoint: &Endpoint, path: &str) -> Result<Call, OpenError> {
    let at = endpoint.host_port().map(ToString::to_string).unwrap_or_default();
    let scheme = if endpoint.scheme.is_secure() { "wss" } else { "ws" };
    let no = |why: String| OpenError::NoWebSocket { endpoint: endpoint.clone(), why };
    let request = http::Request::builder()
        .uri(format!("{scheme}://{at}{path}"))
        .header("Host", &at)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|error| no(error.to_string()))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((web_socket, _)) => Ok(Call::of_web_socket(web_socket)),
        Err(tungstenite::Error::Http(answer)) => {
            let status = answer.status().as_u16();
            Err(OpenError::Status { endpoint: endpoint.clone(), status })
        }
        Err(tungstenite::Error::Io(source)) => {
            Err(OpenError::Broken { endpoint: endpoint.clone(), source })
        }
        Err(error) => Err(no(error.to_string().escape_debug().to_string())),
    }
}
