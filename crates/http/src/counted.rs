//! Counts how a cache answered.

use relais_cache::Cache;
use relais_net::Fault;

use crate::{Accepts, Answer, Ask, Handler, Refused};

/// Counts what `H` answers with the help of a cache, in that.
#[derive(Debug)]
pub struct Counted<H> {
    inner: H,
    cache: Cache,
}

impl<H> Counted<H> {
    /// Counts what `inner` answers in `cache`, which is its own.
    pub fn new(inner: H, cache: Cache) -> Self {
        Self { inner, cache }
    }

    fn count(&self, answer: &Answer) {
        let provenance = answer.body().provenance();
        if let Some(verdict) = provenance.and_then(|provenance| provenance.cached) {
            self.cache.count(verdict);
        }
    }
}

impl<H: Handler> Handler for Counted<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        self.inner.at_once(ask).inspect(|answer| self.count(answer))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        self.inner.answer(ask).await.inspect(|answer| self.count(answer))
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}
