//! The way to a server: straight, or through a proxy.

use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use relais_net::{
    Dialed, Scheme, Stream,
    tls::{CertificateDer, ClientSession, Protocols},
};
use tokio::time::Instant;

use super::{
    AskError, Client, Proxy, Speaks, Timings, Url,
    http1::{self, Tunnelled},
    manner::Passing,
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
    if proxy.endpoint.scheme != Scheme::Http {
        return Err(AskError::ProxyUnderTls);
    }
    let dialed = client.dialer.dial(&proxy.endpoint, Protocols::Http1).await?;
    // HTTP/2 in the clear is nothing that a proxy can be asked to pass on.
    if !url.is_secure() && client.speaks != Speaks::Http2 {
        return Ok(way(dialed, Duration::ZERO, Passing::OnByProxy));
    }
    let begin = Instant::now();
    let through = tunnel(client, proxy, (dialed, url)).await?;
    let took = begin.elapsed();
    if !url.is_secure() {
        return Ok(way(through, took, Passing::Straight));
    }
    let Dialed { stream: Stream::Tcp(plain), peer, timings, .. } = through else {
        return Err(AskError::ProxyUnderTls);
    };
    let reached = (plain, timings);
    let secured = client.dialer.secure(&url.endpoint(), reached, protocols).await?;
    Ok(way(Dialed { peer, ..secured }, took, Passing::Straight))
}

/// Has the proxy call the server (RFC 9110 §9.3.6).
async fn tunnel(
    client: &Client,
    proxy: &Proxy,
    (dialed, url): (Dialed, &Url),
) -> Result<Dialed, AskError> {
    let at = url.host_port();
    let mut head = format!("CONNECT {at} HTTP/1.1\r\nhost: {at}\r\n").into_bytes();
    if let Some(value) = &proxy.authorization {
        crate::upstream::line(&PROXY_AUTHORIZATION, value, &mut head);
    }
    head.extend_from_slice(b"\r\n");
    let Dialed { mut stream, session, peer, timings } = dialed;
    match http1::tunnel(&mut stream, &head, client.limits).await? {
        Tunnelled::Open => Ok(Dialed { stream, session, peer, timings }),
        Tunnelled::Refused(status) => Err(AskError::NoTunnel(status)),
    }
}

fn way(dialed: Dialed, tunnel: Duration, passing: Passing) -> Way {
    let Dialed { stream, session, peer, timings } = dialed;
    let address = stream.socket().and_then(|socket| socket.peer_addr().ok());
    let peer = address.map_or_else(|| format!("{peer:?}"), |address| address.to_string());
    let chain = stream.shown_chain().to_vec();
    let timings = Timings { call: timings, tunnel, first_byte: Duration::ZERO };
    Way { stream, peer, session, chain, timings, passing }
}
