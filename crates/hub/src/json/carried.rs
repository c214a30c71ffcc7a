//! What stands in frames only where datagrams carry them: numbers, confirmations, and proofs of where
//! somebody is.

use relais_wire::{
    datagram::{read_hex, write_hex},
    decimal::Decimal,
};

use super::{
    fields::{Amiss, Fields},
    spelling::{Object, Spell},
    value::{self, Value},
};
use crate::{
    model::Seq,
    protocol::{Place, Refusal, Request},
};

/// What shows where somebody is: drawn for an address, and said back from there.
pub(crate) type Echo = [u8; 16];

/// What a client says by a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// `ACK`: all up to a number was heard, and some more.
    Confirm { upto: u64, also: Vec<u64> },
    /// `PROVE`: it is where this was sent.
    Prove { id: Option<u64>, echo: Option<Echo> },
    /// What it says over a connection, too.
    Ask(Request),
    /// What cannot be read.
    Bad(Option<u64>, Refusal),
}

/// What a hub says by a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    /// To be said back.
    Challenge(Echo),
    /// What it says over a connection, too, with its number.
    Frame { number: u64, hole: Hole, frame: Vec<u8> },
}

/// Whether something was given up before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hole {
    /// Nothing.
    #[default]
    None,
    /// Something: the client is to ask for what it missed.
    Open,
}

/// Reads what a client says, of at most so many bytes.
pub(crate) fn read_said(frame: &[u8], bytes_max: usize) -> Said {
    let read = value::object(frame).ok();
    let said = read.as_ref().and_then(|members| said(Fields(members)).transpose());
    match said {
        Some(Ok(said)) => said,
        Some(Err((id, amiss))) => Said::Bad(id, amiss.into()),
        None => match super::read(frame, bytes_max) {
            Ok(request) => Said::Ask(request),
            Err((id, refusal)) => Said::Bad(id, refusal),
        },
    }
}

/// What is said by datagrams alone.
fn said(f: Fields<'_>) -> Result<Option<Said>, (Option<u64>, Amiss)> {
    let id = f.number("id").unwrap_or_default();
    let amiss = |amiss| (id, amiss);
    match f.str("cmd") {
        Ok(Some("ACK")) => {
            let upto = f.needed("upto", Fields::number).map_err(amiss)?;
            let numbers = f.list("also").map_err(amiss)?.unwrap_or_default();
            let number = |value: &Value| match value {
                Value::Number(number) => Some(*number),
                _ => None,
            };
            Ok(Some(Said::Confirm { upto, also: numbers.iter().filter_map(number).collect() }))
        }
        Ok(Some("PROVE")) => {
            let echo = f.needed("echo", Fields::str).map_err(amiss)?;
            Ok(Some(Said::Prove { id, echo: read_hex(echo.as_bytes()) }))
        }
        _ => Ok(None),
    }
}

/// Writes a confirmation.
pub(crate) fn write_confirm(upto: u64, also: &[u64], out: &mut Vec<u8>) {
    Object::write(out, |frame| {
        frame.put("cmd", "ACK").put("upto", &upto);
        if !also.is_empty() {
            frame.list("also", also, Spell::spell);
        }
    });
}

/// Writes a proof.
pub(crate) fn write_prove(id: u64, echo: &Echo, out: &mut Vec<u8>) {
    Object::write(out, |frame| {
        frame.put("cmd", "PROVE").put("id", &id).put("echo", &hex(echo));
    });
}

/// Writes what is to be said back.
pub(crate) fn write_challenge(echo: &Echo, out: &mut Vec<u8>) {
    Object::write(out, |frame| {
        frame.put("ev", "challenge").put("echo", &hex(echo));
    });
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(2 * bytes.len());
    write_hex(bytes, &mut digits);
    String::from_utf8(digits).expect("digits")
}

/// How much longer a frame is with its number.
pub(crate) const NUMBERED_BYTES_MAX: usize = NUMBER.len() + 20 + HOLE.len() + 1;

const NUMBER: &[u8] = b"{\"e\":";
const HOLE: &[u8] = b",\"hole\":true";

/// `frame` with its number, and a word about what was given up before it, if something was.
pub(crate) fn numbered(frame: &[u8], number: u64, hole: Hole) -> Vec<u8> {
    let hole = match hole {
        Hole::None => b"",
        Hole::Open => HOLE,
    };
    let (fields, digits) = (&frame[1..], Decimal::of(number));
    let comma: &[u8] = if fields == b"}" { b"" } else { b"," };
    [NUMBER, digits.as_bytes(), hole, comma, fields].concat()
}

/// Reads what a hub says; `None` of what cannot be read.
pub(crate) fn read_carried(frame: &[u8]) -> Option<Brought> {
    let Some(rest) = frame.strip_prefix(NUMBER) else {
        let members = value::object(frame).ok()?;
        let echo = Fields(&members).str("echo").ok()??;
        return read_hex(echo.as_bytes()).map(Brought::Challenge);
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    let number = str::from_utf8(number).ok()?.parse().ok()?;
    let (hole, rest) = match rest.strip_prefix(HOLE) {
        Some(rest) => (Hole::Open, rest),
        None => (Hole::None, rest),
    };
    let fields = rest.strip_prefix(b",").unwrap_or(rest);
    Some(Brought::Frame { number, hole, frame: [b"{", fields].concat() })
}

/// The number of the request that `frame` answers; `None` of what is no answer, or has none.
pub(crate) fn re_of(frame: &[u8]) -> Option<u64> {
    let rest = frame.strip_prefix(RE)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// `frame`, which answers a request, as the answer to `re`.
pub(crate) fn with_re(frame: &[u8], re: u64) -> Vec<u8> {
    let rest = frame.strip_prefix(RE).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    [RE, Decimal::of(re).as_bytes(), &rest[digits..]].concat()
}

const RE: &[u8] = b"{\"re\":";

/// What a text did not fit that `frame` tells of: where it is to be asked for.
pub(crate) fn left_out(frame: &[u8]) -> Option<(Place, Seq)> {
    let members = value::object(frame).ok()?;
    let f = Fields(&members);
    Some((f.place("room").ok()??, f.seq("fetch").ok()??))
}

/// `frame` without the text that does not fit: it is to be asked for as `seq`.
pub(crate) fn without_body(frame: &[u8], seq: Seq) -> Option<Vec<u8>> {
    let end = [EMPTY_BODY, b"}"].concat();
    let (before, after) = if let Some(before) = frame.strip_suffix(&end[..]) {
        (before, &b""[..])
    } else {
        let at = frame.windows(NO_BODY.len()).position(|part| part == NO_BODY)?;
        (&frame[..at], frame[at + NO_BODY.len()..].strip_suffix(b"}")?)
    };
    let fetch = [FETCH, Decimal::of(seq.0).as_bytes(), b"}"].concat();
    Some([before, NO_BODY, after, &fetch].concat())
}

/// `frame` with the text that did not fit; without one it was taken out, and stays `null`.
pub(crate) fn with_body(frame: &[u8], body: Option<&str>) -> Vec<u8> {
    let Some(at) = frame.windows(NO_BODY.len()).position(|part| part == NO_BODY) else {
        return frame.to_vec();
    };
    let fetch = frame.windows(FETCH.len()).rposition(|part| part == FETCH);
    let (before, after) = (&frame[..at], &frame[at + NO_BODY.len()..fetch.unwrap_or(frame.len())]);
    let mut text = b",\"body\":".to_vec();
    body.map(str::to_owned).spell(&mut text);
    [before, &text, after, b"}"].concat()
}

const NO_BODY: &[u8] = b",\"body\":null";
const EMPTY_BODY: &[u8] = b",\"body\":\"\"";
const FETCH: &[u8] = b",\"fetch\":";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Ask, Code};

    const ECHO: Echo = [0xab; 16];

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn what_datagrams_alone_say_is_read_as_it_is_written() {
        let confirm = written(|out| write_confirm(7, &[9, 11], out));
        assert_eq!(String::from_utf8_lossy(&confirm), r#"{"cmd":"ACK","upto":7,"also":[9,11]}"#);
        assert_eq!(read_said(&confirm, 99), Said::Confirm { upto: 7, also: vec![9, 11] });
        let confirm = written(|out| write_confirm(7, &[], out));
        assert_eq!(read_said(&confirm, 99), Said::Confirm { upto: 7, also: vec![] });
        let prove = written(|out| write_prove(3, &ECHO, out));
        assert_eq!(read_said(&prove, 99), Said::Prove { id: Some(3), echo: Some(ECHO) });
        let challenge = written(|out| write_challenge(&ECHO, out));
        assert_eq!(read_carried(&challenge), Some(Brought::Challenge(ECHO)));
    }

    #[test]
    fn what_else_is_said_is_said_over_connections_too() {
        let ask = Ask::Ping { t: None };
        let ping = Said::Ask(Request { id: Some(1), ask });
        assert_eq!(read_said(br#"{"cmd":"PING","id":1,"pad":"   "}"#, 99), ping);
        let Said::Bad(Some(1), refusal) = read_said(br#"{"cmd":"PROVE","id":1}"#, 99) else {
            panic!("it is read");
        };
        assert_eq!((refusal.code, refusal.field), (Code::MissingField, Some("echo")));
        let odd = read_said(br#"{"cmd":"PROVE","echo":"xyz"}"#, 99);
        assert_eq!(odd, Said::Prove { id: None, echo: None });
        assert!(matches!(read_said(b"[", 99), Said::Bad(None, _)));
    }

    #[test]
    fn a_frame_has_a_number_and_a_word_about_holes() {
        check(b"{\"re\":1}", (5, Hole::None), "{\"e\":5,\"re\":1}");
        check(b"{\"re\":1}", (5, Hole::Open), "{\"e\":5,\"hole\":true,\"re\":1}");
        check(b"{}", (u64::MAX, Hole::Open), "{\"e\":18446744073709551615,\"hole\":true}");
    }

    #[track_caller]
    fn check(frame: &[u8], (number, hole): (u64, Hole), expect: &str) {
        let text = numbered(frame, number, hole);
        assert_eq!(String::from_utf8_lossy(&text), expect);
        assert!(text.len() <= frame.len() + NUMBERED_BYTES_MAX);
        let frame = frame.to_vec();
        assert_eq!(read_carried(&text), Some(Brought::Frame { number, hole, frame }));
    }

    #[test]
    fn an_answer_is_known_by_its_number_and_given_another() {
        assert_eq!(re_of(b"{\"re\":12,\"ok\":true}"), Some(12));
        assert_eq!(re_of(b"{\"ok\":true}"), None);
        assert_eq!(with_re(b"{\"re\":12,\"ok\":true}", 3), b"{\"re\":3,\"ok\":true}");
    }

    #[test]
    fn a_text_that_is_left_out_is_to_be_asked_for() {
        for (frame, expect) in [
            (
                r##"{"ev":"message","room":"#lab","body":null,"mention":true}"##,
                r##"{"ev":"message","room":"#lab","body":null,"mention":true,"fetch":7}"##,
            ),
            (
                r##"{"ev":"edit","room":"#lab","of":7,"body":""}"##,
                r##"{"ev":"edit","room":"#lab","of":7,"body":null,"fetch":7}"##,
            ),
        ] {
            let without = without_body(frame.as_bytes(), Seq(7)).unwrap();
            assert_eq!(String::from_utf8_lossy(&without), expect);
            assert_eq!(left_out(&without), Some((Place::Room("#lab".into()), Seq(7))));
            let body = frame.replace("null", "\"\\\"\"").replace(":\"\"", ":\"\\\"\"");
            assert_eq!(String::from_utf8_lossy(&with_body(&without, Some("\""))), body);
        }
        assert_eq!(left_out(br##"{"ev":"message","room":"#lab","body":null}"##), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, text in "\\{\"(e|re)\":[0-9]{0,21}.{0,9}") {
            for frame in [&bytes[..], text.as_bytes()] {
                let _ = (read_said(frame, 99), read_carried(frame), re_of(frame), with_re(frame, 1));
                let _ = (left_out(frame), without_body(frame, Seq(1)), with_body(frame, None));
            }
        }
    }
}
