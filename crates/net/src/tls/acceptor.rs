//! The server's side of a handshake.

use std::{fmt, io, sync::Arc};

use aws_lc_rs::digest;
use rustls::{
    RootCertStore, ServerConfig,
    server::{
        ServerConnection, VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier,
    },
};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Certified, Resumption, Session, certified::Choice, provider, resumption::Scope};

/// How much a connection holds for a caller that is slow to read, before a write waits.
///
/// rustls' own limit is twice that and sends no faster: 4 GiB over loopback took 0.7 to 0.9 s of CPU
/// with 32 and with 64 KiB, and 1.2 to 1.4 with 16.
const UNSENT_BYTES_MAX: usize = 32 << 10;

/// What a listener offers to those who call.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Whom we can prove to be, chosen by the name a caller asks for. The first is shown to those
    /// who ask for none, or for one that nobody has.
    pub certified: Vec<Certified>,
    /// What can be spoken inside.
    pub protocols: Protocols,
    /// If given, only callers may enter whose certificate one of these has signed.
    pub caller_authorities: Option<Vec<CertificateDer<'static>>>,
    /// The memory of earlier sessions; the same for all of a process.
    pub resumption: Resumption,
}

/// What is spoken inside TLS, as offered by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// `h2`, then `http/1.1`. Who asks only for others is refused, who asks for none is let in.
    Http,
    /// Bytes. Nothing is asked and nothing said.
    Plain,
}

/// Why an offer cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// There is nothing to prove who we are.
    #[error("no certificate: expected one or more")]
    NoCertificate,
    /// Nobody could enter.
    #[error("no authority for the callers' certificates: expected one or more")]
    NoAuthority,
    /// What should vouch for callers is no certificate of an authority.
    #[error("authority {nth} for the callers' certificates cannot be used")]
    BadAuthority {
        /// Which of them, from 1.
        nth: usize,
        /// Why not.
        source: rustls::Error,
    },
    /// rustls won't have the authorities.
    #[error("the authorities for the callers' certificates cannot be used")]
    BadAuthorities(#[from] VerifierBuilderError),
}

/// Shakes hands with callers: TLS 1.2 and 1.3, as Mozilla's "intermediate" profile has it.
///
/// Nothing is sent before a caller is known, and nothing early is taken (0-RTT), since it can be
/// sent again by others. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    choice: Arc<Choice>,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Makes an offer ready.
    ///
    /// # Errors
    ///
    /// Why it cannot be made.
    pub fn new(offer: &Offer) -> Result<Self, OfferError> {
        let choice = Arc::new(Choice::of(&offer.certified).ok_or(OfferError::NoCertificate)?);
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions");
        let builder = match &offer.caller_authorities {
            Some(authorities) => builder.with_client_cert_verifier(demanding(authorities)?),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::<Choice>::clone(&choice));
        let sessions = offer.resumption.within(scope(offer));
        config.session_storage = Arc::clone(&sessions) as _;
        config.ticketer = sessions;
        config.alpn_protocols = offer.protocols.names();
        // Also rustls' defaults, which may change.
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.max_fragment_size = None;
        Ok(Self { tls: TlsAcceptor::from(Arc::new(config)), choice })
    }

    /// Shakes hands with a caller, for as long as that takes: a deadline is the caller of this
    /// function's to set, by dropping the future. What a caller can make us hold meanwhile is
    /// about 64 KiB, the longest message of a handshake.
    ///
    /// Cancel safe: no; `plain` is gone with the future.
    ///
    /// # Errors
    ///
    /// What the handshake or the system says.
    pub async fn accept<IO>(&self, plain: IO) -> io::Result<(TlsStream<IO>, Session)>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let limit = |tls: &mut ServerConnection| tls.set_buffer_limit(Some(UNSENT_BYTES_MAX));
        let stream = self.tls.accept_with(plain, limit).await?;
        let session = Session::of(stream.get_ref().1, |name| self.choice.name(name));
        Ok((stream, session))
    }
}

impl Protocols {
    pub(super) fn names(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Plain => Vec::new(),
        }
    }
}

/// Lets in only those whose certificate one of `authorities` has signed.
fn demanding(
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<dyn ClientCertVerifier>, OfferError> {
    let mut roots = RootCertStore::empty();
    for (index, authority) in authorities.iter().enumerate() {
        roots
            .add(authority.clone())
            .map_err(|source| OfferError::BadAuthority { nth: index + 1, source })?;
    }
    if roots.is_empty() {
        return Err(OfferError::NoAuthority);
    }
    let provider = Arc::clone(provider());
    Ok(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
}

/// What an offer must share with another for sessions to pass between them. Not the certificates
/// themselves, or their renewal would end all sessions.
fn scope(offer: &Offer) -> Scope {
    let mut names: Vec<_> = offer.certified.iter().flat_map(Certified::names).collect();
    names.sort_unstable();
    let mut digest = digest::Context::new(&digest::SHA256);
    // Each part with its length before it, so that no two lists read the same.
    let mut part = |bytes: &[u8]| {
        digest.update(&bytes.len().to_be_bytes());
        digest.update(bytes);
    };
    let protocols = offer.protocols.names();
    let authorities = offer.caller_authorities.as_deref();
    part(&protocols.len().to_be_bytes());
    part(&names.len().to_be_bytes());
    part(&[u8::from(authorities.is_some())]);
    let protocols = protocols.iter().map(Vec::as_slice);
    let names = names.iter().map(|name| name.as_bytes());
    let authorities = authorities.unwrap_or_default().iter().map(AsRef::as_ref);
    for bytes in protocols.chain(names).chain(authorities) {
        part(bytes);
    }
    digest.finish().as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    use rustls::{
        ClientConfig, ClientConnection, SupportedProtocolVersion,
        client::{Resumption as Remembered, Tls12Resumption},
        version::{TLS12, TLS13},
    };
    use rustls_pki_types::{PrivateKeyDer, ServerName};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        net::TcpStream,
        time::timeout,
    };
    use tokio_rustls::TlsConnector;

    use super::super::{Handshake, Protocol, Version, certified};
    use super::*;

    fn offer(certified: &[Certified]) -> Offer {
        Offer {
            certified: certified.to_vec(),
            protocols: Protocols::Http,
            caller_authorities: None,
            resumption: Resumption::new().unwrap(),
        }
    }

    /// A client that trusts `certified`, and presents `own` if there is one.
    struct Client<'a> {
        trusted: &'a [Certified],
        versions: &'a [&'static SupportedProtocolVersion],
        alpn: &'a [&'a str],
        own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        remembered: Remembered,
    }

    impl<'a> Client<'a> {
        fn of(trusted: &'a [Certified]) -> Self {
            Self {
                trusted,
                versions: rustls::ALL_VERSIONS,
                alpn: &["h2"],
                own: None,
                remembered: Remembered::in_memory_sessions(8),
            }
        }

        fn ready(self) -> Arc<ClientConfig> {
            let mut roots = RootCertStore::empty();
            for certified in self.trusted {
                roots.add(certified.chain()[0].clone()).unwrap();
            }
            let builder = ClientConfig::builder_with_provider(Arc::clone(provider()))
                .with_protocol_versions(self.versions)
                .unwrap()
                .with_root_certificates(roots);
            let mut config = match self.own {
                Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
                None => builder.with_no_client_auth(),
            };
            config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
            config.resumption = self.remembered;
            Arc::new(config)
        }
    }

    /// Shakes hands over a pipe and passes a byte each way; the session and the certificate shown.
    async fn shake(
        acceptor: &Acceptor,
        client: &Arc<ClientConfig>,
        name: &str,
    ) -> io::Result<(Session, CertificateDer<'static>)> {
        let (ours, theirs) = duplex(1 << 16);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let server = async {
            let (mut stream, session) = acceptor.accept(ours).await?;
            stream.write_all(b"x").await?;
            stream.read_u8().await?;
            io::Result::Ok(session)
        };
        let client = async {
            let connector = TlsConnector::from(Arc::clone(client));
            let mut stream = connector.connect(name, theirs).await?;
            // Reads the tickets, too.
            stream.read_u8().await?;
            stream.write_all(b"y").await?;
            stream.flush().await?;
            let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
            io::Result::Ok(shown)
        };
        let (session, shown) = tokio::join!(server, client);
        Ok((session?, shown?))
    }

    #[tokio::test]
    async fn the_certificate_shown_is_the_one_for_the_name() {
        let offered =
            [certified(&["a.example"]), certified(&["b.example"]), certified(&["*.c.example"])];
        let acceptor = Acceptor::new(&offer(&offered)).unwrap();
        let client = Client::of(&offered).ready();
        for (name, expect) in [("a.example", 0), ("B.example", 1), ("x.c.example", 2)] {
            let (session, shown) = shake(&acceptor, &client, name).await.unwrap();
            assert_eq!(&shown, &offered[expect].chain()[0]);
            assert_eq!(session.server_name.as_deref(), Some(name.to_lowercase().as_str()));
        }
    }

    #[tokio::test]
    async fn a_caller_without_a_name_is_shown_the_first() {
        let offered = [certified(&["192.0.2.1"]), certified(&["b.example"])];
        let acceptor = Acceptor::new(&offer(&offered)).unwrap();
        let client = Client::of(&offered).ready();
        let (session, _) = shake(&acceptor, &client, "192.0.2.1").await.unwrap();
        assert_eq!(session.server_name, None);
    }

    #[tokio::test]
    async fn the_protocol_is_agreed_on() {
        check_protocol(Protocols::Http, &["http/1.1", "h2"], Some(Protocol::Http2)).await;
        check_protocol(Protocols::Http, &["http/1.1"], Some(Protocol::Http1)).await;
        check_protocol(Protocols::Http, &[], Some(Protocol::Unsaid)).await;
        check_protocol(Protocols::Http, &["irc"], None).await;
        check_protocol(Protocols::Plain, &["irc"], Some(Protocol::Unsaid)).await;
        check_protocol(Protocols::Plain, &[], Some(Protocol::Unsaid)).await;
    }

    async fn check_protocol(protocols: Protocols, asked: &[&str], expect: Option<Protocol>) {
        let offered = [certified(&["a.example"])];
        let acceptor = Acceptor::new(&Offer { protocols, ..offer(&offered) }).unwrap();
        let client = Client { alpn: asked, ..Client::of(&offered) }.ready();
        let agreed = shake(&acceptor, &client, "a.example").await.ok();
        assert_eq!(agreed.map(|(session, _)| session.protocol), expect, "{asked:?}");
    }

    #[tokio::test]
    async fn both_versions_are_spoken() {
        let offered = [certified(&["a.example"])];
        let acceptor = Acceptor::new(&offer(&offered)).unwrap();
        for (versions, version, cipher) in [
            (&[&TLS12], Version::Tls12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            (&[&TLS13], Version::Tls13, "TLS_AES_256_GCM_SHA384"),
        ] {
            let client = Client { versions, ..Client::of(&offered) }.ready();
            let (session, _) = shake(&acceptor, &client, "a.example").await.unwrap();
            assert_eq!((session.version, session.cipher), (version, cipher));
        }
    }

    #[tokio::test]
    async fn who_was_here_before_resumes_even_after_a_renewal() {
        let stateful =
            || Remembered::in_memory_sessions(8).tls12_resumption(Tls12Resumption::SessionIdOnly);
        let tickets = || Remembered::in_memory_sessions(8);
        check_resumed(&[&TLS13], tickets()).await;
        check_resumed(&[&TLS12], tickets()).await;
        check_resumed(&[&TLS12], stateful()).await;
    }

    async fn check_resumed(versions: &[&'static SupportedProtocolVersion], remembered: Remembered) {
        let offered = [certified(&["a.example"])];
        let before = offer(&offered);
        let client = Client { versions, remembered, ..Client::of(&offered) }.ready();
        let handshake = async |offer: &Offer| {
            let acceptor = Acceptor::new(offer).unwrap();
            shake(&acceptor, &client, "a.example").await.map(|(session, _)| session.handshake).ok()
        };
        assert_eq!(handshake(&before).await, Some(Handshake::Full));
        assert_eq!(handshake(&before).await, Some(Handshake::Resumed));
        let renewed = Offer { certified: vec![certified(&["a.example"])], ..before.clone() };
        assert_eq!(handshake(&renewed).await, Some(Handshake::Resumed));
        let forgetful = Offer { resumption: Resumption::new().unwrap(), ..before.clone() };
        assert_eq!(handshake(&forgetful).await, Some(Handshake::Full));
        let strict = Offer { caller_authorities: Some(callers().authority), ..before };
        assert_eq!(handshake(&strict).await, None);
    }

    /// An authority for callers, and a caller.
    struct Callers {
        authority: Vec<CertificateDer<'static>>,
        alice: (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    }

    fn callers() -> Callers {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "callers");
        let authority_key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&authority_key).unwrap();
        let mut own = CertificateParams::default();
        own.distinguished_name.push(DnType::CommonName, "alice");
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(params, authority_key);
        let own = own.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Callers { authority: vec![authority.der().clone()], alice: (vec![own], key) }
    }

    #[tokio::test]
    async fn only_callers_whose_certificate_is_vouched_for_enter() {
        let offered = [certified(&["a.example"])];
        let Callers { authority, alice } = callers();
        let fingerprint = super::super::Fingerprint::of(&alice.0[0]);
        let strict = Offer { caller_authorities: Some(authority), ..offer(&offered) };
        let acceptor = Acceptor::new(&strict).unwrap();
        let mallory = callers().alice;
        for versions in [&[&TLS12], &[&TLS13]] {
            let client = |own| Client { versions, own, ..Client::of(&offered) }.ready();
            let nobody = shake(&acceptor, &client(None), "a.example").await;
            nobody.unwrap_err();
            let stranger = client(Some((mallory.0.clone(), mallory.1.clone_key())));
            shake(&acceptor, &stranger, "a.example").await.unwrap_err();
            let known = client(Some((alice.0.clone(), alice.1.clone_key())));
            for expect in [Handshake::Full, Handshake::Resumed] {
                let (session, _) = shake(&acceptor, &known, "a.example").await.unwrap();
                assert_eq!(session.handshake, expect);
                let caller = session.caller.unwrap();
                assert_eq!(caller.subject, "CN=alice");
                assert_eq!(caller.fingerprint, fingerprint);
            }
        }
    }

    #[test]
    fn an_offer_that_cannot_be_made_says_why() {
        let good = offer(&[certified(&["a.example"])]);
        let check = |offer: Offer, expect: &str| {
            assert_eq!(Acceptor::new(&offer).unwrap_err().to_string(), expect);
        };
        check(Offer { certified: vec![], ..good.clone() }, "no certificate: expected one or more");
        check(
            Offer { caller_authorities: Some(vec![]), ..good.clone() },
            "no authority for the callers' certificates: expected one or more",
        );
        check(
            Offer { caller_authorities: Some(vec![vec![1].into()]), ..good },
            "authority 1 for the callers' certificates cannot be used",
        );
    }

    /// What becomes of a caller that sends `bytes` and then, perhaps, nothing more.
    async fn answer(acceptor: &Acceptor, bytes: &[u8], hang_up: bool) -> io::Result<Vec<u8>> {
        let (ours, mut theirs) = duplex(1 << 20);
        theirs.write_all(bytes).await?;
        if hang_up {
            theirs.shutdown().await?;
        }
        acceptor.accept(ours).await.expect_err("no handshake without an answer to it");
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await?;
        Ok(said)
    }

    #[tokio::test]
    async fn who_speaks_no_tls_is_turned_away_at_once() {
        let acceptor = Acceptor::new(&offer(&[certified(&["a.example"])])).unwrap();
        let huge_message = [&[22, 3, 1, 0, 5, 1][..], &[0xff, 0xff, 0xff, 0]].concat();
        for hostile in [
            &b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"[..],
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            // A record longer than any.
            &[22, 3, 1, 0xff, 0xff],
            // A message longer than any.
            &huge_message,
            // Empty records of the handshake's.
            &[22, 3, 1, 0, 0].repeat(1000),
            // Data before there are keys.
            &[23, 3, 3, 0, 1, 0],
            // A heartbeat.
            &[24, 3, 3, 0, 3, 1, 0x40, 0],
            // The hello of SSL 2.
            &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10],
            &[0; 100],
            &[0xff; 100],
        ] {
            let said = timeout(Duration::from_secs(5), answer(&acceptor, hostile, false)).await;
            let said = said.expect("an answer at once").unwrap();
            // Nothing, or a fatal alert.
            assert!(matches!(said[..], [] | [21, 3, _, 0, 2, 2, _]), "{said:?} to {hostile:?}");
        }
    }

    fn hello() -> Vec<u8> {
        let offered = [certified(&["a.example"])];
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = ClientConnection::new(Client::of(&offered).ready(), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        hello
    }

    #[tokio::test]
    async fn nothing_panics() {
        let acceptor = Acceptor::new(&offer(&[certified(&["a.example"])])).unwrap();
        let hello = hello();
        for length in (0..hello.len()).step_by(7) {
            answer(&acceptor, &hello[..length], true).await.unwrap();
        }
        for index in 0..hello.len().min(400) {
            for value in [0, 0xff, hello[index] ^ 1] {
                let mut bad = hello.clone();
                bad[index] = value;
                answer(&acceptor, &bad, true).await.unwrap();
            }
        }
    }

    #[test]
    fn a_connection_takes_little() {
        // With what it has on the heap, 2,000 idle ones took 8.4 KiB each.
        assert!(size_of::<TlsStream<TcpStream>>() <= 1280, "{}", size_of::<TlsStream<TcpStream>>());
        assert!(size_of::<Session>() <= 64, "{}", size_of::<Session>());
    }
}
