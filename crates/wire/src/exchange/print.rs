//! How an exchange becomes a line.

use std::{io::Write as _, net::IpAddr, time::Duration};

use super::{Content, Exchange, Timings};
use crate::{decimal::Decimal, timestamp::Timestamp, visible::InJson};

/// How many bytes of a URL are printed.
const URL_BYTES_MAX: usize = 8 << 10;

/// Of a rule of a block list.
const RULE_BYTES_MAX: usize = 1 << 10;

/// Of a host, an upstream, a media type.
const NAME_BYTES_MAX: usize = 256;

/// Of the type of an error.
const ERROR_BYTES_MAX: usize = 64;

/// Of a method.
const METHOD_BYTES_MAX: usize = 64;

/// Stands for the rest of a longer one. No URL holds it: there it would be percent-encoded.
const CUT: &str = "…";

/// What a usual line takes, in bytes.
const LINE_BYTES: usize = 512;

impl Exchange<'_> {
    /// Appends the line to `out`, with its end. At most 64 KiB, whatever was asked for.
    ///
    /// *Cost*: some 250 ns for a usual line.
    pub fn print(&self, out: &mut Vec<u8>) {
        out.reserve(LINE_BYTES);
        put(out, b"{\"time\":\"");
        put(out, Timestamp::of(self.at).as_bytes());
        out.push(b'"');
        self.print_client(out);
        self.print_request(out);
        self.print_bodies(out);
        self.timings.print(out);
        if let Some(cached) = self.cached {
            word(out, b",\"cache\":\"", cached.as_str());
        }
        if let Some(upstream) = &self.upstream {
            text(out, b",\"upstream\":\"", upstream, NAME_BYTES_MAX);
        }
        if let Some(error) = &self.error {
            text(out, b",\"error\":\"", error, ERROR_BYTES_MAX);
        }
        if let Some(rule) = &self.blocked {
            text(out, b",\"blocked\":\"", rule, RULE_BYTES_MAX);
        }
        word(out, b",\"end\":\"", self.end.as_str());
        put(out, b"}\n");
    }

    fn print_client(&self, out: &mut Vec<u8>) {
        let Some(client) = self.client else { return };
        put(out, b",\"client\":\"");
        match client.ip() {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                digits(out, a.into());
                for octet in [b, c, d] {
                    out.push(b'.');
                    digits(out, octet.into());
                }
            }
            IpAddr::V6(ip) => write!(out, "{ip}").expect("memory takes what it is given"),
        }
        out.push(b'"');
        number(out, b",\"port\":", client.port().into());
    }

    fn print_request(&self, out: &mut Vec<u8>) {
        if !self.method.is_empty() {
            text(out, b",\"method\":\"", &self.method, METHOD_BYTES_MAX);
        }
        if !self.url.is_empty() {
            let (before, after) = without_user(&self.url);
            put(out, b",\"url\":\"");
            escape(out, cut(before, URL_BYTES_MAX));
            text(out, b"", after, URL_BYTES_MAX.saturating_sub(before.len()));
        }
        if !self.host.is_empty() {
            text(out, b",\"host\":\"", without_at(&self.host), NAME_BYTES_MAX);
        }
        if let Some(protocol) = self.protocol {
            word(out, b",\"protocol\":\"", protocol.as_str());
        }
        if let Some(tls) = self.tls {
            word(out, b",\"tls\":\"", tls.as_str());
        }
        if let Some(status) = self.status {
            number(out, b",\"status\":", status.into());
        }
    }

    fn print_bodies(&self, out: &mut Vec<u8>) {
        let Content { bytes, media_type } = &self.request;
        if *bytes > 0 {
            number(out, b",\"request_bytes\":", *bytes);
        }
        if let Some(media_type) = media_type {
            text(out, b",\"request_type\":\"", media_type, NAME_BYTES_MAX);
        }
        let Content { bytes, media_type } = &self.response;
        number(out, b",\"bytes\":", *bytes);
        if let Some(media_type) = media_type {
            text(out, b",\"type\":\"", media_type, NAME_BYTES_MAX);
        }
    }
}

impl Timings {
    fn print(&self, out: &mut Vec<u8>) {
        let Self { queue, connect, first_byte, total } = *self;
        let stages: [(&[u8], _); 4] = [
            (b",\"queue_us\":", queue),
            (b",\"connect_us\":", connect),
            (b",\"first_byte_us\":", first_byte),
            (b",\"total_us\":", Some(total)),
        ];
        for (key, took) in stages {
            if let Some(took) = took {
                number(out, key, micros(took));
            }
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

/// A value of ours, which needs no escaping.
fn word(out: &mut Vec<u8>, key: &[u8], word: &str) {
    put(out, key);
    put(out, word.as_bytes());
    out.push(b'"');
}

/// A value of a stranger's. `key` opens the quotes.
fn text(out: &mut Vec<u8>, key: &[u8], text: &str, bytes_max: usize) {
    put(out, key);
    let kept = cut(text, bytes_max);
    escape(out, kept);
    if kept.len() < text.len() {
        put(out, CUT.as_bytes());
    }
    out.push(b'"');
}

pub(super) fn number(out: &mut Vec<u8>, key: &[u8], number: u64) {
    put(out, key);
    digits(out, number);
}

fn digits(out: &mut Vec<u8>, number: u64) {
    put(out, Decimal::of(number).as_bytes());
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// As the inside of a JSON string. Nearly every text is plain, and copied at once.
fn escape(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        put(out, text.as_bytes());
    } else {
        write!(out, "{}", InJson(text)).expect("memory takes what it is given");
    }
}

/// Whether a text needs no escaping: visible ASCII and spaces, but no `"` and no `\`.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    // Spaces behind the last are plain, too.
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().chain([&last]).all(|word| is_plain_word(u64::from_le_bytes(*word)))
}

/// The same of eight bytes at once, with the arithmetic for bytes in a word (Hacker's Delight, 6-1):
/// a byte's highest bit is set where it is to be found, and perhaps in one above such a byte.
fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let each = |byte: u8| ONES * u64::from(byte);
    let below = |word: u64, byte: u8| word.wrapping_sub(each(byte)) & !word;
    let is = |byte: u8| below(word ^ each(byte), 1);
    let above_tilde = word | word.wrapping_add(ONES);
    (above_tilde | below(word, b' ') | is(b'"') | is(b'\\')) & HIGH == 0
}

/// What is before and what is after the user and the password that a URL may have before its host
/// ([RFC 3986 §3.2.1]).
///
/// [RFC 3986 §3.2.1]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
fn without_user(url: &str) -> (&str, &str) {
    if memchr::memchr(b'@', url.as_bytes()).is_none() {
        return ("", url);
    }
    let start = match url.find(['/', '?', '#']) {
        // Whatever is before `//` is a scheme or is nothing.
        Some(at) if url[at..].starts_with("//") => at + 2,
        // A path alone.
        Some(0) => return ("", url),
        // What a CONNECT asks for: an authority alone.
        _ => 0,
    };
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |len| start + len);
    let host = url.len() - url[end..].len() - without_at(&url[start..end]).len();
    (&url[..start], &url[host..])
}

fn without_at(authority: &str) -> &str {
    let user = memchr::memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1);
    &authority[user..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_as_by_itself() {
        for byte in 0..=u8::MAX {
            let expect = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            for len in 1..20 {
                for at in 0..len {
                    let mut text = vec![b'~'; len];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), expect, "{byte} at {at} of {len}");
                }
            }
        }
        assert!(is_plain(b""));
    }
}
