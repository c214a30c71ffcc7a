//! What a TLS client says first, in the clear: whom it wants to talk to (RFC 8446, section 4.1.2).
//!
//! Read by relays that pass TLS through without ever ending it.

use crate::host::is_dns_name;

/// A hello is never longer than this here, its records' headers included.
pub const HELLO_BYTES_MAX: usize = 16 << 10;

/// A record that carries a handshake (RFC 8446, section 5.1), and its header's length.
const RECORD_HANDSHAKE: u8 = 22;
const RECORD_HEADER_BYTES: usize = 5;

/// The message, and its header's length (RFC 8446, section 4).
const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER_BYTES: usize = 4;

/// RFC 6066, section 3.
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// What a hello tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The name of the server that is meant, in lower case: [`is_dns_name`]. `None` if none is given,
    /// or what is given is none, e.g. an address.
    pub server_name: Option<String>,
}

/// Why bytes are no hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They are not TLS', or another message of it.
    #[error("no TLS client hello")]
    NotOne,
    /// A length that leads out of what it is in, or a name that is given twice.
    #[error("a TLS client hello that is malformed")]
    Form,
    /// It does not end in time.
    #[error("a TLS client hello longer than {HELLO_BYTES_MAX} bytes")]
    TooLong,
}

/// What a look at the beginning of a connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is a hello.
    Hello(Hello),
    /// It is not all there. Before there are so many bytes in all, another look tells no more.
    Until(usize),
}

/// Reads the hello at the beginning of `input`, which may come in several records.
///
/// `input` is never read past [`HELLO_BYTES_MAX`]. Who looks again only when it may tell more looks once
/// for each record.
///
/// # Errors
///
/// [`Malformed`].
pub fn read(input: &[u8]) -> Result<Look, Malformed> {
    let window = &input[..input.len().min(HELLO_BYTES_MAX)];
    match message(window)? {
        Message::Whole(message) => read_message(&message).map(Look::Hello),
        Message::Until(_) if window.len() == HELLO_BYTES_MAX => Err(Malformed::TooLong),
        Message::Until(bytes) => Ok(Look::Until(bytes.min(HELLO_BYTES_MAX))),
    }
}

/// The message, without its header, or how many bytes there must be for more of it to be known.
enum Message {
    Whole(Vec<u8>),
    Until(usize),
}

/// Puts the message together from its records.
fn message(input: &[u8]) -> Result<Message, Malformed> {
    let (mut message, mut at) = (Vec::new(), 0);
    loop {
        let record = &input[at..];
        if record.first().is_some_and(|&kind| kind != RECORD_HANDSHAKE)
            || record.get(1).is_some_and(|&major| major != 3)
        {
            return Err(Malformed::NotOne);
        }
        let Some((header, rest)) = record.split_at_checked(RECORD_HEADER_BYTES) else {
            return Ok(Message::Until(at + RECORD_HEADER_BYTES));
        };
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if len == 0 {
            return Err(Malformed::Form);
        }
        message.extend_from_slice(&rest[..rest.len().min(len)]);
        if message.first().is_some_and(|&kind| kind != CLIENT_HELLO) {
            return Err(Malformed::NotOne);
        }
        if let &[_, a, b, c, ..] = &message[..] {
            let whole = u32::from_be_bytes([0, a, b, c]) as usize + MESSAGE_HEADER_BYTES;
            if whole > HELLO_BYTES_MAX {
                return Err(Malformed::TooLong);
            }
            if message.len() >= whole {
                message.truncate(whole);
                message.drain(..MESSAGE_HEADER_BYTES);
                return Ok(Message::Whole(message));
            }
        }
        if rest.len() < len {
            let is_told = message.len() >= MESSAGE_HEADER_BYTES;
            let end = at + RECORD_HEADER_BYTES + len;
            // Whether it is a hello, and how long, is told by its first bytes.
            return Ok(Message::Until(if is_told { end } else { input.len() + 1 }));
        }
        at += RECORD_HEADER_BYTES + len;
    }
}

fn read_message(message: &[u8]) -> Result<Hello, Malformed> {
    let mut fields = Fields(message);
    // The version and the random bytes, the session, the suites, the compressions.
    fields.take(2 + 32)?;
    fields.vector::<1>()?;
    fields.vector::<2>()?;
    fields.vector::<1>()?;
    let mut named = None;
    if fields.0.is_empty() {
        return Ok(Hello::default());
    }
    let mut extensions = Fields(fields.vector::<2>()?);
    while !extensions.0.is_empty() {
        let kind = u16::try_from(extensions.number::<2>()?).map_err(|_| Malformed::Form)?;
        let body = extensions.vector::<2>()?;
        if kind == SERVER_NAME {
            // Twice is forbidden: who reads the other one goes elsewhere (RFC 8446, section 4.2).
            if named.is_some() {
                return Err(Malformed::Form);
            }
            named = Some(server_name(body)?);
        }
    }
    Ok(Hello { server_name: named.flatten() })
}

fn server_name(body: &[u8]) -> Result<Option<String>, Malformed> {
    let mut body = Fields(body);
    let mut names = Fields(body.vector::<2>()?);
    let kind = names.number::<1>()?;
    let name = names.vector::<2>()?;
    // One of each kind is allowed, and there is but one kind.
    if kind != usize::from(HOST_NAME) || !names.0.is_empty() || !body.0.is_empty() {
        return Err(Malformed::Form);
    }
    let name = str::from_utf8(name).ok().filter(|name| is_dns_name(name));
    Ok(name.map(str::to_ascii_lowercase))
}

/// What is left of a structure.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Malformed::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number of `N` bytes.
    fn number<const N: usize>(&mut self) -> Result<usize, Malformed> {
        let bytes = self.take(N)?;
        Ok(bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    }

    /// As many bytes as a number of `N` bytes says.
    fn vector<const N: usize>(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.number::<N>()?;
        self.take(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector<const N: usize>(bytes: &[u8]) -> Vec<u8> {
        let len = bytes.len().to_be_bytes();
        [&len[len.len() - N..], bytes].concat()
    }

    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector::<2>(body)].concat()
    }

    fn named(name: &[u8]) -> Vec<u8> {
        extension(SERVER_NAME, &vector::<2>(&[&[HOST_NAME][..], &vector::<2>(name)].concat()))
    }

    /// The message of a hello with these extensions.
    fn hello(extensions: &[u8]) -> Vec<u8> {
        let body = [
            &[3, 3][..],
            &[7; 32],
            &vector::<1>(&[1; 32]),
            &vector::<2>(&[0x13, 1]),
            &vector::<1>(&[0]),
            &vector::<2>(extensions),
        ]
        .concat();
        [&[CLIENT_HELLO][..], &vector::<3>(&body)].concat()
    }

    /// Records of at most `most` bytes of a message each.
    fn records(message: &[u8], most: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[RECORD_HANDSHAKE, 3, 1][..], &vector::<2>(part)].concat();
        message.chunks(most).flat_map(record).collect()
    }

    #[test]
    fn the_name_is_found_in_any_number_of_records_and_pieces() {
        let other = extension(16, &vector::<2>(&vector::<1>(b"h2")));
        let message = hello(&[&other[..], &named(b"A.Example"), &other].concat());
        let expect = Hello { server_name: Some("a.example".to_owned()) };
        for most in [1, 3, 50, 1000] {
            let bytes = records(&message, most);
            let (mut until, mut looks) = (0, 0);
            for end in 0..bytes.len() {
                let Ok(Look::Until(more)) = read(&bytes[..end]) else { panic!("{most} {end}") };
                assert!((end + 1..=bytes.len()).contains(&more), "{most} {end} {more}");
                if end == until {
                    (until, looks) = (more, looks + 1);
                }
            }
            // One for each header, one for each content, and some for the first.
            assert!(looks <= 2 * message.len().div_ceil(most) + 5, "{most} {looks}");
            let whole = Ok(Look::Hello(expect.clone()));
            assert_eq!(read(&bytes), whole);
            assert_eq!(read(&[&bytes[..], b"more"].concat()), whole);
        }
    }

    #[test]
    fn a_hello_may_have_no_name_or_none_of_a_server_but_not_two() {
        let check = |extensions: &[u8], expect: Result<Hello, Malformed>| {
            assert_eq!(read(&records(&hello(extensions), 1000)), expect.map(Look::Hello));
        };
        check(b"", Ok(Hello::default()));
        check(&extension(10, b"abc"), Ok(Hello::default()));
        check(&[named(b"a.example"), named(b"b.example")].concat(), Err(Malformed::Form));
        for none in ["", "a\0b", "a b", "a..b", "\u{e9}", "-"] {
            check(&named(none.as_bytes()), Ok(Hello::default()));
            check(&[named(none.as_bytes()), named(b"b.example")].concat(), Err(Malformed::Form));
        }
        check(&extension(SERVER_NAME, b""), Err(Malformed::Form));
        check(&extension(10, b"abc")[..6], Err(Malformed::Form));
    }

    #[test]
    fn what_is_no_hello_is_told_at_once() {
        let check = |input: &[u8], expect| assert_eq!(read(input), Err(expect), "{input:?}");
        check(b"GET / HTTP/1.1", Malformed::NotOne);
        check(&[22, 2], Malformed::NotOne);
        check(&[22, 3, 1, 0, 4, 2], Malformed::NotOne);
        check(&[22, 3, 1, 0, 0], Malformed::Form);
        check(&[22, 3, 1, 0, 4, 1, 0, 0x40, 0], Malformed::TooLong);
        // So many records of so little that their headers are what is long.
        let long = hello(&extension(10, &[0; 3000]));
        check(&records(&long, 1), Malformed::TooLong);
    }

    #[test]
    fn nothing_panics() {
        let seed = records(&hello(&named(b"a.example")), 60);
        for at in 0..seed.len() {
            for byte in 0..=255 {
                let mut bytes = seed.clone();
                bytes[at] = byte;
                _ = read(&bytes);
                _ = read(&bytes[..at]);
            }
        }
    }
}
