//! The fills that may be joined, and what is known to be worth no waiting.

use std::{sync::Arc, time::SystemTime};

use super::{Fill, Over, Reader, Stage, Takeover};
use crate::{
    request::Sender,
    settings::Settings,
    stored::Stored,
    vary::{NormalForms, Selecting},
    wish::{Wish, may_read, may_wait},
};

/// The fills of a part of all URIs that may be joined, and the keys of that part whose answers are
/// known to be for one client each.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    pub fills: Vec<Arc<Fill>>,
    /// By [`mark`], and until when. At most [`PASSED_MAX`].
    passed: Vec<(u64, SystemTime)>,
}

/// So many are known in each part. The one that is known longest makes room.
const PASSED_MAX: usize = 16;

/// How a fill suits a wish.
pub(crate) enum Suits {
    /// It does not.
    Not,
    /// What comes is for requests with other fields.
    OtherVariant,
    Waiting,
    Reading(Arc<Stored>, Reader, Option<Takeover>),
    Whole(Arc<Stored>),
}

impl InFlight {
    pub(crate) fn passes_by(&self, hash: u64, wish: &Wish<'_>) -> bool {
        let own = mark(hash, wish.asked.sender);
        let is_it = |(marked, until): &(u64, SystemTime)| {
            (*marked == hash || *marked == own) && wish.now < *until
        };
        self.passed.iter().any(is_it)
    }

    pub(crate) fn pass_by(&mut self, mark: u64, (now, until): (SystemTime, SystemTime)) {
        self.passed.retain(|(other, until)| *other != mark && now < *until);
        if self.passed.len() == PASSED_MAX {
            self.passed.remove(0);
        }
        self.passed.push((mark, until));
    }

    /// What comes for the key is for others, too, after all.
    pub(crate) fn forget_passed(&mut self, hash: u64) {
        self.passed.retain(|(mark, _)| *mark != hash);
    }

    /// Has nobody join what was asked for of this URI, or of any.
    pub(crate) fn leave_all(&mut self, hash: Option<u64>) {
        self.fills.retain(|fill| hash.is_some_and(|hash| fill.hash != hash));
    }
}

/// What is remembered of a key, apart for those who name themselves.
pub(crate) fn mark(hash: u64, sender: Sender) -> u64 {
    match sender {
        Sender::Nobody => hash,
        Sender::Cookie => hash ^ 0x5555_5555_5555_5555,
        Sender::Authorization => hash ^ 0xAAAA_AAAA_AAAA_AAAA,
    }
}

impl Fill {
    /// One more who wants what is behind the first `at` bytes.
    pub(crate) fn join(self: &Arc<Self>, at: u64) -> Reader {
        let place = self.lock().readers.add(at);
        Reader::new(Arc::clone(self), place, at)
    }

    /// Whether it is what is wished for; if its body comes, with a place among those who read.
    pub(crate) fn suits(
        self: &Arc<Self>,
        (wish, forms): (&Wish<'_>, &mut NormalForms),
        settings: &Settings,
    ) -> Suits {
        let mut state = self.lock();
        let mut selects = |selecting: &Selecting| selecting.selects_by(wish.asked, forms);
        let waits = |is_for_it: bool| match is_for_it {
            false => Suits::OtherVariant,
            true if may_wait(wish, settings) => Suits::Waiting,
            true => Suits::Not,
        };
        match &mut state.stage {
            Stage::Asked => waits(selects(&self.presumed)),
            Stage::Ending(selecting) => waits(selects(selecting)),
            Stage::Over(Over::Whole(stored)) if !selects(stored.selecting()) => Suits::OtherVariant,
            Stage::Over(Over::Whole(stored)) => {
                let is_it = may_read(wish, stored.terms(), settings) && stored.parts().is_none();
                if is_it { Suits::Whole(Arc::clone(stored)) } else { Suits::Not }
            }
            Stage::Over(_) => Suits::Not,
            Stage::Coming(coming) if !selects(&coming.head.selecting) => Suits::OtherVariant,
            Stage::Coming(coming) => {
                let is_it = may_read(wish, &coming.head.terms, settings);
                if !is_it || !coming.has_range(wish.asked, settings) {
                    return Suits::Not;
                }
                let size = coming.head.declared;
                let head = coming.shown();
                let place = state.readers.add(0);
                let takeover = state.takeover.take();
                drop(state);
                let reader = Reader::new(Arc::clone(self), place, 0).sized(size);
                Suits::Reading(head, reader, takeover)
            }
        }
    }

    /// For whom it is, or is thought to be.
    pub(crate) fn selecting(&self) -> Selecting {
        match &self.lock().stage {
            Stage::Coming(coming) => coming.head.selecting.clone(),
            Stage::Ending(selecting) => selecting.clone(),
            Stage::Over(Over::Whole(stored)) => stored.selecting().clone(),
            Stage::Asked | Stage::Over(_) => self.presumed.clone(),
        }
    }

    /// Whether its head came, and it is for the same requests as `other`.
    pub(crate) fn is_for_as_many_as(&self, other: &Self) -> bool {
        let is_coming = matches!(self.lock().stage, Stage::Coming(_));
        is_coming && self.selecting() == other.selecting()
    }
}
