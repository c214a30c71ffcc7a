//! The opening of a WebSocket, both sides of it ([RFC 6455 §4]).
//!
//! The frames that follow are not read here.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use crate::{
    host::{parse_host, same_host, usual_port},
    http1::{CutHead, Guard, HeadLimits, Refusal, Stage},
    list::{parts, trim},
    sha1::sha1,
};

/// What was asked for by a head that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The target, e.g. `/`.
    pub target: &'a str,
    /// The host, and perhaps a port, that the client believes to talk to.
    pub host: &'a str,
    /// The site of the page that asks, if a browser does: `http://a.example:8080`, or `null`.
    pub origin: Option<&'a str>,
    /// What the answer is made of: see [`accept_of`].
    pub key: &'a str,
    /// How many bytes the head took; frames follow.
    pub length: usize,
}

/// Why a head opens no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOpening {
    /// It is no request of HTTP/1.1 with `GET`.
    #[error("no GET request of HTTP/1.1")]
    NoGet,
    /// It is no request at all, or one that others may read differently.
    #[error(transparent)]
    Refused(Refusal),
    /// It has a body, which frames could be taken for.
    #[error("a body: expected none")]
    Body,
    /// It is one, for something else.
    #[error("no `Upgrade: websocket` and `Connection: Upgrade`")]
    NoUpgrade,
    /// Another version of the protocol.
    #[error("no `Sec-WebSocket-Version: 13`")]
    Version,
    /// No key of 16 bytes in base64.
    #[error("no `Sec-WebSocket-Key` of 16 bytes")]
    Key,
    /// More than one page asks, or one without a name.
    #[error("no one `Origin`: expected one at most, e.g. \"http://a.example\"")]
    Origin,
}

/// Why an answer opens no WebSocket ([RFC 6455 §4.1]).
///
/// [RFC 6455 §4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAcceptance {
    /// Another status than 101.
    #[error("its status is not 101")]
    Status,
    /// It was made for another key, or for none.
    #[error("its answer is to another request")]
    Accept,
    /// It switches to another protocol.
    #[error("its answer has no `Upgrade: websocket`")]
    Upgrade,
    /// It does not say that it switches.
    #[error("its answer has no `Connection: Upgrade`")]
    Connection,
    /// It uses an extension, of which none was asked for.
    #[error("its answer has a `Sec-WebSocket-Extensions` that nobody asked for")]
    Extensions,
    /// It speaks a protocol on top, of which none was asked for.
    #[error("its answer has a `Sec-WebSocket-Protocol` that nobody asked for")]
    Protocol,
}

/// Reads the request at the front of `input`. `Ok(None)` if its head does not end in it.
///
/// # Errors
///
/// [`NoOpening`]: what is there is something else, or more than `limits` allow.
///
/// *Cost*: linear in the head, at each call.
pub fn read_opening(input: &[u8], limits: HeadLimits) -> Result<Option<Opening<'_>>, NoOpening> {
    const BEGIN: &[u8] = b"GET ";
    const END: &[u8] = b"\r\n\r\n";
    let begin = &input[..input.len().min(BEGIN.len())];
    if !BEGIN.starts_with(begin) {
        return Err(NoOpening::NoGet);
    }
    let end = input.windows(END.len()).position(|four| four == END).map(|at| at + END.len());
    let head = &input[..end.unwrap_or(input.len())];
    let mut guard = Guard::new(limits);
    if let Some(refusal) = guard.feed(head).refusal {
        return Err(NoOpening::Refused(refusal));
    }
    let Some(length) = end else { return Ok(None) };
    if guard.stage() != Stage::BetweenMessages {
        return Err(NoOpening::Body);
    }
    let CutHead { target, version, fields, .. } = CutHead::of(head).ok_or(NoOpening::NoGet)?;
    if version != b"HTTP/1.1" {
        return Err(NoOpening::NoGet);
    }
    let opening = judge_fields(fields)?;
    Ok(Some(Opening { target: text(target), length, ..opening }))
}

/// What the `fields` of a GET of HTTP/1.1 without a body open, whose head somebody else read: its target
/// is empty here, and it took no bytes.
///
/// # Errors
///
/// [`NoOpening`]: they open nothing.
pub fn judge_fields<'a>(
    fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<Opening<'a>, NoOpening> {
    let mut asked = Asked::default();
    for (name, value) in fields {
        asked.take(name, value)?;
    }
    let (host, origin) = (asked.host, asked.origin);
    let key = asked.key()?;
    Ok(Opening { target: "", host, origin, key, length: 0 })
}

/// What a guard let pass of a target, a host or the like is ASCII.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

impl Opening<'_> {
    /// Whether the page that asks, if one does, came from the very host and port that it asks, over
    /// TLS if `is_secure`. Any page on the web may ask any host: who answers has to look
    /// ([RFC 6455 §10.2]).
    ///
    /// [RFC 6455 §10.2]: https://www.rfc-editor.org/rfc/rfc6455#section-10.2
    pub fn is_of_same_origin(&self, is_secure: bool) -> bool {
        let Some(origin) = self.origin else { return true };
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let here = if is_secure { 443 } else { 80 };
        match (parse_host(authority.as_bytes()), parse_host(self.host.as_bytes())) {
            (Ok(page), Ok(host)) => {
                let page_port = page.port.or(usual_port(scheme.as_bytes()));
                same_host(page.name, host.name) && page_port == Some(host.port.unwrap_or(here))
            }
            _ => false,
        }
    }
}

/// What the fields say.
#[derive(Default)]
struct Asked<'a> {
    host: &'a str,
    upgrade: bool,
    connection: bool,
    version: bool,
    key: Option<&'a str>,
    origin: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), NoOpening> {
        match name.to_ascii_lowercase().as_slice() {
            b"host" => self.host = text(value),
            b"upgrade" => self.upgrade |= has(value, "websocket"),
            b"connection" => self.connection |= has(value, "upgrade"),
            b"sec-websocket-version" => self.version |= has(value, "13"),
            b"sec-websocket-key" if self.key.is_some() => return Err(NoOpening::Key),
            b"sec-websocket-key" => self.key = Some(text(value)),
            b"origin" if self.origin.is_some() || text(value).is_empty() => {
                return Err(NoOpening::Origin);
            }
            b"origin" => self.origin = Some(text(value)),
            _ => (),
        }
        Ok(())
    }

    fn key(self) -> Result<&'a str, NoOpening> {
        if !(self.upgrade && self.connection) {
            return Err(NoOpening::NoUpgrade);
        }
        if !self.version {
            return Err(NoOpening::Version);
        }
        self.key.filter(|key| is_key(key)).ok_or(NoOpening::Key)
    }
}

/// Whether `token` is in the list that `value` is.
fn has(value: &[u8], token: &str) -> bool {
    parts(value, b',').any(|part| part.eq_ignore_ascii_case(token.as_bytes()))
}

/// Whether `key` is 16 bytes in base64: 22 characters and two of padding.
fn is_key(key: &str) -> bool {
    let Some(digits) = key.strip_suffix("==") else { return false };
    digits.len() == 22 && digits.bytes().all(|byte| DIGITS.contains(&byte))
}

/// What answers `key`, as `Sec-WebSocket-Accept` ([RFC 6455 §4.2.2]).
///
/// [RFC 6455 §4.2.2]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
pub fn accept_of(key: &str) -> String {
    base64(&sha1([key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat().as_bytes()))
}

/// The key that 16 bytes drawn at random are ([RFC 6455 §4.1]).
///
/// [RFC 6455 §4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
pub fn key_of(drawn: [u8; 16]) -> String {
    base64(&drawn)
}

/// Judges the head of an answer, which ends with an empty line, to what was asked for by `key`: no
/// extension, and no protocol on top.
///
/// # Errors
///
/// [`NoAcceptance`]: it opens nothing.
pub fn judge_answer(head: &[u8], key: &str) -> Result<(), NoAcceptance> {
    let mut lines = head.split(|byte| *byte == b'\n');
    if !lines.next().is_some_and(|line| line.starts_with(b"HTTP/1.1 101")) {
        return Err(NoAcceptance::Status);
    }
    let (mut accepts, mut upgrades, mut connects) = (Vec::new(), Vec::new(), false);
    let mut surplus = Ok(());
    for line in lines {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = &line[at + 1..];
        let value = trim(value.strip_suffix(b"\r").unwrap_or(value));
        match line[..at].to_ascii_lowercase().as_slice() {
            b"sec-websocket-accept" => accepts.push(value),
            b"upgrade" => upgrades.push(value),
            b"connection" => connects |= has(value, "upgrade"),
            b"sec-websocket-extensions" => surplus = Err(NoAcceptance::Extensions),
            b"sec-websocket-protocol" => surplus = Err(NoAcceptance::Protocol),
            _ => {}
        }
    }
    if accepts != [accept_of(key).as_bytes()] {
        return Err(NoAcceptance::Accept);
    }
    if !matches!(upgrades[..], [value] if value.eq_ignore_ascii_case(b"websocket")) {
        return Err(NoAcceptance::Upgrade);
    }
    if !connects {
        return Err(NoAcceptance::Connection);
    }
    surplus
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// [RFC 4648 §4](https://www.rfc-editor.org/rfc/rfc4648#section-4).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..4 {
            let is_there = digit <= three.len();
            let at = bits >> (18 - 6 * digit) & 63;
            text.push(if is_there { char::from(DIGITS[at]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    #[test]
    fn the_answer_to_a_key_is_that_of_the_standard() {
        assert_eq!(accept_of(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(key_of(*b"the sample nonce"), KEY);
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, expect) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), expect);
        }
    }

    fn request(fields: &str) -> String {
        format!("GET /chat HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\nrest")
    }

    const LIMITS: HeadLimits =
        HeadLimits { head_bytes_max: 1000, line_bytes_max: 500, fields_max: 10 };

    fn good() -> String {
        let name = "UPGRADE: WebSocket, x\r\nConnection: keep-alive, upgrade";
        format!("{name}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}")
    }

    #[test]
    fn a_request_opens_or_says_why_not() {
        let good = good();
        let whole = request(&good);
        let opening = read_opening(whole.as_bytes(), LIMITS).unwrap().unwrap();
        let length = whole.len() - 4;
        let expect = Opening { target: "/chat", host: "a", origin: None, key: KEY, length };
        assert_eq!(opening, expect);
        for cut in 0..length {
            assert_eq!(read_opening(&whole.as_bytes()[..cut], LIMITS), Ok(None), "{cut}");
        }
        check(&whole.replace("n: 13", "n: 14"), NoOpening::Version);
        check(&request(&format!("{good}\r\nSec-WebSocket-Key: {KEY}")), NoOpening::Key);
        check(&request("Upgrade: websocket"), NoOpening::NoUpgrade);
        check(&whole.replace(KEY, "short=="), NoOpening::Key);
        check(&whole.replace("GET", "POST"), NoOpening::NoGet);
        check(&whole.replace("1.1", "1.0"), NoOpening::NoGet);
        check("POST / HTTP/1.1\r\n", NoOpening::NoGet);
        check("coucou\n", NoOpening::NoGet);
        check(&request(&format!("{good}\r\nOrigin: a\r\nOrigin: a")), NoOpening::Origin);
    }

    #[test]
    fn what_others_may_read_differently_is_refused() {
        let whole = request(&good());
        let refused = NoOpening::Refused;
        check(&request("a b: c"), refused(Refusal::FieldName(b' ')));
        check(&request(" folded"), refused(Refusal::FoldedLine));
        check(&whole.replace("Host: a", "Other: a"), refused(Refusal::HostMissing));
        check(&whole.replace("Host: a", "Host: a\r\nHost: a"), refused(Refusal::HostRepeated));
        check(&whole.replace("Host: a\r", "Host: a"), refused(Refusal::BareLf));
        check(&whole.replace("Host: a", "Host: a\r\nB: \0"), refused(Refusal::FieldValue(0)));
        check(&whole.replace("Host: a", "Host: a\r\nContent-Length: 5"), NoOpening::Body);
        let chunked = "Host: a\r\nTransfer-Encoding: chunked";
        check(&whole.replace("Host: a", chunked), NoOpening::Body);
        let long = format!("Host: a\r\nB: {}", "b".repeat(500));
        check(&whole.replace("Host: a", &long), refused(Refusal::LineTooLong { max: 500 }));
        let many = format!("Host: a{}", "\r\nB: b".repeat(10));
        check(&whole.replace("Host: a", &many), refused(Refusal::TooManyFields { max: 10 }));
    }

    #[track_caller]
    fn check(text: &str, expect: NoOpening) {
        assert_eq!(read_opening(text.as_bytes(), LIMITS), Err(expect), "{text}");
    }

    #[test]
    fn a_page_of_another_site_is_told_apart() {
        let is_same = |host, origin, is_secure| {
            let opening = Opening { target: "/", host, origin, key: KEY, length: 0 };
            opening.is_of_same_origin(is_secure)
        };
        assert!(is_same("a.example:81", None, false));
        for (host, origin, is_secure) in [
            ("a.example", "http://a.example", false),
            ("a.example:80", "http://A.example", false),
            ("a.example:8080", "http://a.example:8080", false),
            ("[::1]:8080", "http://[::1]:8080", false),
            ("a.example", "https://a.example", true),
        ] {
            assert!(is_same(host, Some(origin), is_secure), "{origin}");
        }
        for (host, origin) in [
            ("a.example", "http://b.example"),
            ("a.example", "https://a.example"),
            ("a.example:81", "http://a.example"),
            ("a.example", "http://a.example:81"),
            ("a.example", "http://a.example.evil.example"),
            ("a.example", "http://a.example@evil.example"),
            ("a.example", "null"),
            ("a.example", "a.example"),
            ("a.example", "file://"),
        ] {
            assert!(!is_same(host, Some(origin), false), "{origin}");
        }
    }

    #[test]
    fn only_the_answer_to_its_key_and_to_no_more_is_one() {
        let head = format!(
            "HTTP/1.1 101 Switching\r\nSec-Websocket-Accept: {}\r\nupgrade: WebSocket\r\n\
             Connection: x, Upgrade\r\n\r\n",
            accept_of(KEY)
        );
        let check = |head: &str, key: &str, expect| {
            assert_eq!(judge_answer(head.as_bytes(), key), expect, "{head}");
        };
        check(&head, KEY, Ok(()));
        check(&head, "another", Err(NoAcceptance::Accept));
        check(&head.replace("101", "200"), KEY, Err(NoAcceptance::Status));
        check("HTTP/1.1 101 \r\n\r\n", KEY, Err(NoAcceptance::Accept));
        check(&head.replace("WebSocket", "h2c"), KEY, Err(NoAcceptance::Upgrade));
        check(&head.replace("upgrade:", "other:"), KEY, Err(NoAcceptance::Upgrade));
        check(&head.replace(", Upgrade", ""), KEY, Err(NoAcceptance::Connection));
        let more = |field: &str| head.replace("upgrade:", &format!("{field}: x\r\nupgrade:"));
        check(&more("Sec-WebSocket-Extensions"), KEY, Err(NoAcceptance::Extensions));
        check(&more("sec-websocket-protocol"), KEY, Err(NoAcceptance::Protocol));
        check(&more("Sec-WebSocket-Accept"), KEY, Err(NoAcceptance::Accept));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            for input in [&bytes[..], &[b"GET / HTTP/1.1\r\n", &bytes[..], b"\r\n\r\n"].concat()] {
                if let Ok(Some(opening)) = read_opening(input, LIMITS) {
                    _ = opening.is_of_same_origin(true);
                }
            }
            _ = judge_answer(&bytes, KEY);
        }
    }
}
