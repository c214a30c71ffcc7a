//! The answers to requests that are not passed on, or that nobody answers.
//!
//! What an upstream is called, and what went wrong with it in detail, is for us and not for clients.

use http::{HeaderValue, Method, Response, StatusCode, header::CACHE_CONTROL, request};
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
    let (status, hint) = match refused {
        Refused::Method => {
            (StatusCode::METHOD_NOT_ALLOWED, "This proxy does not pass on requests of this method.")
        }
        Refused::Loop => {
            (StatusCode::LOOP_DETECTED, "This request came back to the proxy that passed it on.")
        }
        Refused::Host => (StatusCode::BAD_REQUEST, "The host of this request is none."),
        Refused::Lost(Lost::Nowhere) => (StatusCode::NOT_FOUND, "Nothing is behind this address."),
        Refused::Lost(Lost::Ambiguous) => {
            (StatusCode::BAD_REQUEST, "The path of this address can be read in two ways.")
        }
    };
    answer(Side::Client, (status, hint), asked)
}

/// The answer to a request that nobody answers.
pub(super) fn error(error: &CallError, asked: &request::Parts) -> Answer {
    let source: &dyn std::error::Error = error;
    tracing::debug!(error = source, side = %error.side(), "a request got no answer");
    let (status, hint) = match error {
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
        CallError::Broken { .. } => {
            (StatusCode::BAD_GATEWAY, "The server behind this proxy gave no proper answer.")
        }
    };
    answer(error.side(), (status, hint), asked)
}

/// An answer of ours to a request with this head, in the place of one that does not come by the fault
/// of `side`: a page that tells of an error.
pub(crate) fn answer(
    side: Side,
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
    answer.body_mut().came_from(Provenance { fault: Some(side), ..Provenance::default() });
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
            let mut answer = error(&broken, &asked);
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
