//! How an exchange becomes a line.

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Exchange, Timings,
    ink::{digits, number, put, text, texts, word},
    parts::{Answered, Closing, Opening, Source},
};
use crate::timestamp::Timestamp;

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

/// What a usual line takes, in bytes.
pub(super) const LINE_BYTES: usize = 512;

impl Exchange<'_> {
    /// Appends the line to `out`, with its end. At most 64 KiB, whatever was asked for.
    ///
    /// *Cost*: one pass over what it says, and no allocation but `out`'s.
    pub fn print(&self, out: &mut Vec<u8>) {
        let Self { request, response, .. } = self;
        let Timings { queue, connect, first_byte, total } = self.timings;
        let (before, after) = without_user(&self.url);
        let opening = Opening {
            at: Timestamp::of(self.at),
            client: self.client,
            method: &self.method,
            url: &[before, after],
            host: without_at(&self.host),
            protocol: self.protocol,
            tls: self.tls,
        };
        let media_type = response.media_type.as_deref().map(str::as_bytes);
        let answered = Answered { media_type, queue, connect, first_byte };
        let source = Source {
            cached: self.cached,
            upstream: self.upstream.as_deref(),
            error: self.error.as_deref(),
            blocked: self.blocked.as_deref(),
        };
        out.reserve(LINE_BYTES);
        opening.print(out);
        let closing = Closing {
            status: self.status,
            request_bytes: request.bytes,
            bytes: response.bytes,
            total: total.unwrap_or_default(),
            end: self.end,
        };
        closing.print_status(out);
        print_request_type(out, request.media_type.as_deref().map(str::as_bytes));
        // Without a time nobody looked at how it went on: none is no size either.
        if total.is_some() || response.bytes > 0 {
            closing.print_bytes(out);
        }
        answered.print(out);
        if total.is_some() {
            closing.print_total(out);
        }
        source.print(out);
        closing.print_end(out);
    }
}

impl Opening<'_> {
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        put(out, b"{\"time\":\"");
        put(out, self.at.as_bytes());
        out.push(b'"');
        if let Some(client) = self.client {
            print_client(out, client);
        }
        if !self.method.is_empty() {
            text(out, b",\"method\":\"", self.method, METHOD_BYTES_MAX);
        }
        if self.url.iter().any(|piece| !piece.is_empty()) {
            texts(out, b",\"url\":\"", self.url, URL_BYTES_MAX);
        }
        if !self.host.is_empty() {
            text(out, b",\"host\":\"", self.host, NAME_BYTES_MAX);
        }
        if let Some(protocol) = self.protocol {
            word(out, b",\"protocol\":\"", protocol.as_str());
        }
        if let Some(tls) = self.tls {
            word(out, b",\"tls\":\"", tls.as_str());
        }
    }
}

fn print_client(out: &mut Vec<u8>, client: SocketAddr) {
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
    number(out, b"\",\"port\":", client.port().into());
}

pub(super) fn print_request_type(out: &mut Vec<u8>, media_type: Option<&[u8]>) {
    if let Some(media_type) = media_type {
        text(out, b",\"request_type\":\"", media_type, NAME_BYTES_MAX);
    }
}

impl Answered<'_> {
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        if let Some(media_type) = self.media_type {
            text(out, b",\"type\":\"", media_type, NAME_BYTES_MAX);
        }
        if let Some(queue) = self.queue {
            number(out, b",\"queue_us\":", micros(queue));
        }
        if let Some(connect) = self.connect {
            number(out, b",\"connect_us\":", micros(connect));
        }
        if let Some(first_byte) = self.first_byte {
            number(out, b",\"first_byte_us\":", micros(first_byte));
        }
    }
}

impl Source<'_> {
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        if let Some(cached) = self.cached {
            word(out, b",\"cache\":\"", cached.as_str());
        }
        if let Some(upstream) = self.upstream {
            text(out, b",\"upstream\":\"", upstream, NAME_BYTES_MAX);
        }
        if let Some(error) = self.error {
            text(out, b",\"error\":\"", error, ERROR_BYTES_MAX);
        }
        if let Some(rule) = self.blocked {
            text(out, b",\"blocked\":\"", rule, RULE_BYTES_MAX);
        }
    }
}

/// In the order of the line, with what is between them left out.
impl Closing {
    pub(super) fn print_status(&self, out: &mut Vec<u8>) {
        if let Some(status) = self.status {
            number(out, b",\"status\":", status.into());
        }
        if self.request_bytes > 0 {
            number(out, b",\"request_bytes\":", self.request_bytes);
        }
    }

    pub(super) fn print_bytes(&self, out: &mut Vec<u8>) {
        number(out, b",\"bytes\":", self.bytes);
    }

    pub(super) fn print_total(&self, out: &mut Vec<u8>) {
        number(out, b",\"total_us\":", micros(self.total));
    }

    pub(super) fn print_end(&self, out: &mut Vec<u8>) {
        word(out, b",\"end\":\"", self.end.as_str());
        put(out, b"}\n");
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
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
