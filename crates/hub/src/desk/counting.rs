//! Rooms in lists, and how much of each was not read: counted where nobody waits for it.

use super::{Desk, order::Asked};
use crate::{
    archive::{Query, Uncounted},
    hall::Post,
    model::{AccountId, RoomId},
    protocol::{Answer, Listed},
};

impl Desk {
    /// Answers with `listing` of what `rooms` are listed as. Gives the answer if there is nothing to count
    /// in any of them; else who reads the log tells it, and the client hears nothing before that, if it
    /// came in by it.
    ///
    /// *Cost*: that of all rooms, but for the disk.
    pub(super) fn list(
        &mut self,
        (client, re): Asked,
        by: AccountId,
        rooms: &[RoomId],
        listing: impl FnOnce(Vec<Listed>) -> Answer,
    ) -> Option<Answer> {
        let listed: Vec<_> = rooms.iter().map(|room| self.listed(*room, by)).collect();
        let news = rooms.iter().zip(&listed).enumerate().filter_map(|(at, (room, listed))| {
            let (read, _) = listed.mine?;
            let noticed = self.noticed(*room, by);
            (listed.last > read).then_some(Uncounted { at, room: *room, read, noticed })
        });
        let news: Vec<_> = news.collect();
        let answer = listing(listed);
        if news.is_empty() {
            return Some(answer);
        }
        let query = Query::Counted { answer, rooms: news, upto: self.state.last };
        if query.holds() {
            self.posts.push(Post::Hold(client));
        }
        self.read_later((client, re), by, query);
        None
    }
}
