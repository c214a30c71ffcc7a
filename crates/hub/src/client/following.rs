//! What was told of each room, so that nothing is missed and nothing comes twice, whatever
//! connections are lost in between.

use std::collections::{HashMap, HashSet};

use crate::{
    model::Seq,
    protocol::{Event, Gap, Place, Where},
};

/// How far rooms were followed.
///
/// While something is missing, `since` stays where all that is before it was told.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// Up to here all was told, in every room.
    since: Seq,
    /// The last that was told at all.
    last: Seq,
    /// The last that was told of each room.
    told: HashMap<Place, Seq>,
    /// Rooms of which pages are asked for, and how far.
    gaps: HashMap<Place, Seq>,
    /// Rooms that the hub tells nothing of until it is asked to.
    lagging: HashSet<Place>,
    /// Whether the hub tells what was missed while there was no connection.
    is_resuming: bool,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is news.
    New,
    /// It was told before, or will be by a page.
    Known,
}

impl Following {
    /// What to ask for after a lost connection; `None` before the first login.
    pub(super) fn since(&self) -> Option<Seq> {
        (self.since > Seq::default()).then_some(self.since)
    }

    /// The first login: all up to `cursor` is the past.
    pub(super) fn begin(&mut self, cursor: Seq) {
        (self.since, self.last) = (cursor, cursor);
    }

    /// A later login, that asked for what was missed.
    pub(super) fn resume(&mut self) {
        self.gaps.clear();
        self.lagging.clear();
        self.is_resuming = true;
    }

    /// All that was missed was told, up to `cursor`.
    pub(super) fn resumed(&mut self, cursor: Seq) {
        self.is_resuming = false;
        self.last = self.last.max(cursor);
        self.settle();
    }

    /// The log does not have all that was told: it is followed anew, to where it ends and on from there.
    pub(super) fn rewind(&mut self, last: Seq) {
        (self.since, self.last) = (self.since.min(last), Seq::default());
        self.told.clear();
        self.gaps.clear();
    }

    /// Judges an event of the log.
    pub(super) fn hear(&mut self, at: &Where) -> Verdict {
        if let Some(to) = self.gaps.get_mut(&at.room) {
            // Behind what is missing: the page has it in its turn.
            *to = at.seq.max(*to);
            return Verdict::Known;
        }
        let verdict = self.tell(at);
        self.settle();
        verdict
    }

    /// The hub leaves something out. Gives after which entry pages are to be asked for.
    pub(super) fn miss(&mut self, gap: &Gap) -> Option<Seq> {
        let from = self.after(&gap.room).max(gap.from);
        if from >= gap.to {
            return None;
        }
        self.gaps.insert(gap.room.clone(), gap.to);
        Some(from)
    }

    /// The hub tells no more of a room. Gives after which entry it is to be asked to.
    pub(super) fn lag(&mut self, room: &Place, last: Seq) -> Seq {
        self.lagging.insert(room.clone());
        self.after(room).max(last)
    }

    /// The hub tells of a room again, after what was missed.
    pub(super) fn caught_up(&mut self, room: &Place) {
        self.lagging.remove(room);
        self.settle();
    }

    /// Takes what is new out of a page of what was missing of `room`. Gives it, and after which entry
    /// the next page is to be asked for, if there is one.
    pub(super) fn fill(&mut self, room: &Place, events: Vec<Event>) -> (Vec<Event>, Option<Seq>) {
        let Some(&to) = self.gaps.get(room) else { return (Vec::new(), None) };
        let last = events.last().and_then(Event::at).map(|at| at.seq);
        let is_new = |event: &Event| event.at().is_some_and(|at| self.tell(at) == Verdict::New);
        let mut events = events;
        events.retain(is_new);
        // Whatever the page says of more: it may have been read before the last of it happened.
        if let Some(last) = last.filter(|last| *last < to) {
            return (events, Some(last));
        }
        self.gaps.remove(room);
        self.settle();
        (events, None)
    }

    fn tell(&mut self, at: &Where) -> Verdict {
        if self.told.get(&at.room).is_some_and(|told| *told >= at.seq) {
            return Verdict::Known;
        }
        self.told.insert(at.room.clone(), at.seq);
        self.last = self.last.max(at.seq);
        Verdict::New
    }

    /// After which entry nothing of a room is known.
    fn after(&self, room: &Place) -> Seq {
        self.told.get(room).copied().unwrap_or_default().max(self.since)
    }

    fn settle(&mut self) {
        if !self.is_resuming && self.gaps.is_empty() && self.lagging.is_empty() {
            self.since = self.last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;

    fn lab() -> Place {
        Place::Room("#lab".into())
    }

    fn at(room: &str, seq: u64) -> Where {
        let room = Place::Room(room.into());
        let (prev, from) = (Seq(seq - 1), "ana".to_owned());
        Where { room, seq: Seq(seq), prev, at: Millis(0), from, cid: None }
    }

    fn page(seqs: &[u64]) -> Vec<Event> {
        seqs.iter().map(|seq| Event::Join(at("#lab", *seq))).collect()
    }

    fn seqs(events: &[Event]) -> Vec<u64> {
        events.iter().filter_map(Event::at).map(|at| at.seq.0).collect()
    }

    #[test]
    fn what_was_told_is_not_told_again_after_a_lost_connection() {
        let mut following = Following::default();
        assert_eq!(following.since(), None);
        following.begin(Seq(10));
        assert_eq!(following.hear(&at("#lab", 11)), Verdict::New);
        assert_eq!(following.since(), Some(Seq(11)));
        following.resume();
        assert_eq!(following.hear(&at("#lab", 11)), Verdict::Known);
        assert_eq!(following.hear(&at("#tea", 14)), Verdict::New);
        // Lost again before the end: of another room something may be missing.
        assert_eq!(following.since(), Some(Seq(11)));
        following.resume();
        assert_eq!(following.hear(&at("#lab", 12)), Verdict::New);
        assert_eq!(following.hear(&at("#tea", 14)), Verdict::Known);
        following.resumed(Seq(15));
        assert_eq!(following.since(), Some(Seq(15)));
    }

    #[test]
    fn a_gap_is_filled_by_pages_and_what_comes_meanwhile_waits_for_them() {
        let mut following = Following::default();
        following.begin(Seq(10));
        following.resume();
        let gap = Gap { room: lab(), from: Seq(10), to: Seq(13) };
        assert_eq!(following.miss(&gap), Some(Seq(10)));
        assert_eq!(following.hear(&at("#lab", 14)), Verdict::Known);
        following.resumed(Seq(14));
        assert_eq!(following.since(), Some(Seq(10)));
        let (events, next) = following.fill(&lab(), page(&[11, 12]));
        assert_eq!((seqs(&events), next), (vec![11, 12], Some(Seq(12))));
        let (events, next) = following.fill(&lab(), page(&[12, 13, 14]));
        assert_eq!((seqs(&events), next), (vec![13, 14], None));
        assert_eq!(following.since(), Some(Seq(14)));
        assert_eq!(following.hear(&at("#lab", 15)), Verdict::New);
        // Nothing of it is missing any more.
        assert_eq!(following.miss(&gap), None);
    }

    #[test]
    fn a_page_that_was_read_before_the_last_was_said_is_not_the_last() {
        let mut following = Following::default();
        following.begin(Seq(10));
        following.resume();
        following.miss(&Gap { room: lab(), from: Seq(10), to: Seq(12) });
        following.resumed(Seq(12));
        assert_eq!(following.hear(&at("#lab", 13)), Verdict::Known);
        let (events, next) = following.fill(&lab(), page(&[11, 12]));
        assert_eq!((seqs(&events), next), (vec![11, 12], Some(Seq(12))));
        let (events, next) = following.fill(&lab(), page(&[13]));
        assert_eq!((seqs(&events), next, following.since()), (vec![13], None, Some(Seq(13))));
    }

    #[test]
    fn a_log_that_was_set_back_is_followed_anew_from_where_it_ends() {
        let mut following = Following::default();
        following.begin(Seq(10));
        following.hear(&at("#lab", 54));
        following.resume();
        following.rewind(Seq(34));
        // Lost again before the end.
        assert_eq!(following.since(), Some(Seq(34)));
        following.resumed(Seq(34));
        assert_eq!(following.hear(&at("#lab", 35)), Verdict::New);
        assert_eq!(following.since(), Some(Seq(35)));
        // A copy that goes on far behind: what was missed comes with it.
        following.resume();
        following.rewind(Seq(1_000_002));
        assert_eq!(following.hear(&at("#lab", 1_000_001)), Verdict::New);
        assert_eq!(following.since(), Some(Seq(35)));
        following.resumed(Seq(1_000_002));
        assert_eq!(following.since(), Some(Seq(1_000_002)));
    }

    #[test]
    fn nothing_counts_as_told_while_a_room_lags() {
        let mut following = Following::default();
        following.begin(Seq(10));
        following.hear(&at("#lab", 11));
        assert_eq!(following.lag(&lab(), Seq(0)), Seq(11));
        following.hear(&at("#tea", 20));
        assert_eq!(following.since(), Some(Seq(11)));
        following.hear(&at("#lab", 12));
        following.caught_up(&lab());
        assert_eq!(following.since(), Some(Seq(20)));
    }
}
