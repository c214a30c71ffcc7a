//! Which part of a room's log is here, and which is asked for next.

use relais_hub::{
    model::Seq,
    protocol::{Event, Page},
};

use super::room::{Before, Behind, Room};

impl Room {
    /// Where the first of it stands that the hub told.
    pub(super) fn first(&self) -> Option<Seq> {
        let item = self.items.keys().map(|(seq, _)| *seq).find(|seq| *seq > Seq::default());
        item.into_iter().chain(self.told.map(|(first, _)| first)).min()
    }

    /// Where the last of it stands that the hub told.
    pub(super) fn end(&self) -> Option<Seq> {
        let item = self.last().map(|(seq, _)| seq);
        item.into_iter().chain(self.told.map(|(_, last)| last)).max()
    }

    /// Notes how far a page goes.
    pub(super) fn reach(&mut self, events: &[Event]) {
        for seq in events.iter().filter_map(|event| Some(event.at()?.seq)) {
            let (first, last) = self.told.unwrap_or((seq, seq));
            self.told = Some((first.min(seq), last.max(seq)));
        }
    }

    /// The page that is before all that is here, if one may be asked for.
    pub(super) fn page_before(&self) -> Option<Page> {
        match self.before {
            Before::Unknown => Some(Page::Latest),
            Before::More => self.first().map(Page::Before),
            Before::Asked | Before::Nothing => None,
        }
    }

    /// The page that goes on from this one.
    pub(super) fn page_beyond(&self, page: Page) -> Option<Page> {
        match page {
            Page::Latest | Page::Before(_) => self.page_before(),
            Page::After(_) => self.end().map(Page::After),
            Page::Around(_) | Page::Between(..) => None,
        }
    }

    /// A page that was asked for does not come: it may be asked for again.
    pub(super) fn be_refused(&mut self) {
        if self.first().is_none() {
            (self.before, self.behind) = (Before::Unknown, Behind::Nothing);
            return;
        }
        if self.before == Before::Asked {
            self.before = Before::More;
        }
        if self.behind == Behind::Asked {
            self.behind = Behind::More;
        }
    }
}
