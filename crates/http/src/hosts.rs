//! Virtual hosts: which handler answers is decided by the host that a request names.

use std::{
    collections::HashMap,
    fmt,
    future::ready,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use http::{Method, Request, StatusCode};
use relais_net::Fault;
use relais_wire::host::{NAME_BYTES_MAX, is_dns_name};

use crate::{
    Accepts, Answer, Answering, Ask, DynHandler, Ended, Handler, Refused, handler::plain_text,
    target::authority,
};

/// Passes each request to the handler of the host it names.
///
/// An exact name goes before `*.` patterns, a longer pattern before a shorter, and the default
/// takes what is left; without a default that is answered with 421 Misdirected Request. Case, port
/// and a trailing dot make no difference.
///
/// *Cost*: with a default alone the host is not looked at; else one hash for the name and, if that
/// is unknown and there are patterns, one for each of its labels. Nothing is allocated.
#[derive(Debug, Default)]
pub struct Hosts {
    exact: HashMap<Box<str>, Arc<dyn DynHandler>>,
    /// By what follows the `*.`.
    under: HashMap<Box<str>, Arc<dyn DynHandler>>,
    default: Option<Arc<dyn DynHandler>>,
    /// Of the site that was named first.
    first: Option<Arc<dyn DynHandler>>,
}

/// A handler and the hosts it answers for.
#[derive(Clone, Debug)]
pub struct Site {
    /// Which hosts. None makes it the default.
    pub hosts: Vec<HostPattern>,
    /// What answers.
    pub handler: Arc<dyn DynHandler>,
}

/// Which hosts a [`Site`] answers for: `example.org`, `*.example.org`, `192.0.2.1` or `[::1]`.
///
/// `*.example.org` is every name below `example.org`, by one label or by many, and not
/// `example.org` itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// One host. In lower case, without a dot at the end; an IPv6 address in brackets.
    Exact(Box<str>),
    /// Every name below this one. In lower case, without a dot at the end.
    Under(Box<str>),
}

/// Why a text is not a [`HostPattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseHostPatternError {
    /// Not a name, an address or a pattern.
    #[error("bad host {0:?}: expected a name, an address, or *.name, without a port")]
    Bad(String),
    /// A name in letters that DNS does not have.
    #[error("bad host {0:?}: expected it in ASCII, each label as xn--…")]
    NotAscii(String),
}

/// Why sites do not fit beside each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostsError {
    /// Two sites answer for the same host.
    #[error("two sites for host `{0}`: expected one")]
    Twice(HostPattern),
    /// Two sites name no host.
    #[error("two sites without hosts: expected one, which answers for every other host")]
    TwoDefaults,
}

impl Hosts {
    /// Answers for every host alike.
    pub fn only(handler: Arc<dyn DynHandler>) -> Self {
        Self { default: Some(handler), ..Self::default() }
    }

    /// Divides requests among `sites`.
    ///
    /// # Errors
    ///
    /// If two sites answer for the same host, or two for all the others.
    pub fn new(sites: impl IntoIterator<Item = Site>) -> Result<Self, HostsError> {
        let mut table = Self::default();
        for Site { hosts, handler } in sites {
            table.first.get_or_insert_with(|| Arc::clone(&handler));
            if hosts.is_empty() && table.default.replace(Arc::clone(&handler)).is_some() {
                return Err(HostsError::TwoDefaults);
            }
            for host in hosts {
                table.add(host, &handler)?;
            }
        }
        Ok(table)
    }

    fn add(&mut self, host: HostPattern, handler: &Arc<dyn DynHandler>) -> Result<(), HostsError> {
        let (names, name) = match &host {
            HostPattern::Exact(name) => (&mut self.exact, name),
            HostPattern::Under(name) => (&mut self.under, name),
        };
        match names.insert(name.clone(), Arc::clone(handler)) {
            None => Ok(()),
            Some(_) => Err(HostsError::Twice(host)),
        }
    }

    fn pick(&self, ask: &Ask) -> Option<&dyn DynHandler> {
        if self.exact.is_empty() && self.under.is_empty() {
            return self.default.as_deref();
        }
        let mut room = [0; NAME_BYTES_MAX];
        let request = &ask.request;
        let named = authority(request.uri(), request.headers());
        let named = named.and_then(|host| canonical(host, &mut room));
        let found = named.and_then(|host| self.find(host));
        found.or(self.default.as_ref()).map(|handler| &**handler)
    }

    /// The answer to who asks for a host that nobody here has. Told like a refusal of the
    /// connection's, since no site's log would have it.
    fn misdirected(&self, ask: &Ask) -> Answer {
        let status = StatusCode::MISDIRECTED_REQUEST;
        let answer = plain_text(status, "no site here has this name");
        let mut request = Request::new(());
        *request.method_mut() = ask.request.method().clone();
        *request.uri_mut() = ask.request.uri().clone();
        *request.version_mut() = ask.request.version();
        *request.headers_mut() = ask.request.headers().clone();
        let is_head = ask.request.method() == Method::HEAD;
        let bytes = answer.body().left().filter(|_| !is_head).unwrap_or(0);
        let (caller, request, ended) = (&*ask.caller, Some(&request), Ended::Whole(bytes));
        self.refused(&Refused { caller, request, status, ended });
        answer
    }

    fn find(&self, host: &str) -> Option<&Arc<dyn DynHandler>> {
        if let Some(handler) = self.exact.get(host) {
            return Some(handler);
        }
        if self.under.is_empty() {
            return None;
        }
        let mut rest = host;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(handler) = self.under.get(above) {
                return Some(handler);
            }
            rest = above;
        }
        None
    }
}

impl Handler for Hosts {
    /// What the default accepts: whoever is asked for what is elsewhere is asked for any host.
    fn accepts(&self) -> Accepts {
        self.default.as_deref().map_or(Accepts::Origin, DynHandler::accepts_dyn)
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        match self.pick(ask) {
            Some(handler) => handler.at_once_dyn(ask),
            None => Some(self.misdirected(ask)),
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        match self.pick(&ask) {
            Some(handler) => handler.answer_boxed(ask).await,
            None => Ok(self.misdirected(&ask)),
        }
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        match self.pick(&ask) {
            Some(handler) => handler.answer_boxed(ask),
            None => Box::pin(ready(Ok(self.misdirected(&ask)))),
        }
    }

    /// Tells the default, or else the first site: what is refused names no host to be trusted, if
    /// it names one at all, and one log is to have it.
    fn refused(&self, refused: &Refused<'_>) {
        if let Some(handler) = self.default.as_ref().or(self.first.as_ref()) {
            handler.refused_dyn(refused);
        }
    }
}

/// `authority` as a [`HostPattern`] has it: without user, port and last dot, in lower case.
fn canonical<'a>(authority: &str, room: &'a mut [u8; NAME_BYTES_MAX]) -> Option<&'a str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(host) = host.strip_prefix('[') {
        let (address, _port) = host.split_once(']')?;
        return print_ipv6(address.parse().ok()?, room);
    }
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.split('.').any(str::is_empty) {
        return None;
    }
    let room = room.get_mut(..host.len())?;
    room.copy_from_slice(host.as_bytes());
    room.make_ascii_lowercase();
    str::from_utf8(room).ok()
}

/// One address is written in many ways: printed again, it is written in one.
fn print_ipv6(address: Ipv6Addr, room: &mut [u8; NAME_BYTES_MAX]) -> Option<&str> {
    let mut left = &mut room[..];
    std::io::Write::write_fmt(&mut left, format_args!("[{address}]")).ok()?;
    let len = NAME_BYTES_MAX - left.len();
    str::from_utf8(&room[..len]).ok()
}

impl FromStr for HostPattern {
    type Err = ParseHostPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseHostPatternError::Bad(text.to_owned());
        if !text.is_ascii() {
            return Err(ParseHostPatternError::NotAscii(text.to_owned()));
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or_else(bad)?;
            let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
            return Ok(Self::Exact(format!("[{address}]").into()));
        }
        let lower = text.to_ascii_lowercase();
        let lower = lower.strip_suffix('.').unwrap_or(&lower);
        let (kind, name): (fn(Box<str>) -> Self, _) = match lower.strip_prefix("*.") {
            Some(name) => (Self::Under, name),
            None => (Self::Exact, lower),
        };
        let is_address = || lower.parse::<Ipv4Addr>().is_ok();
        if is_dns_name(name) || is_address() { Ok(kind(name.into())) } else { Err(bad()) }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Under(name) => write!(f, "*.{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
