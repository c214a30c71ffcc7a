//! What stands on disk, before it is answered: it is brought up, and known to be what was stored.

use std::sync::Arc;

use relais_cache::{
    Fetch, FilePiece, Forward, Hit, Key, Lookup, Stored, WhyAsk,
    disk::{BodyFile, Patience, Unread},
};
use tokio::task::spawn_blocking;

use super::{
    Shared,
    from_file::{self, NotRead},
    joined::Waited,
    question::sent_by,
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
    /// Too many files are open.
    NotNow,
}

/// A file of a body that stays open, if there is one.
pub(super) type Held = Option<Arc<BodyFile>>;

impl<H: Onward> Shared<H> {
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
            if let Lookup::Join(waiter) = lookup {
                lookup = match self.wait(waiter, ask).await {
                    Waited::For(lookup) => lookup,
                    Waited::InVain(why) => return Err(Box::new(late(why))),
                };
            }
            let Some(hit) = of_file(&lookup) else { return Ok((lookup, None)) };
            match self.is_readable(hit, key).await {
                Readable::Yes(held) => return Ok((lookup, held)),
                // Somebody else may ask for it by now.
                Readable::No => lookup = self.look(key, ask),
                Readable::NotNow => break,
            }
        }
        Err(Box::new(crowded(Forward::Ask(WhyAsk::Incomplete))))
    }

    /// Has in memory what the disk has of what `ask` wants, as far as nobody has to wait for that.
    /// Whether somebody has to: see [`wait_for_disk`](Self::wait_for_disk).
    pub(super) fn is_to_wait_for_disk(&self, key: &Key, ask: &Ask) -> bool {
        self.is_below(key, ask) && self.cache.bring_up(key, Patience::None).is_err()
    }

    /// The same for who waits.
    pub(super) async fn wait_for_disk(&self, key: &Key, ask: &Ask) {
        // It is never closed.
        let _place = self.disk_reads.acquire().await;
        // Who waited for others may have waited for the same.
        if self.is_below(key, ask) {
            let (cache, key) = (self.cache.clone(), key.clone());
            // What panicked is looked for upstream.
            _ = spawn_blocking(move || cache.bring_up(&key, Patience::Waits)).await;
        }
    }

    fn is_below(&self, key: &Key, ask: &Ask) -> bool {
        self.cache.may_be_below(key, &sent_by(ask, &self.inner).asked())
    }

    /// Whether `hit`, whose body stands in a file, can be sent. If that is gone, it is forgotten.
    async fn is_readable(&self, hit: &Hit, key: &Key) -> Readable {
        let Some((file, pieces)) = hit.file_pieces() else {
            return Readable::Yes(None);
        };
        self.judge_read(from_file::ready(file, &pieces).await, (key, hit.stored()))
    }

    /// `fetch`, which asks about what is stored only if that can be sent.
    pub(super) async fn about_what_is_readable(&self, fetch: Box<Fetch>) -> (Box<Fetch>, Held) {
        let Some(stored) = fetch.stored() else { return (fetch, None) };
        let Some(file) = stored.file() else { return (fetch, None) };
        let whole = [FilePiece::Part(0..file.len())];
        let read = from_file::ready(file, &whole).await;
        match self.judge_read(read, (fetch.key(), stored)) {
            Readable::Yes(held) => (fetch, held),
            Readable::NotNow => (fetch, None),
            Readable::No => (fetch.with_nothing_stored(), None),
        }
    }

    fn judge_read(
        &self,
        read: Result<Held, NotRead>,
        (key, stored): (&Key, &Arc<Stored>),
    ) -> Readable {
        match read {
            Ok(held) => Readable::Yes(held),
            Err(NotRead::Unread(Unread::TooManyOpen)) => Readable::NotNow,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(error, "what was stored on disk is asked for again");
                self.cache.lose(key, stored);
                Readable::No
            }
        }
    }
}

/// What `lookup` found, if its body stands in a file.
pub(super) fn of_file(lookup: &Lookup) -> Option<&Hit> {
    let (Lookup::Hit(hit) | Lookup::Stale(hit, _)) = lookup else { return None };
    hit.stored().file().is_some().then_some(hit)
}
