//! Who is put under load, and what is said to them.

use std::fmt;

use bytes::Bytes;
use relais_net::{Endpoint, Scheme};
use relais_wire::http1::response::Asked;

use super::{
    http2::Http2Request,
    parts::{BadRequest, Parts},
};

/// Who is put under load, and what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where. `http` and `https` go with [`Said::Request`] and [`Said::Http2`], the others with
    /// [`Said::Message`].
    pub endpoint: Endpoint,
    /// The path that a WebSocket is asked for at; unused by the others.
    pub path: String,
    /// What is said, and what is waited for.
    pub said: Said,
}

/// What each client says again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A request of HTTP/1.1, and then an answer is waited for.
    Request(Request),
    /// The same of HTTP/2.
    Http2(Http2Request),
    /// A message, which is waited for again.
    Message(Bytes),
}

/// A request of HTTP/1.1 as it goes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) bytes: Bytes,
    pub(super) asked: Asked,
}

impl Request {
    /// Puts a request together.
    ///
    /// # Errors
    ///
    /// [`BadRequest`], where a server might read something else than what was meant.
    pub fn of(parts: Parts<'_>) -> Result<Self, BadRequest> {
        parts.check()?;
        let Parts { method, path, host, fields, data } = parts;
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.extend(["Host: ", host, "\r\n"]);
        }
        for (name, value) in fields {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if let Some(data) = data {
            head.extend(["Content-Length: ", &data.len().to_string(), "\r\n"]);
        }
        head += "\r\n";
        let bytes = [head.as_bytes(), data.unwrap_or_default()].concat().into();
        let asked = if method == "HEAD" { Asked::Head } else { Asked::Usual };
        Ok(Self { bytes, asked })
    }

    /// The request as it goes out.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Request {
    /// Without its content: fields may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Target {
    /// Whether what carries it keeps messages apart.
    pub fn is_of_datagrams(&self) -> bool {
        self.endpoint.scheme == Scheme::Udp
    }

    /// What goes out each time; of HTTP/2 the body alone.
    pub fn bytes(&self) -> &Bytes {
        match &self.said {
            Said::Request(request) => &request.bytes,
            Said::Http2(request) => request.body(),
            Said::Message(message) => message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::parts::samples::{PARTS, fields};

    #[test]
    fn a_request_goes_out_as_it_was_said() {
        let check = |parts, expect: &str| {
            let request = Request::of(parts).unwrap();
            assert_eq!(String::from_utf8_lossy(request.bytes()), expect);
        };
        check(PARTS, "GET /a?b HTTP/1.1\r\nHost: a.example:81\r\n\r\n");
        let own = fields(&[("host", "b.example"), ("Accept", "*/*")]);
        check(
            Parts { fields: &own, ..PARTS },
            "GET /a?b HTTP/1.1\r\nhost: b.example\r\nAccept: */*\r\n\r\n",
        );
        check(
            Parts { method: "POST", data: Some(b"xyz"), ..PARTS },
            "POST /a?b HTTP/1.1\r\nHost: a.example:81\r\nContent-Length: 3\r\n\r\nxyz",
        );
        check(
            Parts { method: "PUT", data: Some(b""), ..PARTS },
            "PUT /a?b HTTP/1.1\r\nHost: a.example:81\r\nContent-Length: 0\r\n\r\n",
        );
    }

    #[test]
    fn what_might_be_read_as_another_request_is_none() {
        fn check(parts: Parts<'_>, expect: &str) {
            assert_eq!(Request::of(parts).unwrap_err().to_string(), expect);
        }
        let path = "expected a slash and visible ASCII characters";
        check(Parts { path: "/a b", ..PARTS }, &format!("bad path \"/a b\": {path}"));
        check(Parts { path: "a", ..PARTS }, &format!("bad path \"a\": {path}"));
        check(Parts { path: "/\r\nX: y", ..PARTS }, &format!("bad path \"/\\r\\nX: y\": {path}"));
        let method = "expected a word, e.g. \"GET\", and not CONNECT";
        check(Parts { method: "", ..PARTS }, &format!("bad method \"\": {method}"));
        check(Parts { method: "G T", ..PARTS }, &format!("bad method \"G T\": {method}"));
        check(Parts { method: "CONNECT", ..PARTS }, &format!("bad method \"CONNECT\": {method}"));
        let with = |name, value, expect: &str| {
            check(Parts { fields: &fields(&[(name, value)]), ..PARTS }, expect);
        };
        with("a:", "b", "bad name of a header \"a:\": expected a word");
        with(
            "a",
            "b\r\nc: d",
            "bad value of a header \"a\": expected visible characters, spaces and tabs",
        );
        for framing in ["Content-Length", "transfer-encoding", "Upgrade"] {
            let expect =
                format!("header {framing:?}: expected none, the length is that of the body");
            with(framing, "1", &expect);
        }
    }
}
