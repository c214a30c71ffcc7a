//! The way to a server: straight, or through a proxy.

use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use relais_net::{
    Dialed, Stream,
    tls::{CertificateDer, ClientSession, Protocols},
};
use tokio::time::{Instant, timeout};

use super::{
    AskError, Client, Limits, Proxy, ProxySpeaks, Speaks, Timings, Url,
    http1::{self, Tunnelled},
    manner::Passing,
    socks5,
};

/// A way that is open.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) stream: Stream,
    pub(super) peer: String,
    pub(super) session: Option<ClientSession>,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) timings: Timings,
    pub(super) passing: Passing,
}

/// Opens the way to the server of `url`.
pub(super) async fn connect(client: &Client, url: &Url) -> Result<Way, AskError> {
    let protocols = match client.speaks {
        Speaks::Http1 => Protocols::Http1,
        Speaks::Agreed | Speaks::Http2 => Protocols::Http,
    };
    let Some(proxy) = &client.proxy else {
        let dialed = client.dialer.dial(&url.endpoint(), protocols).await?;
        return Ok(way(dialed, Duration::ZERO, Passing::Straight));
    };
    let dialed = client.dialer.dial(&proxy.endpoint, Protocols::Http1).await?;
    // HTTP/2 in the clear is nothing that a proxy can be asked to pass on.
    let by_url = proxy.speaks == ProxySpeaks::Http && client.speaks != Speaks::Http2;
    if !url.is_secure() && by_url {
        return Ok(way(dialed, Duration::ZERO, Passing::OnByProxy));
    }
    let begin = Instant::now();
    let through = match proxy.speaks {
        ProxySpeaks::Http => tunnel(client, proxy, (dialed, url)).await,
        ProxySpeaks::Socks5 => socks(client, proxy, (dialed, url)).await,
    };
    let through =
        through.map_err(|error| proxy.blame(format!("to call {}", url.host_port()), error))?;
    let took = begin.elapsed();
    if !url.is_secure() {
        // What was agreed on with the proxy is not the server's.
        return Ok(way(Dialed { session: None, ..through }, took, Passing::Straight));
    }
    let peer = through.peer;
    let secured = client.dialer.secure(&url.endpoint(), through, protocols).await?;
    Ok(way(Dialed { peer, ..secured }, took, Passing::Straight))
}

/// Has a proxy of SOCKS call the server.
async fn socks(
    client: &Client,
    proxy: &Proxy,
    (mut dialed, url): (Dialed, &Url),
) -> Result<Dialed, AskError> {
    let Limits { silence_max, greeting_max, .. } = client.limits;
    let greeting_max = greeting_max.min(silence_max);
    let asking = socks5::ask(&mut dialed.stream, url, (proxy.user.as_ref(), greeting_max));
    timeout(silence_max, asking).await.map_err(|_| AskError::Late(silence_max))??;
    Ok(dialed)
}

/// Has the proxy call the server (RFC 9110 §9.3.6).
async fn tunnel(
    client: &Client,
    proxy: &Proxy,
    (dialed, url): (Dialed, &Url),
) -> Result<Dialed, AskError> {
    let at = url.host_port();
    let mut head = format!("CONNECT {at} HTTP/1.1\r\nhost: {at}\r\n").into_bytes();
    if let Some(value) = proxy.authorization() {
        crate::upstream::line(&PROXY_AUTHORIZATION, &value, &mut head);
    }
    head.extend_from_slice(b"\r\n");
    let Dialed { mut stream, session, peer, timings } = dialed;
    match http1::tunnel(&mut stream, &head, client.limits).await? {
        Tunnelled::Open => Ok(Dialed { stream, session, peer, timings }),
        Tunnelled::Refused(status) => Err(AskError::NoTunnel(status)),
    }
}

/// The way that `dialed` opened; to the server itself if there is a session.
fn way(dialed: Dialed, tunnel: Duration, passing: Passing) -> Way {
    let Dialed { stream, session, peer, timings } = dialed;
    let address = stream.socket().and_then(|socket| socket.peer_addr().ok());
    let peer = address.map_or_else(|| format!("{peer:?}"), |address| address.to_string());
    // What was agreed on with a proxy is not the server's.
    let session = session.filter(|_| passing == Passing::Straight);
    let chain = if session.is_some() { stream.shown_chain().to_vec() } else { Vec::new() };
    let timings = Timings { call: timings, tunnel, first_byte: Duration::ZERO };
    Way { stream, peer, session, chain, timings, passing }
}

#[cfg(test)]
mod tests {
    use relais_net::{
        Peer,
        tls::{Handshake, Protocol, Version},
    };

    use super::*;

    #[tokio::test]
    async fn what_was_agreed_on_with_a_proxy_is_not_the_servers() {
        let session = ClientSession {
            protocol: Protocol::Http1,
            version: Version::Tls13,
            cipher: "",
            handshake: Handshake::Full,
        };
        for (passing, expect) in [(Passing::Straight, true), (Passing::OnByProxy, false)] {
            let (stream, _other) = tokio::io::duplex(1);
            let dialed = Dialed {
                stream: Stream::Memory(stream),
                session: Some(session),
                peer: Peer::Local,
                timings: relais_net::Timings::default(),
            };
            let way = way(dialed, Duration::ZERO, passing);
            assert_eq!(way.session.is_some(), expect, "{passing:?}");
        }
    }
}
