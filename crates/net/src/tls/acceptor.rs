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

use super::{
    Certified, Resumption, Session, UNSENT_BYTES_MAX, certified::Choice, provider,
    resumption::Scope, shown::Bounded, unvouched::Unvouched,
};

/// What a listener offers to those who call.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Whom we can prove to be, chosen by the name a caller asks for. The first is shown to those
    /// who ask for none, or for one that nobody has.
    pub certified: Vec<Certified>,
    /// What can be spoken inside.
    pub protocols: Protocols,
    /// What callers show.
    pub caller_papers: CallerPapers,
    /// The memory of earlier sessions; the same for all of a process.
    pub resumption: Resumption,
}

/// By what callers prove who they are, before anything is said.
#[derive(Clone, Debug, Default)]
pub enum CallerPapers {
    /// By nothing: they are not asked.
    #[default]
    Unasked,
    /// By a certificate, if they have one, whoever signed it: who knows its fingerprint knows them.
    Unvouched,
    /// By a certificate that one of these has signed. Others do not enter.
    Signed(Vec<CertificateDer<'static>>),
}

/// What is spoken inside TLS, as offered by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// `h2`, then `http/1.1`. Who asks only for others is refused, who asks for none is let in.
    Http,
    /// `http/1.1` alone, on the same terms.
    Http1,
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
        let builder = match &offer.caller_papers {
            CallerPapers::Signed(authorities) => {
                builder.with_client_cert_verifier(demanding(authorities)?)
            }
            CallerPapers::Unvouched => builder.with_client_cert_verifier(Arc::new(Unvouched)),
            CallerPapers::Unasked => builder.with_no_client_auth(),
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
            Self::Http1 => vec![b"http/1.1".to_vec()],
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
    let judge = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    Ok(Arc::new(Bounded(judge)))
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
    let (papers, authorities) = match &offer.caller_papers {
        CallerPapers::Unasked => (0, &[][..]),
        CallerPapers::Signed(authorities) => (1, &authorities[..]),
        CallerPapers::Unvouched => (2, &[][..]),
    };
    part(&protocols.len().to_be_bytes());
    part(&names.len().to_be_bytes());
    part(&[papers]);
    let protocols = protocols.iter().map(Vec::as_slice);
    let names = names.iter().map(|name| name.as_bytes());
    let authorities = authorities.iter().map(AsRef::as_ref);
    for bytes in protocols.chain(names).chain(authorities) {
        part(bytes);
    }
    digest.finish().as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

#[cfg(test)]
pub(super) mod tests;
