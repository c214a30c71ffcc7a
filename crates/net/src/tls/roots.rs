//! Whom we believe, and what that says of a chain.

use std::{fmt, sync::Arc, time::SystemTime};

use rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{provider, visible::clean};

/// The authorities that a server's certificate may come from.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    system: Option<Arc<WebPkiServerVerifier>>,
    authority: Option<Arc<WebPkiServerVerifier>>,
}

/// What is to be thought of a server's certificate. Prints as half a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An authority vouches for it that this machine trusts.
    BySystem,
    /// The local authority vouches for it.
    ByAuthority,
    /// Nobody vouches for it, or not for this name, or not now.
    Unverified {
        /// Why not: half a sentence. Escaped.
        why: String,
    },
}

impl Roots {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that this machine trusts, as far as they can be read. As everywhere, `SSL_CERT_FILE`
    /// and `SSL_CERT_DIR` name others in their place.
    ///
    /// Blocks: some hundred files may be read.
    pub fn system() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self { system: verifier(roots), authority: None }
    }

    /// These and `certificate`, the local authority's; one that cannot vouch for anyone is left out.
    #[must_use]
    pub fn with_authority(self, certificate: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates([certificate.clone()]);
        Self { authority: verifier(roots), ..self }
    }

    /// Whether nobody is believed.
    pub(super) fn are_none(&self) -> bool {
        self.system.is_none() && self.authority.is_none()
    }

    /// Judges a chain, whose first certificate is the server's own, that came from `name`.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: SystemTime,
    ) -> Verdict {
        let Some((own, others)) = chain.split_first() else {
            return Verdict::unverified("it showed no certificate");
        };
        let Some(at) = unix_time(now) else {
            return Verdict::unverified("this machine's clock is wrong");
        };
        let ask = |roots: &Arc<WebPkiServerVerifier>| {
            roots.verify_server_cert(own, others, name, &[], at).map(|_| ())
        };
        match (self.authority.as_ref().map(ask), self.system.as_ref().map(ask)) {
            (Some(Ok(())), _) => Verdict::ByAuthority,
            (_, Some(Ok(()))) => Verdict::BySystem,
            // Ours, but not for this name or not now: that says more than that others don't know it.
            (Some(Err(error)), _) if !is_unknown(&error) => Verdict::unverified(reason(&error)),
            (_, Some(Err(error))) | (Some(Err(error)), None) => Verdict::unverified(reason(&error)),
            (None, None) => Verdict::unverified("no authority is trusted here"),
        }
    }
}

impl Verdict {
    pub(super) fn unverified(why: impl Into<String>) -> Self {
        Self::Unverified { why: why.into() }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BySystem => f.write_str("verified by an authority that this machine trusts"),
            Self::ByAuthority => f.write_str("verified by the local authority"),
            Self::Unverified { why } => write!(f, "not verified: {why}"),
        }
    }
}

/// `None` if `roots` are none.
fn verifier(roots: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
    let provider = Arc::clone(provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
}

fn unix_time(at: SystemTime) -> Option<UnixTime> {
    at.duration_since(SystemTime::UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
}

fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

fn reason(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else { return clean(&error.to_string()) };
    let known = match error {
        CertificateError::UnknownIssuer => "its issuer is not trusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not good yet"
        }
        CertificateError::NotValidForName => "it is for another name",
        CertificateError::NotValidForNameContext { expected, .. } => {
            return format!("it is not for {:?}", expected.to_str());
        }
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::BadEncoding => "it is malformed",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers"
        }
        other => {
            let text = other.to_string();
            // webpki's own error, which rustls gives away as a text only.
            if !text.contains("CaUsedAsEndEntity") {
                return clean(&text);
            }
            "it is an authority's own, which is not for servers"
        }
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Authority, Certified, certified};
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn start() -> SystemTime {
        SystemTime::UNIX_EPOCH + 20_000 * DAY
    }

    fn issued(folder: &tempfile::TempDir) -> (Authority, Certified) {
        let authority = Authority::open_or_create(folder.path(), "test", start()).unwrap();
        let names = ["a.example".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        let leaf = authority.leaf_for(&names, start()).unwrap();
        (authority, leaf)
    }

    #[test]
    fn a_chain_is_judged_by_who_vouches_for_it_for_whom_and_when() {
        let folder = tempfile::tempdir().unwrap();
        let (authority, leaf) = issued(&folder);
        let roots = Roots::none().with_authority(authority.certificate());
        let check = |name: &str, now, expect: &str| {
            let name = ServerName::try_from(name).unwrap();
            assert_eq!(roots.judge(leaf.chain(), &name, now).to_string(), expect);
        };
        check("a.example", start(), "verified by the local authority");
        check("192.0.2.1", start(), "verified by the local authority");
        check("b.example", start(), "not verified: it is not for \"b.example\"");
        check("a.example", start() + 398 * DAY, "not verified: it has expired");
        check("a.example", start() - DAY, "not verified: it is not good yet");
    }

    #[test]
    fn who_is_not_known_is_not_believed() {
        let name = ServerName::try_from("a.example").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (authority, _) = issued(&folder);
        let stranger = certified(&["a.example"]);
        let check = |roots: &Roots, chain: &[CertificateDer<'_>], expect: &str| {
            assert_eq!(roots.judge(chain, &name, start()).to_string(), expect);
        };
        let ours = Roots::none().with_authority(authority.certificate());
        check(&ours, stranger.chain(), "not verified: its issuer is not trusted");
        check(&Roots::none(), stranger.chain(), "not verified: no authority is trusted here");
        let own = std::slice::from_ref(authority.certificate());
        let an_authoritys = "not verified: it is an authority's own, which is not for servers";
        check(&ours, own, an_authoritys);
        check(&ours, &[], "not verified: it showed no certificate");
        check(&ours, &[vec![0; 9].into()], "not verified: it is malformed");
    }
}
