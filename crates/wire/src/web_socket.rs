//! The opening of a WebSocket, both sides of it ([RFC 6455 §4]).
//!
//! The frames that follow are not read here.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use crate::{
    list::{parts, trim},
    sha1::sha1,
};

/// What was asked for by a head that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The target, e.g. `/`.
    pub target: &'a str,
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
    /// It is one, for something else.
    #[error("no `Upgrade: websocket` and `Connection: Upgrade`")]
    NoUpgrade,
    /// Another version of the protocol.
    #[error("no `Sec-WebSocket-Version: 13`")]
    Version,
    /// No key of 16 bytes in base64.
    #[error("no `Sec-WebSocket-Key` of 16 bytes")]
    Key,
    /// A line that is none of a head.
    #[error("a malformed head")]
    Malformed,
}

/// Reads the request at the front of `input`. `Ok(None)` if its head does not end in it.
///
/// How much is waited for is the caller's business.
///
/// # Errors
///
/// [`NoOpening`]: what is there is something else.
pub fn read_opening(input: &[u8]) -> Result<Option<Opening<'_>>, NoOpening> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(at) = input.windows(END.len()).position(|four| four == END) else {
        return if b"GET ".starts_with(&input[..input.len().min(4)]) {
            Ok(None)
        } else {
            Err(NoOpening::NoGet)
        };
    };
    let head = str::from_utf8(&input[..at]).map_err(|_| NoOpening::Malformed)?;
    let mut lines = head.split("\r\n");
    let target = target_of(lines.next().unwrap_or_default()).ok_or(NoOpening::NoGet)?;
    let mut asked = Asked::default();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(NoOpening::Malformed)?;
        asked.take(name, value)?;
    }
    let key = asked.key()?;
    Ok(Some(Opening { target, key, length: at + END.len() }))
}

fn target_of(line: &str) -> Option<&str> {
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    (!target.is_empty() && target.bytes().all(|byte| byte.is_ascii_graphic())).then_some(target)
}

/// What the fields say.
#[derive(Default)]
struct Asked<'a> {
    upgrade: bool,
    connection: bool,
    version: bool,
    key: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn take(&mut self, name: &str, value: &'a str) -> Result<(), NoOpening> {
        let has = |token: &str| {
            parts(value.as_bytes(), b',').any(|part| part.eq_ignore_ascii_case(token.as_bytes()))
        };
        match name.to_ascii_lowercase().as_str() {
            "upgrade" => self.upgrade |= has("websocket"),
            "connection" => self.connection |= has("upgrade"),
            "sec-websocket-version" => self.version |= has("13"),
            "sec-websocket-key" if self.key.is_some() => return Err(NoOpening::Key),
            "sec-websocket-key" => self.key = Some(value.trim_matches([' ', '\t'])),
            name if name.is_empty() || name.contains([' ', '\t']) => {
                return Err(NoOpening::Malformed);
            }
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

/// Whether the head of an answer, which ends with an empty line, opens what was asked for by `key`.
pub fn is_accepted(head: &[u8], key: &str) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let is_switching = lines.next().is_some_and(|line| line.starts_with(b"HTTP/1.1 101"));
    let expect = accept_of(key);
    let mut accepts = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..at], &line[at + 1..]);
        let is_accept = name.eq_ignore_ascii_case(b"sec-websocket-accept");
        is_accept.then(|| trim(value.strip_suffix(b"\r").unwrap_or(value)))
    });
    is_switching && accepts.next() == Some(expect.as_bytes())
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

    #[test]
    fn a_request_opens_or_says_why_not() {
        let good = format!(
            "upgrade: h2c, WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Key: {KEY}"
        );
        let whole = request(&format!("{good}\r\nSec-WebSocket-Version: 13"));
        let opening = read_opening(whole.as_bytes()).unwrap().unwrap();
        let length = whole.len() - 4;
        assert_eq!(opening, Opening { target: "/chat", key: KEY, length });
        for cut in 0..length {
            assert_eq!(read_opening(&whole.as_bytes()[..cut]), Ok(None), "{cut}");
        }
        check(&request(&good), NoOpening::Version);
        check(&request(&format!("{good}\r\nSec-WebSocket-Key: {KEY}")), NoOpening::Key);
        check(&request("Upgrade: websocket"), NoOpening::NoUpgrade);
        check(&request("a b: c"), NoOpening::Malformed);
        check(&request(" folded"), NoOpening::Malformed);
        check(&whole.replace(KEY, "short=="), NoOpening::Key);
        check(&whole.replace("GET", "POST"), NoOpening::NoGet);
        check(&whole.replace("1.1", "1.0"), NoOpening::NoGet);
        check("POST / HTTP/1.1\r\n", NoOpening::NoGet);
        check("coucou\n", NoOpening::NoGet);
    }

    #[track_caller]
    fn check(text: &str, expect: NoOpening) {
        assert_eq!(read_opening(text.as_bytes()), Err(expect));
    }

    #[test]
    fn only_the_answer_to_its_key_is_one() {
        let head =
            format!("HTTP/1.1 101 Switching\r\nSec-Websocket-Accept: {}\r\n\r\n", accept_of(KEY));
        assert!(is_accepted(head.as_bytes(), KEY));
        assert!(!is_accepted(head.as_bytes(), "another"));
        assert!(!is_accepted(head.replace("101", "200").as_bytes(), KEY));
        assert!(!is_accepted(b"HTTP/1.1 101 \r\n\r\n", KEY));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            _ = read_opening(&bytes);
            _ = is_accepted(&bytes, KEY);
            _ = read_opening(&[b"GET / HTTP/1.1\r\n", &bytes[..], b"\r\n\r\n"].concat());
        }
    }
}
