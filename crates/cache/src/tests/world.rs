//! A client, a cache and an upstream, for transcripts.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use tempfile::TempDir;

use super::{at, fields};
use crate::{
    Answered, Cache, Key, Lookup, Outcome, Request, Settings, Taken, Times,
    disk::{Disk, Patience},
    disk_settings,
};

/// A cache, and what it is asked.
pub(super) struct World {
    pub cache: Cache,
    /// What says the same, and forgets what it has in memory before each request.
    forgetful: Option<Forgetful>,
}

/// A cache that has all it has on disk.
pub(super) struct Forgetful {
    pub cache: Cache,
    /// There until it is closed.
    folder: Option<TempDir>,
}

/// Before its folder goes.
impl Drop for Forgetful {
    fn drop(&mut self) {
        close(&self.cache);
    }
}

/// What upstream answers: a status (0 for nobody there), fields, and a body.
pub(super) type Upstream<'a> = (u16, &'a str, &'a str);

impl World {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self { cache: Cache::new(settings), forgetful: None }
    }

    /// The same, which is asked everything twice: once with all in memory, once with all on disk. It
    /// makes no difference.
    pub(super) fn twice() -> Self {
        Self::twice_with(Settings::default())
    }

    pub(super) fn twice_with(settings: Settings) -> Self {
        let forgetful = Some(Forgetful::with(settings.clone()));
        Self { forgetful, ..Self::with(settings) }
    }

    /// The other one, if it is asked twice.
    pub(super) fn below(&self) -> &Forgetful {
        self.forgetful.as_ref().expect("one that is asked twice")
    }

    /// Has a client ask at `seconds` for `request`: a method and a path, and then fields. Tells
    /// what it gets and what the cache says of it:
    ///
    /// - `200 body | hit; ttl=60`
    /// - `200 body | fwd=stale; fwd-status=200; stored [if-none-match: "a"]`, with the fields that
    ///   were sent upstream
    /// - `504` or `502`
    pub(super) fn ask(&self, seconds: i64, request: &str, upstream: Upstream<'_>) -> String {
        let told = asked(&self.cache, seconds, request, upstream);
        if let Some(forgetful) = &self.forgetful {
            let again = forgetful.ask(seconds, request, upstream);
            assert_eq!(again, told, "from disk, for {request:?} at {seconds}");
        }
        told
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
}

impl World {
    /// What a client gets that asks at `seconds` for what is stale, and which a 304 confirms.
    pub(super) fn confirmed(&self, seconds: i64, request: &str, lines: &str) -> crate::Hit {
        let (line, fields_of) = request.split_once('\n').unwrap_or((request, ""));
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let (method, headers) = (method.parse::<Method>().unwrap(), fields(fields_of));
        let asked = Request::of(&method, &headers);
        let Lookup::Ask(fetch) = self.cache.look(&key(path), &asked, at(seconds)) else {
            panic!("it is fresh")
        };
        let times = Times { requested: at(seconds), received: at(seconds) };
        let (status, headers) = (StatusCode::NOT_MODIFIED, &fields(lines));
        match self.cache.take(fetch, &asked, Answered { status, headers, times }) {
            Taken::Answer(hit) => hit,
            taken => panic!("{taken:?}"),
        }
    }

    /// What a client gets that asks at `seconds` for all of `/`, of which a part is missing that comes.
    pub(super) fn completed(&self, seconds: i64, (lines, rest): (&str, &str)) -> crate::Hit {
        let none = fields("");
        let asked = Request::of(&Method::GET, &none);
        let Lookup::Ask(fetch) = self.cache.look(&key("/"), &asked, at(seconds)) else {
            panic!("it is whole")
        };
        let times = Times { requested: at(seconds), received: at(seconds) };
        let (status, headers) = (StatusCode::PARTIAL_CONTENT, &fields(lines));
        match self.cache.take(fetch, &asked, Answered { status, headers, times }) {
            Taken::Complete(mut completion) => {
                completion.add(&Bytes::copy_from_slice(rest.as_bytes()));
                completion.finish(&asked, at(seconds)).expect("what was missing")
            }
            taken => panic!("{taken:?}"),
        }
    }
}

impl Forgetful {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { cache: open(&folder, settings), folder: Some(folder) }
    }

    /// The same after a restart.
    pub(super) fn reopened(self) -> Self {
        let settings = self.cache.settings().clone();
        let folder = self.closed();
        Self { cache: open(&folder, settings), folder: Some(folder) }
    }

    /// Its folder, which no cache uses any more.
    pub(super) fn closed(mut self) -> TempDir {
        self.folder.take().unwrap()
    }

    /// What was in `folder`.
    pub(super) fn on(folder: TempDir) -> Self {
        Self { cache: open(&folder, Settings::default()), folder: Some(folder) }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("cache")
    }

    /// As [`World::ask`].
    pub(super) fn ask(&self, seconds: i64, request: &str, upstream: Upstream<'_>) -> String {
        self.forget();
        let (line, lines) = request.split_once('\n').unwrap_or((request, ""));
        let (_, path) = line.split_once(' ').expect("a method and a path");
        self.cache.bring_up(&ruled(&self.cache, path, &fields(lines)), Patience::Waits).unwrap();
        asked(&self.cache, seconds, request, upstream)
    }

    /// Lets go of all in memory, once it is on disk.
    pub(super) fn forget(&self) {
        self.cache.disk().unwrap().sync().unwrap();
        self.cache.store.forget_memory();
    }
}

/// Has all on disk; then others may have its folder.
pub(super) fn close(cache: &Cache) {
    cache.disk().unwrap().close(Duration::from_mins(1)).unwrap();
}

fn open(folder: &TempDir, settings: Settings) -> Cache {
    let disk = Disk::open(&folder.path().join("cache"), disk_settings(64 << 20)).unwrap();
    Cache::with_disk(settings, Arc::new(disk), "us")
}

pub(super) fn asked(cache: &Cache, seconds: i64, request: &str, upstream: Upstream<'_>) -> String {
    let (line, lines) = request.split_once('\n').unwrap_or((request, ""));
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let (method, headers) = (method.parse::<Method>().unwrap(), fields(lines));
    let key = ruled(cache, path, &headers);
    ask(cache, (&key, &Request::of(&method, &headers)), (seconds, upstream))
}

/// The key of a request for `path` with these `headers`, as the rules have it.
pub(super) fn ruled(cache: &Cache, path: &str, headers: &HeaderMap) -> Key {
    cache.settings().key_of(key(path), headers, "")
}

fn ask(
    cache: &Cache,
    (key, asked): (&Key, &Request<'_>),
    (seconds, answer): (i64, Upstream<'_>),
) -> String {
    match cache.look(key, asked, at(seconds)) {
        Lookup::Hit(hit) | Lookup::Stale(hit, None) => told(&hit),
        Lookup::Stale(hit, Some(fetch)) => {
            let told = told(&hit);
            format!("{told} + {}", upstream(cache, fetch, asked, (seconds, answer)))
        }
        Lookup::OnlyIfCached => "504".to_owned(),
        Lookup::Ask(fetch) => upstream(cache, fetch, asked, (seconds, answer)),
        other => format!("{other:?}"),
    }
}

fn upstream(
    cache: &Cache,
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
        let stand_in = cache.fail(&fetch, asked, at(seconds));
        return stand_in.map_or_else(|why| format!("502 {why}{sent}"), |hit| told(&hit) + &sent);
    };
    let headers = fields(lines);
    let times = Times { requested: at(seconds), received: at(seconds) };
    let answered = Answered { status, headers: &headers, times };
    match cache.take(fetch, asked, answered) {
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
                    let again = upstream(cache, fetch, asked, (seconds, (200, "", "again")));
                    format!("again: {again}{sent}")
                }
            }
        }
        Taken::AskAgain(fetch) => {
            let again = upstream(cache, fetch, asked, (seconds, (200, "", "again")));
            format!("again: {again}{sent}")
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
