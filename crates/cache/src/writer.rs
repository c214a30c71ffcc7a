//! Who writes a fill: it asked upstream, and passes on what comes.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use bytes::Bytes;

use crate::{
    cache_status::CacheStatus,
    disk::FileBody,
    fill::{Added, Ended, Fill, FillHead, Over, Reader, ToFile, Watch, Whole, Woken},
    outcome::Outcome,
    part::Generation,
    request::Sender,
    store::{Arrived, Store},
    stored::{Revalidation, Stored},
};

/// A response on its way into the store. It gets there by [`finish`](Self::finish) and in no other
/// way: what is dropped before, was cut off and is forgotten, and who reads it is told so.
pub struct Writer {
    pub(crate) store: Arc<Store>,
    pub(crate) fill: Arc<Fill>,
    pub(crate) place: Place,
    pub(crate) cache_status: CacheStatus,
    /// Where its body goes, if that is a file.
    pub(crate) file: ToFile,
    /// Why it was given up, if it was.
    pub(crate) gave_up: Option<Outcome>,
}

/// Where a response goes to.
#[derive(Debug)]
pub(crate) struct Place {
    pub since: Generation,
    /// When its head came.
    pub received: SystemTime,
    /// What it was asked for to replace.
    pub instead_of: Option<Arc<Stored>>,
    /// Held until it is there.
    pub _revalidation: Option<Revalidation>,
}

/// Whether what comes is still written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is.
    On,
    /// It is not any more, and need not be added to: it is too large, or there is no room, and
    /// nobody else reads it.
    GaveUp,
}

impl Writer {
    /// Adds what came of the body. Who reads it is woken by [`wake`](Self::wake).
    pub fn add(&mut self, bytes: &Bytes) -> Written {
        match self.fill.add(bytes, &mut self.file) {
            Added::On => return Written::On,
            Added::Outgrown | Added::Unread => (),
        }
        self.store.leave(&self.fill);
        if self.fill.outgrown() == Some(Outcome::TooLarge) {
            self.store.pass_by(&self.fill, Sender::Nobody, self.place.received);
        }
        // Who joined in between is told that what comes is not for it.
        if self.fill.is_joined() {
            return Written::On;
        }
        self.gave_up = self.fill.outgrown();
        self.fill.end(Over::Alone);
        Written::GaveUp
    }

    /// Stores the response: its body has come, all of it.
    pub fn finish(self) -> Outcome {
        self.kept().map_or_else(|why| why, |(_, outcome)| outcome)
    }

    /// The same: what it became, whether it is stored or not.
    ///
    /// # Errors
    ///
    /// Why there is no such thing.
    pub(crate) fn finish_stored(self) -> Result<Arc<Stored>, Outcome> {
        self.kept().map(|(stored, _)| stored)
    }

    fn kept(mut self) -> Result<(Arc<Stored>, Outcome), Outcome> {
        let (head, body) = match self.fill.end_body(self.file.take()) {
            Ended::Whole(head, body) => (head, body),
            Ended::Passing(outcome) => {
                self.fill.wake();
                return Err(outcome);
            }
            Ended::Short(outcome) => {
                self.fill.end(Over::Cut);
                return Err(outcome);
            }
            Ended::Over => return Err(self.gave_up.unwrap_or(Outcome::CutShort)),
        };
        // What came is not what is stored then, and nothing for who wants all.
        let is_part = head.part.is_some();
        let arrived = self.stored(*head, body)?;
        let stored = Arc::clone(&arrived.stored);
        // From here on it may be taken out, and its file with it.
        self.fill.hold(stored.file().and_then(FileBody::opened));
        let Place { since, instead_of, .. } = &self.place;
        let outcome = self.store.keep((&self.fill.key, *since), arrived, instead_of.as_ref());
        self.fill.end(if is_part { Over::Alone } else { Over::Whole(Arc::clone(&stored)) });
        Ok((stored, outcome))
    }

    /// What is stored of a body that came.
    ///
    /// # Errors
    ///
    /// Why it is none, e.g. it is not the part that it said.
    fn stored(&self, head: FillHead, body: Whole) -> Result<Arrived, Outcome> {
        let FillHead { status, headers, terms, selecting, part, .. } = head;
        let body = match (body, &self.store.on_disk()) {
            (Whole::Memory(body), _) => body,
            (Whole::File(mut writer), Some(on_disk)) => {
                let file = on_disk.seal(&self.fill.key, &mut writer).ok_or(Outcome::NoRoom)?;
                let stored = Stored::in_file(status, &headers, file, (terms, selecting));
                return Ok(Arrived { stored: Arc::new(stored), file: Some(writer) });
            }
            (Whole::File(_), None) => return Err(Outcome::NoRoom),
        };
        let Some(part) = part else {
            return Ok(Stored::new(status, &headers, body, (terms, selecting)).into());
        };
        let older = self.store.alike(&self.fill.key, &selecting);
        let stored = Stored::of_part(older.as_deref(), (&headers, (terms, selecting)), part, body);
        stored.map(Arrived::from).ok_or(Outcome::CutShort)
    }

    /// Wakes who waits for the head or reads. To be called when nothing more is there to be added:
    /// whoever is late then finds more at once. If many wait it wakes some of them, in turn, and is to
    /// be called again after those ran and what came meanwhile was added.
    pub fn wake(&self) -> Woken {
        self.fill.wake_some()
    }

    /// Has nobody else join: it does not go on, and for who comes now another is worth a try.
    pub fn stall(&self) {
        self.store.leave(&self.fill);
    }

    /// Waits until nobody waits for it or reads it.
    pub fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fill.poll_deserted(cx)
    }

    /// Ends it if nobody waits for it or reads it. Whether it is over.
    pub fn end_if_alone(&self) -> bool {
        self.fill.end_if_alone()
    }

    /// Waits until more may be added: a body that is not to be stored keeps the pace of the slowest
    /// who reads it.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.fill.poll_room(cx)
    }

    /// Goes on without those for whom [`poll_room`](Self::poll_room) waits: what they read breaks
    /// off.
    pub fn cut_slowest(&self) {
        self.fill.cut_slowest();
    }

    /// Tells whether others wait for it.
    pub fn watch(&self) -> Watch {
        Watch::of(&self.fill)
    }

    /// Who asked for it, as one of those who read from here on.
    pub fn reader(&self) -> Reader {
        self.fill.read_on()
    }

    /// What `Cache-Status` says with the response, as it is passed on. What will become of a body
    /// whose length nobody declared is not known then: it is said to be stored.
    pub fn cache_status(&self) -> CacheStatus {
        self.cache_status
    }

    /// Nothing of what comes is written down: each who wants it asks for himself.
    pub fn give_up(self) {
        self.fill.end(Over::Alone);
    }
}

/// Ends a fill whose body did not come whole, and takes it out of those that may be joined.
impl Drop for Writer {
    fn drop(&mut self) {
        self.store.leave(&self.fill);
        if !self.fill.is_passing_on() {
            self.fill.end(Over::Cut);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("fill", &self.fill).finish_non_exhaustive()
    }
}
