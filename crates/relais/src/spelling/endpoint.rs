//! How endpoints are spelled: each command has a scheme that may be left out.

use std::{net::Ipv6Addr, str::FromStr};

use relais_net::{Endpoint, ParseEndpointError, Scheme};

/// Where HTTP is served: an endpoint whose scheme may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpEndpoint(pub(crate) Endpoint);

/// Where bytes or datagrams are passed: an endpoint that is TCP's if it does not say what else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BareEndpoint(pub(crate) Endpoint);

/// Why a text is not an [`HttpEndpoint`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHttpEndpoint {
    /// A scheme that nobody knows. Those that are known elsewhere are told where they stand.
    #[error("unknown scheme {0:?}: expected http, https or unix")]
    UnknownScheme(String),
    /// A scheme without its colon, or with too much of it.
    #[error("bad endpoint {text:?}: expected {meant:?}")]
    Mistyped {
        /// What was typed.
        text: String,
        /// What was likely meant.
        meant: String,
    },
    /// Something else.
    #[error(transparent)]
    Other(ParseEndpointError),
}

impl FromStr for HttpEndpoint {
    type Err = BadHttpEndpoint;

    fn from_str(text: &str) -> Result<Self, BadHttpEndpoint> {
        for scheme in ["http", "https", "unix"] {
            let rest = text.strip_prefix(scheme).and_then(|rest| rest.split_once("//"));
            if let Some(("" | "::" | ";", rest)) = rest {
                let (text, meant) = (text.to_owned(), format!("{scheme}://{rest}"));
                return Err(BadHttpEndpoint::Mistyped { text, meant });
            }
        }
        Endpoint::parse_in(text, Scheme::Http).map(Self).map_err(|error| match error {
            ParseEndpointError::UnknownScheme(scheme) => BadHttpEndpoint::UnknownScheme(scheme),
            error => BadHttpEndpoint::Other(error),
        })
    }
}

impl FromStr for BareEndpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        Endpoint::parse_in(text, Scheme::Tcp).map(Self)
    }
}

/// What a host and a port are together that were written as two words, as netcat takes them: nothing
/// where that is no endpoint.
pub(crate) fn together(host: &str, port: &str) -> Option<String> {
    let is_port = host.bytes().all(|byte| byte.is_ascii_digit());
    let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
    let meant = if is_ipv6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let endpoint = Endpoint::parse_in(&meant, Scheme::Tcp).ok()?;
    (!is_port && endpoint.host_port().is_some()).then_some(meant)
}

/// The hint for who wrote them so, and meant this.
pub(crate) fn go_together(meant: &str) -> String {
    format!("host and port go together: {meant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_other_protocols_are_told_those_of_http() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<HttpEndpoint>().unwrap_err().to_string(), expect);
        };
        check("ftp://x", "unknown scheme \"ftp\": expected http, https or unix");
        check("http//:9000", "bad endpoint \"http//:9000\": expected \"http://:9000\"");
        check("https::///a", "bad endpoint \"https::///a\": expected \"https:///a\"");
        check("a:x", "bad port \"x\": expected 0 to 65535");
        assert!("http://a".parse::<HttpEndpoint>().is_ok());
        assert!("unix:///a//b".parse::<HttpEndpoint>().is_ok());
    }

    #[test]
    fn a_host_and_its_port_are_an_endpoint_together() {
        let check = |host: &str, port: &str, expect: Option<&str>| {
            assert_eq!(together(host, port).as_deref(), expect, "{host} {port}");
        };
        check("localhost", "80", Some("localhost:80"));
        check("::1", "80", Some("[::1]:80"));
        check("[::1]", "80", Some("[::1]:80"));
        check("http://a.example", "80", Some("http://a.example:80"));
        for host in ["80", "", "-v", "a:1", "http://a/b", "unix:///a", "a b"] {
            check(host, "80", None);
        }
        for port in ["", "x", "65536", "+1", "-c"] {
            check("localhost", port, None);
        }
    }

    #[test]
    fn a_bare_port_is_tcps() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<BareEndpoint>().unwrap().0.to_string(), expect);
        };
        check("6666", "tcp://127.0.0.1:6666");
        check("udp://[::1]:6666", "udp://[::1]:6666");
    }
}
