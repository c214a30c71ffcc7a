//! Who reads the log for clients: threads of their own, so that the desk waits for no disk.

#[cfg(test)]
mod by_hand;
mod missed;
mod pages;
mod shelf;
mod turns;
mod written;

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use tokio::sync::mpsc::UnboundedSender;

#[cfg(test)]
pub(crate) use self::by_hand::ByHand;
use self::{
    missed::Behind,
    shelf::Shelf,
    turns::{Full, Takes, Turns},
};
use crate::{
    hall::{ClientId, Group},
    model::{AccountId, Attention, RoomId, Seq},
    names::Names,
    protocol::{Answer, Code, Event, Page, Place, Refusal},
    store::Archive,
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
    pub(crate) query: Query,
    pub(crate) wanted: Wanted,
}

/// Whether somebody still waits for what is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    given_up: Arc<AtomicBool>,
}

impl Wanted {
    /// Nobody does any more: there is no need to read on.
    fn give_up(&self) {
        self.given_up.store(true, Relaxed);
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Relaxed)
    }
}

/// What is to be read.
#[derive(Debug)]
pub(crate) enum Query {
    /// Some of what happened in a room, up to an entry, and perhaps only so many messages of that.
    Page { room: (RoomId, Place), page: Page, limit: usize, messages: Option<usize>, upto: Seq },
    /// What was said up to an entry that has these words, the newest first.
    Found {
        rooms: Vec<(RoomId, Place)>,
        words: String,
        from: Option<AccountId>,
        limit: usize,
        upto: Seq,
    },
    /// What happened in rooms since, up to an entry. The client hears nothing else meanwhile.
    /// Before that it is told whether the log has all up to the entry `known`, which it says that it was
    /// told. Behind that come the turns in dialogues. It is to notice of it what it wants to.
    Missed { rooms: Vec<Behind>, known: Seq, upto: Seq, turns: Vec<Event>, attention: Attention },
    /// What who asks wrote, behind an entry and not behind another.
    Written { after: Seq, upto: Seq },
    /// An answer that lists rooms, in some of which others may have said something: where in the list
    /// they are. Counted is what is not after `upto`.
    Counted { answer: Answer, rooms: Vec<Uncounted>, upto: Seq },
}

impl Query {
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
        matches!(self, Self::Found { .. } | Self::Written { .. })
    }
}

/// A room in a list, of which is not known yet how much was not read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uncounted {
    /// Where in the list it is.
    pub(crate) at: usize,
    pub(crate) room: RoomId,
    /// The last that was read.
    pub(crate) read: Seq,
    /// What of the rest is to be noticed.
    pub(crate) noticed: Noticed,
}

/// What of what was not read is to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noticed {
    Nothing,
    /// What names who asks, or has a word that it looks out for.
    Marked,
    /// It is said to who asks alone.
    All,
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
            let work = move || {
                while let Some(job) = table.next(takes) {
                    let posts = shelf.do_next(&job);
                    table.tell(&job, posts);
                }
            };
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

    /// Drops what a client wanted that is `who` no more. Gives that, but for what is being read: that is told
    /// to be refused.
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

    /// Has the client of `job` told what was read for it, and ends its turn.
    fn tell(&self, job: &Job, mut posts: Group) {
        let mut turns = self.turns();
        // What it asked before is not told to who it may be next. It gives that up under the same lock: what
        // is sent here comes before that it is nobody.
        if job.wanted.is_given_up() {
            posts = shelf::told(job, Err(Refusal::of(Code::NotLoggedIn)));
        }
        // A hall that is gone has no clients.
        _ = job.hall.send(Arc::new(posts));
        turns.0.done(job.by);
        drop(turns);
        self.wanted.notify_all();
    }
}

/// When who was refused may ask again.
const RETRY_MS: u64 = 500;
