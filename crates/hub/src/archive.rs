//! Who reads the log for clients: threads of their own, so that the desk waits for no disk.

mod pages;
mod turns;

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::error;

use self::turns::{Full, Takes, Turns};
use crate::{
    hall::{ClientId, Group, Post},
    model::{AccountId, RoomId, Seq},
    names::Names,
    outbox::Spoken,
    protocol::{Answer, Code, Event, Gap, Listed, Page, Place, Refusal, Told},
    saying::{self, View},
    store::{Archive, Broken, Missed, More, Past, Sought},
};

/// Something that is to be read.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) client: ClientId,
    pub(crate) re: Option<u64>,
    /// For whom.
    pub(crate) by: AccountId,
    /// Who tells it.
    pub(crate) hall: UnboundedSender<Arc<Group>>,
    pub(crate) wanted: Wanted,
}

/// What is to be read.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Some of what happened in a room.
    Page { room: (RoomId, Place), page: Page, limit: usize },
    /// What was said that has these words, the newest first.
    Found { rooms: Vec<(RoomId, Place)>, words: String, from: Option<AccountId>, limit: usize },
    /// What happened in rooms since, up to an entry. The client hears nothing else meanwhile.
    Missed { rooms: Vec<(RoomId, Place, Seq)>, upto: Seq },
    /// An answer that lists rooms, in some of which others may have said something: where in the list
    /// they are, and what was read of them. Counted is what is not after `upto`.
    Counted { answer: Answer, rooms: Vec<(usize, RoomId, Seq)>, upto: Seq },
}

impl Wanted {
    /// Whether the client hears nothing else until it is told.
    pub(crate) fn holds(&self) -> bool {
        matches!(self, Self::Missed { .. }) || self.is_owed()
    }

    /// Whether it is told in any case: to who came in already.
    fn is_owed(&self) -> bool {
        matches!(self, Self::Counted { answer: Answer::LoggedIn { .. }, .. })
    }

    /// Whether it may take long to read.
    fn is_long(&self) -> bool {
        matches!(self, Self::Found { .. })
    }
}

/// The way to those who read.
#[derive(Debug)]
pub(crate) struct Reader {
    table: Arc<Table>,
}

/// Where what is wanted lies until it is somebody's turn.
#[derive(Debug, Default)]
struct Table {
    turns: Mutex<(Turns, Hours)>,
    wanted: Condvar,
}

/// Whether those who read are to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hours {
    #[default]
    Open,
    Over,
}

/// How much is told of what was missed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Of each room, in entries.
    pub(crate) each: usize,
    /// In all.
    pub(crate) all: usize,
    /// In all, in bytes of JSON.
    pub(crate) bytes: usize,
}

/// How long a search may take.
const SEARCHED_MAX: Duration = Duration::from_secs(1);

/// How far what was not read is counted, in each room.
pub(crate) const UNREAD_MAX: u64 = 200;

impl Reader {
    /// Has each of `archives` be read by a thread, the first of which searches, too.
    ///
    /// # Errors
    ///
    /// What the system says when it has no thread.
    pub(crate) fn start(
        archives: Vec<Archive>,
        names: &Arc<Names>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        let reader = Self { table: Arc::default() };
        for (number, archive) in archives.into_iter().enumerate() {
            let (table, names) = (Arc::clone(&reader.table), Arc::clone(names));
            let shelf = Shelf { archive, names, bounds };
            let takes = if number == 0 { Takes::All } else { Takes::Quick };
            let work = move || shelf.work(&table, takes);
            thread::Builder::new().name("hub-archive".into()).spawn(work)?;
        }
        Ok(reader)
    }

    /// Has `job` done in its turn, unless as much waits as may.
    ///
    /// # Errors
    ///
    /// [`Code::RateLimited`], if it is its account that wants so much; else [`Code::Unavailable`].
    pub(crate) fn read(&self, job: Job) -> Result<(), Box<(Job, Refusal)>> {
        let added = self.table.turns().0.add(job);
        // Not all who wait may take it.
        self.table.wanted.notify_all();
        added.map_err(|refused| {
            let (job, full) = *refused;
            let code = match full {
                Full::Account => Code::RateLimited,
                Full::All => Code::Unavailable,
            };
            Box::new((job, Refusal::of(code).retry_ms(RETRY_MS)))
        })
    }

    /// Drops what a client wanted that is `who` no more. Gives that.
    pub(crate) fn forget(&self, client: ClientId, who: AccountId) -> Vec<Job> {
        self.table.turns().0.forget(client, who)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.table.turns().1 = Hours::Over;
        self.table.wanted.notify_all();
    }
}

impl Table {
    fn turns(&self) -> MutexGuard<'_, (Turns, Hours)> {
        // Nothing that holds the lock can panic half-way through a change.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to read. `None` at the end.
    fn next(&self, takes: Takes) -> Option<Job> {
        let mut turns = self.turns();
        loop {
            if turns.1 == Hours::Over {
                return None;
            }
            if let Some(job) = turns.0.next(takes) {
                return Some(job);
            }
            turns = self.wanted.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, who: AccountId) {
        self.turns().0.done(who);
        self.wanted.notify_all();
    }
}

const RETRY_MS: u64 = 500;

/// One who reads.
#[derive(Debug)]
struct Shelf {
    archive: Archive,
    names: Arc<Names>,
    bounds: Bounds,
}

impl Shelf {
    fn work(&self, table: &Table, takes: Takes) {
        while let Some(job) = table.next(takes) {
            let (who, hall) = (job.by, job.hall.clone());
            // A bug in reading one thing is no reason to read nothing more.
            let read = panic::catch_unwind(AssertUnwindSafe(|| self.posts(&job)));
            let posts = read.unwrap_or_else(|_| told(&job, Err(Refusal::of(Code::Internal))));
            // A hall that is gone has no clients.
            _ = hall.send(Arc::new(posts));
            table.done(who);
        }
    }

    /// What the client is told.
    fn posts(&self, job: &Job) -> Group {
        let mut posts = Group::new();
        let answer = self.read(job, &mut posts).unwrap_or_else(|error| {
            error!(%error, "what was said cannot be read");
            Err(Refusal::of(Code::Unavailable).retry_ms(RETRY_MS))
        });
        posts.extend(told(job, answer));
        posts
    }

    fn read(&self, job: &Job, posts: &mut Group) -> Result<Result<Answer, Refusal>, Broken> {
        let answer = match &job.wanted {
            Wanted::Page { room: (id, place), page, limit } => {
                let (past, more) = self.archive.page(*id, *page, *limit)?;
                let within = pages::within(&past, *page);
                let more = more == More::Yes || within.len() < past.len();
                let events = within.iter().filter_map(|past| self.event(past, place, job.by));
                Answer::Page { events: events.collect(), more }
            }
            Wanted::Found { .. } => return self.found(job),
            Wanted::Missed { rooms, upto } => {
                self.missed(job, rooms, (*upto, posts))?;
                Answer::Live { cursor: *upto }
            }
            Wanted::Counted { answer, rooms, upto } => {
                let mut answer = answer.clone();
                for (at, room, read) in rooms {
                    let unread = self.archive.unread(*room, job.by, (*read, *upto), UNREAD_MAX)?;
                    if let Some(listed) = listed(&mut answer).get_mut(*at) {
                        listed.unread = unread;
                    }
                }
                answer
            }
        };
        Ok(Ok(answer))
    }

    /// What a search finds in the time that it has, or that it found nothing in that.
    fn found(&self, job: &Job) -> Result<Result<Answer, Refusal>, Broken> {
        let Wanted::Found { rooms, words, from, limit } = &job.wanted else {
            return Ok(Ok(Answer::Done));
        };
        let ids: Vec<_> = rooms.iter().map(|(id, _)| *id).collect();
        let began = Instant::now();
        let sought = Sought { rooms: &ids, words, from: *from, limit: *limit };
        let is_late = || began.elapsed() >= SEARCHED_MAX;
        let (found, more) = self.archive.search_while(&sought, || !is_late())?;
        let event = |past: &Past| {
            let room = past.entry.room()?;
            let (_, place) = rooms.iter().find(|(id, _)| *id == room)?;
            self.event(past, place, job.by)
        };
        let within = pages::first_within(&found);
        let more = more == More::Yes || within.len() < found.len();
        let events: Vec<_> = within.iter().filter_map(event).collect();
        if events.is_empty() && more {
            let why = "there is too much to search through; name a room, or rarer words";
            return Ok(Err(Refusal::of(Code::Unavailable).why(why)));
        }
        Ok(Ok(Answer::Page { events, more }))
    }

    /// Tells what was missed, in the log's order: of each room the newest that there is room for, and
    /// before it that there was more.
    fn missed(
        &self,
        job: &Job,
        rooms: &[(RoomId, Place, Seq)],
        (upto, posts): (Seq, &mut Group),
    ) -> Result<(), Broken> {
        let Bounds { each: each_max, all: all_max, bytes: bytes_max } = self.bounds;
        let (mut events, mut bytes, mut gaps) = (Vec::new(), 0, Vec::new());
        for (id, place, since) in rooms {
            let each_max = each_max.min(all_max.saturating_sub(events.len()));
            let missed = self.archive.since(&[(*id, *since)], upto, each_max)?;
            let Some(Missed { past, more, .. }) = missed.first() else { continue };
            let (mut has_more, mut first) = (*more == More::Yes, None);
            // The newest first, as long as there is room.
            for past in past.iter().rev() {
                let Some(event) = self.event(past, place, job.by) else { continue };
                let spoken = Spoken::new(Told::Event(event));
                bytes += spoken.json.len();
                if bytes > bytes_max {
                    has_more = true;
                    break;
                }
                first = Some(past.prev);
                events.push((past.entry.seq, spoken));
            }
            if has_more {
                gaps.push(Gap { room: place.clone(), from: *since, to: first.unwrap_or(upto) });
            }
        }
        let tell = |spoken| Post::One(job.client, spoken);
        posts.extend(gaps.into_iter().map(|gap| tell(Spoken::new(Told::Event(Event::Gap(gap))))));
        events.sort_unstable_by_key(|(seq, _)| *seq);
        posts.extend(events.into_iter().map(|(_, spoken)| tell(spoken)));
        Ok(())
    }

    fn event(&self, past: &Past, place: &Place, viewer: AccountId) -> Option<Event> {
        let name = |who| self.names.name(who);
        let view = View { place: place.clone(), viewer: Some(viewer), name: &name };
        let mut event = saying::event((&past.entry, past.prev), view)?;
        if let Event::Message { body, edited, .. } = &mut event {
            *edited = past.edited;
            if past.redacted {
                *body = None;
            }
        }
        Some(event)
    }
}

/// The rooms that `answer` lists.
fn listed(answer: &mut Answer) -> &mut [Listed] {
    match answer {
        Answer::LoggedIn { rooms, .. } | Answer::Rooms(rooms) => rooms,
        _ => &mut [],
    }
}

/// What the client is told of its job, and that it hears the rest again.
fn told(job: &Job, answer: Result<Answer, Refusal>) -> Group {
    let mut posts = vec![Post::One(job.client, Spoken::new(Told::Answer { re: job.re, answer }))];
    if job.wanted.holds() {
        posts.push(Post::Release(job.client));
    }
    posts
}
