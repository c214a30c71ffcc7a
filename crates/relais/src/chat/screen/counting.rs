//! How much of a room is unread, where it was read elsewhere: not all that the hub counted need be here.

use relais_hub::model::{Level, Seq};

use super::{
    item::Said,
    room::{Behind, Room},
};

impl Room {
    /// It was read up to `last` by `me`, on another device.
    pub(super) fn be_read(&mut self, last: Seq, me: &str) {
        let before = self.read;
        if last <= before {
            return;
        }
        self.read = last;
        let end = self.end().unwrap_or_default();
        let begins_before = self.first().is_some_and(|first| first.0 <= last.0.saturating_add(1));
        let is_whole = self.behind == Behind::Nothing && end >= self.counted && begins_before;
        if last >= end.max(self.counted) || is_whole {
            (self.unread, self.mentions) = self.count((last, Seq(u64::MAX)), me);
        } else {
            let (unread, mentions) = self.count((before, last), me);
            self.unread = self.unread.saturating_sub(unread);
            self.mentions = self.mentions.saturating_sub(mentions);
        }
    }

    /// How much others than `me` said behind an entry, and up to another, of what is here, and how much of
    /// that is for `me`.
    fn count(&self, (after, upto): (Seq, Seq), me: &str) -> (u64, u64) {
        let is_between = |seq| seq > after && seq <= upto;
        let is_for_me =
            |said: &Said| self.level != Level::Nothing && (said.mention || self.is_talk());
        let said = self.all_said().filter(|(seq, said)| is_between(*seq) && said.from != me);
        said.fold((0, 0), |(all, mine), (_, said)| (all + 1, mine + u64::from(is_for_me(said))))
    }
}
