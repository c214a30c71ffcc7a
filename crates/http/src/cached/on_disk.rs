//! What stands on disk, before it is answered: it is brought up, and known to be what was stored.

use std::sync::Arc;

use relais_cache::{
    Fetch, Forward, Hit, Key, Lookup, Stored, WhyAsk,
    disk::{BodyFile, Patience, Unread},
};

use super::{
    Shared,
    from_file::{NotRead, readable},
    joined::Waited,
    question::{key, sent_by},
    reply::{crowded, late},
};
use crate::{Answer, Ask, proxy::Onward};

/// How often what is stored may turn out to be damaged, for one client.
const LOOKS_MAX: usize = 4;

/// Whether something on disk can be read.
#[derive(Debug)]
enum Readable {
    /// For as long as this is held.
    Yes(Held),
    No,
    /// The disk does not answer.
    Late,
    /// Too many files are open.
    NotNow,
}

/// A file of a body that stays open, if there is one.
pub(super) type Held = Option<Arc<BodyFile>>;

impl<H: Onward> Shared<H> {
    /// What there is for `ask`, and under what; as far as nobody has to wait for the disk. `None` if
    /// nothing is stored for such.
    pub(super) fn first_look(&self, ask: &Ask) -> Option<(Key, Lookup)> {
        let key = key(ask, &self.trust, self.cache.settings())?;
        let (sent, now) = (sent_by(ask, &self.inner), (self.clock)());
        let asked = sent.asked();
        let mut lookup = self.cache.look_above(&key, &asked, now);
        if matches!(lookup, Lookup::Below) && self.cache.bring_up(&key, Patience::None).is_ok() {
            lookup = self.cache.look(&key, &asked, now);
        }
        Some((key, lookup))
    }

    /// What becomes of `lookup` when what it waits for is there, and what is sent from a file can be.
    ///
    /// # Errors
    ///
    /// What the client is told instead.
    pub(super) async fn settle(
        &self,
        mut lookup: Lookup,
        key: &Key,
        ask: &Ask,
    ) -> Result<(Lookup, Held), Box<Answer>> {
        for _ in 0..LOOKS_MAX {
            if let Lookup::Below = lookup {
                lookup = self.look_below(key, ask).await;
            }
            if let Lookup::Join(waiter) = lookup {
                lookup = match self.wait(waiter, ask).await {
                    Waited::For(lookup) => lookup,
                    Waited::InVain(why) => return Err(Box::new(late(why))),
                };
            }
            let (Lookup::Hit(hit) | Lookup::Stale(hit, _)) = &lookup else {
                return Ok((lookup, None));
            };
            match self.is_readable(hit, key).await {
                Readable::Yes(held) => return Ok((lookup, held)),
                // Somebody else may ask for it by now.
                Readable::No => lookup = self.look(key, ask),
                Readable::Late => lookup = self.look_past_disk(key, ask),
                Readable::NotNow => break,
            }
        }
        Err(Box::new(crowded(Forward::Ask(WhyAsk::Incomplete))))
    }

    /// Waits for the disk, and looks then; past it, if it does not answer.
    async fn look_below(&self, key: &Key, ask: &Ask) -> Lookup {
        match self.bring_up_in_time(key, ask).await {
            Some(()) => self.look(key, ask),
            None => self.look_past_disk(key, ask),
        }
    }

    /// Has in memory what the disk has of what `ask` wants. `None` if that takes too long.
    pub(super) async fn bring_up_in_time(&self, key: &Key, ask: &Ask) -> Option<()> {
        if !self.cache.may_be_below(key, &sent_by(ask, &self.inner).asked()) {
            return Some(());
        }
        self.reads().in_time(key, self.bring_up(key, ask)).await
    }

    async fn bring_up(&self, key: &Key, ask: &Ask) {
        let turn = self.reads().turn(key).await;
        // Who waited for others may have waited for the same.
        if self.cache.may_be_below(key, &sent_by(ask, &self.inner).asked()) {
            let (cache, key) = (self.cache.clone(), key.clone());
            // What panicked is looked for upstream.
            _ = turn.read(move || cache.bring_up(&key, Patience::Waits)).await;
        }
    }

    fn look(&self, key: &Key, ask: &Ask) -> Lookup {
        self.cache.look(key, &sent_by(ask, &self.inner).asked(), (self.clock)())
    }

    fn look_past_disk(&self, key: &Key, ask: &Ask) -> Lookup {
        self.cache.look_past_disk(key, &sent_by(ask, &self.inner).asked(), (self.clock)())
    }

    /// Whether `hit` can be sent. If its body stands in a file that is gone, it is forgotten.
    async fn is_readable(&self, hit: &Hit, key: &Key) -> Readable {
        let Some((file, first)) = hit.first_in_file() else { return Readable::Yes(None) };
        let read = readable(file, first, self.reads()).await;
        self.judge_read(read, (key, hit.stored()))
    }

    /// `fetch`, which asks about what is stored only if that can be sent.
    pub(super) async fn about_what_is_readable(&self, fetch: Box<Fetch>) -> (Box<Fetch>, Held) {
        let Some(stored) = fetch.stored() else { return (fetch, None) };
        let Some(file) = stored.file() else { return (fetch, None) };
        let read = readable(file, 0..file.len(), self.reads()).await;
        match self.judge_read(read, (fetch.key(), stored)) {
            Readable::Yes(held) => (fetch, held),
            Readable::NotNow => (fetch, None),
            Readable::No | Readable::Late => (fetch.with_nothing_stored(), None),
        }
    }

    fn judge_read(
        &self,
        read: Result<Arc<BodyFile>, NotRead>,
        (key, stored): (&Key, &Arc<Stored>),
    ) -> Readable {
        match read {
            Ok(held) => Readable::Yes(Some(held)),
            Err(NotRead::Unread(Unread::TooManyOpen)) => Readable::NotNow,
            Err(NotRead::Late) => Readable::Late,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(error, "what was stored on disk is asked for again");
                self.cache.lose(key, stored);
                Readable::No
            }
        }
    }
}

/// What `lookup` found to be sent.
pub(super) fn hit_of(lookup: &Lookup) -> Option<&Hit> {
    let (Lookup::Hit(hit) | Lookup::Stale(hit, _)) = lookup else { return None };
    Some(hit)
}
