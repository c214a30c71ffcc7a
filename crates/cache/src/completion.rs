//! What was missing, on its way to what is stored.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;

use crate::{
    cache::Cache,
    fetch::Fetch,
    hit::Hit,
    request::Request,
    writer::{Writer, Written},
};

/// The bytes that were missing to an answer. Their client waits for them, and is answered from the
/// store: what it asked for is not what was asked for upstream.
#[derive(Debug)]
pub struct Completion {
    pub(crate) cache: Cache,
    pub(crate) writer: Box<Writer>,
    /// What is to be asked if they do not come.
    pub(crate) again: Box<Fetch>,
    /// What came with them for their client alone.
    pub(crate) own: HeaderMap,
}

impl Completion {
    /// Adds what came of them.
    pub fn add(&mut self, bytes: &Bytes) -> Written {
        self.writer.add(bytes)
    }

    /// Answers `asked`: all of them came.
    ///
    /// # Errors
    ///
    /// What to ask instead, as the client asked it, if they are not what was missing.
    pub fn finish(self, asked: &Request<'_>, now: SystemTime) -> Result<Hit, Box<Fetch>> {
        let Self { cache, writer, again, own } = self;
        let cache_status = writer.cache_status();
        let Ok(stored) = writer.finish_stored() else { return Err(again) };
        let age = stored.terms().age(now, &cache.settings).unwrap_or_default().as_secs();
        let hit = Hit::of(stored, asked, now, (age, cache_status));
        hit.map(|hit| hit.with_own(own)).map_err(|_parts| again)
    }

    /// What to ask instead: they do not come.
    pub fn give_up(self) -> Box<Fetch> {
        self.again
    }
}
