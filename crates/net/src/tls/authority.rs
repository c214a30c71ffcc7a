//! A certificate authority of this machine's own, for people who develop on it.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use aws_lc_rs::digest;
use rcgen::{Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::{
    Certified, CertifiedError, CertifiedPem, Facts, PemError, Roots, SubjectName, Verdict, Warning,
    issue::{self, RENEWED_BEFORE},
    pem,
    vault::{Locked, Readers, Vault},
};

/// The authority's certificate, to be trusted.
const CERTIFICATE: &str = "ca.pem";
/// The authority's key, to be kept.
const KEY: &str = "ca-key.pem";
/// Where the issued ones are.
const LEAVES: &str = "certs";

/// A certificate authority that lives in a folder.
///
/// *Shape*: `ca.pem` (0644), `ca-key.pem` (0600), and in `certs/` a file for each set of names
/// asked for, which holds a certificate and its key (0600). The folders are 0700.
#[derive(Debug)]
pub struct Authority {
    /// What is likely a mistake about the folder, the certificate or the key.
    pub warnings: Vec<Warning>,
    folder: PathBuf,
    certificate: CertificateDer<'static>,
    end: SystemTime,
    leaves: Vault,
    issuer: Issuer<'static, KeyPair>,
    /// This authority alone.
    roots: Roots,
}

/// Why there is no authority, or why it does not issue.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The system won't have a file read or written.
    #[error("cannot keep an authority in {folder:?}")]
    Folder {
        /// The authority's folder, or that of what it issued.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be read, or there is something else in it.
    #[error("cannot use what is in the authority's folder")]
    Pem(#[from] PemError),
    /// The certificate is there and its key is not: others made by the key are likely trusted.
    #[error("{path:?} is gone: expected the key of the authority's certificate beside it")]
    NoKey {
        /// Where the key should be.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the key in {folder:?} does not belong to the authority's certificate there")]
    Mismatch {
        /// The authority's folder.
        folder: PathBuf,
    },
    /// The certificate there is not an authority's.
    #[error("the certificate {path:?} is not an authority's")]
    NotAuthority {
        /// Where it is.
        path: PathBuf,
    },
    /// The authority is past its end.
    #[error("the authority {path:?} has expired: remove its folder to have a new one made")]
    Expired {
        /// Where its certificate is.
        path: PathBuf,
    },
    /// Nothing to issue a certificate for.
    #[error("no name to certify: expected one or more")]
    NoNames,
    /// A key or a certificate could not be made.
    #[error("cannot make a certificate")]
    Making(#[source] rcgen::Error),
    /// What was made does not fit together; a bug.
    #[error("cannot use the certificate just made")]
    Made(#[from] CertifiedError),
}

impl Authority {
    /// Opens the authority in `folder`; makes folder and authority if there is none. `label` tells
    /// people whose it is, e.g. `user@host`.
    ///
    /// Of several processes that do so at once, one makes it and the others wait. If one is killed
    /// meanwhile, there is a whole authority or none.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`]. An authority that is damaged or past its end is not replaced.
    pub fn open_or_create(
        folder: &Path,
        label: &str,
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let failed = |source| AuthorityError::Folder { folder: folder.to_owned(), source };
        let vault = Vault::open(folder).map_err(failed)?;
        let leaves = Vault::open(&folder.join(LEAVES)).map_err(failed)?;
        let locked = vault.lock().map_err(failed)?;
        if !vault.path(CERTIFICATE).try_exists().map_err(failed)? {
            create(&vault, &locked, label, now)?;
        }
        drop(locked);
        let mut authority = Self::open(&vault, leaves, now)?;
        authority.warnings.extend(vault.exposed().map_err(failed)?);
        Ok(authority)
    }

    fn open(vault: &Vault, leaves: Vault, now: SystemTime) -> Result<Self, AuthorityError> {
        let (path, key_path) = (vault.path(CERTIFICATE), vault.path(KEY));
        let certificate = pem::read_chain(&path)?.swap_remove(0);
        let (key, exposed) = read_key(&key_path)?;
        let folder = path.parent().unwrap_or(&path).to_owned();
        // Only to see whether they belong together; refuses other keys than TLS', which is well.
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        if let Err(CertifiedError::Mismatch) = Certified::new(vec![certificate.clone()], der) {
            return Err(AuthorityError::Mismatch { folder });
        }
        let not_authority = || AuthorityError::NotAuthority { path: path.clone() };
        let facts = Facts::of(&certificate).map_err(|_| not_authority())?;
        if !facts.is_ca {
            return Err(not_authority());
        }
        if facts.not_after <= now {
            return Err(AuthorityError::Expired { path });
        }
        let roots = Roots::none().with_authority(&certificate);
        if roots.are_none() {
            return Err(not_authority());
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(AuthorityError::Making)?;
        let warnings = exposed.into_iter().chain(pem::untimely(&certificate, &path, now)).collect();
        let end = facts.not_after;
        Ok(Self { warnings, folder, certificate, end, leaves, issuer, roots })
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Where the authority's own certificate is: what people are to trust.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Issues a certificate for a server, which is kept nowhere: P-256, good from an hour before
    /// `now` for 397 days, or until the authority's end.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::NoNames`], or [`AuthorityError::Making`].
    pub fn issue(
        &self,
        names: &[SubjectName],
        now: SystemTime,
    ) -> Result<CertifiedPem, AuthorityError> {
        if names.is_empty() {
            return Err(AuthorityError::NoNames);
        }
        issue::leaf(&self.issuer, names, now, self.end).map_err(AuthorityError::Making)
    }

    /// The certificate for `names`, in any order, that was issued before if it is good for another
    /// 30 days; else issues one and keeps it.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`]. A kept certificate that is damaged is replaced.
    pub fn leaf_for(
        &self,
        names: &[SubjectName],
        now: SystemTime,
    ) -> Result<Certified, AuthorityError> {
        let failed = |source| AuthorityError::Folder { folder: self.folder.join(LEAVES), source };
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        let file = file_name(names.first().ok_or(AuthorityError::NoNames)?, &names);
        let locked = self.leaves.lock().map_err(failed)?;
        if let Some(kept) = self.kept(&self.leaves.path(&file), &names, now) {
            return Ok(kept);
        }
        let CertifiedPem { chain_pem, key_pem } = self.issue(&names, now)?;
        // In one file: a certificate without its key is never seen.
        let text = format!("{chain_pem}{key_pem}");
        locked.write(&file, &text, Readers::Owner).map_err(failed)?;
        let path = self.leaves.path(&file);
        let chain = pem::chain_in(text.as_bytes(), &path)?;
        Ok(Certified::new(chain, pem::key_in(text.as_bytes(), &path)?)?)
    }

    /// What is kept at `path`, if a client that trusts this authority would accept it for all of
    /// `names` now and when renewal is due.
    fn kept(&self, path: &Path, names: &[SubjectName], now: SystemTime) -> Option<Certified> {
        let (certified, _) = pem::read_certified(path, path, now).ok()?;
        let own = &certified.chain()[..1];
        let accepted = |name: &SubjectName, at: SystemTime| {
            let name = asked_for(name);
            name.is_some_and(|name| self.roots.judge(own, &name, at) == Verdict::ByAuthority)
        };
        let good =
            names.iter().all(|name| accepted(name, now) && accepted(name, now + RENEWED_BEFORE));
        good.then_some(certified)
    }
}

/// Makes the key, unless it is there, and then the certificate, which says that all is made.
fn create(
    vault: &Vault,
    locked: &Locked<'_>,
    label: &str,
    now: SystemTime,
) -> Result<(), AuthorityError> {
    let key_path = vault.path(KEY);
    let folder = key_path.parent().unwrap_or(&key_path);
    let failed = |source| AuthorityError::Folder { folder: folder.to_owned(), source };
    let key = match read_key(&key_path) {
        Ok((key, _)) => key,
        Err(AuthorityError::NoKey { .. }) => {
            let key = issue::new_key().map_err(AuthorityError::Making)?;
            locked.write(KEY, &key.serialize_pem(), Readers::Owner).map_err(failed)?;
            key
        }
        Err(error) => return Err(error),
    };
    let certificate = issue::authority(&key, label, now).map_err(AuthorityError::Making)?;
    locked.write(CERTIFICATE, &certificate, Readers::Everyone).map_err(failed)
}

fn read_key(path: &Path) -> Result<(KeyPair, Option<Warning>), AuthorityError> {
    let held = match pem::read(path) {
        Err(PemError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(AuthorityError::NoKey { path: path.to_owned() });
        }
        read => read?,
    };
    let der = pem::key_in(&held.bytes, path)?;
    let key = KeyPair::try_from(&der).map_err(AuthorityError::Making)?;
    Ok((key, held.exposed_to(0o077, path)))
}

/// What a client would ask for that is covered by `name`.
fn asked_for(name: &SubjectName) -> Option<ServerName<'static>> {
    Some(match name {
        SubjectName::Dns(name) => ServerName::try_from(name.replacen('*', "any", 1)).ok()?,
        SubjectName::Ip(ip) => ServerName::from(*ip),
    })
}

/// A name for people, and then one for the whole set.
fn file_name(first: &SubjectName, names: &[SubjectName]) -> String {
    let shown: String = first
        .to_string()
        .chars()
        .take(64)
        .map(|char| if char.is_ascii_alphanumeric() || "-.".contains(char) { char } else { '_' })
        .collect();
    let all: Vec<_> = names.iter().map(ToString::to_string).collect();
    let digest = digest::digest(&digest::SHA256, all.join(",").as_bytes());
    let eight: [u8; 8] = digest.as_ref()[..8].try_into().expect("a SHA-256 has 32 bytes");
    format!("{shown}-{:016x}.pem", u64::from_be_bytes(eight))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn start() -> SystemTime {
        SystemTime::UNIX_EPOCH + 20_000 * DAY
    }

    fn open(folder: &Path) -> Result<Authority, AuthorityError> {
        Authority::open_or_create(folder, "user@host", start())
    }

    fn names(texts: &[&str]) -> Vec<SubjectName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_made_once_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/ca");
        let first = open(&path).unwrap();
        let second = open(&path).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        assert_eq!((first.warnings, second.warnings), (vec![], vec![]));
        let facts = Facts::of(&first.certificate).unwrap();
        assert_eq!(facts.subject, "O=relais, CN=relais local authority (user@host)");
        assert!(facts.is_ca);
        let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            [mode(""), mode("certs"), mode(KEY), mode(CERTIFICATE)],
            [0o700, 0o700, 0o600, 0o644]
        );
    }

    #[test]
    fn of_many_at_once_one_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let open = || open(folder.path()).unwrap().certificate;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|certificate| *certificate == made[0]));
    }

    #[test]
    fn one_killed_before_the_certificate_was_made_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).unwrap();
        let leaf = first.leaf_for(&names(&["a.example"]), start()).unwrap();
        fs::remove_file(folder.path().join(CERTIFICATE)).unwrap();
        let second = open(folder.path()).unwrap();
        // The key is the same, so what it had signed stays good.
        let kept = second.leaf_for(&names(&["a.example"]), start()).unwrap();
        assert_eq!(kept.chain(), leaf.chain());
    }

    #[test]
    fn what_is_damaged_is_told_and_not_replaced() {
        check(|folder| fs::remove_file(folder.join(KEY)).unwrap(), "is gone");
        check(|folder| fs::write(folder.join(KEY), "").unwrap(), "cannot use what is in");
        check(|folder| fs::write(folder.join(CERTIFICATE), "").unwrap(), "cannot use what is in");
        let another = tempfile::tempdir().unwrap();
        let other = open(another.path()).unwrap();
        check(
            |folder| _ = fs::copy(another.path().join(KEY), folder.join(KEY)).unwrap(),
            "does not belong",
        );
        let leaf = other.issue(&names(&["a.example"]), start()).unwrap();
        check(
            |folder| {
                fs::write(folder.join(CERTIFICATE), &leaf.chain_pem).unwrap();
                fs::write(folder.join(KEY), &leaf.key_pem).unwrap();
            },
            "is not an authority's",
        );
    }

    #[track_caller]
    fn check(damage: impl Fn(&Path), expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap();
        damage(folder.path());
        let text = open(folder.path()).unwrap_err().to_string();
        assert!(text.contains(expect), "{text}");
    }

    #[test]
    fn an_authority_ends_after_ten_years_and_its_leaves_with_it() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap();
        let late = start() + 3600 * DAY;
        let authority = Authority::open_or_create(folder.path(), "", late).unwrap();
        let leaf = authority.leaf_for(&names(&["a.example"]), late).unwrap();
        let end = Facts::of(&leaf.chain()[0]).unwrap().not_after;
        assert_eq!(end, Facts::of(authority.certificate()).unwrap().not_after);
        let error = Authority::open_or_create(folder.path(), "", end).unwrap_err();
        assert!(matches!(error, AuthorityError::Expired { .. }));
    }

    #[test]
    fn a_key_that_others_may_read_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).unwrap();
        let path = folder.path().join(KEY);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let warnings = open(folder.path()).unwrap().warnings;
        assert_eq!(warnings, [Warning::Exposed { path, mode: 0o640 }]);
    }

    #[test]
    fn a_leaf_says_what_browsers_ask_for() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path()).unwrap();
        let asked = names(&["localhost", "*.a.example", "127.0.0.1", "::1"]);
        let pem = authority.issue(&asked, start()).unwrap();
        let chain = pem::chain_in(pem.chain_pem.as_bytes(), Path::new("")).unwrap();
        let facts = Facts::of(&chain[0]).unwrap();
        assert_eq!(facts.names, ["localhost", "*.a.example", "127.0.0.1", "::1"]);
        assert_eq!(facts.subject, "CN=localhost");
        assert_eq!(facts.issuer, Facts::of(authority.certificate()).unwrap().subject);
        assert_eq!(facts.not_before, start() - Duration::from_hours(1));
        assert_eq!(facts.not_after, facts.not_before + 397 * DAY);
        assert!(!facts.is_ca);
        assert!(matches!(authority.issue(&[], start()), Err(AuthorityError::NoNames)));
    }

    #[test]
    fn a_leaf_is_kept_until_30_days_before_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path()).unwrap();
        let at = |day: u32, asked: &[&str]| {
            let leaf = authority.leaf_for(&names(asked), start() + day * DAY).unwrap();
            leaf.chain()[0].clone()
        };
        let first = at(0, &["a.example", "127.0.0.1", "*.b.example"]);
        assert_eq!(at(366, &["*.b.example", "127.0.0.1", "A.example", "a.example"]), first);
        assert_ne!(at(0, &["a.example"]), first);
        let second = at(367, &["a.example", "127.0.0.1", "*.b.example"]);
        assert_ne!(second, first);
        assert_eq!(at(368, &["a.example", "127.0.0.1", "*.b.example"]), second);
    }

    #[test]
    fn a_kept_leaf_that_is_not_for_this_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path()).unwrap();
        let asked = names(&["a.example"]);
        let path = folder.path().join(LEAVES).join(file_name(&asked[0], &asked));
        let first = authority.leaf_for(&asked, start()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().unwrap();
        let strangers = open(elsewhere.path()).unwrap().issue(&asked, start()).unwrap();
        let others = authority.issue(&names(&["b.example"]), start()).unwrap();
        for bad in [
            String::new(),
            format!("{}{}", strangers.chain_pem, strangers.key_pem),
            format!("{}{}", others.chain_pem, others.key_pem),
            others.chain_pem,
        ] {
            fs::write(&path, bad).unwrap();
            let leaf = authority.leaf_for(&asked, start()).unwrap();
            assert_eq!(leaf.names(), ["a.example"]);
            assert_ne!(leaf.chain(), first.chain());
            let again = authority.leaf_for(&asked, start()).unwrap();
            assert_eq!(again.chain(), leaf.chain());
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path()).unwrap();
        let key = fs::read_to_string(folder.path().join(KEY)).unwrap();
        let der = pem::key_in(key.as_bytes(), Path::new("")).unwrap();
        let shown = format!("{authority:?}");
        assert!(!shown.contains(&format!("{:?}", &der.secret_der()[40..48])), "{shown}");
        assert!(!shown.contains(key.lines().nth(1).unwrap()), "{shown}");
    }
}
