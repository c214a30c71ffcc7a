//! Which answers are about their request, and not about what it asked for: no key holds what they are
//! about, and one client's would be everybody's.

use http::{HeaderName, HeaderValue, StatusCode};

use crate::request::{Condition, Request};

/// Whether `status` is about who asked or how, and not about what was asked for: about fields and
/// connections, which no key holds. Whatever lifetime comes with it, it is no answer to the next:
/// one client's `Range` beyond the end would be 416 for all.
///
/// What speaks of the URI is not of these (404, 405, 410, 414), nor what speaks of the server (5xx),
/// nor 400, which may be about either: they are stored if they say for how long, or may be guessed at.
pub(crate) fn is_of_request(status: StatusCode) -> bool {
    const OF_REQUEST: [&[u16]; 5] = [
        // How it was sent: malformed, too large, too slow.
        &[408, 411, 413, 417, 431, 505],
        // Who sends it, and how much of that. (RFC 6585 forbids 428, 429, 431 and 511, too.)
        &[401, 403, 407, 429, 511],
        // Its conditions and its range: what the client has.
        &[409, 412, 416, 428],
        // What it would have, or brings.
        &[406, 415, 422, 506, 510],
        // The connection that it came on.
        &[421, 425, 426],
    ];
    OF_REQUEST.iter().any(|statuses| statuses.contains(&status.as_u16()))
}

/// Whether `status` is an error, and its request has what makes some servers refuse it, or fail, and what
/// no key holds: many bytes of fields, or one that is not visible ASCII. Whatever lifetime comes with
/// that error, it would be everybody's. 400 may be about a range or a condition as well.
///
/// Most requests of browsers without cookies have fewer bytes than this, and most servers take more.
pub(crate) fn may_be_of_odd_request(asked: &Request<'_>, status: StatusCode) -> bool {
    const USUAL_BYTES_MAX: usize = 2048;
    if !status.is_client_error() && !status.is_server_error() {
        return false;
    }
    let has_wishes = asked.range.is_some() || asked.condition != Condition::None;
    if status == StatusCode::BAD_REQUEST && has_wishes {
        return true;
    }
    let bytes = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let is_visible = |value: &HeaderValue| value.to_str().is_ok();
    asked.headers.iter().map(bytes).sum::<usize>() > USUAL_BYTES_MAX
        || !asked.headers.values().all(is_visible)
}
