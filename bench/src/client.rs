//! A caller with one connection: checks answers, holds connections open, shakes hands.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpStream},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{AddressFamily, SocketType, bind, socket};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::site::Served;

/// An HTTP/1.1 response, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status line and fields, with the empty line after them.
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Connects to `port` of this machine.
pub(crate) fn connect(port: u16) -> io::Result<TcpStream> {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    patient(TcpStream::connect_timeout(&at, PATIENCE)?)
}

/// The same from `address`, which is of this machine, too: another client than other addresses.
pub(crate) fn connect_from(address: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(address, 0))?;
    rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    patient(socket.into())
}

fn patient(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks for `served` and reads the answer; the connection stays open.
///
/// # Errors
///
/// If anything but status 200 with a body of the file's length comes back.
pub(crate) fn ask(stream: &mut (impl Read + Write), served: Served) -> Result<Answer> {
    let name = served.name();
    let request = format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let head_len = read_head(stream, &mut bytes)?;
    let (length, body) = (length(&bytes[..head_len])?, bytes.split_off(head_len));
    ensure!(length == served.len(), "{name} has {length} bytes: expected {}", served.len());
    let mut answer = Answer { head: bytes, body };
    let begun = answer.body.len();
    ensure!(begun <= length, "{} bytes follow the answer", begun - length);
    answer.body.resize(length, 0);
    stream.read_exact(&mut answer.body[begun..]).context("reading a body")?;
    Ok(answer)
}

/// The status with which `port` answers a request for `target`.
pub(crate) fn status(port: u16, target: &str) -> Result<u16> {
    let mut stream = connect(port)?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let head_len = read_head(&mut stream, &mut bytes)?;
    let head = String::from_utf8_lossy(&bytes[..head_len]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.with_context(|| format!("no status in {head:?}"))
}

fn read_head(stream: &mut impl Read, bytes: &mut Vec<u8>) -> Result<usize> {
    let mut scratch = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut scratch).context("reading a head")?;
        ensure!(read != 0, "closed before the end of a head: {:?}", String::from_utf8_lossy(bytes));
        bytes.extend_from_slice(&scratch[..read]);
        if let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") {
            return Ok(end + 4);
        }
    }
}

fn length(head: &[u8]) -> Result<usize> {
    let text = String::from_utf8_lossy(head);
    ensure!(text.starts_with("HTTP/1.1 200 "), "not status 200: {text:?}");
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return value.trim().parse().with_context(|| format!("bad length in {text:?}"));
        }
    }
    bail!("no content-length in {text:?}")
}

/// How every handshake of ours is done: TLS 1.3 with X25519 and AES-128-GCM alone, never resumed,
/// believing any certificate (whether a server is who it says costs the client, and is not asked).
pub(crate) fn tls_config() -> Result<Arc<ClientConfig>> {
    let provider = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Believing))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A TLS connection, its handshake done on the first read or write.
pub(crate) fn wrap(
    stream: TcpStream,
    config: &Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("localhost")?;
    Ok(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, stream))
}

/// One full handshake with `port`, until the server has closed: its side is then done, too, the
/// sending of tickets included.
pub(crate) fn shake_hands(port: u16, config: &Arc<ClientConfig>) -> Result<()> {
    let mut tls = wrap(connect(port).context("connecting")?, config)?;
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).context("shaking hands")?;
    }
    tls.conn.send_close_notify();
    tls.conn.complete_io(&mut tls.sock).context("closing")?;
    tls.sock.shutdown(Shutdown::Write).context("closing")?;
    let mut scratch = [0; 4096];
    while tls.sock.read(&mut scratch).context("waiting for the server to close")? != 0 {}
    Ok(())
}

#[derive(Debug)]
struct Believing;

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_of_the_right_length_counts() {
        let body = "x".repeat(1024);
        check(&format!("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n{body}"), "");
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "1k.bin has 3 bytes");
        check("HTTP/1.1 404 Not Found\r\nContent-Length: 1024\r\n\r\n", "not status 200");
        check("HTTP/1.1 200 OK\r\n\r\n", "no content-length");
        check("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\nabc", "reading a body");
        check("HTTP/1.1 200 OK\r\n", "closed before the end of a head");
    }

    #[track_caller]
    fn check(answer: &str, expect: &str) {
        let error = ask(&mut Canned(answer.as_bytes()), Served::Small).err();
        let error = error.map_or(String::new(), |error| error.to_string());
        assert!(error.starts_with(expect) && error.is_empty() == expect.is_empty(), "{error:?}");
    }

    struct Canned<'a>(&'a [u8]);

    impl Read for Canned<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Canned<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
