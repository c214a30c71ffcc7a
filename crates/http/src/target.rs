//! What a request asks for.

use std::fmt;

use http::{HeaderMap, Method, Request, Uri, header};
use relais_wire::{
    decimal::Decimal,
    host::{parse_port, usual_port},
};

use crate::{Ask, Caller};

/// What a request asks for. Prints as the URL, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Usually `http` or `https`.
    pub scheme: &'a str,
    /// A name or an address, an IPv6 address in brackets. Empty if none is named.
    pub host: &'a str,
    /// The port. `None` if none is named: the scheme's usual one.
    pub port: Option<u16>,
    /// Path and query, not decoded.
    pub path_and_query: &'a str,
}

impl<'a> Target<'a> {
    /// What `ask` is for: its target if that names a host (RFC 9112 §3.2), else its `Host` over
    /// what is spoken on its connection. A tunnel (CONNECT) is for the root of its host over
    /// `https`.
    pub fn of(ask: &'a Ask) -> Self {
        Self::read(&ask.request, &ask.caller)
    }

    /// The same of a `request` whose body nobody has any more.
    pub(crate) fn read<B>(request: &'a Request<B>, caller: &Caller) -> Self {
        let uri = request.uri();
        let is_tunnel = *request.method() == Method::CONNECT;
        let scheme = if is_tunnel { "https" } else { scheme(uri, caller) };
        let (host, port) = host_and_port(authority(uri, request.headers()).unwrap_or_default());
        Self { scheme, host, port, path_and_query: path_and_query(uri) }
    }

    /// The port, unless it is the one that no port means.
    pub(crate) fn unusual_port(&self) -> Option<u16> {
        self.port.filter(|_| self.port != usual_port(self.scheme.as_bytes()))
    }
}

/// What is spoken with `caller`, as URLs have it.
pub(crate) fn spoken(caller: &Caller) -> &'static str {
    if caller.tls.is_some() { "https" } else { "http" }
}

/// The scheme that is asked for: that of the target, else what is spoken.
pub(crate) fn scheme<'a>(uri: &'a Uri, caller: &Caller) -> &'a str {
    uri.scheme_str().unwrap_or_else(|| spoken(caller))
}

/// The host that is asked for, with its port: that of the target, else `Host` (RFC 9112 §3.2.2).
/// Where both are there, the connection has seen to it that they agree.
pub(crate) fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST)?.to_str().ok(),
    }
}

/// The path and the query that are asked for: the root if there are none.
pub(crate) fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// Of an authority that was judged to be sound.
fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    let Some(last) = memchr::memrchr2(b':', b'@', authority.as_bytes()) else {
        return (authority, None);
    };
    let user = memchr::memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1);
    let (before, port) = (&authority[..last], &authority[last + 1..]);
    // The colons in brackets are an address's.
    if user > last || port.ends_with(']') {
        return (&authority[user..], None);
    }
    (&before[user..], parse_port(port.as_bytes()).unwrap_or(None))
}

impl Target<'_> {
    /// Appends it, as it prints.
    ///
    /// *Cost*: a fraction of that of formatting.
    pub(crate) fn print(&self, out: &mut String) {
        for text in [self.scheme, "://", self.host] {
            out.push_str(text);
        }
        if let Some(port) = self.port {
            out.push(':');
            out.push_str(Decimal::of(port).as_str());
        }
        out.push_str(self.path_and_query);
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.print(&mut text);
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use relais_net::Peer;

    use super::*;
    use crate::says::ask;

    #[test]
    fn what_is_asked_for_is_in_the_target_or_else_in_the_host() {
        check_target("/a?b", &[("host", "h")], "http://h/a?b");
        check_target("/", &[("host", "h:81")], "http://h:81/");
        check_target("/", &[("host", "[::1]")], "http://[::1]/");
        check_target("/", &[("host", "[::1]:81")], "http://[::1]:81/");
        check_target("https://h/a", &[("host", "h")], "https://h/a");
        check_target("http://h:80/", &[("host", "other")], "http://h:80/");
        check_target("http://u:p@h:81/", &[], "http://h:81/");
        check_target("http://u:p@h/", &[], "http://h/");
        check_target("http://u:p@[::1]/", &[], "http://[::1]/");
        check_target("/", &[], "http:///");
    }

    #[track_caller]
    fn check_target(target: &str, headers: &[(&str, &str)], expect: &str) {
        let ask = ask(Peer::Local, target, headers);
        assert_eq!(Target::of(&ask).to_string(), expect);
    }

    #[test]
    fn a_tunnel_is_for_the_root_of_its_host() {
        let mut ask = ask(Peer::Local, "h:8443", &[("host", "h:8443")]);
        *ask.request.method_mut() = Method::CONNECT;
        assert_eq!(Target::of(&ask).to_string(), "https://h:8443/");
    }

    #[test]
    fn the_usual_port_is_no_port() {
        let port =
            |scheme, port| Target { scheme, host: "h", port, path_and_query: "/" }.unusual_port();
        assert_eq!(port("http", Some(80)), None);
        assert_eq!(port("HTTPS", Some(443)), None);
        assert_eq!(port("http", Some(443)), Some(443));
        assert_eq!(port("http", None), None);
        assert_eq!(port("ftp", Some(21)), Some(21));
    }
}
