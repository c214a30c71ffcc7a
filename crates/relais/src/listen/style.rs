//! How messages look that are shown.

use std::net::SocketAddr;

use relais_net::Peer;
use relais_talk::{LineEnd, Next, Shown, cut_at};
use relais_wire::{timestamp::Timestamp, visible::InJson};

use super::Style;
use crate::{hex::Dump, measure::counted, spelling::Size, visible::Escaped};

impl Style {
    /// What is printed before the first message.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Lab => "Waiting...\n",
            Self::Plain | Self::Hex | Self::Json | Self::Raw => "",
        }
    }

    /// What is printed after the last.
    pub(super) fn end(self) -> &'static str {
        match self {
            Self::Lab => "Quitting\n",
            Self::Plain | Self::Hex | Self::Json | Self::Raw => "",
        }
    }

    /// A message, or that some are missing, with the line end.
    pub(super) fn show(self, next: Next) -> Vec<u8> {
        let shown = match next {
            Next::Shown(shown) => shown,
            Next::Missed(count) => return self.missed(count).into_bytes(),
        };
        match self {
            Self::Plain => plain(&shown).into_bytes(),
            Self::Lab => lab(&shown).into_bytes(),
            Self::Hex => hex(&shown).into_bytes(),
            Self::Json => json(&shown).into_bytes(),
            Self::Raw => shown.bytes,
        }
    }

    fn missed(self, count: u64) -> String {
        match self {
            Self::Json => format!("{{\"missed\":{count}}}\n"),
            // What is received waits its turn: nothing is missed.
            Self::Raw => String::new(),
            Self::Plain | Self::Lab | Self::Hex => {
                format!("({} came faster than they could be shown)\n", counted(count, "message"))
            }
        }
    }
}

/// When, how, from whom and how much: `13:55:36.123  tcp 127.0.0.1:53131  7B`.
fn head(Shown { at, on, from, .. }: &Shown, count: usize) -> String {
    let at = Timestamp::of(*at);
    // The hour to the millisecond of `2026-01-31T13:55:36.123456Z`.
    let time = &at.as_str()[11..23];
    let size = Size(u64::try_from(count).unwrap_or(u64::MAX));
    format!("{time}  {} {from}  {size}", on.scheme)
}

fn cut(shown: &Shown) -> String {
    if shown.is_cut { cut_at(shown.bytes.len()) } else { String::new() }
}

fn plain(shown: &Shown) -> String {
    format!("{}  {}{}\n", head(shown, shown.bytes.len()), Escaped(&shown.bytes), cut(shown))
}

/// The line end is a part of it: who looks at bytes looks for those, too.
fn hex(shown: &Shown) -> String {
    let cut = cut(shown);
    let cut = if cut.is_empty() { cut } else { format!("  {cut}") };
    let whole = [&shown.bytes, shown.end.bytes()].concat();
    format!("{}{cut}\n{}", head(shown, whole.len()), Dump(&whole))
}

fn lab(shown: &Shown) -> String {
    let text = Escaped(&shown.bytes);
    format!("Received {text}{}\n  from {}\n", cut(shown), as_python(shown.from))
}

/// An address as Python's `socket` has it.
fn as_python(from: Peer) -> String {
    match from {
        Peer::Net(SocketAddr::V4(at)) => format!("('{}', {})", at.ip(), at.port()),
        Peer::Net(SocketAddr::V6(at)) => {
            format!("('{}', {}, {}, {})", at.ip(), at.port(), at.flowinfo(), at.scope_id())
        }
        Peer::Local => "''".to_owned(),
    }
}

/// `text` or `hex` is the message, `end` its line end if it has one, and `bytes` counts both.
fn json(Shown { at, on, from, bytes, end, is_cut }: &Shown) -> String {
    let (at, on, from) = (Timestamp::of(*at), on.to_string(), from.to_string());
    let said = if let Ok(text) = str::from_utf8(bytes) {
        format!("\"text\":\"{}\"", InJson(text))
    } else {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\"hex\":\"{}\"", digits.concat())
    };
    let ended = match end {
        LineEnd::None => "",
        LineEnd::Lf => r#","end":"\n""#,
        LineEnd::Crlf => r#","end":"\r\n""#,
    };
    let cut = if *is_cut { ",\"cut\":true" } else { "" };
    let count = bytes.len() + end.bytes().len();
    format!(
        "{{\"at\":\"{at}\",\"on\":\"{}\",\"from\":\"{from}\",\"bytes\":{count},{said}{ended}{cut}}}\n",
        InJson(&on)
    )
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    fn shown(from: &str, bytes: &[u8]) -> Shown {
        Shown {
            at: UNIX_EPOCH + Duration::from_millis(1_769_867_736_123),
            on: Arc::new("udp://127.0.0.1:6666".parse().unwrap()),
            from: from.parse().map_or(Peer::Local, Peer::Net),
            bytes: bytes.to_owned(),
            end: LineEnd::None,
            is_cut: false,
        }
    }

    #[track_caller]
    fn check(style: Style, shown: Shown, expect: &str) {
        assert_eq!(String::from_utf8(style.show(Next::Shown(shown))).unwrap(), expect);
    }

    #[test]
    fn the_style_of_courses_is_pythons() {
        let style = Style::Lab;
        assert_eq!((style.begin(), style.end()), ("Waiting...\n", "Quitting\n"));
        let said = "Received bonjour\n  from ('127.0.0.1', 53131)\n";
        check(style, shown("127.0.0.1:53131", b"bonjour"), said);
        check(style, shown("[::1]:5", b"\x1b"), "Received \\u{1b}\n  from ('::1', 5, 0, 0)\n");
        check(style, shown("", b""), "Received \n  from ''\n");
    }

    #[test]
    fn our_own_is_a_line_a_message() {
        let said = "13:55:36.123  udp 192.0.2.1:5  8B  bonjour\u{e9}\n";
        check(Style::Plain, shown("192.0.2.1:5", b"bonjour\xe9"), &said.replace('é', "\\xe9"));
        let cut = Shown { is_cut: true, ..shown("192.0.2.1:5", b"a\nb") };
        check(Style::Plain, cut, "13:55:36.123  udp 192.0.2.1:5  3B  a\\nb… (cut at 3 bytes)\n");
        let missed = Style::Plain.show(Next::Missed(3));
        assert_eq!(missed, b"(3 messages came faster than they could be shown)\n");
    }

    #[test]
    fn bytes_are_shown_below_the_line() {
        let dump = "00000000  68 69                                             |hi|\n";
        let said = format!("13:55:36.123  udp 192.0.2.1:5  2B\n{dump}");
        check(Style::Hex, shown("192.0.2.1:5", b"hi"), &said);
        let dump = "00000000  68 69 0d 0a                                       |hi..|\n";
        let ended = Shown { end: LineEnd::Crlf, ..shown("192.0.2.1:5", b"hi") };
        check(Style::Hex, ended, &format!("13:55:36.123  udp 192.0.2.1:5  4B\n{dump}"));
    }

    #[test]
    fn json_is_json() {
        let check = |bytes: &[u8], end: LineEnd, expect: serde_json::Value| {
            let shown = Shown { end, ..shown("192.0.2.1:5", bytes) };
            let line = Style::Json.show(Next::Shown(shown));
            let mut found: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let object = found.as_object_mut().unwrap();
            assert_eq!(object.remove("at").unwrap(), "2026-01-31T13:55:36.123000Z");
            assert_eq!(object.remove("on").unwrap(), "udp://127.0.0.1:6666");
            assert_eq!(object.remove("from").unwrap(), "192.0.2.1:5");
            assert_eq!(found, expect);
        };
        let text = serde_json::json!({ "bytes": 4, "text": "a\"\n\u{1b}" });
        check(b"a\"\n\x1b", LineEnd::None, text);
        check(b"\xff\x00", LineEnd::None, serde_json::json!({ "bytes": 2, "hex": "ff00" }));
        let ended = serde_json::json!({ "bytes": 3, "text": "a", "end": "\r\n" });
        check(b"a", LineEnd::Crlf, ended);
        assert_eq!(Style::Json.show(Next::Missed(3)), b"{\"missed\":3}\n");
    }

    #[test]
    fn raw_is_what_came() {
        assert_eq!(Style::Raw.show(Next::Shown(shown("", b"a\xff\r\n"))), b"a\xff\r\n");
    }
}
