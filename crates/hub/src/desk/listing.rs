//! How rooms, and what somebody wants to notice, are told in lists.

use std::{cmp::Reverse, collections::HashSet};

use super::Desk;
use crate::{
    archive::Noticed,
    model::{AccountId, Dialogue, Invited, Level, Quiet, RoomId, Title, Wishes},
    protocol::{Answer, Ask, Held, InvitedBy, Listed, Place, Refusal},
    saying,
};

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

    /// Leaves the talks out of `rooms` in which nothing happened for longest, where there are more than are
    /// listed: how many others begin, the account has no say in.
    pub(super) fn leave_out_old_talks(&self, rooms: &mut Vec<RoomId>) {
        let is_talk = |room: &RoomId| matches!(self.state.room(*room).title, Title::Talk(..));
        let mut talks: Vec<_> = rooms.iter().copied().filter(is_talk).collect();
        if talks.len() <= self.limits.talks_listed_max {
            return;
        }
        talks.sort_unstable_by_key(|room| Reverse(self.state.room(*room).last));
        let old: HashSet<_> = talks.into_iter().skip(self.limits.talks_listed_max).collect();
        rooms.retain(|room| !old.contains(room));
    }

    /// What of what `who` has not read in a room it is to notice.
    pub(super) fn noticed(&self, id: RoomId, who: AccountId) -> Noticed {
        let room = self.state.room(id);
        match (room.members.get(&who), &room.title) {
            (None, _) => Noticed::Nothing,
            (Some(member), _) if member.level == Level::Nothing => Noticed::Nothing,
            (Some(_), Title::Talk(..)) => Noticed::All,
            (Some(_), Title::Named(..)) => Noticed::Marked,
        }
    }

    /// What `who` wants to notice, as it is told: what is over is not.
    pub(super) fn wishes(&self, who: AccountId) -> Wishes {
        let Wishes { words, quiet } = self.state.account(who).wishes.clone();
        let quiet = if quiet.holds(self.now()) { quiet } else { Quiet::Off };
        Wishes { words, quiet }
    }

    /// Tells `who` what it wants to notice, and how much of `room`, if one is named.
    pub(super) fn tell_wishes(
        &self,
        who: AccountId,
        room: Option<&Place>,
    ) -> Result<Answer, Refusal> {
        let id = room.map(|room| self.judge(who).inside(room)).transpose()?;
        let level = id.map(|id| {
            let Listed { room, level, .. } = self.listed(id, who);
            (room, level)
        });
        Ok(Answer::Wishes { wishes: self.wishes(who), level })
    }

    fn held(&self, dialogue: Dialogue) -> Held {
        let name = |who| self.state.account(who).name.clone();
        Held { mode: dialogue.mode(), turn: dialogue.turn().map(name) }
    }

    fn invited_by(&self, Invited { by, at }: Invited) -> InvitedBy {
        InvitedBy { by: self.state.name(by).to_owned(), at }
    }

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
            mentions: 0,
            level: member.map(|member| member.level).unwrap_or_default(),
            members: room.members.len(),
            slow: member.map_or(0, |_| room.slow_seconds),
            dialogue: room.dialogue.map(|held| self.held(held)),
            invited: room.invited.get(&who).map(|invited| self.invited_by(*invited)),
        }
    }
}
