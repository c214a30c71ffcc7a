//! How much of what was said is told at once: in bytes, whatever was asked for.

use crate::{
    model::{Act, Deed, Seq},
    protocol::Page,
    store::Past,
};

/// The most bytes of a page, about. What is longer by itself is told alone.
const BYTES_MAX: usize = 1 << 20;

/// What comes to an entry's text in a frame, at most.
const FRAME_BYTES: usize = 512;

/// The same of `page` without what is behind `last`; of [`Page::Around`], what is in front of it.
pub(super) fn upto(page: Page, last: Seq) -> Page {
    let end = Seq(last.0.saturating_add(1));
    match page {
        Page::Latest => Page::Before(end),
        Page::Before(seq) | Page::Around(seq) => Page::Before(seq.min(end)),
        Page::After(seq) => Page::Between(Seq(seq.0.saturating_add(1)), last),
        Page::Between(from, to) => Page::Between(from, to.min(last)),
    }
}

/// What of `past`, which was asked for as `page`, is told: what is nearest to where it was asked for.
pub(super) fn within(past: &[Past], page: Page) -> &[Past] {
    let middle = match page {
        Page::Latest | Page::Before(_) => past.len(),
        Page::After(_) | Page::Between(..) => 0,
        Page::Around(seq) => past.partition_point(|past| past.entry.seq < seq),
    };
    nearest(past, middle)
}

/// What of `past`, which was asked for as `page`, holds no more than `most` messages, and at least one if
/// there is one: those nearest to where it was asked for, with what lies between, and in front of them.
pub(super) fn said(past: &[Past], page: Page, most: usize) -> &[Past] {
    let is_said = |past: &Past| matches!(past.entry.deed, Deed::In { act: Act::Say { .. }, .. });
    let mut said = past.iter().enumerate().filter(|(_, past)| is_said(past)).map(|(at, _)| at);
    match page {
        Page::Latest | Page::Before(_) => &past[said.nth_back(most.max(1) - 1).unwrap_or(0)..],
        Page::After(_) | Page::Between(..) => {
            &past[..said.nth(most.max(1) - 1).map_or(past.len(), |at| at + 1)]
        }
        Page::Around(_) => past,
    }
}

/// The same of what a search found, of which the first is wanted most.
pub(super) fn first_within(found: &[Past]) -> &[Past] {
    nearest(found, 0)
}

fn nearest(past: &[Past], middle: usize) -> &[Past] {
    let mut left: usize = past.iter().map(bytes).sum();
    let (mut from, mut to) = (0, past.len());
    while left > BYTES_MAX && to - from > 1 {
        if from + to < 2 * middle {
            left -= bytes(&past[from]);
            from += 1;
        } else {
            to -= 1;
            left -= bytes(&past[to]);
        }
    }
    &past[from..to]
}

/// How long it is in a frame, about: of what is escaped there, each byte takes two or more.
fn bytes(past: &Past) -> usize {
    let text = match &past.entry.deed {
        Deed::In { act: Act::Say { body, .. } | Act::Edit { body, .. }, .. } => body.len(),
        _ => 0,
    };
    FRAME_BYTES + 2 * text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Entry, Kind, Millis, RoomId};

    /// The places 1 to 200 of a room, each with a text of so many bytes.
    fn past(body_bytes: usize) -> Vec<Past> {
        let entry = |seq| {
            let act = Act::Say { kind: Kind::Text, body: "x".repeat(body_bytes), reply: None };
            let deed = Deed::In { room: RoomId(Seq(0)), act };
            Entry { seq: Seq(seq), at: Millis(0), by: AccountId(Seq(0)), cid: None, deed }
        };
        let past = |seq| Past { entry: entry(seq), prev: Seq(0), edited: false, redacted: false };
        (1..=200).map(past).collect()
    }

    /// The first and the last place of a page.
    fn ends(body_bytes: usize, page: Page) -> (u64, u64) {
        let past = past(body_bytes);
        let within = within(&past, page);
        (within[0].entry.seq.0, within[within.len() - 1].entry.seq.0)
    }

    #[test]
    fn a_page_holds_what_is_nearest_to_where_it_was_asked_for() {
        let long = 16 << 10;
        assert_eq!(ends(100, Page::Latest), (1, 200));
        assert_eq!(ends(long, Page::Latest), (170, 200));
        assert_eq!(ends(long, Page::Before(Seq(201))), (170, 200));
        assert_eq!(ends(long, Page::After(Seq(0))), (1, 31));
        assert_eq!(ends(long, Page::Between(Seq(1), Seq(200))), (1, 31));
        assert_eq!(ends(long, Page::Around(Seq(101))), (85, 115));
        assert_eq!(ends(long, Page::Around(Seq(1))), (1, 31));
        assert_eq!(ends(long, Page::Around(Seq(900))), (170, 200));
    }

    #[test]
    fn of_many_things_that_happened_so_many_messages_are_told_with_what_lies_between() {
        // Every fifth is a message: 5, 10, … 200.
        let mut past = past(1);
        for past in past.iter_mut().filter(|past| past.entry.seq.0 % 5 != 0) {
            past.entry.deed = Deed::In { room: RoomId(Seq(0)), act: Act::Join };
        }
        let ends = |page, most| {
            let said = said(&past[..198], page, most);
            (said[0].entry.seq.0, said[said.len() - 1].entry.seq.0)
        };
        assert_eq!([0, 1, 2].map(|most| ends(Page::Latest, most).0), [195, 195, 190]);
        assert_eq!(ends(Page::Before(Seq(199)), 3), (185, 198));
        assert_eq!(ends(Page::Before(Seq(199)), usize::MAX), (1, 198));
        assert_eq!([0, 1, 2].map(|most| ends(Page::After(Seq(0)), most).1), [5, 5, 10]);
        assert_eq!(ends(Page::Between(Seq(1), Seq(198)), usize::MAX), (1, 198));
        assert_eq!(ends(Page::Around(Seq(9)), 1), (1, 198));
        assert!(said(&[], Page::Latest, 1).is_empty());
    }

    #[test]
    fn what_is_longer_than_a_page_may_be_is_told_alone() {
        assert_eq!(ends(BYTES_MAX, Page::Latest), (200, 200));
        assert_eq!(first_within(&past(BYTES_MAX)).len(), 1);
        assert_eq!(within(&[], Page::Latest).len(), 0);
    }
}
