//! What programs post to be said in a room: `POST /hook/TOKEN` with `{"text":"…"}`.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
};
use relais_http::{Answer, Body, Inbound};
use relais_net::Fault;

use crate::{
    json,
    model::Cid,
    proof::read_hook,
    protocol::{Code, Refusal},
    shared::Shared,
    words::sentence_for_hooks,
};

/// What its path begins with.
pub(super) const PATH: &str = "/hook/";

/// Takes what is posted for the hook whose `token` the path has, and says it.
///
/// # Errors
///
/// The client's, if it breaks off.
pub(super) async fn take(
    hub: &Shared,
    token: &str,
    request: Request<Inbound>,
) -> Result<Answer, Fault> {
    if request.method() != Method::POST {
        let mut answer = refuse(hub, &Refusal::of(Code::BadFrame).why("expected POST"));
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Ok(answer);
    }
    let Some(hash) = read_hook(token) else {
        return Ok(refuse(hub, &Refusal::of(Code::NoSuchHook)));
    };
    let (head, body) = request.into_parts();
    let bytes_max = hub.limits.frame_bytes_max;
    let Some(body) = body.whole(bytes_max).await? else {
        let why = format!("expected at most {bytes_max} bytes");
        return Ok(refuse(hub, &Refusal::of(Code::FrameTooBig).why(why)));
    };
    let read = (|| Ok((json::read_posted(&body)?, cid(&head.headers)?)))();
    let said = match read {
        Ok((text, cid)) => hub.say_by_hook(hash, (&text, cid)).await.map(|_| ()),
        Err(refusal) => Err(refusal),
    };
    Ok(match said {
        Ok(()) => Response::new(Body::full(Bytes::from_static(b"ok"))),
        Err(refusal) => refuse(hub, &refusal),
    })
}

/// What the program calls what it says, so that saying it twice says it once.
fn cid(fields: &HeaderMap) -> Result<Option<Cid>, Refusal> {
    let Some(key) = fields.get("idempotency-key") else { return Ok(None) };
    let cid = key.to_str().ok().and_then(Cid::new);
    let why = "`Idempotency-Key`: expected 1 to 64 letters, digits, _ and -";
    cid.map(Some).ok_or_else(|| Refusal::of(Code::BadField).why(why))
}

/// Answers that nothing is said, for `refusal`, which is counted.
pub(super) fn refuse(hub: &Shared, refusal: &Refusal) -> Answer {
    hub.counts.refuse(refusal.code);
    refused(refusal)
}

/// `refusal` as an answer of HTTP, in English.
fn refused(refusal: &Refusal) -> Answer {
    let mut frame = Vec::new();
    json::write_refused(refusal, &sentence_for_hooks(refusal), &mut frame);
    let mut answer = Response::new(Body::own(Bytes::from(frame)));
    *answer.status_mut() = status_of(refusal.code);
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    if let Some(ms) = refusal.retry_ms {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
    }
    answer
}

/// The status that says what `code` says.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::NoSuchHook | Code::NoSuchRoom => StatusCode::NOT_FOUND,
        Code::FrameTooBig | Code::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        Code::CidReused => StatusCode::CONFLICT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::NotInRoom | Code::Forbidden | Code::Banned | Code::Muted | Code::TlsRequired => {
            StatusCode::FORBIDDEN
        }
        Code::StoreFull | Code::Unavailable | Code::Shutdown => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests;
