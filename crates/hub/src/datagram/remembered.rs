//! What was asked by datagrams: a request that comes again is not done again.

use std::collections::VecDeque;

/// How many requests are remembered.
pub(crate) const REMEMBERED_MAX: usize = 64;

/// How many may be without an answer.
pub(crate) const UNANSWERED_MAX: usize = 32;

/// Which end of a page that does not fit is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// What is oldest of it: it is what comes before something.
    Front,
    /// What comes last.
    Back,
}

/// The last requests, and their answers.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// In the order in which they came first. At most [`REMEMBERED_MAX`].
    asked: VecDeque<Asked>,
    /// The highest number that was forgotten: what is not higher may have been asked before.
    forgotten: u64,
}

#[derive(Debug)]
struct Asked {
    id: u64,
    cut: Cut,
    answer: Option<Vec<u8>>,
}

/// Whether something was asked before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// It is to be done.
    New,
    /// It is being done.
    UnderWay,
    /// It was done, and this was the answer.
    Answered(Vec<u8>),
    /// It may have been, too long ago to tell, or too much is under way.
    Unknown,
}

impl Remembered {
    /// Whether what is asked as `id` was asked before. If not, it is remembered from here on.
    pub(crate) fn ask(&mut self, id: u64, cut: Cut) -> Before {
        if let Some(asked) = self.asked.iter().find(|asked| asked.id == id) {
            return asked.answer.clone().map_or(Before::UnderWay, Before::Answered);
        }
        let unanswered = self.asked.iter().filter(|asked| asked.answer.is_none()).count();
        if id <= self.forgotten || unanswered >= UNANSWERED_MAX {
            return Before::Unknown;
        }
        if self.asked.len() >= REMEMBERED_MAX {
            // Among so many some have their answer.
            let first = self.asked.iter().position(|asked| asked.answer.is_some());
            let gone = first.and_then(|first| self.asked.remove(first));
            self.forgotten = gone.map_or(self.forgotten, |gone| self.forgotten.max(gone.id));
        }
        self.asked.push_back(Asked { id, cut, answer: None });
        Before::New
    }

    /// How the answer to `id` is cut.
    pub(crate) fn cut(&self, id: u64) -> Cut {
        self.asked.iter().find(|asked| asked.id == id).map_or(Cut::Back, |asked| asked.cut)
    }

    /// What was asked as `id` is answered.
    pub(crate) fn answered(&mut self, id: u64, answer: &[u8]) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.id == id) {
            asked.answer = Some(answer.to_vec());
        }
    }

    /// Nobody answers any more what was not answered. It may have been done, and is not done again.
    pub(crate) fn give_up(&mut self) {
        let lost = self.asked.iter().filter(|asked| asked.answer.is_none()).map(|asked| asked.id);
        self.forgotten = lost.max().unwrap_or(0).max(self.forgotten);
        self.asked.retain(|asked| asked.answer.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_not_done_again() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.ask(1, Cut::Front), Before::New);
        assert_eq!(remembered.ask(1, Cut::Front), Before::UnderWay);
        remembered.answered(1, b"yes");
        assert_eq!(remembered.ask(1, Cut::Front), Before::Answered(b"yes".to_vec()));
        assert_eq!((remembered.cut(1), remembered.cut(2)), (Cut::Front, Cut::Back));
        // Of what nobody asked there is no answer to remember.
        remembered.answered(2, b"no");
        assert_eq!(remembered.ask(2, Cut::Back), Before::New);
    }

    #[test]
    fn what_was_forgotten_is_not_done_either() {
        let mut remembered = Remembered::default();
        for id in 1..=REMEMBERED_MAX as u64 + 1 {
            assert_eq!(remembered.ask(id, Cut::Back), Before::New, "{id}");
            remembered.answered(id, b"");
        }
        assert_eq!(remembered.asked.len(), REMEMBERED_MAX);
        assert_eq!(remembered.ask(1, Cut::Back), Before::Unknown);
        assert_eq!(remembered.ask(2, Cut::Back), Before::Answered(Vec::new()));
    }

    #[test]
    fn no_more_is_under_way_than_may_be() {
        let mut remembered = Remembered::default();
        for id in 1..=UNANSWERED_MAX as u64 {
            assert_eq!(remembered.ask(id, Cut::Back), Before::New);
        }
        assert_eq!(remembered.ask(99, Cut::Back), Before::Unknown);
        remembered.give_up();
        assert_eq!(remembered.ask(99, Cut::Back), Before::New);
        assert_eq!(remembered.ask(1, Cut::Back), Before::Unknown);
    }
}
