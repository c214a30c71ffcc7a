//! Certificates and keys out of PEM files (RFC 7468).
//!
//! Errors name the file and what is wrong with it, and never quote from it: it may hold a key.

use std::{
    fmt,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use relais_wire::plural::plural;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{Certified, CertifiedError, Facts};
use crate::open_regular;

/// The most that a file may hold: over 500 certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a key is encrypted with: the PKCS#8 way, and that of OpenSSL before 1.0.
const ENCRYPTED_MARKS: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"4,ENCRYPTED"];

/// Why a file gives no certificate or no key.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The system won't have it read: it is missing, or not for us.
    #[error("cannot read {path:?}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is larger than any chain.
    #[error("{path:?} is too large: expected at most 1 MiB")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// A section is broken.
    #[error("bad PEM in {path:?}: {what}")]
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is broken.
        what: &'static str,
    },
    /// There is no certificate in it.
    #[error("no certificate in {path:?}: expected \"-----BEGIN CERTIFICATE-----\"")]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// One of its certificates is none.
    #[error("certificate {nth} in {path:?} is not a certificate")]
    NotACertificate {
        /// Which file.
        path: PathBuf,
        /// Which of its certificates, from 1.
        nth: usize,
    },
    /// There is no private key in it.
    #[error(
        "no private key in {path:?}: expected \"-----BEGIN PRIVATE KEY-----\", or with EC or RSA"
    )]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// The key needs a passphrase.
    #[error("the private key in {path:?} is encrypted: expected one without a passphrase")]
    Encrypted {
        /// Which file.
        path: PathBuf,
    },
    /// The chain and the key are of no use together.
    #[error("cannot use {chain:?} with {key:?}")]
    Useless {
        /// The chain's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        source: CertifiedError,
    },
}

/// What works, and yet is likely a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A certificate is past its end.
    Expired {
        /// The file it is in.
        path: PathBuf,
        /// For how long.
        ago: Duration,
    },
    /// A certificate is not good yet.
    Early {
        /// The file it is in.
        path: PathBuf,
        /// For how long still.
        until: Duration,
    },
    /// A file or folder with a key in it is open to others.
    Exposed {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl fmt::Display for Warning {
    #[expect(clippy::unnecessary_debug_formatting, reason = "a value is quoted, as in errors")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { path, ago } => {
                write!(f, "the certificate in {path:?} expired {} ago", days(*ago))
            }
            Self::Early { path, until } => {
                write!(f, "the certificate in {path:?} is good only in {}", days(*until))
            }
            Self::Exposed { path, mode } => {
                write!(f, "{path:?} holds a private key and is open to others: mode {mode:03o}")
            }
        }
    }
}

fn days(span: Duration) -> String {
    let days = span.as_secs() / (24 * 60 * 60);
    format!("{days} day{}", plural(days))
}

/// Reads the certificates of a file, in its order. What else is in the file is passed over.
///
/// Blocks.
///
/// # Errors
///
/// [`PemError`], also if one of the certificates cannot be read.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    chain_in(&read(path)?.bytes, path)
}

/// Reads the first private key of a file: PKCS#8, SEC1 or PKCS#1. What else is in the file is
/// passed over.
///
/// Blocks.
///
/// # Errors
///
/// [`PemError`].
pub fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    key_in(&read(path)?.bytes, path)
}

/// Reads a chain and the key of its first certificate, which may be in one file, and warns of what
/// is likely a mistake at `now`.
///
/// Blocks.
///
/// # Errors
///
/// [`PemError`], also if the key is another certificate's.
pub fn read_certified(
    chain: &Path,
    key: &Path,
    now: SystemTime,
) -> Result<(Certified, Vec<Warning>), PemError> {
    let certificates = read_chain(chain)?;
    let key_file = read(key)?;
    let private = key_in(&key_file.bytes, key)?;
    let mut warnings = Vec::new();
    warnings.extend(untimely(&certificates[0], chain, now));
    // A group of those who may read keys is usual (Debian's `ssl-cert`); everyone is not.
    warnings.extend(key_file.exposed_to(0o007, key));
    let certified = Certified::new(certificates, private).map_err(|source| PemError::Useless {
        chain: chain.to_owned(),
        key: key.to_owned(),
        source,
    })?;
    Ok((certified, warnings))
}

/// Warns of a certificate that is not good at `now`.
pub(super) fn untimely(
    certificate: &CertificateDer<'_>,
    path: &Path,
    now: SystemTime,
) -> Option<Warning> {
    let facts = Facts::of(certificate).ok()?;
    let path = path.to_owned();
    if let Ok(until) = facts.not_before.duration_since(now)
        && !until.is_zero()
    {
        return Some(Warning::Early { path, until });
    }
    now.duration_since(facts.not_after).ok().map(|ago| Warning::Expired { path, ago })
}

/// A file, read whole.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    mode: u32,
}

impl Held {
    /// Warns if someone other than the owner has any of the permissions `others`.
    pub(super) fn exposed_to(&self, others: u32, path: &Path) -> Option<Warning> {
        let mode = self.mode;
        (mode & others != 0).then(|| Warning::Exposed { path: path.to_owned(), mode })
    }
}

/// Reads a whole file of a sane size.
pub(super) fn read(path: &Path) -> Result<Held, PemError> {
    let unreadable = |source| PemError::Unreadable { path: path.to_owned(), source };
    let file = open_regular(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(PemError::TooLarge { path: path.to_owned() });
    }
    Ok(Held { bytes, mode })
}

/// The certificates in what was read from `path`; never none.
pub(super) fn chain_in(
    bytes: &[u8],
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let mut chain = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        let certificate = certificate.map_err(|error| broken(&error, path))?;
        if Facts::of(&certificate).is_err() {
            return Err(PemError::NotACertificate { path: path.to_owned(), nth: chain.len() + 1 });
        }
        chain.push(certificate);
    }
    if chain.is_empty() {
        return Err(PemError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

/// The first key in what was read from `path`.
pub(super) fn key_in(bytes: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    if ENCRYPTED_MARKS.into_iter().any(holds) {
        return Err(PemError::Encrypted { path: path.to_owned() });
    }
    PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => PemError::NoKey { path: path.to_owned() },
        error => broken(&error, path),
    })
}

/// What is broken, without the piece of the file that the error may quote.
fn broken(error: &pem::Error, path: &Path) -> PemError {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section has a bad first line",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "a section is malformed",
    };
    PemError::Broken { path: path.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    /// A certificate that is good from 1000 to 2000 days after the epoch, and its key.
    fn pair() -> (String, String) {
        let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.not_before = (SystemTime::UNIX_EPOCH + 1000 * DAY).into();
        params.not_after = (SystemTime::UNIX_EPOCH + 2000 * DAY).into();
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Reads a certified key out of one file of `text` and `mode`, in the folder `/f` as told.
    fn read_text(text: &str, mode: u32, day: u32) -> Result<Vec<Warning>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pem");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let told = |error: PemError| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = error.to_string().replace(path.to_str().unwrap(), "x.pem");
            source.map_or_else(|| text.clone(), |source| format!("{text}: {source}"))
        };
        let now = SystemTime::UNIX_EPOCH + day * DAY;
        read_certified(&path, &path, now).map(|(_, warnings)| warnings).map_err(told)
    }

    #[test]
    fn a_good_file_is_read_and_mistakes_are_warned_of() {
        let (chain, key) = pair();
        let text = format!("a comment\n{chain}\n{key}");
        check_warned(&text, 0o640, 1500, &[]);
        check_warned(&text, 0o600, 2003, &["the certificate in \"x.pem\" expired 3 days ago"]);
        check_warned(&text, 0o600, 998, &["the certificate in \"x.pem\" is good only in 2 days"]);
        check_warned(&text, 0o600, 999, &["the certificate in \"x.pem\" is good only in 1 day"]);
        let exposed = "\"x.pem\" holds a private key and is open to others: mode 644";
        check_warned(&text, 0o644, 1500, &[exposed]);
    }

    #[track_caller]
    fn check_warned(text: &str, mode: u32, day: u32, expect: &[&str]) {
        let warned: Vec<_> = read_text(text, mode, day).unwrap();
        let warned: Vec<_> = warned
            .iter()
            .map(|warning| {
                let text = warning.to_string();
                let (from, to) = (text.find('"').unwrap(), text.rfind('"').unwrap());
                format!("{}\"x.pem\"{}", &text[..from], &text[to + 1..])
            })
            .collect();
        assert_eq!(warned, expect);
    }

    #[test]
    fn a_bad_file_says_what_was_expected() {
        let (chain, key) = pair();
        let (_, other) = pair();
        let begin_cert = "expected \"-----BEGIN CERTIFICATE-----\"";
        check("", &format!("no certificate in \"x.pem\": {begin_cert}"));
        check(&key, &format!("no certificate in \"x.pem\": {begin_cert}"));
        check(
            &chain,
            "no private key in \"x.pem\": expected \"-----BEGIN PRIVATE KEY-----\", or with EC or RSA",
        );
        check(
            &format!("{chain}{other}"),
            "cannot use \"x.pem\" with \"x.pem\": \
             the private key does not belong to the first certificate of the chain",
        );
        check(
            &format!("{chain}{}", junk("ENCRYPTED PRIVATE KEY")),
            "the private key in \"x.pem\" is encrypted: expected one without a passphrase",
        );
        check(
            &format!("{chain}{}", junk("CERTIFICATE")),
            "certificate 2 in \"x.pem\" is not a certificate",
        );
        check(&junk("CERTIFICATE"), "certificate 1 in \"x.pem\" is not a certificate");
        check(
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "bad PEM in \"x.pem\": a section is not base64",
        );
        check(&chain[..chain.len() - 20], "bad PEM in \"x.pem\": a section has no end");
        check(
            &format!("{chain}{}", junk("PRIVATE KEY")),
            "cannot use \"x.pem\" with \"x.pem\": unusable private key: \
             expected RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519",
        );
        check(&" ".repeat(1 << 20 | 1), "\"x.pem\" is too large: expected at most 1 MiB");
    }

    fn junk(label: &str) -> String {
        format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(read_text(text, 0o600, 1500).unwrap_err(), expect);
    }

    #[test]
    fn keys_come_in_three_kinds() {
        let kind = |label| key_in(junk(label).as_bytes(), Path::new("")).unwrap();
        assert!(matches!(kind("PRIVATE KEY"), PrivateKeyDer::Pkcs8(_)));
        assert!(matches!(kind("EC PRIVATE KEY"), PrivateKeyDer::Sec1(_)));
        assert!(matches!(kind("RSA PRIVATE KEY"), PrivateKeyDer::Pkcs1(_)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_chain(Path::new("/nowhere/x.pem")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read \"/nowhere/x.pem\"");
    }

    #[test]
    fn a_broken_key_is_never_quoted() {
        let (_, key) = pair();
        let secret = key.lines().nth(1).unwrap();
        for text in [
            format!("-----BEGIN PRIVATE KEY-----{secret}\n"),
            format!("-----BEGIN PRIVATE KEY-----\n{secret}"),
            format!("-----BEGIN PRIVATE KEY-----\n{secret}!\n-----END PRIVATE KEY-----\n"),
        ] {
            let error = key_in(text.as_bytes(), Path::new("x.pem")).unwrap_err();
            assert!(!format!("{error:?}{error}").contains(&secret[..8]));
        }
    }
}
