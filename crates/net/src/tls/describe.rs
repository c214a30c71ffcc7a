//! What a certificate says, for people. Not whether any of it is true: that is [`Roots`]' to judge.
//!
//! The certificate may be a stranger's: every text is bounded, and what could disturb a terminal is
//! escaped.
//!
//! [`Roots`]: super::Roots

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    oid_registry::Oid,
    parse_x509_certificate,
    public_key::PublicKey,
    time::ASN1Time,
    x509::{AttributeTypeAndValue, SubjectPublicKeyInfo, X509Name},
};

use super::visible::{clean, hex};

/// The most alternative names that are listed; a certificate of a large host has about 100.
const NAMES_MAX: usize = 256;
/// The most attributes of a subject or an issuer that are shown.
const ATTRIBUTES_MAX: usize = 32;
/// The longest object identifier that is decoded; those in use have at most 20 bytes.
const OID_BYTES_MAX: usize = 64;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whom it is for, e.g. `CN=example.org, O=Example`. Escaped, like every text here.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names and addresses it is good for; other kinds with a prefix, e.g. `email:a@b`.
    pub names: Vec<String>,
    /// How many more names there are than `names` has.
    pub names_omitted: usize,
    /// From when it is good.
    pub not_before: SystemTime,
    /// Until when it is good.
    pub not_after: SystemTime,
    /// The kind of its key, e.g. `RSA`, `ECDSA P-256`, `Ed25519`, or a dotted OID.
    pub key: String,
    /// The size of its key, in bits, where that says something.
    pub key_bits: Option<usize>,
    /// How it was signed, e.g. `ecdsa-with-SHA256`, or a dotted OID.
    pub signature: String,
    /// Its number among its issuer's: hexadecimal, as `openssl` prints it.
    pub serial: String,
    /// The SHA-256 of the whole certificate.
    pub fingerprint: Fingerprint,
    /// Whether it may sign other certificates.
    pub is_ca: bool,
}

/// The SHA-256 of a certificate. Prints as `openssl x509 -fingerprint` does: `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// Why a text is no [`Fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad fingerprint {0:?}: expected 64 hexadecimal digits, perhaps with colons between them")]
pub struct BadFingerprint(pub String);

/// The bytes are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate: expected X.509 in DER, alone")]
pub struct NotACertificate;

impl Facts {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    ///
    /// [`NotACertificate`], also if something follows the certificate.
    pub fn of(der: &[u8]) -> Result<Self, NotACertificate> {
        let certificate = parse(der)?;
        let (names, names_omitted) = names_listed(&certificate);
        let (key, key_bits) = key_of(certificate.public_key());
        Ok(Self {
            subject: name_text(certificate.subject()),
            issuer: name_text(certificate.issuer()),
            names,
            names_omitted,
            not_before: instant(certificate.validity().not_before),
            not_after: instant(certificate.validity().not_after),
            key,
            key_bits,
            signature: signature_name(&certificate.signature_algorithm.algorithm),
            serial: hex(certificate.raw_serial(), ':'),
            fingerprint: Fingerprint::of(der),
            is_ca: certificate.is_ca(),
        })
    }
}

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, der);
        Self(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Reads what is printed, in any case and with or without its colons.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|char| *char != ':')
            .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let pairs = digits.filter(|digits| digits.len() == 64);
        let bytes: Option<Vec<u8>> =
            pairs.map(|digits| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| BadFingerprint(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0, ':').to_ascii_uppercase())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Whom a certificate is for, or an empty text if it cannot be read.
pub(super) fn subject_of(der: &[u8]) -> String {
    let mut text =
        parse(der).map(|certificate| name_text(certificate.subject())).unwrap_or_default();
    if text.len() > SUBJECT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SUBJECT_BYTES_MAX));
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

/// The most bytes of a subject that is kept as long as a connection, but for the sign that there is more.
const SUBJECT_BYTES_MAX: usize = 1024;

/// The DNS names that a certificate is good for, in lower case and unescaped.
pub(super) fn dns_names_of(der: &[u8]) -> Vec<String> {
    let Ok(certificate) = parse(der) else { return Vec::new() };
    let dns = alternative_names(&certificate).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, NotACertificate> {
    match parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(NotACertificate),
    }
}

fn alternative_names<'a>(
    certificate: &'a X509Certificate<'_>,
) -> impl Iterator<Item = &'a GeneralName<'a>> {
    let lists = certificate.extensions().iter().filter_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        }
    });
    lists.flatten()
}

fn names_listed(certificate: &X509Certificate<'_>) -> (Vec<String>, usize) {
    let mut names = alternative_names(certificate);
    let listed = names.by_ref().take(NAMES_MAX).map(general_name_text).collect();
    (listed, names.count())
}

fn general_name_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => clean(name),
        GeneralName::IPAddress(bytes) => address(bytes)
            .map_or_else(|| format!("IP:{}", hex(bytes, ':')), |address| address.to_string()),
        GeneralName::RFC822Name(name) => format!("email:{}", clean(name)),
        GeneralName::URI(name) => format!("URI:{}", clean(name)),
        GeneralName::DirectoryName(name) => format!("dirName:{}", name_text(name)),
        GeneralName::RegisteredID(oid) => format!("RID:{}", oid_text(oid)),
        GeneralName::OtherName(oid, _) => format!("otherName:{}", oid_text(oid)),
        GeneralName::X400Address(_) => "X400Name".to_owned(),
        GeneralName::EDIPartyName(_) => "EdiPartyName".to_owned(),
        GeneralName::Invalid(..) => "invalid".to_owned(),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}

/// `CN=…, O=…`, in the certificate's order.
fn name_text(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    for attribute in name.iter_attributes().take(ATTRIBUTES_MAX) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&attribute_kind(attribute.attr_type()));
        text.push('=');
        text.push_str(&attribute_value(attribute));
    }
    text
}

/// The short names of RFC 4519, as far as certificates use them.
fn attribute_kind(oid: &Oid<'_>) -> String {
    let text = oid_text(oid);
    let short = match text.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return text,
    };
    short.to_owned()
}

fn attribute_value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let Ok(value) = attribute.as_str() else {
        return format!("#{}", hex(attribute.as_slice(), ':'));
    };
    // What would read as the end of the value is marked, as in RFC 4514.
    clean(value).replace(',', "\\,").replace('+', "\\+").replace('=', "\\=")
}

fn key_of(info: &SubjectPublicKeyInfo<'_>) -> (String, Option<usize>) {
    let algorithm = oid_text(&info.algorithm.algorithm);
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA".to_owned(), Some(bits(key.modulus))),
        Ok(PublicKey::EC(_)) => curve_of(info),
        _ => match algorithm.as_str() {
            "1.3.101.112" => ("Ed25519".to_owned(), Some(256)),
            "1.3.101.113" => ("Ed448".to_owned(), Some(456)),
            _ => (algorithm, None),
        },
    }
}

/// The named curve, and the size of its field (RFC 5480, section 2.1.1.1).
fn curve_of(info: &SubjectPublicKeyInfo<'_>) -> (String, Option<usize>) {
    let named = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    let Some(oid) = named else { return ("ECDSA".to_owned(), None) };
    let oid = oid_text(&oid);
    let (curve, bits) = match oid.as_str() {
        "1.2.840.10045.3.1.7" => ("P-256", Some(256)),
        "1.3.132.0.34" => ("P-384", Some(384)),
        "1.3.132.0.35" => ("P-521", Some(521)),
        "1.3.132.0.10" => ("secp256k1", Some(256)),
        other => (other, None),
    };
    (format!("ECDSA {curve}"), bits)
}

/// The bits of a big-endian number.
fn bits(number: &[u8]) -> usize {
    let leading = number.iter().take_while(|&&byte| byte == 0).count();
    let Some(first) = number.get(leading) else { return 0 };
    let unused = usize::try_from(first.leading_zeros()).expect("at most 8");
    (number.len() - leading) * 8 - unused
}

/// The names of RFC 8017, 5758 and 8410.
fn signature_name(oid: &Oid<'_>) -> String {
    let text = oid_text(oid);
    let name = match text.as_str() {
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => return text,
    };
    name.to_owned()
}

/// Dotted, or in hexadecimal if it is absurdly long: where any crate of the build switches on
/// `asn1-rs/bigint`, the cost of dots grows with its square.
fn oid_text(oid: &Oid<'_>) -> String {
    let bytes = oid.as_bytes();
    if bytes.len() <= OID_BYTES_MAX { clean(&oid.to_id_string()) } else { hex(bytes, ':') }
}

/// The instant, or the start of 1970 on a machine whose [`SystemTime`] cannot be it.
fn instant(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let away = Duration::from_secs(seconds.unsigned_abs());
    let reached = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(away)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(away)
    };
    reached.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair};

    use super::*;

    /// A certificate for `names`, whose common name is `common_name`.
    fn certificate(common_name: &str, names: &[&str]) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn tells_what_a_certificate_says() {
        let der = certificate("example.org", &["example.org", "*.example.org", "192.0.2.1", "::1"]);
        let facts = Facts::of(&der).unwrap();
        assert_eq!(facts.subject, "CN=example.org");
        assert_eq!(facts.issuer, facts.subject);
        assert_eq!(facts.names, ["example.org", "*.example.org", "192.0.2.1", "::1"]);
        assert_eq!((facts.key.as_str(), facts.key_bits), ("ECDSA P-256", Some(256)));
        assert_eq!(facts.signature, "ecdsa-with-SHA256");
        assert!(!facts.is_ca);
        assert!(facts.not_before < facts.not_after);
        assert_eq!(facts.fingerprint.to_string().len(), 32 * 3 - 1);
    }

    #[test]
    fn a_name_cannot_disturb_a_terminal_or_pass_for_two() {
        let der = certificate("\u{1b}]0;x\u{7}, O=Bank", &[]);
        assert_eq!(Facts::of(&der).unwrap().subject, "CN=\\u{1b}]0;x\\u{7}\\, O\\=Bank");
    }

    #[test]
    fn many_names_are_counted_not_listed() {
        let names: Vec<_> = (0..NAMES_MAX + 7).map(|n| format!("h{n}.example")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let facts = Facts::of(&certificate("many", &names)).unwrap();
        assert_eq!((facts.names.len(), facts.names_omitted), (NAMES_MAX, 7));
    }

    #[test]
    fn many_attributes_are_cut() {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for number in 0..u64::try_from(ATTRIBUTES_MAX).unwrap() + 7 {
            let kind = DnType::CustomDnType(vec![1, 2, 3, number]);
            params.distinguished_name.push(kind, "x");
        }
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let facts = Facts::of(own.der()).unwrap();
        assert_eq!(facts.subject.split(", ").count(), ATTRIBUTES_MAX);
        assert!(facts.subject.ends_with("1.2.3.31=x"), "{}", facts.subject);
    }

    #[test]
    fn of_a_long_subject_the_front_is_kept() {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for number in 0..20 {
            let kind = DnType::CustomDnType(vec![1, 2, 3, number]);
            params.distinguished_name.push(kind, "é".repeat(100));
        }
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let kept = subject_of(own.der());
        assert!(kept.len() <= SUBJECT_BYTES_MAX + '…'.len_utf8(), "{}", kept.len());
        assert!(kept.starts_with("1.2.3.0=é") && kept.ends_with("é…"), "{kept}");
        assert_eq!(subject_of(&certificate("alice", &[])), "CN=alice");
    }

    #[test]
    fn an_endless_identifier_costs_no_time() {
        // One number of 3.5 million bits, as a registered ID among the names (RFC 5280, 4.2.1.6).
        let id = [vec![0x2a], vec![0xff; (1 << 19) - 2], vec![1]].concat();
        let names = [&[0x30, 0x83, 8, 0, 5, 0x88, 0x83, 8, 0, 0][..], &id].concat();
        let mut params = CertificateParams::default();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (done, over) = mpsc::channel();
        thread::spawn(move || done.send(Facts::of(own.der()).unwrap().names));
        let names = over.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(names[0].starts_with("RID:2a:ff:ff"), "{names:?}");
    }

    #[test]
    fn the_size_of_a_number_leaves_out_leading_zeros() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[1, 0]), 9);
    }

    #[test]
    fn nothing_panics() {
        let good = certificate("example.org", &["example.org", "192.0.2.1"]);
        assert_eq!(Facts::of(&[good.as_slice(), b"x"].concat()), Err(NotACertificate));
        for length in 0..good.len() {
            assert_eq!(Facts::of(&good[..length]), Err(NotACertificate));
        }
        for index in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, good[index] ^ 1] {
                let mut bad = good.clone();
                bad[index] = value;
                _ = Facts::of(&bad).map(|facts| format!("{facts:?}"));
                _ = dns_names_of(&bad);
            }
        }
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_printed_and_without_colons() {
        let fingerprint = Fingerprint([0xab; 32]);
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!("ab".repeat(32).parse(), Ok(fingerprint));
        for text in ["", "ab", "é", &"ag".repeat(32), &"ab".repeat(33)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(BadFingerprint(text.to_owned())));
        }
    }
}
