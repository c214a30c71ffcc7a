//! Handshakes with clients of all kinds.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::{
    ClientConfig, SignatureScheme, SupportedProtocolVersion,
    client::{ResolvesClientCert, Resumption as Remembered, Tls12Resumption},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::super::{
    Handshake, Protocol, Version, certified,
    shown::{CHAIN_MAX, SIGNED_BYTES_MAX},
    unvouched::CHAIN_BYTES_MAX,
};
use super::*;

mod hostile;

fn offer(certified: &[Certified]) -> Offer {
    Offer {
        certified: certified.to_vec(),
        protocols: Protocols::Http,
        caller_papers: CallerPapers::Unasked,
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
    let strict = Offer { caller_papers: CallerPapers::Signed(callers().authority), ..before };
    assert_eq!(handshake(&strict).await, None);
}

/// An authority for callers, and a caller.
pub(in crate::tls) struct Callers {
    pub(in crate::tls) authority: Vec<CertificateDer<'static>>,
    pub(in crate::tls) alice: (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
}

pub(in crate::tls) fn callers() -> Callers {
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
    let strict = Offer { caller_papers: CallerPapers::Signed(authority), ..offer(&offered) };
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

#[tokio::test]
async fn whoever_signed_a_certificate_its_key_is_proved_where_it_is_asked_for() {
    let offered = [certified(&["a.example"])];
    let asking = Offer { caller_papers: CallerPapers::Unvouched, ..offer(&offered) };
    let acceptor = Acceptor::new(&asking).unwrap();
    let Callers { alice, .. } = callers();
    let fingerprint = super::super::Fingerprint::of(&alice.0[0]);
    for versions in [&[&TLS12], &[&TLS13]] {
        let client = |own| Client { versions, own, ..Client::of(&offered) }.ready();
        let (session, _) = shake(&acceptor, &client(None), "a.example").await.unwrap();
        assert_eq!(session.caller, None);
        let known = client(Some((alice.0.clone(), alice.1.clone_key())));
        for expect in [Handshake::Full, Handshake::Resumed] {
            let (session, _) = shake(&acceptor, &known, "a.example").await.unwrap();
            assert_eq!(session.handshake, expect);
            assert_eq!(session.caller.unwrap().fingerprint, fingerprint);
        }
    }
}

#[tokio::test]
async fn of_what_a_caller_shows_no_more_is_kept_than_may_be() {
    let offered = [certified(&["a.example"])];
    let asking = Offer { caller_papers: CallerPapers::Unvouched, ..offer(&offered) };
    let acceptor = Acceptor::new(&asking).unwrap();
    let (chain, key) = callers().alice;
    let left = CHAIN_BYTES_MAX - chain[0].len();
    let behind = |sizes: &[usize]| {
        let others = sizes.iter().map(|size| CertificateDer::from(vec![0; *size]));
        chain.iter().cloned().chain(others).collect::<Vec<_>>()
    };
    let many = vec![1; CHAIN_MAX];
    for (chain, enters) in [
        (behind(&[left]), true),
        (behind(&[left + 1]), false),
        (behind(&[left / 2, left / 2 + 2]), false),
        (behind(&many[1..]), true),
        (behind(&many), false),
    ] {
        for versions in [&[&TLS12], &[&TLS13]] {
            let own = Some((chain.clone(), key.clone_key()));
            let client = Client { versions, own, ..Client::of(&offered) }.ready();
            let shaken = shake(&acceptor, &client, "a.example").await;
            assert_eq!(shaken.is_ok(), enters, "{} certificates: {shaken:?}", chain.len());
        }
    }
}

#[tokio::test]
async fn who_is_vouched_for_shows_no_more_than_may_be_either() {
    let offered = [certified(&["a.example"])];
    let Callers { authority, alice: (chain, key) } = callers();
    let demanding = Offer { caller_papers: CallerPapers::Signed(authority), ..offer(&offered) };
    let acceptor = Acceptor::new(&demanding).unwrap();
    let left = SIGNED_BYTES_MAX - chain[0].len();
    // What is behind it is not looked at: the authority signed it itself.
    let behind = |sizes: &[usize]| {
        let others = sizes.iter().map(|size| CertificateDer::from(vec![0; *size]));
        chain.iter().cloned().chain(others).collect::<Vec<_>>()
    };
    let many = vec![1; CHAIN_MAX];
    for (chain, enters) in [
        (behind(&[left]), true),
        (behind(&[left + 1]), false),
        (behind(&many[1..]), true),
        (behind(&many), false),
    ] {
        for versions in [&[&TLS12], &[&TLS13]] {
            let own = Some((chain.clone(), key.clone_key()));
            let client = Client { versions, own, ..Client::of(&offered) }.ready();
            let shaken = shake(&acceptor, &client, "a.example").await;
            assert_eq!(shaken.is_ok(), enters, "{} certificates: {shaken:?}", chain.len());
        }
    }
}

/// Shows a certificate, and signs with another's key.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl ResolvesClientCert for Thief {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn who_shows_anothers_certificate_without_its_key_does_not_enter() {
    let offered = [certified(&["a.example"])];
    let asking = Offer { caller_papers: CallerPapers::Unvouched, ..offer(&offered) };
    let acceptor = Acceptor::new(&asking).unwrap();
    let (alice, mallory) = (callers().alice, callers().alice);
    let key = provider().key_provider.load_private_key(mallory.1).unwrap();
    let stolen = Arc::new(CertifiedKey::new(alice.0, key));
    for versions in [&[&TLS12], &[&TLS13]] {
        let client = Client { versions, ..Client::of(&offered) }.ready();
        let mut client = Arc::unwrap_or_clone(client);
        client.client_auth_cert_resolver = Arc::new(Thief(Arc::clone(&stolen)));
        shake(&acceptor, &Arc::new(client), "a.example").await.unwrap_err();
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
        Offer { caller_papers: CallerPapers::Signed(vec![]), ..good.clone() },
        "no authority for the callers' certificates: expected one or more",
    );
    check(
        Offer { caller_papers: CallerPapers::Signed(vec![vec![1].into()]), ..good },
        "authority 1 for the callers' certificates cannot be used",
    );
}

#[test]
fn a_connection_takes_little() {
    // With what it has on the heap, 2,000 idle ones took 8.4 KiB each.
    let stream = size_of::<tokio_rustls::TlsStream<TcpStream>>();
    assert!(stream <= 1280, "{stream}");
    assert!(size_of::<Session>() <= 64, "{}", size_of::<Session>());
}
