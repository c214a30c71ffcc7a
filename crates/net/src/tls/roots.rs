//! Whom we believe, and what that says of a chain.

use std::{fmt, sync::Arc, time::SystemTime};

use rustls::{
    CertificateError, Error, OtherError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{pin::OtherFingerprint, provider, visible::clean};

/// The authorities that a server's certificate may come from. Two are the same if each has the same
/// certificates, in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roots {
    system: Option<Vouching>,
    authority: Option<Vouching>,
    given: Option<Vouching>,
}

/// Authorities, and what verifies by them.
#[derive(Clone, Debug)]
struct Vouching {
    roots: Arc<RootCertStore>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl PartialEq for Vouching {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.roots, &other.roots) || self.roots.roots == other.roots.roots
    }
}

/// What should vouch for servers cannot.
#[derive(Debug, thiserror::Error)]
#[error("authority {nth} for the servers' certificates cannot be used")]
pub struct BadRoot {
    /// Which of those given, from 1.
    pub nth: usize,
    /// Why not.
    pub source: Error,
}

/// What is to be thought of a server's certificate. Prints as half a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An authority vouches for it that this machine trusts.
    BySystem,
    /// The local authority vouches for it.
    ByAuthority,
    /// An authority vouches for it that was named for this.
    ByGiven,
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
        Self { system: vouching(roots), ..Self::default() }
    }

    /// These and `certificate`, the local authority's; one that cannot vouch for anyone is left out.
    #[must_use]
    pub fn with_authority(self, certificate: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates([certificate.clone()]);
        Self { authority: vouching(roots), ..self }
    }

    /// These and `certificates`, out of a file that somebody named.
    ///
    /// # Errors
    ///
    /// [`BadRoot`], the first that cannot vouch for anyone.
    pub fn with_given(self, certificates: &[CertificateDer<'static>]) -> Result<Self, BadRoot> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in certificates.iter().enumerate() {
            let added = roots.add(certificate.clone());
            added.map_err(|source| BadRoot { nth: index + 1, source })?;
        }
        Ok(Self { given: vouching(roots), ..self })
    }

    /// Whether nobody is believed.
    pub(super) fn are_none(&self) -> bool {
        let Self { system, authority, given } = self;
        [system, authority, given].iter().all(|roots| roots.is_none())
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
        if self.are_none() {
            return Verdict::unverified("no authority is trusted here");
        }
        self.vouch(own, others, name, at)
            .unwrap_or_else(|error| Verdict::unverified(reason(&error)))
    }

    /// Who vouches for a server's `own` certificate, by way of `others`.
    pub(super) fn vouch(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        at: UnixTime,
    ) -> Result<Verdict, Error> {
        let Self { system, authority, given } = self;
        let asked = [
            (authority, Verdict::ByAuthority),
            (given, Verdict::ByGiven),
            (system, Verdict::BySystem),
        ];
        let mut found = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        for (roots, verdict) in asked {
            let Some(Vouching { verifier, .. }) = roots else { continue };
            match verifier.verify_server_cert(own, others, name, &[], at) {
                Ok(_) => return Ok(verdict),
                // Of somebody's whom they know, but not for this name or not now: that says more than
                // that others don't know it.
                Err(error) if is_unknown(&found) => found = error,
                Err(_) => {}
            }
        }
        Err(found)
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
            Self::ByGiven => f.write_str("verified by an authority that was named for it"),
            Self::Unverified { why } => write!(f, "not verified: {why}"),
        }
    }
}

/// `None` if `roots` are none.
fn vouching(roots: RootCertStore) -> Option<Vouching> {
    let (provider, roots) = (Arc::clone(provider()), Arc::new(roots));
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider);
    Some(Vouching { roots, verifier: builder.build().ok()? })
}

fn unix_time(at: SystemTime) -> Option<UnixTime> {
    at.duration_since(SystemTime::UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
}

fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

/// Why a certificate is not believed: half a sentence. Escaped.
pub(super) fn reason(error: &Error) -> String {
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
        CertificateError::Other(OtherError(error)) if error.is::<OtherFingerprint>() => {
            return error.to_string();
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

    #[test]
    fn what_was_read_again_is_the_same_if_its_certificates_are() {
        let folder = tempfile::tempdir().unwrap();
        let (authority, leaf) = issued(&folder);
        let roots = || Roots::none().with_authority(authority.certificate());
        assert_eq!(roots(), roots());
        let other = tempfile::tempdir().unwrap();
        let (other, other_leaf) = issued(&other);
        assert_ne!(roots(), Roots::none().with_authority(other.certificate()));
        assert_ne!(roots(), Roots::none());
        let given = Roots::none().with_given(std::slice::from_ref(authority.certificate()));
        assert_ne!(roots(), given.unwrap());
        assert_eq!(leaf, leaf.clone());
        assert_ne!(leaf, other_leaf);
    }
}
