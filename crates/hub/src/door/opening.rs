//! A request for a `WebSocket`, judged and answered ([RFC 6455 §4.2]).
//!
//! [RFC 6455 §4.2]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
};
use relais_http::{Answer, Body};
use relais_wire::web_socket::{NoOpening, Opening, accept_of, judge_fields};

/// What is spoken, as one of the names in `Sec-WebSocket-Protocol`, which have no slash.
const PROTOCOL: &str = "relais-chat.1";

/// What opens a `WebSocket`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `Sec-WebSocket-Accept`.
    accept: String,
    /// Whether it was asked for what is spoken by its name.
    named: Named,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    ByName,
    NotAtAll,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Asked for by another method than GET.
    Method,
    /// Over another version of HTTP, where this is not done.
    Http,
    /// What is asked for is not that, or in another version.
    Opening(NoOpening),
    /// A page of another site asks.
    Foreign(String),
}

/// Judges `request`, which came this `way`: the page that asks, if one does, is to be ours or one of
/// `origins`.
///
/// # Errors
///
/// [`Refused`]: it opens none.
pub(super) fn judge<B>(
    request: &Request<B>,
    (way, origins): (Way, &[String]),
) -> Result<Accepted, Refused> {
    if request.method() != Method::GET {
        return Err(Refused::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refused::Http);
    }
    let fields = request.headers();
    if has_body(fields) {
        return Err(Refused::Opening(NoOpening::Body));
    }
    let pairs = fields.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let opening = judge_fields(pairs).map_err(Refused::Opening)?;
    if !is_ours(&opening, way) && !is_named(&opening, origins) {
        return Err(Refused::Foreign(opening.origin.unwrap_or_default().to_owned()));
    }
    Ok(Accepted { accept: accept_of(opening.key), named: named(fields) })
}

/// Whether a body comes behind these fields, which could be taken for frames.
fn has_body(fields: &HeaderMap) -> bool {
    let is_long = fields.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    is_long || fields.contains_key(TRANSFER_ENCODING)
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Clear,
    Tls,
}

/// Whether the page that asks, if one does, came from here: by the same scheme, host and port.
fn is_ours(opening: &Opening<'_>, way: Way) -> bool {
    let Some(origin) = opening.origin else { return true };
    let scheme = match way {
        Way::Clear => "http://",
        Way::Tls => "https://",
    };
    let is_scheme = origin.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
    is_scheme && opening.is_of_same_origin(way == Way::Tls)
}

fn is_named(opening: &Opening<'_>, origins: &[String]) -> bool {
    let is_it =
        |origin: &str| origins.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(origin));
    opening.origin.is_some_and(is_it)
}

fn named(fields: &HeaderMap) -> Named {
    let lists = fields.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let is_ours = names.any(|name| name.trim_ascii() == PROTOCOL.as_bytes());
    if is_ours { Named::ByName } else { Named::NotAtAll }
}

impl Accepted {
    /// The answer behind which `body` goes on.
    pub(super) fn answer(&self, body: Body) -> Answer {
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let fields = answer.headers_mut();
        fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(UPGRADE, WEB_SOCKET);
        let accept = HeaderValue::from_str(&self.accept).expect("base64 is text");
        fields.insert(SEC_WEBSOCKET_ACCEPT, accept);
        if self.named == Named::ByName {
            fields.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        }
        answer
    }
}

const WEB_SOCKET: HeaderValue = HeaderValue::from_static("websocket");

impl Refused {
    /// The status of the answer, and what it says. Of another version, 426 tells which we have, and so
    /// it does of who asks for something else (RFC 6455 §4.4).
    pub(super) fn told(&self) -> (StatusCode, String) {
        let expected = "this is a WebSocket of relais-chat/1";
        match self {
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, format!("{expected}: expected GET")),
            Self::Http => {
                (StatusCode::UPGRADE_REQUIRED, format!("{expected}: it is opened over HTTP/1.1"))
            }
            Self::Opening(error @ (NoOpening::NoUpgrade | NoOpening::Version)) => {
                (StatusCode::UPGRADE_REQUIRED, format!("{error}: {expected}"))
            }
            Self::Opening(error) => (StatusCode::BAD_REQUEST, format!("{error}: {expected}")),
            Self::Foreign(origin) => {
                let what =
                    format!("a page of {origin:?} asks: expected one of here, or of `origins`");
                (StatusCode::FORBIDDEN, what)
            }
        }
    }

    /// Adds to `fields` of the answer, over `version`, what a client can make of it.
    pub(super) fn add_to(&self, fields: &mut HeaderMap, version: Version) {
        let (status, _) = self.told();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            fields.insert(http::header::ALLOW, HeaderValue::from_static("GET"));
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            // Over HTTP/2 there is no such thing.
            if version < Version::HTTP_2 {
                fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                fields.insert(UPGRADE, WEB_SOCKET);
            }
        }
    }
}

#[cfg(test)]
mod tests;
