//! What the one who writes a fill does to it.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{
    Fill, FillHead, Reader, Stage, Takeover,
    coming::{Audience, Body, Coming, WINDOW_BYTES_MAX},
    holding::{Next, Put, ToFile, Way, Whole},
};
use crate::{
    disk::{BodyWriter, Disk},
    outcome::Outcome,
};

/// What became of what was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is there for all who read.
    On,
    /// With it the body is more than is held, from here on. Some read it.
    Outgrown,
    /// It is not there, and need not be: nobody reads what is not stored.
    Unread,
}

/// Who was woken because more came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// All who waited.
    All,
    /// Not all yet.
    Some,
}

/// So many are woken before the one who writes has its turn again. What came meanwhile those who are
/// woken later get at once; and if that was all, they are answered from what is stored then.
const WOKEN_MAX: usize = 8;

/// How a body ended of which all came.
pub(crate) enum Ended {
    /// It was over before.
    Over,
    /// It is none to be stored; the rest of it goes to those who read.
    Passing(Outcome),
    /// Here it is.
    Whole(Box<FillHead>, Whole),
    /// It is shorter or longer than it said.
    Short(Outcome),
}

impl Fill {
    /// The head came: from here on others may have what comes.
    pub(crate) fn begin(&self, head: FillHead, body: Body) {
        let mut state = self.lock();
        if matches!(state.stage, Stage::Asked) {
            state.stage =
                Stage::Coming(Box::new(Coming { head: Box::new(head), shown: None, body }));
            state.readers.more_came();
        }
    }

    /// Adds what came of the body, to its `file` if it has one: then a disk may be waited for, by
    /// nobody else.
    pub(crate) fn add(&self, bytes: &Bytes, file: &mut ToFile) -> Added {
        let put = self.put(bytes, file);
        let mut state = self.lock();
        let audience = if state.readers.is_empty() { Audience::Nobody } else { Audience::Others };
        let Stage::Coming(coming) = &mut state.stage else { return Added::Unread };
        let was_held = coming.body.outgrown().is_none();
        coming.body.add(bytes, put, audience);
        let has_outgrown = coming.body.outgrown().is_some();
        state.readers.more_came();
        match audience {
            Audience::Nobody if has_outgrown => Added::Unread,
            Audience::Others if has_outgrown && was_held => Added::Outgrown,
            Audience::Nobody | Audience::Others => Added::On,
        }
    }

    /// Puts what came where a disk may have to be waited for. What cannot be held there leaves no file.
    fn put(&self, bytes: &Bytes, file: &mut ToFile) -> Put {
        let way = match &self.lock().stage {
            Stage::Coming(coming) => coming.body.way(bytes.len() as u64),
            Stage::Asked | Stage::Ending(_) | Stage::Over(_) => return Put::Nowhere,
        };
        match way {
            Way::Memory => return Put::Nowhere,
            Way::File => (),
            // If it cannot be begun, memory may do.
            Way::Move(disk) => match self.moved_to(&disk) {
                Some(writer) => *file = Some(Box::new(writer)),
                None => return Put::Nowhere,
            },
            Way::Not(why) => {
                *file = None;
                return Put::Not(why);
            }
        }
        if let Some(writer) = file
            && writer.append(bytes).is_ok()
        {
            return Put::File(writer.reader());
        }
        *file = None;
        Put::Not(Outcome::NoRoom)
    }

    /// A file with what came so far, which is in memory.
    fn moved_to(&self, disk: &Disk) -> Option<BodyWriter> {
        let mut writer = disk.begin_file(None).ok()?;
        loop {
            // Copied a little at a time, and written without the lock.
            let next = match &self.lock().stage {
                Stage::Coming(coming) => coming.body.after(writer.len()),
                Stage::Asked | Stage::Ending(_) | Stage::Over(_) => return None,
            };
            match next {
                Next::Bytes(bytes) => writer.append(&bytes).ok()?,
                Next::Later => return Some(writer),
                Next::File(_) | Next::End | Next::Lost => return None,
            }
        }
    }

    /// Why what comes is not to be stored, if so.
    pub(crate) fn outgrown(&self) -> Option<Outcome> {
        match &self.lock().stage {
            Stage::Coming(coming) => coming.body.outgrown(),
            Stage::Asked | Stage::Ending(_) | Stage::Over(_) => None,
        }
    }

    /// Takes the body out, of which all came, in its `file` if it has one. Who reads it waits then until
    /// the fill is ended.
    pub(crate) fn end_body(&self, file: ToFile) -> Ended {
        let mut state = self.lock();
        let Stage::Coming(coming) = &mut state.stage else { return Ended::Over };
        if let Some(why) = coming.body.outgrown() {
            coming.body.end_window();
            return Ended::Passing(why);
        }
        // To settle a body may be to copy it: nobody is to wait for a lock meanwhile.
        let ending = Stage::Ending(coming.head.selecting.clone());
        let Stage::Coming(coming) = std::mem::replace(&mut state.stage, ending) else {
            return Ended::Over;
        };
        drop(state);
        let Coming { head, body, .. } = *coming;
        match body.end(head.declared, file) {
            Ok(body) => Ended::Whole(head, body),
            Err(outcome) => Ended::Short(outcome),
        }
    }

    /// Whether all of a body came that is none to be stored, and some still read it.
    pub(crate) fn is_passing_on(&self) -> bool {
        matches!(&self.lock().stage, Stage::Coming(coming) if coming.body.has_ended())
    }

    /// Wakes all who wait.
    pub(crate) fn wake(&self) {
        let woken = self.lock().readers.take_wakers();
        woken.into_iter().for_each(Waker::wake);
    }

    /// Wakes some of those for whom more came.
    pub(crate) fn wake_some(&self) -> Woken {
        let mut state = self.lock();
        let wakers = state.readers.take_some_wakers(WOKEN_MAX);
        let woken = if state.readers.are_due() { Woken::Some } else { Woken::All };
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        woken
    }

    /// Waits until more may be added.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let Stage::Coming(coming) = &state.stage else { return Poll::Ready(()) };
        if coming.body.outgrown().is_none() {
            return Poll::Ready(());
        }
        let slowest = state.readers.slowest().unwrap_or(u64::MAX);
        let Stage::Coming(coming) = &mut state.stage else { return Poll::Ready(()) };
        let gone = coming.body.let_go_before(slowest);
        let has_room = coming.body.has_room(slowest);
        if !has_room {
            state.note_writer(cx);
        }
        drop(state);
        drop(gone);
        if has_room { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Puts out those who are so far behind that others wait for them.
    pub(crate) fn cut_slowest(&self) {
        let mut state = self.lock();
        let Stage::Coming(coming) = &state.stage else { return };
        // Half of the window is free then, for the others.
        let behind = coming.body.len().saturating_sub(WINDOW_BYTES_MAX / 2);
        let woken = state.readers.put_out_behind(behind);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// See [`Watch::on_join`](crate::Watch::on_join).
    pub(crate) fn on_join(&self, takeover: Takeover) {
        let mut state = self.lock();
        if state.readers.is_empty() && !matches!(state.stage, Stage::Over(_)) {
            state.takeover = Some(takeover);
            return;
        }
        drop(state);
        takeover();
    }

    /// One more who reads, from where the body is.
    pub(crate) fn read_on(self: &Arc<Self>) -> Reader {
        let mut state = self.lock();
        let at = match &state.stage {
            Stage::Coming(coming) => coming.body.len(),
            Stage::Asked | Stage::Ending(_) | Stage::Over(_) => 0,
        };
        let place = state.readers.add(at);
        drop(state);
        Reader::new(Arc::clone(self), place, at)
    }
}
