//! How somebody is asked.

use std::{fmt, time::Duration};

use http::HeaderValue;
use relais_net::{Dialer, Endpoint, ParseEndpointError, Scheme};
use relais_wire::http1::HeadLimits;

use super::{AskError, Request, basic};

/// Asks one server at a time, each time on a connection of its own.
#[derive(Debug)]
pub struct Client {
    /// What calls it.
    pub dialer: Dialer,
    /// What is spoken with it.
    pub speaks: Speaks,
    /// Who passes it on, if somebody does.
    pub proxy: Option<Proxy>,
    /// How much it may cost.
    pub limits: Limits,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speaks {
    /// What is agreed on under TLS; HTTP/1.1 in the clear.
    #[default]
    Agreed,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, in the clear without asking (RFC 9113 §3.3).
    Http2,
}

/// Who passes requests on.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What it is asked in.
    pub speaks: ProxySpeaks,
    /// Who it is told that asks; see [`Proxy::asked_by`].
    pub user: Option<User>,
}

/// What a proxy is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxySpeaks {
    /// HTTP: whole URLs, and `CONNECT`. In the clear, or under TLS.
    Http,
    /// SOCKS 5 (RFC 1928): it calls by name, and passes all on as it is.
    Socks5,
}

/// Who asks.
#[derive(Clone)]
pub struct User {
    /// As whom.
    pub name: String,
    /// What shows it.
    pub password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How much an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large a head may be.
    pub head: HeadLimits,
    /// From the request to the end of the answer's head, and within its body without a byte.
    pub silence_max: Duration,
    /// How long a proxy of SOCKS may take for its first word, which it says before it calls anybody:
    /// one of another kind waits for the end of a line, and says nothing.
    pub greeting_max: Duration,
}

/// Who reads the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// The server.
    Straight,
    /// A proxy, which is told the whole URL (RFC 9112 §3.2.2).
    OnByProxy,
}

/// How much of a body a server takes in a second, at least: so long it is waited for.
const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;

/// How long it may take to send the body of `request`.
pub(super) fn uploading_max(request: &Request) -> Duration {
    Duration::from_secs(request.body.len() as u64 / UPLOAD_BYTES_PER_SECOND_MIN)
}

/// How long a name or a password may be that is told to a proxy of SOCKS.
const SOCKS_BYTES_MAX: usize = 255;

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.speaks, self.endpoint.host_port()) {
            (ProxySpeaks::Socks5, Some(at)) => write!(f, "socks5://{at}"),
            _ => write!(f, "{}", self.endpoint),
        }
    }
}

impl Proxy {
    /// What became of something that it was asked: to do `what`, or for what.
    pub(super) fn blame(&self, what: String, error: AskError) -> AskError {
        AskError::Proxy { proxy: self.to_string(), what, source: Box::new(error) }
    }

    /// The proxy that `text` names: `http://host:port` or `host:port`, `https://…` or `socks5://…`.
    ///
    /// # Errors
    ///
    /// [`BadProxy`]
    pub fn parse(text: &str) -> Result<Self, BadProxy> {
        let (speaks, usual, place) = match text.split_once("://") {
            Some(("socks5" | "socks5h", place)) if place.contains("://") => {
                return Err(BadProxy::Schemes(text.to_owned()));
            }
            Some(("socks5" | "socks5h", place)) => (ProxySpeaks::Socks5, Scheme::Tcp, place),
            Some(("http" | "https", _)) | None => (ProxySpeaks::Http, Scheme::Http, text),
            Some((scheme, _)) => return Err(BadProxy::Scheme(scheme.to_owned())),
        };
        let endpoint = Endpoint::parse_in(place, usual).map_err(BadProxy::Endpoint)?;
        match endpoint.scheme {
            Scheme::Http | Scheme::Https | Scheme::Tcp => Ok(Self { endpoint, speaks, user: None }),
            other => Err(BadProxy::Scheme(other.to_string())),
        }
    }

    /// The same, told that `user` asks.
    ///
    /// # Errors
    ///
    /// [`BadProxy::Length`] of one of SOCKS, which has room for 1 to 255 bytes of each
    /// ([RFC 1929 §2](https://www.rfc-editor.org/rfc/rfc1929#section-2)).
    pub fn asked_by(self, user: User) -> Result<Self, BadProxy> {
        if self.speaks == ProxySpeaks::Socks5 {
            for (what, text) in [("name", &user.name), ("password", &user.password)] {
                if !(1..=SOCKS_BYTES_MAX).contains(&text.len()) {
                    return Err(BadProxy::Length { what, bytes: text.len() });
                }
            }
        }
        Ok(Self { user: Some(user), ..self })
    }

    /// What tells a proxy of HTTP who asks.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let User { name, password } = self.user.as_ref()?;
        Some(basic(name, password))
    }
}

/// Why a text names no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    /// Of another kind.
    #[error("no proxy of {0:?}: expected http://, https:// or socks5://, and host:port")]
    Scheme(String),
    /// Of two kinds at once.
    #[error("more than one scheme in {0:?}: expected one, e.g. socks5://host:port")]
    Schemes(String),
    /// Who asks cannot be told.
    #[error("a {what} of {bytes} bytes: expected 1 to {SOCKS_BYTES_MAX}, as SOCKS 5 has it")]
    Length {
        /// Of what.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// No place.
    #[error(transparent)]
    Endpoint(ParseEndpointError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_of_http_with_tls_or_without_or_of_socks() {
        let place = |text: &str| {
            let proxy = Proxy::parse(text).unwrap();
            (proxy.endpoint.to_string(), proxy.speaks)
        };
        assert_eq!(place("a:1"), ("http://a:1".to_owned(), ProxySpeaks::Http));
        assert_eq!(place("https://a:1"), ("https://a:1".to_owned(), ProxySpeaks::Http));
        assert_eq!(place("socks5://a:1"), ("tcp://a:1".to_owned(), ProxySpeaks::Socks5));
        assert_eq!(place("socks5h://[::1]:1").0, "tcp://[::1]:1");
    }

    #[test]
    fn what_is_none_says_what_was_expected() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Proxy::parse(text).unwrap_err().to_string(), expect);
        };
        check(
            "ftp://a",
            "no proxy of \"ftp\": expected http://, https:// or socks5://, and host:port",
        );
        check(
            "wss://a",
            "no proxy of \"wss\": expected http://, https:// or socks5://, and host:port",
        );
        check("socks5://a", "no port in \"a\": expected host:port");
        for text in ["socks5://https://h:1", "socks5h://tcp://h:1"] {
            let expect = "more than one scheme in {}: expected one, e.g. socks5://host:port";
            check(text, &expect.replace("{}", &format!("{text:?}")));
        }
    }

    #[test]
    fn a_proxy_of_socks_is_told_a_name_and_a_password_of_1_to_255_bytes() {
        let told = |text: &str, name: usize, password: usize| {
            let user = User { name: "n".repeat(name), password: "p".repeat(password) };
            let told = Proxy::parse(text).unwrap().asked_by(user);
            told.map_err(|error| error.to_string()).map(|it| it.user.is_some())
        };
        assert_eq!(told("socks5://a:1", 1, 255), Ok(true));
        assert_eq!(told("socks5://a:1", 255, 1), Ok(true));
        assert_eq!(told("http://a:1", 300, 0), Ok(true));
        let wrong = |what, bytes| {
            Err(format!("a {what} of {bytes} bytes: expected 1 to 255, as SOCKS 5 has it"))
        };
        assert_eq!(told("socks5://a:1", 0, 1), wrong("name", 0));
        assert_eq!(told("socks5://a:1", 256, 1), wrong("name", 256));
        assert_eq!(told("socks5://a:1", 1, 0), wrong("password", 0));
        assert_eq!(told("socks5://a:1", 1, 256), wrong("password", 256));
    }
}
