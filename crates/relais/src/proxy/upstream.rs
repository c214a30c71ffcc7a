//! `upstream` and `upstream_host`: who is asked, and by which name.

use std::{fmt, str::FromStr};

use http::HeaderValue;
use relais_http::upstream;
use relais_net::{Endpoint, Host, HostPort, Scheme};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    complaint::Wrong,
    spelling::{HttpEndpoint, read_from_string},
};

/// What `Host` says to an upstream, word for word: `client`, `upstream`, or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostField {
    /// What the client said.
    Client,
    /// The upstream's own name.
    Upstream,
    /// This.
    Name(String),
}

/// Which HTTP is spoken with upstreams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
pub enum Speaks {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "1.1")]
    #[value(name = "1.1")]
    Http1,
    /// HTTP/2: under TLS if the upstream agrees, in the clear without asking.
    #[serde(rename = "2")]
    #[value(name = "2")]
    Http2,
}

impl From<Speaks> for upstream::Speaks {
    fn from(speaks: Speaks) -> Self {
        match speaks {
            Speaks::Http1 => Self::Http1,
            Speaks::Http2 => Self::Http2,
        }
    }
}

/// Why a text is not a [`HostField`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad host {0:?}: expected client, upstream, or a name, perhaps with a port")]
pub(crate) struct BadHostField(String);

/// A server that is asked, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// Where it is.
    #[serde(serialize_with = "spelled")]
    pub endpoint: Endpoint,
    /// What `Host` says; `None` for what the client said.
    #[serde(serialize_with = "text")]
    pub host: Option<HeaderValue>,
}

impl Upstream {
    /// Resolves an endpoint of `upstream`.
    pub(super) fn plan(endpoint: &Endpoint, host: Option<&HostField>) -> Result<Self, Wrong> {
        let at = endpoint.host_port();
        match endpoint.scheme {
            Scheme::Http | Scheme::Https | Scheme::Unix => (),
            Scheme::Tcp | Scheme::Tls | Scheme::Udp | Scheme::Ws | Scheme::Wss => {
                let what =
                    format!("upstreams speak no {}: {:?}", endpoint.scheme, endpoint.to_string());
                return Err(Wrong::expected(what, "http, https or unix"));
            }
        }
        if let Some(HostPort { host: Host::Any, port }) = at {
            let what = format!("no host in {:?}", endpoint.to_string());
            let hint = format!("on this machine it is {}://127.0.0.1:{port}", endpoint.scheme);
            return Err(Wrong::expected(what, "the host of a server").hint(hint));
        }
        if at.is_some_and(|at| at.port == 0) {
            let what = format!("nobody can be asked at port 0: {:?}", endpoint.to_string());
            return Err(Wrong::expected(what, "1 to 65535"));
        }
        Ok(Self { endpoint: endpoint.clone(), host: host_of(endpoint, host)? })
    }

    /// Whether `listen` is where it is, as far as that can be told without asking a resolver.
    pub(super) fn is_at(&self, HttpEndpoint(listen): &HttpEndpoint) -> bool {
        is_at(&self.endpoint, listen)
    }
}

/// Whether who is called at `upstream` is who listens at `listen`, as far as that can be told without
/// asking a resolver.
pub(crate) fn is_at(upstream: &Endpoint, listen: &Endpoint) -> bool {
    let (Some(called), Some(here)) = (upstream.host_port(), listen.host_port()) else {
        return upstream.place == listen.place;
    };
    called.port == here.port && (called.host == here.host || is_all(&here.host, called))
}

/// Whether who listens at `here`, on all addresses, is called at `upstream`, on this machine.
fn is_all(here: &Host, upstream: &HostPort) -> bool {
    let is_all = match here {
        Host::Any => true,
        Host::Ip(ip) => ip.is_unspecified(),
        Host::Name(_) => false,
    };
    is_all
        && match &upstream.host {
            Host::Any => true,
            Host::Ip(ip) => ip.is_loopback() || ip.is_unspecified(),
            Host::Name(name) => name == "localhost",
        }
}

/// Servers in the clear are ours, mostly, and are to see what the client saw; those under TLS are
/// known by the name that their certificate has.
fn host_of(endpoint: &Endpoint, asked: Option<&HostField>) -> Result<Option<HeaderValue>, Wrong> {
    let usual = if endpoint.scheme.is_secure() { HostField::Upstream } else { HostField::Client };
    let name = match asked.unwrap_or(&usual) {
        HostField::Client => return Ok(None),
        HostField::Name(name) => name.clone(),
        HostField::Upstream => match endpoint.host_port() {
            Some(at) if endpoint.scheme.usual_port() == Some(at.port) => at.host.to_string(),
            Some(at) => at.to_string(),
            None => {
                let what = format!("a socket has no host: {:?}", endpoint.to_string());
                return Err(Wrong::expected(what, "`upstream_host` to be \"client\" or a name"));
            }
        },
    };
    Ok(Some(HeaderValue::try_from(name).expect("a host has only visible letters")))
}

impl FromStr for HostField {
    type Err = BadHostField;

    fn from_str(text: &str) -> Result<Self, BadHostField> {
        let bad = || BadHostField(text.to_owned());
        match text {
            "client" => return Ok(Self::Client),
            "upstream" => return Ok(Self::Upstream),
            _ => (),
        }
        // An endpoint is what its host and port are read by; a path has no place in it.
        let read = format!("http://{text}").parse::<Endpoint>().map_err(|_| bad())?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match read.host_port() {
            Some(at) if at.host != Host::Any && !is_number && !text.contains('/') => {
                let is_usual = at.port == 80 && !text.ends_with(":80");
                Ok(Self::Name(if is_usual { at.host.to_string() } else { at.to_string() }))
            }
            _ => Err(bad()),
        }
    }
}

read_from_string!(HostField: "\"client\", \"upstream\" or a name");

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)?;
        // What is usual needs no words.
        match host_of(&self.endpoint, None) {
            Ok(usual) if usual == self.host => Ok(()),
            _ => match &self.host {
                None => f.write_str(" as the client calls it"),
                Some(host) => write!(f, " as {}", String::from_utf8_lossy(host.as_bytes())),
            },
        }
    }
}

fn spelled<S: Serializer>(endpoint: &Endpoint, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(endpoint)
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn text<S: Serializer>(value: &Option<HeaderValue>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()));
    text.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_called_by_the_name_that_they_know() {
        let check = |endpoint: &str, asked: Option<&str>, expect: Option<&str>| {
            let endpoint = Endpoint::parse_in(endpoint, Scheme::Http).unwrap();
            let asked: Option<HostField> = asked.map(|text| text.parse().unwrap());
            let upstream = Upstream::plan(&endpoint, asked.as_ref()).unwrap();
            assert_eq!(upstream.host.as_ref().map(|host| host.to_str().unwrap()), expect);
        };
        check("8081", None, None);
        check("unix:///s", None, None);
        check("https://a.example", None, Some("a.example"));
        check("https://a.example:8443", None, Some("a.example:8443"));
        check("https://a.example", Some("client"), None);
        check("http://a.example:80", Some("upstream"), Some("a.example"));
        check("http://[::1]:81", Some("upstream"), Some("[::1]:81"));
        check("unix:///s", Some("b.example"), Some("b.example"));
        check("8081", Some("b.example:80"), Some("b.example:80"));
        check("8081", Some("B.example:81"), Some("b.example:81"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "8080", ":80", "http://a", "a/", "a b", "a\r\nb", "*.a", "Client:x"] {
            assert_eq!(text.parse::<HostField>(), Err(BadHostField(text.to_owned())));
        }
    }

    #[test]
    fn a_proxy_that_would_ask_itself_is_found() {
        let check = |listen: &str, upstream: &str, expect: bool| {
            let endpoint = Endpoint::parse_in(upstream, Scheme::Http).unwrap();
            let upstream = Upstream::plan(&endpoint, None).unwrap();
            assert_eq!(upstream.is_at(&listen.parse().unwrap()), expect);
        };
        check("9000", "9000", true);
        check(":9000", "9000", true);
        check("0.0.0.0:9000", "localhost:9000", true);
        check("unix:///s", "unix:///s", true);
        check(":9000", "a.example:9000", false);
        check("9000", "9001", false);
        check("9000", "unix:///s", false);
    }
}
