//! The answer with a form of a file, whole or in part, or without it.

use std::{sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode, Uri,
    header::{
        ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};
use relais_net::Client;
use relais_wire::{
    range::{ByteRange, RangeVerdict, parse_range, print_content_range},
    target::{FilePath, encode_path},
};

use super::{
    conditional::{Verdict, judge, range_counts},
    ranges::{Content, multipart},
    refusal::Refusal,
    variant::{Variant, VariantHead},
};
use crate::{Answer, Body};

/// What may be asked of files.
pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// What is asked, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    /// Who asks.
    pub client: Client,
    pub now: SystemTime,
}

impl<'a> Asked<'a> {
    pub(super) fn of(head: &'a Parts, client: Client, now: SystemTime) -> Self {
        Self { method: &head.method, uri: &head.uri, headers: &head.headers, client, now }
    }

    /// The body, unless only the head is asked for.
    pub(super) fn body(&self, body: Body) -> Body {
        if self.method == Method::HEAD { Body::empty() } else { body }
    }
}

/// Answers with `variant`, whose bytes are `content`.
pub(super) fn reply(
    asked: &Asked<'_>,
    variant: &Arc<Variant>,
    content: Content,
    ranges_max: usize,
) -> Result<Answer, Refusal> {
    match judge(asked.headers, variant.validators(), asked.now) {
        Verdict::Send => (),
        Verdict::Unmet => return Err(Refusal::Unmet),
        Verdict::NotModified => {
            let head = variant.brief.clone();
            return Ok(with_head(StatusCode::NOT_MODIFIED, head, Body::empty()));
        }
    }
    match range(asked, variant, ranges_max) {
        RangeVerdict::Ignore => {
            let is_in_memory = matches!(content, Content::Memory(_));
            let body = asked.body(content.whole());
            if is_in_memory && asked.method == Method::GET {
                let head = VariantHead(Arc::clone(variant));
                return Ok(Response::new(body.with_head(Box::new(head))));
            }
            Ok(with_head(StatusCode::OK, variant.head.clone(), body))
        }
        RangeVerdict::Unsatisfiable => Err(Refusal::Unsatisfiable { size: variant.len }),
        RangeVerdict::One(range) => Ok(one(variant, &content, range)),
        RangeVerdict::Many(ranges) => Ok(many(variant, &content, &ranges)),
    }
}

/// Which part is asked for. Only GET has parts (RFC 9110 §14.2).
fn range(asked: &Asked<'_>, variant: &Variant, ranges_max: usize) -> RangeVerdict {
    let Some(value) = asked.headers.get(RANGE) else { return RangeVerdict::Ignore };
    let is_one = asked.headers.get_all(RANGE).iter().nth(1).is_none();
    let counts = asked.method == Method::GET
        && is_one
        && range_counts(asked.headers, variant.validators(), asked.now);
    if !counts {
        return RangeVerdict::Ignore;
    }
    parse_range(value.as_bytes(), variant.len, ranges_max)
}

fn one(variant: &Variant, content: &Content, range: ByteRange) -> Answer {
    let mut head = variant.head.clone();
    let text = print_content_range(Some(range), variant.len).to_string();
    head.insert(CONTENT_RANGE, HeaderValue::try_from(text).expect("numbers are ASCII"));
    head.insert(CONTENT_LENGTH, HeaderValue::from(range.len()));
    with_head(StatusCode::PARTIAL_CONTENT, head, Body::of([content.part(range)]))
}

fn many(variant: &Variant, content: &Content, ranges: &[ByteRange]) -> Answer {
    let mut head = variant.head.clone();
    let media = head.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let (body, media) = multipart(content, ranges, variant.len, (media, variant.tag.opaque()));
    head.insert(CONTENT_TYPE, media);
    head.insert(CONTENT_LENGTH, HeaderValue::from(body.left().unwrap_or_default()));
    with_head(StatusCode::PARTIAL_CONTENT, head, body)
}

pub(super) fn with_head(status: StatusCode, head: HeaderMap, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = head;
    answer
}

/// Sends who asked for a folder as if it were a file to where it is.
///
/// 301 and not 308: only GET and HEAD come here, and every client knows it. The path is printed
/// anew with one slash at its start, so it can't be read as another host's.
pub(super) fn redirect(asked: &Asked<'_>, path: &FilePath<'_>) -> Answer {
    let query = asked.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("/{}/{query}", encode_path(&path.path));
    let mut head = HeaderMap::with_capacity(4);
    if let Ok(location) = HeaderValue::try_from(location) {
        head.insert(LOCATION, location);
    }
    head.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    with_head(StatusCode::MOVED_PERMANENTLY, head, Body::empty())
}

pub(super) fn options() -> Answer {
    let mut head = HeaderMap::with_capacity(3);
    head.insert(ALLOW, METHODS);
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    with_head(StatusCode::NO_CONTENT, head, Body::empty())
}
