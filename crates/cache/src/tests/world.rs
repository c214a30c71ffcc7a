//! A client, a cache and an upstream, for transcripts.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::{at, fields};
use crate::{Answered, Cache, Key, Lookup, Outcome, Request, Settings, Taken, Times};

/// A cache, and what it is asked.
pub(super) struct World {
    pub cache: Cache,
}

/// What upstream answers: a status (0 for nobody there), fields, and a body.
pub(super) type Upstream<'a> = (u16, &'a str, &'a str);

impl World {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self { cache: Cache::new(settings) }
    }

    /// Has a client ask at `seconds` for `request`: a method and a path, and then fields. Tells
    /// what it gets and what the cache says of it:
    ///
    /// - `200 body | hit; ttl=60`
    /// - `200 body | fwd=stale; fwd-status=200; stored [if-none-match: "a"]`, with the fields that
    ///   were sent upstream
    /// - `504` or `502`
    pub(super) fn ask(&self, seconds: i64, request: &str, upstream: Upstream<'_>) -> String {
        let (line, lines) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let (method, headers) = (method.parse::<Method>().unwrap(), fields(lines));
        let asked = Request::of(&method, &headers);
        match self.cache.look(&key(path), &asked, at(seconds)) {
            Lookup::Hit(hit) | Lookup::Stale(hit, None) => told(&hit),
            Lookup::Stale(hit, Some(fetch)) => {
                let told = told(&hit);
                format!("{told} + {}", self.upstream(fetch, &asked, (seconds, upstream)))
            }
            Lookup::OnlyIfCached => "504".to_owned(),
            Lookup::Ask(fetch) => self.upstream(fetch, &asked, (seconds, upstream)),
            other => format!("{other:?}"),
        }
    }

    /// The fields of what is stored for `request`, as it is sent at `seconds`.
    pub(super) fn headers(&self, seconds: i64, request: &str) -> HeaderMap {
        let (line, lines) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let (method, headers) = (method.parse::<Method>().unwrap(), fields(lines));
        match self.cache.look(&key(path), &Request::of(&method, &headers), at(seconds)) {
            Lookup::Hit(hit) => hit.headers(),
            looked => panic!("{looked:?}"),
        }
    }

    fn upstream(
        &self,
        fetch: Box<crate::Fetch>,
        asked: &Request<'_>,
        (seconds, (status, lines, body)): (i64, Upstream<'_>),
    ) -> String {
        let mut sent = asked.headers.clone();
        fetch.prepare(&mut sent);
        let is_ours = |name: &HeaderName, value| {
            name.as_str().starts_with("if-") || asked.headers.get(name) != Some(value)
        };
        let mut sent: Vec<_> = sent
            .iter()
            .filter(|(name, value)| is_ours(name, *value))
            .map(|(name, value)| format!(" [{name}: {}]", value.to_str().unwrap()))
            .collect();
        sent.sort();
        let sent = sent.concat();
        let Ok(status) = StatusCode::from_u16(status) else {
            let stand_in = self.cache.fail(&fetch, asked, at(seconds));
            return stand_in
                .map_or_else(|why| format!("502 {why}{sent}"), |hit| told(&hit) + &sent);
        };
        let headers = fields(lines);
        let times = Times { requested: at(seconds), received: at(seconds) };
        let answered = Answered { status, headers: &headers, times };
        match self.cache.take(fetch, asked, answered) {
            Taken::Fill(mut writer) => {
                let said = said(writer.cache_status());
                writer.add(&Bytes::copy_from_slice(body.as_bytes()));
                match writer.finish() {
                    Outcome::Stored => format!("{} {body} | {said}{sent}", status.as_u16()),
                    outcome => format!("{} {body} | {outcome:?}{sent}", status.as_u16()),
                }
            }
            Taken::Pass(cache_status) => {
                format!("{} {body} | {}{sent}", status.as_u16(), said(cache_status))
            }
            Taken::Answer(hit) => told(&hit) + &sent,
            Taken::Complete(mut completion) => {
                completion.add(&Bytes::copy_from_slice(body.as_bytes()));
                match completion.finish(asked, at(seconds)) {
                    Ok(hit) => told(&hit) + &sent,
                    Err(fetch) => {
                        let again = self.upstream(fetch, asked, (seconds, (200, "", "again")));
                        format!("again: {again}{sent}")
                    }
                }
            }
            Taken::AskAgain(fetch) => {
                let again = self.upstream(fetch, asked, (seconds, (200, "", "again")));
                format!("again: {again}{sent}")
            }
        }
    }
}

/// The key of `path` on `http://a`.
pub(super) fn key(path: &str) -> Key {
    Key::of("http", "a", path).unwrap()
}

fn told(hit: &crate::Hit) -> String {
    let pieces = hit.pieces().unwrap_or_else(|| vec![hit.body()]);
    let body: Vec<_> = pieces.iter().flat_map(|piece| piece.bytes().to_vec()).collect();
    let body = String::from_utf8_lossy(&body);
    format!("{} {body} | {}", hit.status().as_u16(), said(hit.cache_status()))
}

fn said(cache_status: crate::CacheStatus) -> String {
    let said = cache_status.to_string();
    said.strip_prefix("relais; ").unwrap().to_owned()
}
