//! How rooms, and what somebody wants to notice, are told in lists.

use super::Desk;
use crate::{
    model::{AccountId, Dialogue, Level, Quiet, RoomId, Title, Wishes},
    protocol::{Ask, Held, Listed, Place},
    saying,
};

/// How far what was not read is counted.
const UNREAD_MAX: u64 = 200;

impl Desk {
    /// Where who asks is to speak from here on, if it asks for that.
    pub(super) fn entered(&self, by: AccountId, ask: &Ask) -> Option<RoomId> {
        match ask {
            Ask::Join { room } => self.judge(by).inside(room).ok(),
            Ask::Create { room, .. } => self.state.room_named(room),
            Ask::Dialogue { with, mode: Some(_) } => {
                self.judge(by).inside(&Place::Person(with.clone())).ok()
            }
            _ => None,
        }
    }

    /// How much of `unread` is for `who`.
    fn mentions(&self, (id, who): (RoomId, AccountId), unread: u64) -> u64 {
        let room = self.state.room(id);
        let Some(member) = room.members.get(&who).filter(|_| unread > 0) else { return 0 };
        match room.title {
            _ if member.level == Level::Nothing => 0,
            Title::Talk(..) => unread,
            Title::Named(..) => {
                let marked = self.archive.marked(id, (who, member.read), UNREAD_MAX);
                marked.unwrap_or(0)
            }
        }
    }

    /// What `who` wants to notice, as it is told: what is over is not.
    pub(super) fn wishes(&self, who: AccountId) -> Wishes {
        let Wishes { words, quiet } = self.state.account(who).wishes.clone();
        let quiet = if quiet.holds(self.now()) { quiet } else { Quiet::Off };
        Wishes { words, quiet }
    }

    fn held(&self, dialogue: Dialogue) -> Held {
        let name = |who| self.state.account(who).name.clone();
        Held { mode: dialogue.mode(), turn: dialogue.turn().map(name) }
    }

    /// How `who` is told of a room in a list.
    pub(super) fn listed(&self, id: RoomId, who: AccountId) -> Listed {
        let room = self.state.room(id);
        let member = room.members.get(&who);
        let read = member.map(|member| member.read);
        let unread = read.and_then(|read| self.archive.unread(id, (who, read), UNREAD_MAX).ok());
        let unread = unread.unwrap_or(0);
        Listed {
            room: saying::place(&self.state, id, Some(who)),
            topic: room.topic.clone(),
            access: room.access(),
            last: room.last,
            mine: member.map(|member| (member.read, member.role)),
            unread,
            mentions: self.mentions((id, who), unread),
            level: member.map(|member| member.level).unwrap_or_default(),
            members: room.members.len(),
            dialogue: room.dialogue.map(|held| self.held(held)),
        }
    }
}
