//! How an entry looks as a line.

use std::io::Write;

use http::Version;
use relais_net::Peer;
use relais_wire::{exchange::Cached, visible::InJson};

use super::{
    entry::{Entry, Value},
    utc,
};
use crate::Ended;

/// How a line looks. Each is one line, whatever a caller sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What Apache and nginx call combined:
    ///
    /// ```text
    /// 192.0.2.1 - ada [10/Oct/2000:13:55:36 +0000] "GET /a HTTP/1.1" 200 2326 "http://b/" "curl"
    /// ```
    ///
    /// `-` for what is not there. Quotes, backslashes and what is not printable ASCII are `\xHH`,
    /// as nginx has them; in the user, spaces too. The bytes are those of the body; an answer that
    /// was cut short shows in their number only.
    #[default]
    Combined,
    /// A JSON object a line. Always all of these fields, in this order:
    ///
    /// | field | is |
    /// |---|---|
    /// | `time` | when the request came, RFC 3339 in UTC with milliseconds |
    /// | `peer`, `port` | the caller's address and port; `null` over a Unix socket |
    /// | `user` | who was let in, or `null` |
    /// | `method`, `target`, `version` | the request; the version as `HTTP/1.1`. `null` if it was refused before it was read |
    /// | `host`, `referer`, `agent` | what the caller said, or `null` |
    /// | `tls` | the version of TLS it came over, e.g. `TLS 1.3`; null in the clear |
    /// | `status` | of the answer; 499 if the caller left before it |
    /// | `bytes` | of the body that were sent |
    /// | `complete` | whether that was all of it |
    /// | `cache` | what a cache did: `hit`, `stale`, `revalidated`, `collapsed`, `miss` or `bypass`; null where there is none |
    /// | `duration_ms` | from the request to the answer's end, with microseconds after the point |
    ///
    /// Bytes that are not UTF-8 are `\xHH` in the text, and so `\\xHH` in JSON.
    Json,
}

impl Format {
    /// Appends the line for `entry` to `out`.
    pub(super) fn print(self, entry: &Entry, out: &mut Vec<u8>) {
        match self {
            Self::Combined => combined(entry, out),
            Self::Json => json(entry, out),
        }
        out.push(b'\n');
    }
}

/// Writes to memory, which does not fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        write!($out, $($arg)*).expect("memory takes what it is given")
    };
}

fn combined(entry: &Entry, out: &mut Vec<u8>) {
    match entry.peer.ip() {
        Some(ip) => put!(out, "{ip}"),
        None => out.push(b'-'),
    }
    out.extend_from_slice(b" - ");
    let user = entry.user.as_ref().map_or("", |user| &user.0);
    or_dash(user.as_bytes(), |byte| is_plain(byte) && byte != b' ', out);
    put!(out, " [{}] \"", utc::combined(entry.at));
    match entry.version {
        Some(spoken) => {
            escape(entry.said.get(Value::Method), is_plain, out);
            out.push(b' ');
            escape(entry.said.get(Value::Target), is_plain, out);
            put!(out, " {}", version(spoken));
        }
        None => out.push(b'-'),
    }
    let (bytes, _complete) = sent(entry.ended);
    put!(out, "\" {} {bytes} \"", entry.status.as_str());
    or_dash(entry.said.get(Value::Referer), is_plain, out);
    out.extend_from_slice(b"\" \"");
    or_dash(entry.said.get(Value::Agent), is_plain, out);
    out.push(b'"');
}

fn sent(ended: Ended) -> (u64, bool) {
    match ended {
        Ended::Whole(bytes) | Ended::Instead { bytes, .. } => (bytes, true),
        Ended::Short(bytes) | Ended::Broken(bytes, _) => (bytes, false),
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn or_dash(bytes: &[u8], is_plain: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    match bytes {
        b"" => out.push(b'-'),
        bytes => escape(bytes, is_plain, out),
    }
}

/// Copies plain bytes as they are, and others as `\xHH`.
fn escape(mut bytes: &[u8], is_plain: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    loop {
        let plain = bytes.iter().position(|&byte| !is_plain(byte)).unwrap_or(bytes.len());
        out.extend_from_slice(&bytes[..plain]);
        let Some(byte) = bytes.get(plain) else { return };
        put!(out, "\\x{byte:02X}");
        bytes = &bytes[plain + 1..];
    }
}

fn json(entry: &Entry, out: &mut Vec<u8>) {
    put!(out, "{{\"time\":\"{}\"", utc::rfc3339(entry.at));
    match entry.peer {
        Peer::Net(at) => put!(out, ",\"peer\":\"{}\",\"port\":{}", at.ip(), at.port()),
        Peer::Local => out.extend_from_slice(b",\"peer\":null,\"port\":null"),
    }
    let user = entry.user.as_ref().map_or("", |user| &user.0);
    field("user", user.as_bytes(), out);
    field("method", entry.said.get(Value::Method), out);
    field("target", entry.said.get(Value::Target), out);
    field("version", entry.version.map_or("", version).as_bytes(), out);
    field("host", entry.said.get(Value::Host), out);
    field("referer", entry.said.get(Value::Referer), out);
    field("agent", entry.said.get(Value::Agent), out);
    let (bytes, complete) = sent(entry.ended);
    let Entry { tls, status, took, cached, .. } = entry;
    match tls {
        Some(version) => put!(out, ",\"tls\":\"{version}\""),
        None => put!(out, ",\"tls\":null"),
    }
    put!(out, ",\"status\":{}", status.as_str());
    put!(out, ",\"bytes\":{bytes},\"complete\":{complete}");
    field("cache", cached.map_or("", Cached::as_str).as_bytes(), out);
    put!(out, ",\"duration_ms\":{}.{:03}}}", took.as_millis(), took.as_micros() % 1000);
}

fn field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    put!(out, ",\"{name}\":");
    if value.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    out.push(b'"');
    for chunk in value.utf8_chunks() {
        put!(out, "{}", InJson(chunk.valid()));
        for byte in chunk.invalid() {
            put!(out, "\\\\x{byte:02X}");
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
