//! Answers, and what the cache says of them.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CACHE_STATUS};
use relais_cache::{CacheStatus, Forward, Hit};
use relais_wire::exchange::Cached;

use crate::{Answer, Body, Piece, Provenance, ReadyHead, handler::plain_text};

/// What is said of answers for which nobody was asked.
static HIT: Provenance = cached(Cached::Hit);
static STALE: Provenance = cached(Cached::Stale);

const fn cached(verdict: Cached) -> Provenance {
    let cached = Some(verdict);
    Provenance { upstream: None, connect: None, fault: None, error: None, cached, blocked: None }
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

/// The answer that `hit` is.
///
/// *Cost*: one allocation.
pub(super) fn reply(hit: Hit) -> Answer {
    let usual = if hit.cache_status().verdict() == Cached::Hit { &HIT } else { &STALE };
    let mut answer = bare(hit);
    answer.body_mut().came_as_usual(usual);
    answer
}

/// The same, where another answer was asked for first, and came so.
pub(super) fn reply_after(hit: Hit, came: Option<Provenance>) -> Answer {
    let verdict = hit.cache_status().verdict();
    let mut answer = bare(hit);
    let provenance = came.unwrap_or_default();
    answer.body_mut().came_from(Provenance { cached: Some(verdict), ..provenance });
    answer
}

fn bare(hit: Hit) -> Answer {
    let status = hit.status();
    let body = match hit.pieces() {
        Some(pieces) => {
            Body::of(pieces.into_iter().map(|piece| Piece::Bytes(piece.bytes().clone())))
        }
        None => Body::stored(hit.body()),
    };
    let mut answer = Response::new(body.with_head(Box::new(hit)));
    *answer.status_mut() = status;
    answer
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

/// The answer to who wants what is not stored, and nobody to be asked for it (RFC 9111 §5.2.1.7).
pub(super) fn only_if_cached() -> Answer {
    let why = "it is not stored here, and nobody was to be asked";
    label(plain_text(StatusCode::GATEWAY_TIMEOUT, why), CacheStatus::only_if_cached())
}
