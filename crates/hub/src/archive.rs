//! Who reads the log for clients: threads of their own, so that the desk waits for no disk.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::error;

use crate::{
    hall::{ClientId, Group, Post},
    model::{AccountId, RoomId, Seq},
    names::Names,
    outbox::Spoken,
    protocol::{Answer, Code, Event, Gap, Page, Place, Refusal, Told},
    saying::{self, View},
    store::{Archive, Broken, Missed, More, Past},
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
    /// What was said that has these words.
    Found { rooms: Vec<(RoomId, Place)>, words: String, from: Option<AccountId>, limit: usize },
    /// What happened in rooms since, up to an entry. The client hears nothing else meanwhile.
    Missed { rooms: Vec<(RoomId, Place, Seq)>, upto: Seq },
}

/// The way to those who read.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    jobs: SyncSender<Job>,
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

/// How many jobs may wait.
const WAITING_MAX: usize = 256;

impl Reader {
    /// Has each of `archives` be read by a thread.
    ///
    /// # Errors
    ///
    /// What the system says when it has no thread.
    pub(crate) fn start(
        archives: Vec<Archive>,
        names: &Arc<Names>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::sync_channel(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for archive in archives {
            let (waiting, names) = (Arc::clone(&waiting), Arc::clone(names));
            let shelf = Shelf { archive, names, bounds };
            let work = move || shelf.work(&waiting);
            thread::Builder::new().name("hub-archive".into()).spawn(work)?;
        }
        Ok(Self { jobs })
    }

    /// Has `job` done, unless as many wait as may.
    ///
    /// # Errors
    ///
    /// [`Code::Unavailable`].
    pub(crate) fn read(&self, job: Job) -> Result<(), Box<(Job, Refusal)>> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job) => {
                Box::new((job, Refusal::of(Code::Unavailable).retry_ms(RETRY_MS)))
            }
        })
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
    fn work(&self, waiting: &Mutex<Receiver<Job>>) {
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            let posts = self.posts(&job);
            // A hall that is gone has no clients.
            _ = job.hall.send(Arc::new(posts));
        }
    }

    /// What the client is told.
    fn posts(&self, job: &Job) -> Group {
        let mut posts = Group::new();
        let answer = self.read(job, &mut posts).unwrap_or_else(|error| {
            error!(%error, "what was said cannot be read");
            Err(Refusal::of(Code::Unavailable).retry_ms(RETRY_MS))
        });
        let is_missed = matches!(job.wanted, Wanted::Missed { .. });
        posts.push(Post::One(job.client, Spoken::new(Told::Answer { re: job.re, answer })));
        if is_missed {
            posts.push(Post::Release(job.client));
        }
        posts
    }

    fn read(&self, job: &Job, posts: &mut Group) -> Result<Result<Answer, Refusal>, Broken> {
        let answer = match &job.wanted {
            Wanted::Page { room: (id, place), page, limit } => {
                let (past, more) = self.archive.page(*id, *page, *limit)?;
                let events = past.iter().filter_map(|past| self.event(past, place, job.by));
                Answer::Page { events: events.collect(), more: more == More::Yes }
            }
            Wanted::Found { rooms, words, from, limit } => {
                let ids: Vec<_> = rooms.iter().map(|(id, _)| *id).collect();
                let found = self.archive.search(&ids, words, *from, *limit)?;
                let event = |past: &Past| {
                    if self.names.is_silenced(past.entry.by) {
                        return None;
                    }
                    let room = past.entry.room()?;
                    let (_, place) = rooms.iter().find(|(id, _)| *id == room)?;
                    self.event(past, place, job.by)
                };
                Answer::Page { events: found.iter().filter_map(event).collect(), more: false }
            }
            Wanted::Missed { rooms, upto } => {
                self.missed(job, rooms, (*upto, posts))?;
                Answer::Live { cursor: *upto }
            }
        };
        Ok(Ok(answer))
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
        let is_out = past.redacted || self.names.is_silenced(past.entry.by);
        match &mut event {
            Event::Message { body, edited, .. } => {
                *edited = past.edited;
                if is_out {
                    *body = None;
                }
            }
            Event::Edit { body, .. } if is_out => body.clear(),
            _ => {}
        }
        Some(event)
    }
}
