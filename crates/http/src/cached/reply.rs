//! Answers, and what the cache says of them.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CACHE_STATUS, RETRY_AFTER},
};
use relais_cache::{CacheStatus, Forward, Hit, WhyAsk};
use relais_wire::exchange::Cached;

use relais_net::{Client, Side};

use super::from_file::{FromFile, Sending};
use crate::{Answer, Body, Piece, Pieces, Provenance, ReadyHead, handler::plain_text};

/// What is said of answers for which nobody was asked.
static HIT: Provenance = cached(Cached::Hit);
static STALE: Provenance = cached(Cached::Stale);
/// And of those for which another client had.
static JOINED: Provenance = cached(Cached::Collapsed);

const fn cached(verdict: Cached) -> Provenance {
    let cached = Some(verdict);
    Provenance {
        upstream: None,
        queue: None,
        connect: None,
        fault: None,
        error: None,
        cached,
        blocked: None,
    }
}

impl ReadyHead for Hit {
    fn print(&self, out: &mut Vec<u8>) {
        self.print_fields(out);
    }

    fn fields(&self) -> HeaderMap {
        self.headers()
    }

    fn media_type(&self) -> Option<HeaderValue> {
        Self::media_type(self)
    }
}

/// The answer that `hit` is. If its body stands in a file, that is opened when it is asked for.
///
/// *Cost*: one allocation.
pub(super) fn reply(hit: Hit, to: (&Sending, Client)) -> Answer {
    let usual = usual(&hit);
    match bare(hit, to) {
        Ok(mut answer) => {
            answer.body_mut().came_as_usual(usual);
            answer
        }
        Err(instead) => *instead,
    }
}

/// The same, where the body is still to come.
pub(super) fn streamed(hit: Hit, pieces: impl Pieces + 'static) -> Answer {
    let (status, usual, len) = (hit.status(), usual(&hit), hit.size());
    let body = if len == Some(0) { Body::empty() } else { Body::stream(pieces, len) };
    let mut answer = Response::new(body.with_head(Box::new(hit)));
    *answer.status_mut() = status;
    answer.body_mut().came_as_usual(usual);
    answer
}

fn usual(hit: &Hit) -> &'static Provenance {
    match hit.cache_status().verdict() {
        Cached::Hit => &HIT,
        Cached::Collapsed => &JOINED,
        _ => &STALE,
    }
}

/// The same, where another answer was asked for first, and came so.
pub(super) fn reply_after(hit: Hit, came: Option<Provenance>, to: (&Sending, Client)) -> Answer {
    let verdict = hit.cache_status().verdict();
    let mut answer = match bare(hit, to) {
        Ok(answer) => answer,
        Err(instead) => return *instead,
    };
    let provenance = came.unwrap_or_default();
    answer.body_mut().came_from(Provenance { cached: Some(verdict), ..provenance });
    answer
}

/// The same, of which nobody said yet how it came about; or what is said instead of it.
fn bare(hit: Hit, to: (&Sending, Client)) -> Result<Answer, Box<Answer>> {
    let status = hit.status();
    let body = if let Some((file, pieces)) = hit.file_pieces() {
        // Whoever comes again finds others done.
        let Some(pieces) = FromFile::new(file, pieces, to) else {
            return Err(Box::new(crowded(Forward::Ask(WhyAsk::Incomplete))));
        };
        Body::stream(pieces, hit.size())
    } else if let Some(pieces) = hit.pieces() {
        Body::of(pieces.into_iter().map(|piece| Piece::Bytes(piece.bytes().clone())))
    } else {
        Body::stored(hit.body())
    };
    let mut answer = Response::new(body.with_head(Box::new(hit)));
    *answer.status_mut() = status;
    Ok(answer)
}

/// Whether `answer` is made of what is stored.
pub(super) fn is_stored(answer: &Answer) -> bool {
    answer.body().head().is_some()
}

/// Says in `answer` what the cache did.
pub(super) fn label(mut answer: Answer, status: CacheStatus) -> Answer {
    let value = HeaderValue::try_from(status.to_string()).expect("printed in ASCII");
    answer.headers_mut().append(CACHE_STATUS, value);
    answer.body_mut().add_provenance(|provenance| provenance.cached = Some(status.verdict()));
    answer
}

/// Says in `answer`, which stands in the place of one that did not come, why that was asked for.
pub(super) fn unanswered(answer: Answer, why: Forward) -> Answer {
    label(answer, CacheStatus::unanswered(why))
}

/// The answer to who waited for what others asked for in vain, of whom the last was told `status`.
pub(super) fn failed(why: Forward, status: StatusCode) -> Answer {
    let text = "the server behind this proxy was asked again and again, and did not answer";
    of_ours(why, (status, text), (Side::Upstream, "http_response_incomplete"))
}

/// The answer to who waited too long for what others ask for.
pub(super) fn late(why: Forward) -> Answer {
    let told = (StatusCode::GATEWAY_TIMEOUT, "the server behind this proxy did not answer in time");
    of_ours(why, told, (Side::Upstream, "http_response_timeout"))
}

/// The answer to who would have to wait with too many others.
pub(super) fn crowded(why: Forward) -> Answer {
    let told = (StatusCode::SERVICE_UNAVAILABLE, "too many ask for this at once");
    let mut answer = of_ours(why, told, (Side::Relais, "connection_limit_reached"));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// An answer of ours, which nobody is to store.
fn of_ours(
    why: Forward,
    (status, text): (StatusCode, &str),
    (side, error): (Side, &'static str),
) -> Answer {
    let mut answer = plain_text(status, text);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let (fault, error) = (Some(side), Some(error));
    answer.body_mut().came_from(Provenance { fault, error, ..Provenance::default() });
    unanswered(answer, why)
}

/// The answer to who wants what is not stored, and nobody to be asked for it (RFC 9111 §5.2.1.7).
pub(super) fn only_if_cached() -> Answer {
    let why = "it is not stored here, and nobody was to be asked";
    label(plain_text(StatusCode::GATEWAY_TIMEOUT, why), CacheStatus::only_if_cached())
}
