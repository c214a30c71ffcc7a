//! A cache before another handler.
//!
//! [`Cached`] is a [`Handler`] that answers from memory what it may, and asks the handler that it
//! holds for the rest. What may be stored and sent is decided by the rules of [`relais_cache`]; here
//! is what they need: requests made ready to be asked (`question`), bodies written down while they
//! pass (`written`), clients that join what another asked for (`joined`), what is on disk (`on_disk`)
//! and who waits for that (`disk_reads`), and answers made of what comes out (`reply`).

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

use http::{Method, StatusCode};
use relais_cache::{Answered, Cache, Completion, Fetch, Forward, Lookup, Taken, Times};
use relais_net::{Fault, Side};
use tokio::runtime;

pub use self::{
    desk::{Desk, Fetched, Fetching, StandsIn},
    purge::{Purgers, Purging, Token},
};
use self::{
    disk_reads::DiskReads,
    from_file::{AtHand, Sending, at_hand},
    joined::{lead, share},
    on_disk::hit_of,
    question::{Question, key, sent_by},
    reply::{crowded, failed, is_stored, label, only_if_cached, reply, reply_after, unanswered},
    written::{complete, drain, write},
};
use crate::{
    Accepts, Answer, Ask, Handler, OpenFiles, Refused, Trust,
    handler::{status_of, unfold},
    places::{Place, Places},
    proxy::Onward,
};

/// How many stored answers are asked about at once while their clients have them already. Who finds
/// no place leaves it to the next.
const REVALIDATIONS_MAX: usize = 64;

/// How many files are sent at once, where nobody says.
const OPEN_FILES_MAX: usize = 256;

/// How long a revalidation may take.
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
            AtHand::Yes(_held) => Some(reply(hit, sending)),
            AtHand::No => None,
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let Some((key, mut lookup)) = self.shared.first_look(&ask) else {
            return self.shared.inner.answer(ask).await;
        };
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
        let sending = &self.shared.sending;
        match lookup {
            Lookup::Hit(hit) => Ok(reply(hit, sending)),
            Lookup::Stale(hit, fetch) => {
                self.start_revalidation(fetch, &ask);
                Ok(reply(hit, sending))
            }
            Lookup::Ask(fetch) if fetch.leads() => lead(&self.shared, fetch, ask).await,
            // Boxed, so that what waits for the other ways has no room for it.
            Lookup::Ask(fetch) => Box::pin(self.shared.ask(fetch, &Question::of(&ask), ask)).await,
            Lookup::Shared(hit, reader) => Ok(share(hit, *reader, &sending.reads)),
            Lookup::Failed(why, status) => Ok(failed(why, status)),
            Lookup::Join(waiter) => Ok(crowded(waiter.why())),
            Lookup::Below => Ok(crowded(Forward::Unread)),
            Lookup::Crowded(why) => Ok(crowded(why)),
            Lookup::OnlyIfCached => Ok(only_if_cached()),
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

    /// Asks `inner` what `question` asks, first by `ask`.
    async fn ask(
        &self,
        mut fetch: Box<Fetch>,
        question: &Question,
        mut ask: Ask,
    ) -> Result<Answer, Fault> {
        let interim = ask.interim.clone();
        let mut _held = None;
        if fetch.stored().is_some_and(|stored| stored.file().is_some()) {
            (fetch, _held) = Box::pin(self.about_what_is_readable(fetch)).await;
        }
        loop {
            fetch.prepare(ask.request.headers_mut());
            let requested = (self.clock)();
            let came = self.inner.answer(ask).await;
            let times = Times { requested, received: (self.clock)() };
            let mut answer = match came {
                Ok(answer) if fault(&answer).is_none() => answer,
                failed => return self.stand_in(&fetch, question, (failed, times.received)),
            };
            unfold(&mut answer);
            let answered = Answered { status: answer.status(), headers: answer.headers(), times };
            let taken = self.cache.take(fetch, &question.sent_by(&self.inner).asked(), answered);
            match taken {
                Taken::Fill(writer) => {
                    let abandoned = self.cache.settings().joining.abandoned;
                    return Ok(write(answer, writer, (abandoned, self.reads())));
                }
                Taken::Pass(status) => return Ok(label(answer, status)),
                Taken::Answer(hit) => {
                    let came = answer.body().provenance().cloned();
                    return Ok(reply_after(hit, came, &self.sending));
                }
                Taken::Complete(completion) => {
                    match self.complete(answer, completion, question).await {
                        Ok(answer) => return Ok(answer),
                        Err(again) => (fetch, ask) = (again, question.ask()),
                    }
                }
                // Without a precondition it is not asked a third time.
                Taken::AskAgain(again) => {
                    (fetch, ask) = (again, question.ask());
                    ask.interim.clone_from(&interim);
                }
            }
        }
    }

    /// What `question` is answered, if `answer` is what was missing to it; else what to ask.
    async fn complete(
        &self,
        answer: Answer,
        completion: Box<Completion>,
        question: &Question,
    ) -> Result<Answer, Box<Fetch>> {
        let provenance = answer.body().provenance().cloned();
        let completion = complete(answer.into_body(), completion).await?;
        let sent = question.sent_by(&self.inner);
        let hit = completion.finish(&sent.asked(), (self.clock)())?;
        Ok(reply_after(hit, provenance, &self.sending))
    }

    /// What is stored, in the place of an answer that did not come; else what came instead.
    fn stand_in(
        &self,
        fetch: &Fetch,
        question: &Question,
        (failed, now): (Result<Answer, Fault>, SystemTime),
    ) -> Result<Answer, Fault> {
        let side = failed.as_ref().map_or_else(|fault| Some(fault.side), fault);
        match &failed {
            // What cannot be asked for is no fault of anybody's but who asks.
            Ok(_) if side == Some(Side::Client) => fetch.pass_by(),
            Ok(answer) => fetch.fail(answer.status()),
            Err(fault) => fetch.fail(status_of(fault.side).unwrap_or(StatusCode::BAD_GATEWAY)),
        }
        // Who asks for what cannot be asked for is told so.
        if side != Some(Side::Client)
            && let Ok(hit) = self.cache.fail(fetch, &question.sent_by(&self.inner).asked(), now)
        {
            if let Err(fault) = &failed {
                let error: &dyn std::error::Error = fault;
                tracing::debug!(error, "what is stored stands in for an answer");
            }
            return Ok(reply(hit, &self.sending));
        }
        failed.map(|answer| unanswered(answer, fetch.why()))
    }

    async fn revalidate(self: Arc<Self>, fetch: Box<Fetch>, question: Question, _place: Place) {
        let bytes_max = self.cache.settings().object_max;
        let revalidation = async {
            match self.ask(fetch, &question, question.ask()).await {
                // It is there already: nobody is to read it for nothing.
                Ok(answer) if is_stored(&answer) => Ok(()),
                Ok(answer) => drain(answer.into_body(), bytes_max).await,
                Err(fault) => Err(fault),
            }
        };
        if let Ok(Err(fault)) = tokio::time::timeout(REVALIDATION_MAX, revalidation).await {
            let error: &dyn std::error::Error = &fault;
            tracing::debug!(error, "a stored answer could not be asked about");
        }
    }
}

/// Whose fault it is that `answer` is no answer to what was asked, if so.
fn fault(answer: &Answer) -> Option<Side> {
    answer.body().provenance()?.fault
}
