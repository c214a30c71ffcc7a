//! A cache before another handler.
//!
//! [`Cached`] is a [`Handler`] that answers from memory what it may, and asks the handler that it
//! holds for the rest. What may be stored and sent is decided by the rules of [`relais_cache`]; here
//! is what they need: requests made ready to be asked (`question`), bodies written down while they
//! pass (`written`), clients that join what another asked for (`joined`), what is on disk (`on_disk`)
//! and who waits for that (`disk_reads`), and answers made of what comes out (`reply`).

mod asking;
mod desk;
mod disk_reads;
mod from_file;
mod joined;
mod on_disk;
mod purge;
mod question;
mod reply;
mod written;

#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::Method;
use relais_cache::{Cache, Fetch, Forward, Key, Lookup};
use relais_net::Fault;
use tokio::runtime;

pub use self::{
    desk::{Desk, Explaining, Fetched, Fetching, StandsIn},
    purge::{Purgers, Purging, Token},
};
use self::{
    disk_reads::DiskReads,
    from_file::{AtHand, Sending, at_hand},
    joined::{Asking, Led, share},
    on_disk::hit_of,
    question::{Question, key, sent_by},
    reply::{crowded, failed, only_if_cached, reply},
};
use crate::{
    Accepts, Answer, Answering, Ask, Handler, OpenFiles, Refused, Trust, places::Places,
    proxy::Onward,
};

/// How many stored answers are asked about at once while their clients have them already. Who finds
/// no place leaves it to the next.
const REVALIDATIONS_MAX: usize = 64;

/// How many files are sent at once, where nobody says.
const OPEN_FILES_MAX: usize = 256;

/// How long a revalidation waits for a head, and then for each MiB of a body.
const REVALIDATION_MAX: Duration = Duration::from_mins(1);

/// Answers from a cache, and asks `H` for what is not there.
///
/// What is there is answered [`at_once`](Handler::at_once): from memory, or from a file whose
/// beginning was read before. For a disk somebody waits, and no client for long. An answer of `H` is passed on as it comes,
/// and stored when all of it came; one that breaks off leaves no trace. Bodies are stored from memory
/// alone: what `H` answers with files is passed on. Each answer says in `Cache-Status` what was done
/// ([RFC 9211]), but to CONNECT, and to requests that name no host.
///
/// The cache is for `H` alone: what it answers depends on the URI, on what it is told of the way
/// before, and on what `Vary` names, as `H` passes it on, and on nothing else that another holder
/// might choose.
///
/// [RFC 9211]: https://www.rfc-editor.org/rfc/rfc9211
#[derive(Debug)]
pub struct Cached<H> {
    shared: Arc<Shared<H>>,
}

/// What outlives a request, if a revalidation was sent for it.
#[derive(Debug)]
struct Shared<H> {
    inner: H,
    cache: Cache,
    trust: Trust,
    clock: fn() -> SystemTime,
    revalidation: Places,
    /// How what stands in files is sent.
    sending: Sending,
}

impl<H: Onward> Cached<H> {
    /// Answers from `cache`, and asks `inner` for what is not there, at the time that `clock` says.
    ///
    /// `trust` is `inner`'s: what that passes on of a client's word is part of the question.
    pub fn new(inner: H, cache: Cache, trust: Trust, clock: fn() -> SystemTime) -> Self {
        Self::with_files(inner, (cache, OpenFiles::at_most(OPEN_FILES_MAX)), trust, clock)
    }

    /// The same; files that are sent from the cache's disk take places of `open_files`.
    pub fn with_files(
        inner: H,
        (cache, open_files): (Cache, OpenFiles),
        trust: Trust,
        clock: fn() -> SystemTime,
    ) -> Self {
        let revalidation = Places::at_most(REVALIDATIONS_MAX);
        let sending = Sending { open_files, reads: DiskReads::new() };
        let shared = Shared { inner, cache, trust, clock, revalidation, sending };
        Self { shared: Arc::new(shared) }
    }

    /// Another handle of the same, for who looks after it.
    pub(crate) fn desk_of(&self) -> Arc<dyn Desk> {
        Arc::new(Self { shared: Arc::clone(&self.shared) })
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    /// What is answered to `ask`, for which there is `lookup` under `key`.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` holds what it is given twice")]
    fn answered(
        &self,
        mut lookup: Lookup,
        key: Key,
        ask: Ask,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send {
        async move {
            // Until there is an answer, which holds it from then on.
            let mut _held = None;
            match hit_of(&lookup).map(at_hand) {
                Some(AtHand::Yes(held)) => _held = held,
                None if !matches!(lookup, Lookup::Join(_) | Lookup::Below) => (),
                // Boxed, as most do not wait, and its state is theirs, too.
                _ => match Box::pin(self.shared.settle(lookup, &key, &ask)).await {
                    Ok(settled) => (lookup, _held) = settled,
                    Err(answer) => return Ok(*answer),
                },
            }
            let to = (&self.shared.sending, ask.caller.peer.client());
            match lookup {
                Lookup::Hit(hit) => Ok(reply(hit, to)),
                Lookup::Stale(hit, fetch) => {
                    self.start_revalidation(fetch, &ask);
                    Ok(reply(hit, to))
                }
                Lookup::Ask(fetch) => self.asking(fetch, ask).await,
                Lookup::Shared(hit, reader) => Ok(share(hit, *reader, self.shared.reads())),
                Lookup::Failed(why, status) => Ok(failed(why, status)),
                Lookup::Join(waiter) => Ok(crowded(waiter.why())),
                Lookup::Below => Ok(crowded(Forward::Unread)),
                Lookup::Crowded(why) => Ok(crowded(why)),
                Lookup::OnlyIfCached => Ok(only_if_cached()),
            }
        }
    }

    /// Asks upstream what `ask` asks, for all who wait for it if they may.
    fn asking(&self, fetch: Box<Fetch>, ask: Ask) -> Asking {
        let led = fetch.leads().then(|| fetch.watch());
        let question = Question::of(&ask);
        let asking = Arc::clone(&self.shared).asking(fetch, question, ask);
        match led {
            Some(watch) => {
                let abandoned = self.shared.cache.settings().joining.abandoned;
                Box::pin(Led::new(asking, watch, abandoned))
            }
            None => asking,
        }
    }

    /// Has `inner` asked about what is stored and stale, while the client of `ask` has it already.
    fn start_revalidation(&self, fetch: Option<Box<Fetch>>, ask: &Ask) {
        let (Some(fetch), Some(place)) = (fetch, self.shared.revalidation.take()) else { return };
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let (shared, question) = (Arc::clone(&self.shared), Question::of(ask));
        runtime.spawn(shared.revalidate(fetch, question, place));
    }
}

impl<H: Onward> Handler for Cached<H> {
    fn accepts(&self) -> Accepts {
        self.shared.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        if !matches!(*ask.request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let Shared { inner, cache, trust, clock, sending, .. } = &*self.shared;
        // What is not answered so is looked for again: nothing may be begun here, nor waited for.
        let key = key(ask, trust, cache.settings())?;
        let hit = cache.find(&key, &sent_by(ask, inner).asked(), clock())?;
        match at_hand(&hit) {
            // Held until there is an answer, which holds it from then on.
            AtHand::Yes(_held) => Some(reply(hit, (sending, ask.caller.peer.client()))),
            AtHand::No => None,
        }
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        self.answering(ask)
    }

    /// Looked for at once: most that is not there is asked for, and waits for nothing but that.
    fn answering(&self, ask: Ask) -> Answering<'_> {
        match self.shared.first_look(&ask) {
            None => self.shared.inner.answering(ask),
            Some((_, Lookup::Ask(fetch))) => self.asking(fetch, ask),
            Some((key, lookup)) => Box::pin(self.answered(lookup, key, ask)),
        }
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.shared.inner.refused(refused);
    }
}

impl<H: Onward> Shared<H> {
    fn reads(&self) -> &DiskReads {
        &self.sending.reads
    }
}
