//! How endpoints are spelled: each command has a scheme that may be left out.

use std::str::FromStr;

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
    fn a_bare_port_is_tcps() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<BareEndpoint>().unwrap().0.to_string(), expect);
        };
        check("6666", "tcp://127.0.0.1:6666");
        check("udp://[::1]:6666", "udp://[::1]:6666");
    }
}
