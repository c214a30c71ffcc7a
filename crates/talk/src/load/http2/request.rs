//! A request of HTTP/2: made once, and sent again and again.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Uri, Version,
    header::CONTENT_LENGTH,
    uri::{Authority, PathAndQuery},
};
use relais_net::Scheme;

use crate::load::parts::{BadRequest, Parts};

/// A request of HTTP/2 as it goes out.
#[derive(Clone)]
pub struct Http2Request {
    /// Boxed, since it is large.
    pub(super) head: Box<Request<()>>,
    /// Empty if there is none.
    pub(super) body: Bytes,
}

impl Http2Request {
    /// Puts a request together, for a server of `scheme`. A field `Host` is its `:authority`.
    ///
    /// # Errors
    ///
    /// [`BadRequest`], where a server might read something else than what was meant, or there is no such
    /// request over HTTP/2.
    pub fn of(parts: Parts<'_>, scheme: Scheme) -> Result<Self, BadRequest> {
        parts.check()?;
        let Parts { method, path, host, fields, data } = parts;
        let (own_host, fields): (Vec<_>, Vec<_>) =
            fields.iter().partition(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = own_host.first().map_or(host, |(_, value)| value.trim());
        let mut head = Request::new(());
        *head.method_mut() = Method::from_bytes(method.as_bytes())
            .map_err(|_| BadRequest::Method(method.to_owned()))?;
        *head.uri_mut() = uri(scheme, host, path)?;
        *head.version_mut() = Version::HTTP_2;
        for (name, value) in fields {
            let (name, value) = field(name, value)?;
            head.headers_mut().append(name, value);
        }
        if let Some(data) = data {
            head.headers_mut().insert(CONTENT_LENGTH, data.len().into());
        }
        let head = Box::new(head);
        Ok(Self { head, body: data.map(Bytes::copy_from_slice).unwrap_or_default() })
    }

    /// Its body; empty if it has none.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Http2Request {
    /// Without its content: fields may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Request").field("body", &self.body.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Http2Request {
    fn eq(&self, other: &Self) -> bool {
        let parts = |head: &Request<()>| (head.method().clone(), head.uri().clone());
        parts(&self.head) == parts(&other.head)
            && self.head.headers() == other.head.headers()
            && self.body == other.body
    }
}

impl Eq for Http2Request {}

/// What is asked for. It has no name and password (RFC 9113, section 8.3.1).
fn uri(scheme: Scheme, host: &str, path: &str) -> Result<Uri, BadRequest> {
    let bad_host = || BadRequest::Host(host.to_owned());
    let authority = Authority::try_from(host).map_err(|_| bad_host())?;
    if host.contains('@') {
        return Err(bad_host());
    }
    let escaped = || BadRequest::Escaped(path.to_owned());
    let path = PathAndQuery::try_from(path).map_err(|_| escaped())?;
    let scheme = if scheme.is_secure() { "https" } else { "http" };
    let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build();
    uri.map_err(|_| bad_host())
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadRequest> {
    let is_trailers = name.eq_ignore_ascii_case("te") && value.trim() == "trailers";
    if OF_CONNECTIONS.iter().any(|other| name.eq_ignore_ascii_case(other)) && !is_trailers {
        return Err(BadRequest::OfConnection(name.to_owned()));
    }
    let spelled = HeaderName::from_bytes(name.as_bytes());
    let spelled = spelled.map_err(|_| BadRequest::Name(name.to_owned()))?;
    // RFC 9113, section 8.2.1.
    let value = HeaderValue::from_bytes(value.trim().as_bytes());
    Ok((spelled, value.map_err(|_| BadRequest::Value(name.to_owned()))?))
}

/// What an HTTP/2 request has none of (RFC 9113, section 8.2.2), besides what no request here has.
const OF_CONNECTIONS: [&str; 4] = ["connection", "keep-alive", "proxy-connection", "te"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::parts::samples::{PARTS, fields};

    #[test]
    fn a_request_goes_out_as_it_was_said() {
        let check = |parts, scheme, expect: &str| {
            let Http2Request { head, body } = Http2Request::of(parts, scheme).unwrap();
            let said = format!("{} {} {:?}", head.method(), head.uri(), head.headers());
            assert_eq!(format!("{said} {}", String::from_utf8_lossy(&body)), expect);
        };
        check(PARTS, Scheme::Http, "GET http://a.example:81/a?b {} ");
        let own = fields(&[("Host", "b.example"), ("Accept", " */* "), ("TE", "trailers")]);
        check(
            Parts { fields: &own, ..PARTS },
            Scheme::Https,
            "GET https://b.example/a?b {\"accept\": \"*/*\", \"te\": \"trailers\"} ",
        );
        let post = Parts { method: "POST", data: Some(b"xyz"), ..PARTS };
        check(post, Scheme::Http, "POST http://a.example:81/a?b {\"content-length\": \"3\"} xyz");
        let empty = Parts { method: "PUT", data: Some(b""), ..PARTS };
        check(empty, Scheme::Http, "PUT http://a.example:81/a?b {\"content-length\": \"0\"} ");
    }

    #[test]
    fn what_is_no_request_over_http_2_is_refused() {
        fn check(parts: Parts<'_>, expect: &str) {
            let bad = Http2Request::of(parts, Scheme::Http).unwrap_err();
            assert_eq!(bad.to_string(), expect);
        }
        let with = |name, value, expect: &str| {
            check(Parts { fields: &fields(&[(name, value)]), ..PARTS }, expect);
        };
        let none = "expected none over HTTP/2, which has no such fields";
        with("Connection", "close", &format!("header \"Connection\": {none}"));
        with("te", "gzip", &format!("header \"te\": {none}"));
        with("Host", "u@a", "bad host \"u@a\": expected a name or an address, and perhaps a port");
        with("Upgrade", "h2c", "header \"Upgrade\": expected none, the length is that of the body");
        let escaped = "expected `<`, `>` and the like written with a percent sign over HTTP/2";
        check(Parts { path: "/<", ..PARTS }, &format!("bad path \"/<\": {escaped}"));
        let method = "expected a word, e.g. \"GET\", and not CONNECT";
        check(Parts { method: "G T", ..PARTS }, &format!("bad method \"G T\": {method}"));
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let own = fields(&[("Authorization", "Bearer hush")]);
        let request = Http2Request::of(Parts { fields: &own, ..PARTS }, Scheme::Http).unwrap();
        assert_eq!(format!("{request:?}"), "Http2Request { body: 0, .. }");
    }
}
