//! What one account wrote, a page at a time: so much of the log is looked through for each, and no more. Where
//! the log is empty it is passed over.

use super::shelf::Shelf;
use crate::{
    export::Telling,
    model::{AccountId, Act, Deed, Entry, Seq},
    protocol::Answer,
    store::Broken,
};

/// How much of the log is looked through for a page.
const LOOKED_THROUGH: u64 = 1 << 16;

/// The most entries of a page.
const PAGE_MAX: usize = 200;

/// The most bytes of a page, about. What is longer by itself is told alone.
const BYTES_MAX: usize = 1 << 20;

/// What comes to an entry's text in a frame, at most.
const FRAME_BYTES: usize = 512;

impl Shelf {
    /// What `who` wrote behind an entry, and not behind `upto`: the first of it.
    pub(super) fn written(
        &self,
        who: AccountId,
        (after, upto): (Seq, Seq),
    ) -> Result<Answer, Broken> {
        // Later places than there are mean nothing to SQLite.
        let after = after.min(upto);
        let end = part(after, upto);
        let written = self.archive.written(who, (after, end), PAGE_MAX)?;
        let first = first_within(&written);
        let is_cut = first.len() < written.len() || written.len() == PAGE_MAX;
        let seen = match first.last().filter(|_| is_cut) {
            Some(last) => last.seq,
            // Between two lives of a log are more empty places than anybody asks for.
            None => self.archive.empty_upto((end, upto))?,
        };
        let (title, name) = (|room| self.archive.title(room), |who| self.names.name(who));
        let is_known = |room| self.archive.has_standing(who, room);
        let telling = Telling { who, title: &title, name: &name, is_known: &is_known };
        let mut events = Vec::with_capacity(first.len());
        for entry in first {
            events.extend(telling.event(entry)?);
        }
        Ok(Answer::Exported { events, upto: seen, more: seen < upto })
    }
}

/// Up to where the log is looked through at once, behind `after`.
fn part(after: Seq, upto: Seq) -> Seq {
    Seq(after.0.saturating_add(LOOKED_THROUGH)).min(upto)
}

/// As many of the first as there is room for on a page.
fn first_within(written: &[Entry]) -> &[Entry] {
    let mut left = BYTES_MAX;
    let fits = |entry: &&Entry| {
        let rest = left.checked_sub(bytes(entry));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let many = written.iter().take_while(fits).count();
    &written[..many.max(1).min(written.len())]
}

/// How long it is in a frame, about: of what is escaped there, each byte takes two or more.
fn bytes(entry: &Entry) -> usize {
    let text = match &entry.deed {
        Deed::In { act: Act::Say { body, .. } | Act::Edit { body, .. }, .. } => body.len(),
        _ => 0,
    };
    FRAME_BYTES + 2 * text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Millis, RoomId};

    fn entries(many: u64, body_bytes: usize) -> Vec<Entry> {
        let entry = |seq| {
            let act = Act::Say { kind: Kind::Text, body: "x".repeat(body_bytes), reply: None };
            let deed = Deed::In { room: RoomId(Seq(0)), act };
            Entry { seq: Seq(seq), at: Millis(0), by: AccountId(Seq(0)), cid: None, deed }
        };
        (1..=many).map(entry).collect()
    }

    #[test]
    fn so_much_of_the_log_is_looked_through_at_once_and_no_more() {
        assert_eq!(part(Seq(0), Seq(10)), Seq(10));
        assert_eq!(part(Seq(7), Seq(1 << 40)), Seq((1 << 16) + 7));
        assert_eq!(part(Seq(u64::MAX), Seq(10)), Seq(10));
    }

    #[test]
    fn a_page_has_as_many_as_there_is_room_for_and_one_at_least() {
        assert_eq!(first_within(&entries(200, 100)).len(), 200);
        assert_eq!(first_within(&entries(200, 16 << 10)).len(), 31);
        assert_eq!(first_within(&entries(2, BYTES_MAX)).len(), 1);
        assert_eq!(first_within(&[]).len(), 0);
    }
}
