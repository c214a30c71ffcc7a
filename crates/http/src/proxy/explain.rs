//! The answers to requests that are not passed on, or that nobody answers.
//!
//! What an upstream is called, and what went wrong with it in detail, is for us and not for clients.

use std::sync::Arc;

use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL},
    request,
};
use relais_net::{DialError, Side};

use super::routes::Lost;
use crate::{
    Answer, Body, Provenance,
    page::{Language, Page},
    upstream::CallError,
};

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// TRACE would show its sender's secrets to whoever sent it; CONNECT wants a tunnel.
    Method,
    /// It was here before.
    Loop,
    /// Its host is none.
    Host,
    /// There is no route for it.
    Lost(Lost),
}

impl From<Lost> for Refused {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// The answer to a request that is not passed on.
pub(super) fn refusal(refused: Refused, asked: &request::Parts) -> Answer {
    let (status, error, hint) = match refused {
        Refused::Method => {
            let hint = "This proxy does not pass on requests of this method.";
            (StatusCode::METHOD_NOT_ALLOWED, "http_request_denied", hint)
        }
        Refused::Loop => {
            let hint = "This request came back to the proxy that passed it on.";
            (StatusCode::LOOP_DETECTED, "proxy_loop_detected", hint)
        }
        Refused::Host => {
            let hint = "The host of this request is none.";
            (StatusCode::BAD_REQUEST, "http_request_error", hint)
        }
        Refused::Lost(Lost::Nowhere) => {
            (StatusCode::NOT_FOUND, "destination_not_found", "Nothing is behind this address.")
        }
        Refused::Lost(Lost::Ambiguous) => {
            let hint = "The path of this address can be read in two ways.";
            (StatusCode::BAD_REQUEST, "http_request_error", hint)
        }
    };
    let (fault, error) = (Some(Side::Client), Some(error));
    answer(Provenance { fault, error, ..Provenance::default() }, (status, hint), asked)
}

/// The answer to a request that `upstream`, who was asked last, does not answer.
pub(super) fn error(upstream: Arc<str>, error: &CallError, asked: &request::Parts) -> Answer {
    let source: &dyn std::error::Error = error;
    tracing::debug!(error = source, side = %error.side(), "a request got no answer");
    let (status, hint) = match error {
        CallError::Busy { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The server behind this proxy has as much to do as it may have. Try again soon.",
        ),
        CallError::Dial(DialError::Local { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This proxy can open no connection at the moment. Try again soon.",
        ),
        CallError::Late { .. } | CallError::Dial(DialError::TimedOut { .. }) => {
            (StatusCode::GATEWAY_TIMEOUT, "The server behind this proxy did not answer in time.")
        }
        CallError::Dial(
            DialError::Untrusted { .. } | DialError::NoTls(_) | DialError::Handshake { .. },
        ) => (StatusCode::BAD_GATEWAY, "The server behind this proxy could not prove who it is."),
        CallError::Dial(_) => {
            (StatusCode::BAD_GATEWAY, "The server behind this proxy cannot be reached.")
        }
        CallError::NoUpgrade { .. } => (
            StatusCode::NOT_IMPLEMENTED,
            "HTTP/2 is spoken with the server behind this proxy, which has no way to another protocol.",
        ),
        CallError::Broken { .. } => {
            (StatusCode::BAD_GATEWAY, "The server behind this proxy gave no proper answer.")
        }
    };
    let provenance = Provenance {
        upstream: Some(upstream),
        fault: Some(error.side()),
        error: Some(error.kind()),
        ..Provenance::default()
    };
    answer(provenance, (status, hint), asked)
}

/// The answer to an OPTIONS that is to come no further: what may be asked for by way of us.
pub(crate) fn options(methods: HeaderValue) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().insert(ALLOW, methods);
    answer
}

/// An answer of ours to a request with this head, in the place of one that does not come: a page that
/// tells of an error.
pub(crate) fn answer(
    provenance: Provenance,
    (status, hint): (StatusCode, &str),
    asked: &request::Parts,
) -> Answer {
    let page = Page::of_error(status, hint, Language::asked_for(&asked.headers));
    let mut head = page.head();
    // It may be otherwise in a moment.
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let is_head = asked.method == Method::HEAD;
    let body = if is_head { Body::empty() } else { Body::full(page.text.into()) };
    let mut answer = Response::new(body);
    answer.body_mut().came_from(provenance);
    *answer.status_mut() = status;
    *answer.headers_mut() = head;
    answer
}

#[cfg(test)]
mod tests {
    use http::{Request, header::ACCEPT};

    use super::*;

    #[test]
    fn an_error_is_told_in_the_language_that_is_asked_for_and_names_nobody() {
        let error_of = |accept: &str| {
            let (asked, ()) =
                Request::get("/").header(ACCEPT, accept).body(()).unwrap().into_parts();
            let broken = CallError::Late { upstream: "http://10.0.0.1".to_owned() };
            let mut answer = error("http://10.0.0.1".into(), &broken, &asked);
            let expect = Provenance {
                upstream: Some("http://10.0.0.1".into()),
                fault: Some(Side::Upstream),
                error: Some("http_response_timeout"),
                ..Provenance::default()
            };
            assert_eq!(answer.body().provenance(), Some(&expect));
            assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
            String::from_utf8(answer.body_mut().take_memory().unwrap().to_vec()).unwrap()
        };
        let hint = "The server behind this proxy did not answer in time.";
        assert_eq!(error_of("*/*"), format!("504 Gateway Timeout\n{hint}\n"));
        let json =
            format!("{{\"status\":504,\"error\":\"Gateway Timeout\",\"hint\":\"{hint}\"}}\n");
        assert_eq!(error_of("application/json"), json);
        assert!(error_of("text/html").contains("<h1><b>504</b> Gateway Timeout</h1>"));
    }
}
