//! Tests of the cache as a whole, and what all tests share: fields and dates, written short.

mod below;
mod exchanges;
mod explaining;
mod floods;
mod gaps;
mod invalidating;
mod joining;
mod joining_below;
mod partial;
mod purging;
mod renewing;
mod retiring;
mod rules;
mod searches;
mod sharing;
mod storing;
mod variants_below;
mod world;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use relais_wire::date::print_http_date;

/// The fields in `lines` of `name: value`.
pub(crate) fn fields(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a name and a value");
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// So many seconds after the start of a day in 2001.
pub(crate) fn at(seconds: i64) -> SystemTime {
    let seconds = 1_000_000_000_i64.saturating_add(seconds);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap())
}

/// A field called `name` that says [`at`]`(seconds)`.
pub(crate) fn date(name: &str, seconds: i64) -> String {
    format!("{name}: {}", print_http_date(at(seconds)))
}
