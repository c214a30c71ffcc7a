//! Virtual hosts: which handler answers is decided by the host that a request names.

mod table;

use std::{
    fmt,
    future::ready,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use http::{Method, Request, StatusCode};
use relais_net::Fault;
use relais_wire::host::is_dns_name;

pub use self::table::HostTable;
use crate::{
    Accepts, Answer, Answering, Ask, DynHandler, Ended, Handler, Refused, handler::plain_text,
    target::authority,
};

/// Passes each request to the handler of the host it names, which a [`HostTable`] says; where that says
/// none, it is answered with 421 Misdirected Request.
#[derive(Debug, Default)]
pub struct Hosts {
    table: HostTable<Arc<dyn DynHandler>>,
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
        Self { table: HostTable::only(handler), first: None }
    }

    /// Divides requests among `sites`.
    ///
    /// # Errors
    ///
    /// If two sites answer for the same host, or two for all the others.
    pub fn new(sites: impl IntoIterator<Item = Site>) -> Result<Self, HostsError> {
        let sites: Vec<_> = sites.into_iter().collect();
        let first = sites.first().map(|site| Arc::clone(&site.handler));
        let sites = sites.into_iter().map(|Site { hosts, handler }| (hosts, handler));
        Ok(Self { table: HostTable::new(sites)?, first })
    }

    fn pick(&self, ask: &Ask) -> Option<&dyn DynHandler> {
        let request = &ask.request;
        let found = self.table.find(|| authority(request.uri(), request.headers()));
        found.map(|handler| &**handler)
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
}

impl Handler for Hosts {
    /// What the default accepts: whoever is asked for what is elsewhere is asked for any host.
    fn accepts(&self) -> Accepts {
        self.table.of_the_rest().map_or(Accepts::Origin, DynHandler::accepts_dyn)
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
        if let Some(handler) = self.table.of_the_rest().or(self.first.as_ref()) {
            handler.refused_dyn(refused);
        }
    }
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
