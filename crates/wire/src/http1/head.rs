//! The lines of a head, one at a time ([RFC 9112 §3, §5, §6]).
//!
//! Lines come here whole and without their CR LF; how they are cut is the guard's business.
//!
//! [RFC 9112 §3, §5, §6]: https://www.rfc-editor.org/rfc/rfc9112#section-3

use super::HeadLimits;
use super::lengths::{Lengths, Named, Version};
use super::refusal::Refusal;
use crate::class::{QUERY, TARGET, TOKEN, count_value};
use crate::host::{HostName, parse_host, usual_port};
use crate::list::trim;

/// What is known of a request whose head has not ended.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) section: Section,
    lengths: Lengths,
    /// Who the target names, in the forms that name somebody, until `Host` is seen.
    authority: Option<Box<Authority>>,
    connect: bool,
    host_seen: bool,
}

/// How much of a head, or of trailers, there has been.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Section {
    /// Line ends included.
    pub(super) bytes: u32,
    pub(super) fields: u32,
}

/// How the body of a message ends.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// After so many bytes, perhaps none.
    Length(u64),
    Chunked,
    /// There is none, and perhaps no further message.
    Tunnel,
}

/// Whom a target names.
#[derive(Clone, Debug)]
struct Authority {
    name: Box<str>,
    port: Option<u16>,
    /// What no port means.
    usual_port: Option<u16>,
}

impl Section {
    /// Counts a field.
    pub(super) fn count_field(&mut self, limits: &HeadLimits) -> Result<(), Refusal> {
        if self.fields >= limits.fields_max {
            return Err(Refusal::TooManyFields { max: limits.fields_max });
        }
        self.fields += 1;
        Ok(())
    }
}

impl Head {
    /// Reads a request line.
    pub(super) fn start(line: &[u8]) -> Result<Self, Refusal> {
        let (method, rest) = word(line, TOKEN.count(line)).map_err(|found| match found {
            Some(b'\r') => Refusal::BareCr,
            Some(byte) if byte != b' ' => Refusal::Method(byte),
            _ => Refusal::RequestLine,
        })?;
        let (target, version) = word(rest, count_target(rest)).map_err(|found| match found {
            Some(b'#') => Refusal::Fragment,
            Some(b'\r') => Refusal::BareCr,
            Some(byte) if byte != b' ' => Refusal::Target(byte),
            _ => Refusal::RequestLine,
        })?;
        let version = parse_version(version)?;
        let connect = method == b"CONNECT";
        let authority = match target {
            [b'/', ..] if !connect => None,
            _ => named_by(method, target)?,
        };
        Ok(Self {
            section: Section::default(),
            lengths: Lengths::of(version),
            authority,
            connect,
            host_seen: false,
        })
    }

    /// Reads a field line.
    pub(super) fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let (name, value) = split_field(line)?;
        // Of the four that matter no two have names of one length.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(trim(value)),
            6 if name.eq_ignore_ascii_case(b"expect") => expect(trim(value)),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.lengths.content_length(trim(value))
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.lengths.transfer_encoding(trim(value))
            }
            _ => Ok(()),
        }
    }

    /// Judges the head as a whole: how its body ends.
    pub(super) fn end(&self) -> Result<Framing, Refusal> {
        if self.lengths.version == Version::Http11 && !self.host_seen {
            return Err(Refusal::HostMissing);
        }
        let framing = match self.lengths.named()? {
            Named::Chunked => Framing::Chunked,
            Named::Length(length) => Framing::Length(length),
            Named::Nothing => Framing::Length(0),
        };
        match framing {
            framing if !self.connect => Ok(framing),
            Framing::Length(0) => Ok(Framing::Tunnel),
            // Behind the head of a CONNECT the tunnel starts; a body would be read as part of it.
            _ => Err(Refusal::ConnectBody),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.host_seen {
            return Err(Refusal::HostRepeated);
        }
        self.host_seen = true;
        let host = parse_host(value).map_err(Refusal::Host)?;
        match self.authority.take() {
            Some(authority) if !authority.agrees(&host) => Err(Refusal::HostDisagrees),
            _ => Ok(()),
        }
    }
}

impl Authority {
    fn parse(text: &[u8], usual_port: Option<u16>) -> Result<Box<Self>, Refusal> {
        let HostName { name, port } = parse_host(text).map_err(Refusal::TargetHost)?;
        Ok(Box::new(Self { name: name.into(), port, usual_port }))
    }

    fn agrees(&self, host: &HostName<'_>) -> bool {
        HostName { name: &self.name, port: self.port }.agrees(host, self.usual_port)
    }
}

/// Whether `first`, the first bytes of a connection, are likely a request's: a method in capitals, a
/// space, and the start of a path, of an HTTP URI, or `*`.
pub fn starts_like_request(first: &[u8]) -> bool {
    let method_len = first.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let target = first[method_len..].strip_prefix(b" ");
    method_len > 0 && matches!(target, Some([b'/' | b'*' | b'h', ..]))
}

/// Reads a field line of the trailers.
pub(super) fn trailer(line: &[u8]) -> Result<(), Refusal> {
    let (name, _) = split_field(line)?;
    refuse_framing_in_trailer(name)
}

/// Refuses the names of fields that would change what was read already.
pub(super) fn refuse_framing_in_trailer(name: &[u8]) -> Result<(), Refusal> {
    let is_name = |framing: &&[u8]| name.eq_ignore_ascii_case(framing);
    let framing: [&[u8]; 3] = [b"host", b"content-length", b"transfer-encoding"];
    if framing.iter().any(is_name) { Err(Refusal::TrailerFraming) } else { Ok(()) }
}

/// Whether `target` is made of nothing but what the target of a request may have, in whichever form.
pub fn is_of_target(target: &[u8]) -> bool {
    count_target(target) == target.len()
}

/// How many bytes `rest` starts with that a target may have.
fn count_target(rest: &[u8]) -> usize {
    let before_query = TARGET.count(rest);
    match &rest[before_query..] {
        query @ [b'?', ..] => before_query + QUERY.count(query),
        _ => before_query,
    }
}

/// Cuts `line` behind its first `len` bytes, of which there must be some, and the space there.
///
/// The error is the byte found in place of the space or of the first byte.
fn word(line: &[u8], len: usize) -> Result<(&[u8], &[u8]), Option<u8>> {
    match line.get(len) {
        Some(b' ') if len > 0 => Ok((&line[..len], &line[len + 1..])),
        found => Err(found.copied()),
    }
}

fn parse_version(version: &[u8]) -> Result<Version, Refusal> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(Refusal::Version),
        _ if version.contains(&b'\r') => Err(Refusal::BareCr),
        _ => Err(Refusal::RequestLine),
    }
}

/// The longest scheme that the parser behind takes.
const SCHEME_BYTES_MAX: usize = 64;

/// Whom a target names that is not in origin-form; `None` is nobody, for `*`.
fn named_by(method: &[u8], target: &[u8]) -> Result<Option<Box<Authority>>, Refusal> {
    if method == b"CONNECT" {
        let authority = Authority::parse(target, None)?;
        return if authority.port.is_some() {
            Ok(Some(authority))
        } else {
            Err(Refusal::TargetForm)
        };
    }
    if target == b"*" && method == b"OPTIONS" {
        return Ok(None);
    }
    let colon = target.iter().position(|&byte| byte == b':').ok_or(Refusal::TargetForm)?;
    let (scheme, rest) = target.split_at(colon);
    let rest = rest.strip_prefix(b"://").ok_or(Refusal::TargetForm)?;
    let scheme_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_scheme = scheme.len() <= SCHEME_BYTES_MAX
        && scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(scheme_byte);
    if !is_scheme {
        return Err(Refusal::TargetForm);
    }
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    // Clients that ask a proxy for FTP name its port in `Host`. It is the scheme that is refused.
    let is_ftp = scheme.eq_ignore_ascii_case(b"ftp");
    let port = usual_port(scheme).or(is_ftp.then_some(FTP_PORT));
    Authority::parse(&rest[..end], port).map(Some)
}

const FTP_PORT: u16 = 21;

/// Cuts a field line at its colon and checks both sides. The value is not trimmed.
pub(super) fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let name_len = TOKEN.count(line);
    match line.get(name_len) {
        Some(b':') if name_len > 0 => {}
        Some(b':') => return Err(Refusal::NoFieldName),
        Some(b' ' | b'\t') if name_len == 0 => return Err(Refusal::FoldedLine),
        Some(b'\r') => return Err(Refusal::BareCr),
        Some(&byte) => return Err(Refusal::FieldName(byte)),
        None => return Err(Refusal::NoColon),
    }
    let value = &line[name_len + 1..];
    match value.get(count_value(value)) {
        None => Ok((&line[..name_len], value)),
        Some(b'\r') => Err(Refusal::BareCr),
        Some(&byte) => Err(Refusal::FieldValue(byte)),
    }
}

fn expect(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"100-continue") { Ok(()) } else { Err(Refusal::Expectation) }
}
