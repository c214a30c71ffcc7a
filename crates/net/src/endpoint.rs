//! Where something listens or is reached, as written by a person.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use relais_wire::host::{is_dns_name, is_localhost, parse_port};

/// A place on a network and what is spoken there: `https://host:port`, `unix:///path`.
///
/// A listener and an upstream, a flag and a configuration file are all written this way. The short
/// forms `9000` (port 9000 of 127.0.0.1), `:9000` (of every address) and `host:9000` take the
/// scheme that their command usually speaks: see [`Endpoint::parse_in`].
///
/// ```
/// # use relais_net::{Endpoint, Scheme};
/// let endpoint: Endpoint = "tls://[::1]:8443".parse()?;
/// assert_eq!(endpoint.scheme, Scheme::Tls);
/// assert_eq!(Endpoint::parse_in("9000", Scheme::Http)?.to_string(), "http://127.0.0.1:9000");
/// # Ok::<(), relais_net::ParseEndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// What is spoken there.
    pub scheme: Scheme,
    /// Where it is. A path exactly if the scheme is [`Scheme::Unix`].
    pub place: Place,
}

/// What is spoken at an [`Endpoint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A TCP stream.
    Tcp,
    /// A TLS stream over TCP.
    Tls,
    /// UDP datagrams.
    Udp,
    /// A stream on a Unix socket.
    Unix,
    /// HTTP over TCP.
    Http,
    /// HTTP over TLS.
    Https,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

/// A port of a host, or a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A port of a host.
    Net(HostPort),
    /// A Unix socket. Absolute.
    Path(PathBuf),
}

/// A host and a port of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Which host.
    pub host: Host,
    /// 0 asks the kernel for any free port.
    pub port: u16,
}

/// A host, by name or address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Every address of this machine; only a listener can be there.
    Any,
    /// One address.
    Ip(IpAddr),
    /// A name to be resolved: [`is_dns_name`] in lower case, perhaps with a dot at the end.
    Name(String),
}

/// Why a text is not an [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseEndpointError {
    /// Nothing but perhaps a scheme: likely a variable of a shell that is not set. It never means
    /// the usual port of every address.
    #[error("no endpoint in {0:?}: expected e.g. `8080`, `:8080` or `http://127.0.0.1:8080`")]
    Empty(String),
    /// No `scheme://` at the front, and no usual scheme to fall back on.
    #[error("no scheme in {0:?}: expected e.g. http://host:port")]
    NoScheme(String),
    /// A scheme that is none of ours.
    #[error("unknown scheme {0:?}: expected tcp, tls, udp, unix, http, https, ws or wss")]
    UnknownScheme(String),
    /// A scheme without `//` behind its colon, as other programs have it.
    #[error("no // in {text:?}: expected {meant}")]
    NoSlashes {
        /// What was written.
        text: String,
        /// What was likely meant.
        meant: String,
    },
    /// A port alone behind a scheme. Only without one does it mean this machine.
    #[error("no host in \"{scheme}://{port}\": expected {scheme}://127.0.0.1:{port}")]
    NoHost {
        /// The scheme.
        scheme: Scheme,
        /// The port.
        port: u16,
    },
    /// No `:port` at the end, and a scheme that has no usual port.
    #[error("no port in {0:?}: expected host:port")]
    NoPort(String),
    /// The port is not a number from 0 to 65535.
    #[error("bad port {0:?}: expected 0 to 65535")]
    BadPort(String),
    /// Neither a name nor an address.
    #[error("bad host {0:?}: expected a name, an IPv4 address, or an IPv6 address in brackets")]
    BadHost(String),
    /// An address that means something at one interface alone.
    #[error("a zone in {0:?}: expected an address without, and so none that is link-local")]
    Zone(String),
    /// Something after the port.
    #[error("unexpected {0:?} after the port: an endpoint has no path")]
    Path(String),
    /// A Unix socket whose path is not absolute, or does not stand behind `unix://`.
    #[error("bad socket path {0:?}: expected unix:///path")]
    BadPath(String),
}

impl Scheme {
    /// The port that the scheme's texts leave out, if it has one.
    pub fn usual_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::Ws => Some(80),
            Self::Https | Self::Wss => Some(443),
            Self::Tcp | Self::Tls | Self::Udp | Self::Unix => None,
        }
    }

    /// Whether TLS lies under what is spoken.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Https | Self::Wss)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "tcp" => Self::Tcp,
            "tls" => Self::Tls,
            "udp" => Self::Udp,
            "unix" => Self::Unix,
            "http" => Self::Http,
            "https" => Self::Https,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            _ => return None,
        })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        })
    }
}

impl Endpoint {
    /// Reads `text`, which may leave out the scheme if it is the `usual` one.
    ///
    /// # Errors
    ///
    /// What is wrong with it and what was expected instead.
    pub fn parse_in(text: &str, usual: Scheme) -> Result<Self, ParseEndpointError> {
        if is_nothing(text) || text.contains("://") {
            text.parse()
        } else if let Some(meant) = with_slashes(text, usual) {
            Err(ParseEndpointError::NoSlashes { text: text.to_owned(), meant })
        } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::of(usual, &format!("127.0.0.1:{text}"))
        } else {
            Self::of(usual, text)
        }
    }

    /// The host and port, unless it is a Unix socket.
    pub fn host_port(&self) -> Option<&HostPort> {
        match &self.place {
            Place::Net(at) => Some(at),
            Place::Path(_) => None,
        }
    }

    /// Whether nobody can call there but who is on this machine, and by an address: a page that a
    /// browser shows, too.
    pub fn is_on_this_machine(&self) -> bool {
        match self.host_port().map(|at| &at.host) {
            Some(Host::Ip(ip)) => ip.to_canonical().is_loopback(),
            Some(Host::Name(name)) => is_localhost(name),
            Some(Host::Any) | None => false,
        }
    }

    fn of(scheme: Scheme, rest: &str) -> Result<Self, ParseEndpointError> {
        let place = match scheme {
            Scheme::Unix if rest.len() > 1 && rest.starts_with('/') => Place::Path(rest.into()),
            Scheme::Unix => return Err(ParseEndpointError::BadPath(rest.to_owned())),
            _ => Place::Net(HostPort::of(scheme, rest)?),
        };
        Ok(Self { scheme, place })
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_nothing(text) {
            return Err(ParseEndpointError::Empty(text.to_owned()));
        }
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| ParseEndpointError::NoScheme(text.to_owned()))?;
        let scheme = Scheme::named(scheme)
            .ok_or_else(|| ParseEndpointError::UnknownScheme(scheme.to_owned()))?;
        if scheme != Scheme::Unix && is_nothing(rest.trim_matches('/')) {
            return Err(ParseEndpointError::Empty(text.to_owned()));
        }
        Self::of(scheme, rest)
    }
}

fn is_nothing(text: &str) -> bool {
    text.trim().is_empty()
}

/// The port that `at` is, if it is no more than that.
fn port_alone(at: &str) -> Option<u16> {
    parse_port(at.as_bytes()).ok().flatten()
}

/// What was meant by a text that begins with a scheme and lacks its `//`; `None` if it does not, or
/// something else is wrong with it.
fn with_slashes(text: &str, usual: Scheme) -> Option<String> {
    let (name, rest) = text.split_once(':')?;
    let scheme = Scheme::named(name)?;
    let behind = rest.trim_start_matches('/');
    let (at, tail) = place_and_tail(behind);
    if is_nothing(at) {
        return None;
    }
    Some(match (scheme, port_alone(at)) {
        (Scheme::Unix, _) if rest.starts_with('/') => format!("unix://{rest}"),
        (Scheme::Unix, _) => "unix:///path".to_owned(),
        // A host may have that name.
        (_, Some(_)) if at == rest => {
            format!("{scheme}://127.0.0.1:{at}, or {usual}://{name}:{at}")
        }
        (_, Some(_)) => format!("{scheme}://127.0.0.1:{at}{tail}"),
        (_, None) if at.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        (_, None) => format!("{scheme}://{behind}"),
    })
}

/// `text` without a scheme, up to its path and from there on.
fn place_and_tail(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Net(at) => write!(f, "{}://{at}", self.scheme),
            Place::Path(path) => write!(f, "{}://{}", self.scheme, path.display()),
        }
    }
}

impl HostPort {
    fn of(scheme: Scheme, text: &str) -> Result<Self, ParseEndpointError> {
        let (at, tail) = place_and_tail(text);
        if !matches!(tail, "" | "/") {
            return Err(ParseEndpointError::Path(tail.to_owned()));
        }
        if let Some(port) = port_alone(at) {
            return Err(ParseEndpointError::NoHost { scheme, port });
        }
        let (host, port) = match (at.rsplit_once(':'), scheme.usual_port()) {
            // The last colon may stand inside the brackets of an address without a port.
            (Some((host, port)), _) if !port.ends_with(']') => {
                let read = parse_port(port.as_bytes()).ok().flatten();
                (host, read.ok_or_else(|| ParseEndpointError::BadPort(port.to_owned()))?)
            }
            (_, Some(usual)) => (at, usual),
            (_, None) => return Err(ParseEndpointError::NoPort(at.to_owned())),
        };
        Ok(Self { host: host.parse()?, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Host {
    type Err = ParseEndpointError;

    /// Reads a host as it stands in an endpoint: empty for any, IPv6 in brackets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseEndpointError::BadHost(text.to_owned());
        if text.is_empty() {
            return Ok(Self::Any);
        }
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(bad)?;
            if inner.contains('%') {
                return Err(ParseEndpointError::Zone(text.to_owned()));
            }
            return inner.parse().map(|ip| Self::Ip(IpAddr::V6(ip))).map_err(|_| bad());
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(IpAddr::V4(ip)));
        }
        // The dot at the end keeps a resolver from trying the name in its own domain, too.
        if !is_dns_name(text.strip_suffix('.').unwrap_or(text)) {
            return Err(bad());
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parses_prints_as_it_was_written() {
        for text in [
            "tcp://0.0.0.0:0",
            "tcp://:9000",
            "tls://example.org:443",
            "tls://example.org.:443",
            "udp://[2001:db8::1]:53",
            "unix:///run/relais.sock",
            "https://localhost:8443",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn who_can_call_from_elsewhere_is_known() {
        for here in ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1", "ws://localhost:1"]
        {
            assert!(here.parse::<Endpoint>().unwrap().is_on_this_machine(), "{here}");
        }
        assert!("tcp://[::ffff:127.0.0.1]:1".parse::<Endpoint>().unwrap().is_on_this_machine());
        for there in ["tcp://:1", "tcp://0.0.0.0:1", "tcp://192.0.2.1:1", "unix:///a", "tcp://a:1"]
        {
            assert!(!there.parse::<Endpoint>().unwrap().is_on_this_machine(), "{there}");
        }
    }

    #[test]
    fn short_forms_take_the_usual_scheme() {
        check_in("9000", "http://127.0.0.1:9000");
        check_in(":9000", "http://:9000");
        check_in("example.org:80", "http://example.org:80");
        check_in("[::1]:80", "http://[::1]:80");
        check_in("example.org", "http://example.org:80");
        check_in("https://[::1]", "https://[::1]:443");
        check_in("HTTPS://Example.org/", "https://example.org:443");
    }

    #[track_caller]
    fn check_in(text: &str, expect: &str) {
        assert_eq!(Endpoint::parse_in(text, Scheme::Http).unwrap().to_string(), expect);
    }

    #[test]
    fn what_does_not_parse_says_what_was_expected() {
        let host = "expected a name, an IPv4 address, or an IPv6 address in brackets";
        check("example.org:80", "no scheme in \"example.org:80\": expected e.g. http://host:port");
        check(
            "htp://a:80",
            "unknown scheme \"htp\": expected tcp, tls, udp, unix, http, https, ws or wss",
        );
        check("tcp://a", "no port in \"a\": expected host:port");
        check("tcp://[::1]", "no port in \"[::1]\": expected host:port");
        check("tcp://a:+80", "bad port \"+80\": expected 0 to 65535");
        check("tcp://a:-0", "bad port \"-0\": expected 0 to 65535");
        check("tcp://:", "bad port \"\": expected 0 to 65535");
        check("tcp://a:65536", "bad port \"65536\": expected 0 to 65535");
        check("tcp://a:", "bad port \"\": expected 0 to 65535");
        check("udp://6666", "no host in \"udp://6666\": expected udp://127.0.0.1:6666");
        check("http://80/", "no host in \"http://80\": expected http://127.0.0.1:80");
        check("tcp://65536", "no port in \"65536\": expected host:port");
        check("tcp://::1:80", &format!("bad host \"::1\": {host}"));
        check("tcp://1.2.3:80", &format!("bad host \"1.2.3\": {host}"));
        check("tcp://a..b:80", &format!("bad host \"a..b\": {host}"));
        check("tcp://-a:80", &format!("bad host \"-a\": {host}"));
        check("tcp://.:80", &format!("bad host \".\": {host}"));
        check("tcp://a b:80", &format!("bad host \"a b\": {host}"));
        check("http://u@h:80", &format!("bad host \"u@h\": {host}"));
        let zone = "expected an address without, and so none that is link-local";
        check("tcp://[fe80::1%eth0]:80", &format!("a zone in \"[fe80::1%eth0]\": {zone}"));
        check("http://a:80/b", "unexpected \"/b\" after the port: an endpoint has no path");
        check("unix://run", "bad socket path \"run\": expected unix:///path");
    }

    #[test]
    fn a_scheme_without_its_slashes_is_told_with_them() {
        let check = |text: &str, meant: &str| {
            let error = Endpoint::parse_in(text, Scheme::Tcp).unwrap_err();
            assert_eq!(error.to_string(), format!("no // in {text:?}: expected {meant}"));
        };
        check("udp:6666", "udp://127.0.0.1:6666, or tcp://udp:6666");
        check("tcp:127.0.0.1:6666", "tcp://127.0.0.1:6666");
        check("UDP::53", "udp://:53");
        check("https:/a.example", "https://a.example");
        check("unix:/run/a.sock", "unix:///run/a.sock");
        check("unix:a.sock", "unix:///path");
        // What is told is not refused in its turn.
        check("ws:80/chat", "ws://127.0.0.1:80/chat");
        check("tcp:6666/", "tcp://127.0.0.1:6666/");
        check("tcp:/6666", "tcp://127.0.0.1:6666");
        check("udp:/53", "udp://127.0.0.1:53");
        check("ws:/a.example:80/chat?room=1", "ws://a.example:80/chat?room=1");
        // A host of such a name has a scheme before it.
        assert!(Endpoint::parse_in("tcp://udp:6666", Scheme::Tcp).is_ok());
        assert!(Endpoint::parse_in("udp.example:6666", Scheme::Tcp).is_ok());
        for (text, port) in [("tcp:", ""), ("tcp:/", ""), ("tcp:65536", "65536")] {
            let expect = ParseEndpointError::BadPort(port.to_owned());
            assert_eq!(Endpoint::parse_in(text, Scheme::Tcp), Err(expect));
        }
    }

    #[test]
    fn nothing_is_never_every_address() {
        for text in ["", " ", "\t\n", "http://", "http:///", "https:// /", "tcp://", "wss:////"] {
            let expect = format!(
                "no endpoint in {text:?}: expected e.g. `8080`, `:8080` or `http://127.0.0.1:8080`"
            );
            check(text, &expect);
            let short = Endpoint::parse_in(text, Scheme::Http).unwrap_err();
            assert_eq!(short.to_string(), expect);
        }
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(text.parse::<Endpoint>().unwrap_err().to_string(), expect);
    }
}
