//! Rooms in lists, and how much of each was not read: counted where nobody waits for it.

use super::Desk;
use crate::{
    archive::Wanted,
    hall::{ClientId, Post},
    model::{AccountId, RoomId},
    protocol::{Answer, Listed},
    saying,
};

impl Desk {
    /// How `who` is told of a room in a list, but for how much it has not read, which is nothing yet.
    pub(super) fn listed(&self, id: RoomId, who: AccountId) -> Listed {
        let room = self.state.room(id);
        let member = room.members.get(&who);
        Listed {
            room: saying::place(&self.state, id, Some(who)),
            topic: room.topic.clone(),
            access: room.access(),
            last: room.last,
            mine: member.map(|member| (member.read, member.role)),
            unread: 0,
            members: room.members.len(),
        }
    }

    /// Answers with `listing` of what `rooms` are listed as. Gives the answer if there is nothing to count
    /// in any of them; else who reads the log tells it, and the client hears nothing before that, if it
    /// came in by it.
    ///
    /// *Cost*: that of all rooms, but for the disk.
    pub(super) fn list(
        &mut self,
        (client, re): (ClientId, Option<u64>),
        by: AccountId,
        rooms: &[RoomId],
        listing: impl FnOnce(Vec<Listed>) -> Answer,
    ) -> Option<Answer> {
        let listed: Vec<_> = rooms.iter().map(|room| self.listed(*room, by)).collect();
        let news = rooms.iter().zip(&listed).enumerate().filter_map(|(at, (room, listed))| {
            let (read, _) = listed.mine?;
            (listed.last > read).then_some((at, *room, read))
        });
        let news: Vec<_> = news.collect();
        let answer = listing(listed);
        if news.is_empty() {
            return Some(answer);
        }
        let wanted = Wanted::Counted { answer, rooms: news, upto: self.state.last };
        if wanted.holds() {
            self.posts.push(Post::Hold(client));
        }
        self.read_later((client, re), by, wanted);
        None
    }
}
