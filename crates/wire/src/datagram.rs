//! The outside of a hub's datagrams: whose they are, and which, beside what only keys tell. There are
//! no keys here.
//!
//! *Shape* of what is sealed: `R1`, a byte of flags, 8 bytes of who (`sid`), 8 of which (`n`), then
//! what is sealed. Of what can be read, one object of JSON:
//!
//! ```text
//! {"sid":"0123456789abcdef","n":7,"cmd":"PING","id":1,"mac":"00112233445566778899aabbccddeeff"}
//! ```

use std::io::Write as _;

/// What an association is called.
pub type Sid = [u8; 8];

/// How long the head of what is sealed is.
pub const HEAD_BYTES: usize = 19;

/// How long a signature is.
pub const MAC_BYTES: usize = 16;

/// The most bytes that [`write_signed`] adds to a frame, and its signature with them.
pub const SIGNED_BYTES_MAX: usize = START.len() + 16 + NUMBER.len() + 20 - 1 + MAC_END_BYTES;

const SIGN: &[u8] = b"R1";
const START: &[u8] = b"{\"sid\":\"";
const NUMBER: &[u8] = b"\",\"n\":";
const MAC: &[u8] = b",\"mac\":\"";
const END: &[u8] = b"\"}";
const MAC_END_BYTES: usize = MAC.len() + 2 * MAC_BYTES + END.len();

/// The head of a datagram that is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose it is.
    pub sid: Sid,
    /// Which of theirs it is.
    pub n: u64,
}

impl Head {
    /// As it is sent. Flags are 0: there are none yet.
    pub fn bytes(self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..2].copy_from_slice(SIGN);
        head[3..11].copy_from_slice(&self.sid);
        head[11..].copy_from_slice(&self.n.to_be_bytes());
        head
    }

    /// The head of `datagram`; `None` if it has none, or flags of a later version.
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let (head, _) = datagram.split_first_chunk::<HEAD_BYTES>()?;
        let [sign @ .., _] = head.first_chunk::<3>()?;
        let sid = *head[3..].first_chunk()?;
        let n = u64::from_be_bytes(*head.last_chunk()?);
        (sign == SIGN && head[2] == 0).then_some(Self { sid, n })
    }
}

/// A datagram that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// Whose it is, and which of theirs.
    pub head: Head,
    /// What the signature is of: all before `,"mac"`.
    pub signed: &'a [u8],
    /// The signature.
    pub mac: [u8; MAC_BYTES],
    /// The fields of the frame, as they stand between its braces. Perhaps none.
    pub fields: &'a [u8],
}

/// Reads a datagram that can be read, as far as its outside goes: whether its fields are JSON is for
/// others to say. `None` of all else.
pub fn read_signed(datagram: &[u8]) -> Option<Signed<'_>> {
    let at = datagram.len().checked_sub(MAC_END_BYTES)?;
    let (signed, end) = datagram.split_at(at);
    let mac = read_hex(end.strip_prefix(MAC)?.strip_suffix(END)?)?;
    let rest = signed.strip_prefix(START)?;
    let (sid, rest) = rest.split_at_checked(16)?;
    let rest = rest.strip_prefix(NUMBER)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (n, rest) = rest.split_at(digits);
    let is_odd = n.len() > 1 && n[0] == b'0';
    let n = str::from_utf8(n).ok()?.parse().ok().filter(|_| !is_odd)?;
    let fields = if rest.is_empty() { rest } else { rest.strip_prefix(b",")? };
    Some(Signed { head: Head { sid: read_hex(sid)?, n }, signed, mac, fields })
}

/// Writes `frame`, an object, as `head` says, up to where its signature goes: what is to be signed.
///
/// # Panics
///
/// If `frame` has no braces.
pub fn write_signed(head: Head, frame: &[u8], out: &mut Vec<u8>) {
    let fields = frame.strip_prefix(b"{").and_then(|frame| frame.strip_suffix(b"}"));
    let fields = fields.expect("an object");
    out.extend_from_slice(START);
    write_hex(&head.sid, out);
    out.extend_from_slice(NUMBER);
    write!(out, "{}", head.n).expect("a vector that takes all");
    if !fields.is_empty() {
        out.push(b',');
        out.extend_from_slice(fields);
    }
}

/// Adds the signature of what was written.
pub fn write_mac(mac: &[u8; MAC_BYTES], out: &mut Vec<u8>) {
    out.extend_from_slice(MAC);
    write_hex(mac, out);
    out.extend_from_slice(END);
}

/// Writes bytes as two digits each, `00` to `ff`.
pub fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Reads them, of lower case; `None` if there are not `N`.
pub fn read_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SID: Sid = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

    fn signed(n: u64, frame: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write_signed(Head { sid: SID, n }, frame.as_bytes(), &mut out);
        write_mac(&[0xaa; MAC_BYTES], &mut out);
        out
    }

    #[test]
    fn what_can_be_read_is_one_object() {
        let mac = "aa".repeat(16);
        let expect = format!("{{\"sid\":\"0123456789abcdef\",\"n\":7,\"a\":1,\"mac\":\"{mac}\"}}");
        assert_eq!(String::from_utf8(signed(7, "{\"a\":1}")).unwrap(), expect);
        let expect = format!("{{\"sid\":\"0123456789abcdef\",\"n\":7,\"mac\":\"{mac}\"}}");
        assert_eq!(String::from_utf8(signed(7, "{}")).unwrap(), expect);
        let longest = signed(u64::MAX, "{\"a\":1}");
        assert_eq!(longest.len(), "{\"a\":1}".len() + SIGNED_BYTES_MAX);
    }

    #[test]
    fn what_is_spelled_otherwise_is_not_read() {
        let good = String::from_utf8(signed(7, "{\"a\":1}")).unwrap();
        assert!(read_signed(good.as_bytes()).is_some());
        for (from, to) in [
            ("\"n\":7", "\"n\":07"),
            ("\"n\":7", "\"n\":-7"),
            ("\"n\":7", "\"n\":"),
            ("\"n\":7", "\"n\":18446744073709551616"),
            ("\"n\":7,", "\"n\":7 ,"),
            ("\"sid\":\"0", "\"sid\":\"A"),
            ("\"sid\"", "\"Sid\""),
            ("{\"sid\"", " {\"sid\""),
            ("aa\"}", "aa\"} "),
            ("aa\"}", "aA\"}"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert_eq!(read_signed(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_head_is_nineteen_bytes() {
        let head = Head { sid: SID, n: 0x0102 };
        let expect = [b"R1\0".as_slice(), &SID, &[0, 0, 0, 0, 0, 0, 1, 2]].concat();
        assert_eq!(head.bytes().as_slice(), expect);
        assert_eq!(Head::read(&expect), Some(head));
        assert_eq!(Head::read(&expect[..18]), None);
        assert_eq!(Head::read(&[b"R1\x01", &expect[3..]].concat()), None);
        assert_eq!(Head::read(&[b"R2\0", &expect[3..]].concat()), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(sid: Sid, n: u64, mac: [u8; MAC_BYTES], text in "[a-z]{0,9}") {
            let (head, fields) = (Head { sid, n }, format!("\"x\":\"{text}\""));
            let mut out = Vec::new();
            write_signed(head, format!("{{{fields}}}").as_bytes(), &mut out);
            let length = out.len();
            write_mac(&mac, &mut out);
            let expect = Signed { head, signed: &out[..length], mac, fields: fields.as_bytes() };
            prop_assert_eq!(read_signed(&out), Some(expect));
            prop_assert_eq!(Head::read(&head.bytes()), Some(head));
        }

        #[test]
        fn nothing_panics(bytes: Vec<u8>, text in "(\\{\"sid\":\"[0-9a-g]{15,17}\",\"n\":[0-9]{0,21},?.{0,5},\"mac\":\"[0-9a-f]{31,33}\"\\}){0,1}") {
            let _ = (read_signed(&bytes), Head::read(&bytes), read_hex::<4>(&bytes));
            let _ = read_signed(text.as_bytes());
        }
    }
}
