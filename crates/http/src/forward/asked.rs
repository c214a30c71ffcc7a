//! What a request asks a proxy for (RFC 9112 §3.2).

use http::{Method, request};
use relais_net::{Endpoint, HostPort, Place, Scheme};
use relais_wire::host::{HostName, parse_host};

use super::told::Why;

/// What a request asks a proxy for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To be passed on to this server, which speaks HTTP.
    Message(Endpoint),
    /// A tunnel to here.
    Tunnel(Endpoint),
}

/// Reads what `head` asks for.
///
/// # Errors
///
/// Why it is nothing that can be asked for.
pub(super) fn asked(head: &request::Parts) -> Result<Asked, Why> {
    let named = head.uri.authority().ok_or(Why::Path)?;
    let HostName { name, port } = parse_host(named.as_str().as_bytes()).map_err(|_| Why::Host)?;
    let scheme = match (&head.method, head.uri.scheme_str()) {
        (&Method::CONNECT, _) => Scheme::Tcp,
        (&Method::TRACE, _) => return Err(Why::Method),
        (_, Some("https")) => Scheme::Https,
        (_, Some("http")) => Scheme::Http,
        (_, _) => return Err(Why::Scheme),
    };
    let port = port.or_else(|| scheme.usual_port()).ok_or(Why::Host)?;
    let host = name.parse().map_err(|_| Why::Host)?;
    let endpoint = Endpoint { scheme, place: Place::Net(HostPort { host, port }) };
    Ok(match scheme {
        Scheme::Tcp => Asked::Tunnel(endpoint),
        _ => Asked::Message(endpoint),
    })
}

impl Asked {
    pub(super) fn port(&self) -> u16 {
        let (Self::Message(endpoint) | Self::Tunnel(endpoint)) = self;
        endpoint.host_port().map_or(0, |at| at.port)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn whole_urls_name_a_server_and_connect_the_end_of_a_tunnel() {
        check("GET http://a.example/b?c", "http://a.example:80");
        check("GET http://A.Example:8080", "http://a.example:8080");
        check("GET http://a.example:/", "http://a.example:80");
        check("POST HTTPS://a.example./", "https://a.example.:443");
        check("GET http://[::1]/", "http://[::1]:80");
        check("GET http://192.0.2.1/", "http://192.0.2.1:80");
        check("CONNECT a.example:443", "tcp://a.example:443");
        check("CONNECT [2001:db8::1]:1", "tcp://[2001:db8::1]:1");
    }

    #[test]
    fn what_names_nobody_is_told() {
        check("GET /", "Path");
        check("OPTIONS *", "Path");
        check("GET ftp://a.example/", "Scheme");
        check("TRACE http://a.example/", "Method");
        check("CONNECT a.example", "Host");
        check("GET http://u:p@a.example/", "Host");
    }

    /// A port alone is no host, and no spelling of an address but one is.
    #[test]
    fn an_address_has_one_spelling() {
        for host in
            ["9000", "127.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "0x7f.1", "1.2.3.256"]
        {
            check(&format!("GET http://{host}/"), "Host");
            check(&format!("CONNECT {host}:443"), "Host");
        }
    }

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let (method, uri) = line.split_once(' ').unwrap();
        let (head, ()) = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
        let got = match asked(&head) {
            Ok(Asked::Message(endpoint) | Asked::Tunnel(endpoint)) => endpoint.to_string(),
            Err(why) => format!("{why:?}"),
        };
        assert_eq!(got, expect, "for {line:?}");
    }
}
