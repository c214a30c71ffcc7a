//! Handshakes with servers of all kinds.

use std::time::{Duration, SystemTime};

use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    server::{ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use rustls_pki_types::UnixTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

use super::super::{
    Acceptor, Authority, CallerPapers, Fingerprint, Handshake, Offer, Protocol,
    Resumption as Tickets, Roots, Version,
    acceptor::tests::{Callers, callers},
    certified,
};
use super::*;

const DAY: Duration = Duration::from_hours(24);

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + 20_000 * DAY
}

#[derive(Debug)]
struct Fixed(SystemTime);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.duration_since(SystemTime::UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
    }
}

fn demand(trust: Trust) -> Demand {
    Demand { trust, server_name: None, own: None }
}

/// A connector to which it is always `now`.
fn at(now: SystemTime, demand: &Demand) -> Connector {
    let mut config = config(demand);
    config.time_provider = Arc::new(Fixed(now));
    Connector::with(&config, demand.server_name.as_deref()).unwrap()
}

/// A server whose certificate for `a.example` and an address is from an authority, and its roots.
fn issued() -> (Acceptor, Roots) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_create(folder.path(), "", start()).unwrap();
    let names = ["a.example".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    let certified = authority.leaf_for(&names, start()).unwrap();
    let roots = Roots::none().with_authority(authority.certificate());
    (acceptor(vec![certified], Protocols::Http), roots)
}

fn acceptor(certified: Vec<Certified>, protocols: Protocols) -> Acceptor {
    let resumption = Tickets::new().unwrap();
    Acceptor::new(&Offer { certified, protocols, caller_papers: CallerPapers::Unasked, resumption })
        .unwrap()
}

/// A server as rustls makes them, that speaks `versions` only.
fn server(
    versions: &[&'static SupportedProtocolVersion],
    shown: CertifiedKey,
    callers: Option<&Callers>,
) -> TlsAcceptor {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let builder = match callers {
        None => builder.with_no_client_auth(),
        Some(Callers { authority, .. }) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority[0].clone()).unwrap();
            let builder_of = WebPkiClientVerifier::builder_with_provider;
            let verifier = builder_of(Arc::new(roots), Arc::clone(provider())).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let shown: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(shown));
    TlsAcceptor::from(Arc::new(builder.with_cert_resolver(shown)))
}

fn trusted(certified: &Certified) -> Trust {
    Trust::Roots(Roots::none().with_given(certified.chain()).unwrap())
}

/// Shakes hands with `serve`, and has it pass a byte each way.
async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &Connector,
    endpoint: &str,
    protocols: Protocols,
    serve: impl AsyncFnOnce(DuplexStream) -> io::Result<S>,
) -> Result<ClientSession, ConnectError> {
    let (ours, theirs) = duplex(1 << 16);
    let server = async {
        let mut stream = serve(theirs).await?;
        stream.write_all(b"x").await?;
        stream.read_u8().await?;
        io::Result::Ok(())
    };
    let endpoint = endpoint.parse().unwrap();
    let client = async {
        let (mut stream, session) = connector.connect(ours, &endpoint, protocols).await?;
        // Reads the tickets, too.
        stream.read_u8().await?;
        stream.write_all(b"y").await?;
        stream.flush().await?;
        Ok(session)
    };
    tokio::join!(client, server).0
}

async fn shake_with(
    connector: &Connector,
    acceptor: &Acceptor,
    endpoint: &str,
    protocols: Protocols,
) -> Result<ClientSession, ConnectError> {
    shake(connector, endpoint, protocols, async |io| Ok(acceptor.accept(io).await?.0)).await
}

#[tokio::test]
async fn a_server_is_believed_if_its_certificate_is_vouched_for_by_name_and_now() {
    let (acceptor, roots) = issued();
    let demand = demand(Trust::Roots(roots));
    let believed = async |now, endpoint: &str| {
        shake_with(&at(now, &demand), &acceptor, endpoint, Protocols::Http).await.unwrap();
    };
    believed(start(), "https://a.example").await;
    believed(start(), "https://A.example.").await;
    believed(start(), "https://192.0.2.1").await;
    believed(start() + 300 * DAY, "wss://a.example:8443").await;

    let check = async |now, endpoint: &str, expect: &str| {
        let made = shake_with(&at(now, &demand), &acceptor, endpoint, Protocols::Http).await;
        let Err(ConnectError::Untrusted(why)) = made else { panic!("{made:?}") };
        assert_eq!(why, expect);
    };
    check(start() + 398 * DAY, "https://a.example", "it has expired").await;
    check(start() - DAY, "https://a.example", "it is not good yet").await;
    check(start(), "https://b.example", "it is not for \"b.example\"").await;
    check(start(), "https://x.a.example", "it is not for \"x.a.example\"").await;
    check(start(), "https://192.0.2.2", "it is not for \"192.0.2.2\"").await;
    check(start(), "https://[::1]", "it is not for \"::1\"").await;
}

#[tokio::test]
async fn who_is_not_known_is_believed_by_the_insecure_only() {
    let stranger = certified(&["a.example"]);
    let server = acceptor(vec![stranger.clone()], Protocols::Http);
    let (_, roots) = issued();
    for trust in [Trust::Roots(roots), Trust::Roots(Roots::none())] {
        let connector = Connector::new(&demand(trust)).unwrap();
        let made = shake_with(&connector, &server, "https://a.example", Protocols::Http).await;
        let text = made.unwrap_err().to_string();
        assert_eq!(text, "its certificate is not believed: its issuer is not trusted");
    }
    for trust in [trusted(&stranger), Trust::InsecureAnyone] {
        let connector = Connector::new(&demand(trust)).unwrap();
        shake_with(&connector, &server, "https://a.example", Protocols::Http).await.unwrap();
    }
    let connector = Connector::new(&demand(Trust::InsecureAnyone)).unwrap();
    shake_with(&connector, &server, "https://b.example", Protocols::Http).await.unwrap();
}

#[tokio::test]
async fn who_is_pinned_is_believed_by_its_certificate_alone() {
    let (pinned, other) = (certified(&["a.example"]), certified(&["a.example"]));
    let fingerprint = Fingerprint::of(&pinned.chain()[0]);
    let connector = Connector::new(&demand(Trust::Pinned(fingerprint))).unwrap();
    let server = acceptor(vec![pinned], Protocols::Http);
    shake_with(&connector, &server, "https://b.example", Protocols::Http).await.unwrap();
    let connector = Connector::new(&demand(Trust::Pinned(fingerprint))).unwrap();
    let found = Fingerprint::of(&other.chain()[0]);
    let server = acceptor(vec![other], Protocols::Http);
    let made = shake_with(&connector, &server, "https://a.example", Protocols::Http).await;
    let why = format!("its SHA-256 is {found}, which is not the pinned one");
    let text = made.unwrap_err().to_string();
    assert_eq!(text, format!("its certificate is not believed: {why}"));
}

#[tokio::test]
async fn who_has_not_the_key_is_not_believed_even_by_the_insecure() {
    let (shown, held) = (certified(&["a.example"]), certified(&["a.example"]));
    let key = CertifiedKey::new(shown.chain().to_vec(), Arc::clone(&held.key().key));
    for versions in [&[&TLS12], &[&TLS13]] {
        let server = server(versions, key.clone(), None);
        let connector = Connector::new(&demand(Trust::InsecureAnyone)).unwrap();
        let accept = async |io| server.accept(io).await;
        let made = shake(&connector, "https://a.example", Protocols::Http, accept).await;
        let Err(ConnectError::Untrusted(why)) = made else { panic!("{made:?}") };
        assert_eq!(why, "its signature is wrong");
    }
}

#[tokio::test]
async fn the_protocol_is_agreed_on() {
    let check = async |offered, asked, expect| {
        let shown = certified(&["a.example"]);
        let connector = Connector::new(&demand(trusted(&shown))).unwrap();
        let server = acceptor(vec![shown], offered);
        let session = shake_with(&connector, &server, "https://a.example", asked).await.unwrap();
        assert_eq!(session.protocol, expect);
    };
    check(Protocols::Http, Protocols::Http, Protocol::Http2).await;
    check(Protocols::Http, Protocols::Http1, Protocol::Http1).await;
    check(Protocols::Http, Protocols::Plain, Protocol::Unsaid).await;
    check(Protocols::Http1, Protocols::Http, Protocol::Http1).await;
    check(Protocols::Plain, Protocols::Http, Protocol::Unsaid).await;
}

#[tokio::test]
async fn both_versions_are_spoken_and_resumed() {
    for (versions, version, cipher) in [
        (&[&TLS12], Version::Tls12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (&[&TLS13], Version::Tls13, "TLS_AES_256_GCM_SHA384"),
    ] {
        let shown = certified(&["a.example", "b.example"]);
        let server = server(versions, (*shown.key()).clone(), None);
        let demand = demand(trusted(&shown));
        let connector = Connector::new(&demand).unwrap();
        let check = async |connector: &Connector, endpoint: &str, protocols, handshake| {
            let accept = async |io| server.accept(io).await;
            let session = shake(connector, endpoint, protocols, accept).await.unwrap();
            let protocol = Protocol::Unsaid;
            assert_eq!(session, ClientSession { protocol, version, cipher, handshake });
        };
        check(&connector, "https://a.example", Protocols::Http, Handshake::Full).await;
        check(&connector, "https://a.example", Protocols::Http, Handshake::Resumed).await;
        check(&connector.clone(), "wss://a.example", Protocols::Http1, Handshake::Resumed).await;
        check(&connector, "https://b.example", Protocols::Http, Handshake::Full).await;
        let other = Connector::new(&demand).unwrap();
        check(&other, "https://a.example", Protocols::Http, Handshake::Full).await;
    }
}

#[tokio::test]
async fn a_server_may_have_another_name_than_its_endpoint() {
    let (acceptor, roots) = issued();
    let server_name = Some("A.example".to_owned());
    let connector = at(start(), &Demand { server_name, ..demand(Trust::Roots(roots)) });
    let mut asked = None;
    let accept = async |io| {
        let (stream, session) = acceptor.accept(io).await?;
        asked = session.server_name;
        Ok(stream)
    };
    shake(&connector, "https://127.0.0.1:8443", Protocols::Http, accept).await.unwrap();
    assert_eq!(asked.as_deref(), Some("a.example"));
}

#[tokio::test]
async fn a_server_without_a_name_is_not_asked() {
    let connector = Connector::new(&demand(Trust::InsecureAnyone)).unwrap();
    for endpoint in ["unix:///s", "tls://:443"] {
        let endpoint = endpoint.parse().unwrap();
        let made = connector.connect(duplex(1).0, &endpoint, Protocols::Plain).await;
        assert!(matches!(made, Err(ConnectError::NoName)));
    }
    let server_name = Some("a b".to_owned());
    let bad = Connector::new(&Demand { server_name, ..demand(Trust::InsecureAnyone) });
    let expect = "bad server name \"a b\": expected a DNS name or an address";
    assert_eq!(bad.unwrap_err().to_string(), expect);
}

#[tokio::test]
async fn a_server_that_wants_to_know_us_is_shown_who_we_are() {
    let (shown, callers) = (certified(&["a.example"]), callers());
    let alice = Certified::new(callers.alice.0.clone(), callers.alice.1.clone_key()).unwrap();
    for (versions, version) in [(&[&TLS12], Version::Tls12), (&[&TLS13], Version::Tls13)] {
        let server = server(versions, (*shown.key()).clone(), Some(&callers));
        let made = async |own| {
            let connector = Connector::new(&Demand { own, ..demand(trusted(&shown)) }).unwrap();
            let accept = async |io| server.accept(io).await;
            shake(&connector, "https://a.example", Protocols::Http, accept).await
        };
        made(Some(alice.clone())).await.unwrap();
        let words = "it wants a certificate of the client".to_owned();
        match (version, made(None).await.unwrap_err()) {
            (Version::Tls12, ConnectError::Refused(found)) => assert_eq!(found, words),
            // The server says so behind the handshake.
            (Version::Tls13, ConnectError::Failed(error)) => {
                assert_eq!(broken_off(&error), Some(words));
            }
            (_, error) => panic!("{error:?}"),
        }
        let stranger = certified(&["b.example"]);
        made(Some(stranger)).await.unwrap_err();
    }
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_from_who_hangs_up() {
    let connector = Connector::new(&demand(Trust::InsecureAnyone)).unwrap();
    let check = async |said: &[u8]| {
        let serve = async |mut io: DuplexStream| {
            io.write_all(said).await?;
            drop(io);
            Err::<DuplexStream, _>(io::ErrorKind::Other.into())
        };
        shake(&connector, "https://a.example", Protocols::Http, serve).await.unwrap_err()
    };
    let error = check(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(matches!(error, ConnectError::NoTls), "{error:?}");
    for said in [&b""[..], b"\x16", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"] {
        let error = check(said).await;
        assert!(matches!(error, ConnectError::Failed(_)), "{error:?}");
    }
    let error = check(b"\x15\x03\x03\x00\x02\x02\x70").await;
    assert_eq!(error.to_string(), "it refuses: it does not know the name it was asked for");
}

#[test]
fn an_authority_that_cannot_vouch_is_named() {
    let good = certified(&["a.example"]).chain()[0].clone();
    let error = Roots::none().with_given(&[good, vec![1].into()]).unwrap_err();
    assert_eq!(error.to_string(), "authority 2 for the servers' certificates cannot be used");
}
