//! What is told to who gets no answer from whom it named.

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderValue, StatusCode, Uri, header::ALLOW, request, uri::Authority};
use relais_net::{Callee, DialError, Side, Stage, ToldRarely};

use super::reach::Rule;
use crate::{
    Answer, Provenance,
    proxy::explain::answer,
    proxy_status::{PROXY_STATUS, proxy_status},
    upstream::CallError,
};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Why {
    /// We are not there for this client.
    Client,
    /// Nobody is named.
    Path,
    /// It is no host that is named.
    Host,
    /// It is neither `http` nor `https` that is spoken there.
    Scheme,
    /// What is asked for is not passed on.
    Method,
    /// Nobody is asked at this port.
    Port(u16),
    /// No tunnel leads to this port.
    TunnelPort(u16),
    /// Nobody is called at its address.
    Address(Rule),
    /// It was here before.
    Loop,
    /// This server was asked, or called, in vain.
    Call(Arc<str>, Box<CallError>),
}

impl Why {
    /// Whose fault it is.
    fn side(&self) -> Side {
        match self {
            Self::Call(_, error) => error.side(),
            _ => Side::Client,
        }
    }

    /// Who was asked.
    fn upstream(&self) -> Option<&Arc<str>> {
        match self {
            Self::Call(upstream, _) => Some(upstream),
            _ => None,
        }
    }
}

/// What is told of it.
struct Told {
    status: StatusCode,
    /// The type of the error (RFC 9209 §2.3).
    error: &'static str,
    hint: String,
}

/// Tells.
#[derive(Debug)]
pub(super) struct Teller {
    /// Our name in `Proxy-Status`.
    name: String,
    /// How many requests were refused by us.
    refused: ToldRarely,
}

/// How much of whom a client named is in the log.
const NAMED_CHARS_MAX: usize = 100;

/// What may be asked for.
pub(super) const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT");

impl Teller {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), refused: ToldRarely::default() }
    }

    /// The answer to a request with this `head`. Says in `Proxy-Status` (RFC 9209) that it is ours.
    pub(super) fn tell(&self, why: &Why, head: &request::Parts) -> Answer {
        if let Why::Call(_, error) = why {
            let source: &dyn std::error::Error = &**error;
            tracing::debug!(error = source, side = %why.side(), "a request got no answer");
        }
        let host = head.uri.host().unwrap_or_default();
        let Told { status, error, hint } = told(why, host);
        if !matches!(why, Why::Call(..)) {
            self.note(&head.uri, &hint);
        }
        let provenance = Provenance {
            upstream: why.upstream().cloned(),
            fault: Some(why.side()),
            error: Some(error),
            ..Provenance::default()
        };
        let mut answer = answer(provenance, (status, &hint), head);
        let headers = answer.headers_mut();
        headers.insert(PROXY_STATUS, proxy_status(&self.name, error, None));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, METHODS);
        }
        answer
    }

    /// Writes down that we asked nobody for a client, ever more rarely.
    fn note(&self, named: &Uri, why: &str) {
        let named = named.authority().map_or_else(|| named.path(), Authority::as_str);
        // Without the password that may stand before it.
        let named = named.rsplit('@').next().unwrap_or_default();
        let named: String = named.chars().take(NAMED_CHARS_MAX).collect();
        if let Some(count) = self.refused.add(1) {
            tracing::warn!(named, why, "refused requests: {count}");
        } else {
            tracing::debug!(named, why, "refused a request");
        }
    }
}

/// The address that nobody may call, if that is why.
pub(super) fn denied_address(error: &CallError) -> Option<SocketAddr> {
    match error {
        CallError::Dial(DialError::Denied(Callee { address, .. })) => *address,
        _ => None,
    }
}

fn told(why: &Why, host: &str) -> Told {
    let refused = |status, hint: String| Told { status, error: "http_request_denied", hint };
    let bad = |hint: &str| Told {
        status: StatusCode::BAD_REQUEST,
        error: "http_request_error",
        hint: hint.to_owned(),
    };
    match why {
        Why::Client => refused(
            StatusCode::FORBIDDEN,
            "This proxy is not for you. Who runs it can add your address to its clients.".into(),
        ),
        Why::Path => {
            bad("This is a proxy, not a site. Name its address and port as the HTTP proxy in the \
             settings of your browser or system, for http and https.")
        }
        Why::Host => bad("The address names no host that can be asked."),
        Why::Scheme => bad("This proxy asks for http and https alone."),
        Why::Method => refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "This proxy does not pass such requests on.".into(),
        ),
        Why::Port(port) => refused(
            StatusCode::FORBIDDEN,
            format!(
                "This proxy asks nobody at port {port}. Who runs it can add the port to its ports."
            ),
        ),
        Why::TunnelPort(port) => refused(
            StatusCode::FORBIDDEN,
            format!(
                "This proxy opens no tunnel to port {port}. Who runs it can add the port to its \
                 ports."
            ),
        ),
        Why::Address(rule) => Told {
            status: StatusCode::FORBIDDEN,
            error: "destination_ip_prohibited",
            hint: told_of_address(*rule, host),
        },
        Why::Loop => Told {
            status: StatusCode::LOOP_DETECTED,
            error: "proxy_loop_detected",
            hint: "This request was here before.".to_owned(),
        },
        Why::Call(_, error) => {
            let (status, hint) = told_of_call(error, host);
            Told { status, error: error.kind(), hint }
        }
    }
}

fn told_of_address(rule: Rule, host: &str) -> String {
    let way_out = match rule {
        Rule::Ourselves | Rule::Nobodys => "",
        Rule::ThisMachine | Rule::LinkLocal | Rule::Private => {
            " Who runs it can allow private addresses."
        }
    };
    format!("{host} is at {rule}, where this proxy asks nobody.{way_out}")
}

fn told_of_call(error: &CallError, host: &str) -> (StatusCode, String) {
    let bad = |hint| (StatusCode::BAD_GATEWAY, hint);
    let late = |hint| (StatusCode::GATEWAY_TIMEOUT, hint);
    match error {
        CallError::Dial(error) => match error {
            DialError::NotFound { .. } => bad(format!("No address of {host} is known.")),
            DialError::Refused(Callee { endpoint, .. }) => {
                let at = endpoint.host_port().map_or_else(|| host.to_owned(), ToString::to_string);
                bad(format!("{at} refused the connection."))
            }
            DialError::Unreachable { .. } => bad(format!("{host} cannot be reached.")),
            DialError::TimedOut { stage: Stage::Resolve, .. } => {
                late(format!("No address of {host} was found in time."))
            }
            DialError::TimedOut { .. } => late(format!("{host} did not answer in time.")),
            DialError::Untrusted { why, .. } => {
                bad(format!("{host} is not believed to be who it should be: {why}."))
            }
            DialError::NoTls(_) => bad(format!("No TLS is spoken there at {host}.")),
            DialError::Handshake { .. } => bad(format!("No TLS could be agreed on with {host}.")),
            DialError::Denied(_) | DialError::Uncallable { .. } => {
                (StatusCode::FORBIDDEN, format!("This proxy may not call {host}."))
            }
            DialError::Local { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This proxy can open no connection at the moment.".to_owned(),
            ),
        },
        CallError::Broken { .. } => bad(format!("{host} gave no proper answer.")),
        CallError::NoUpgrade { .. } => (
            StatusCode::NOT_IMPLEMENTED,
            format!("Nothing is spoken with {host} that has a way to another protocol."),
        ),
        CallError::Busy { .. } => {
            let hint = format!("{host} is asked as much as it may be. Try again soon.");
            (StatusCode::SERVICE_UNAVAILABLE, hint)
        }
        CallError::Late { .. } => late(format!("{host} gave no answer in time.")),
    }
}
