//! What the local authority signs: for whom, for how long, and what it says.

use std::{
    fmt,
    net::IpAddr,
    str::FromStr,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use relais_wire::host::{NAME_BYTES_MAX, is_dns_name};

/// How long an authority is good: long, since people have to trust a new one by hand.
const AUTHORITY_AGE_MAX: Duration = Duration::from_hours(3652 * 24);
/// How long a certificate is good. Browsers refuse more than 398 days.
const LEAF_AGE_MAX: Duration = Duration::from_hours(397 * 24);
/// How long before its making a certificate is good: clocks differ.
const BACKDATED: Duration = Duration::from_hours(1);
/// How long before its end a certificate is renewed.
pub(super) const RENEWED_BEFORE: Duration = Duration::from_hours(30 * 24);
/// The longest common name (`ub-common-name`, RFC 5280, appendix A).
const COMMON_NAME_CHARS_MAX: usize = 64;

/// What a certificate is for: a DNS name, perhaps with `*` for its first label, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectName {
    /// A DNS name in lower case, as [`SubjectName::from_str`] reads it.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// The text is no name that a certificate can be for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad name {0:?}: expected a DNS name, \"*.\" and a DNS name, or an address")]
pub struct ParseSubjectNameError(String);

/// A certificate and its key, as text for files.
#[derive(Clone)]
pub struct CertifiedPem {
    /// The certificate; the authority's own is not with it, since who trusts it has it.
    pub chain_pem: String,
    /// The private key, PKCS#8.
    pub key_pem: String,
}

impl fmt::Debug for CertifiedPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertifiedPem").field("chain_pem", &self.chain_pem).finish_non_exhaustive()
    }
}

impl FromStr for SubjectName {
    type Err = ParseSubjectNameError;

    /// Reads a name; an IPv6 address may stand in brackets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Ok(ip) = inner.unwrap_or(text).parse() {
            return Ok(Self::Ip(ip));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        if !is_dns_name(name) || text.len() > NAME_BYTES_MAX {
            return Err(ParseSubjectNameError(text.to_owned()));
        }
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

/// Makes the certificate of an authority, signed by itself: for leaves only, good for ten years.
pub(super) fn authority(
    key: &KeyPair,
    label: &str,
    now: SystemTime,
) -> Result<String, rcgen::Error> {
    let mut params = signed_by_us(now, now + AUTHORITY_AGE_MAX)?;
    let label: String = label.chars().filter(|char| !char.is_control()).collect();
    let name = format!("relais local authority ({label})");
    let name: String = name.chars().take(COMMON_NAME_CHARS_MAX).collect();
    params.distinguished_name.push(DnType::OrganizationName, "relais");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params.self_signed(key)?.pem())
}

/// Makes a key and the certificate of a server for `names`, good no longer than its issuer.
pub(super) fn leaf(
    issuer: &Issuer<'_, KeyPair>,
    names: &[SubjectName],
    now: SystemTime,
    issuer_end: SystemTime,
) -> Result<CertifiedPem, rcgen::Error> {
    let key = new_key()?;
    let mut params = signed_by_us(now, issuer_end.min(now + LEAF_AGE_MAX - BACKDATED))?;
    params.distinguished_name.push(DnType::CommonName, common_name(names));
    params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let chain_pem = params.signed_by(&key, issuer)?.pem();
    Ok(CertifiedPem { chain_pem, key_pem: key.serialize_pem() })
}

pub(super) fn new_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}

/// What all our certificates have.
fn signed_by_us(now: SystemTime, end: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = (now - BACKDATED).into();
    params.not_after = end.into();
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// 127 bits, positive and never with a zero at its beginning (RFC 5280, section 4.1.2.2).
fn random_serial() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The first name that fits: only people read it.
fn common_name(names: &[SubjectName]) -> String {
    let mut texts = names.iter().map(ToString::to_string);
    texts.find(|text| text.len() <= COMMON_NAME_CHARS_MAX).unwrap_or_else(|| "relais".to_owned())
}

fn alternative(name: &SubjectName) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        SubjectName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        SubjectName::Ip(ip) => SanType::IpAddress(*ip),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        check("Example.org", "example.org");
        check("*.example.org", "*.example.org");
        check("localhost", "localhost");
        check("my_host-1", "my_host-1");
        check("192.0.2.1", "192.0.2.1");
        check("[2001:DB8::1]", "2001:db8::1");
        check("::1", "::1");
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let name: SubjectName = text.parse().unwrap();
        assert_eq!(name.to_string(), expect);
        assert_eq!(expect.parse(), Ok(name));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("*.{}a", "a.".repeat(126));
        for text in [
            "", "a.", "a..b", "*", "*.", "a.*.b", "**.a", "*a.b", "../a", "1.2.3", "*.1", "[a]",
            "[::1", &long,
        ] {
            let expect = ParseSubjectNameError(text.to_owned());
            assert_eq!(text.parse::<SubjectName>(), Err(expect));
        }
    }

    #[test]
    fn serials_are_positive_and_differ() {
        let serials = [random_serial().unwrap().to_bytes(), random_serial().unwrap().to_bytes()];
        assert_ne!(serials[0], serials[1]);
        assert!(serials.iter().all(|serial| (0x40..0x80).contains(&serial[0])));
    }

    #[test]
    fn a_key_is_not_shown() {
        let secret = "c2VjcmV0".to_owned();
        let pem = CertifiedPem { chain_pem: String::new(), key_pem: secret.clone() };
        assert!(!format!("{pem:?}").contains(&secret));
    }
}
