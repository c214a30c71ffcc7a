//! What who runs the hub has done meanwhile: at the desk, and in the model.

use super::{World, model::Model};
use crate::{
    desk::{Chore, Order},
    model::{AccountId, Act, Deed, Role, RoomId, Title},
};

/// So long that nothing is ever old.
const DAYS: u32 = 10_000;

impl World {
    /// Who runs the hub does something about a room.
    pub(super) fn look_after(&mut self) {
        let named = self.model.rooms.iter().filter_map(|(id, room)| match &room.title {
            Title::Named(name, _) => Some((*id, name.clone())),
            Title::Talk(..) => None,
        });
        let rooms: Vec<_> = named.collect();
        let people = self.model.people.iter().filter(|(_, person)| person.gone.is_none());
        let people: Vec<_> = people.map(|(who, person)| (*who, person.name.clone())).collect();
        if rooms.is_empty() || people.is_empty() {
            return;
        }
        let (id, room) = self.dice.pick(&rooms).clone();
        let chore = if self.dice.is_one_in(2) {
            let days = self.dice.is_one_in(2).then_some(DAYS);
            self.model.keep_up_with(id, Act::Retain { days });
            Chore::Retain { room, days }
        } else {
            let (who, user) = self.dice.pick(&people).clone();
            self.model.own(id, who);
            Chore::Own { room, user }
        };
        self.note(format!("who runs the hub has done {chore:?}"));
        let (done, _) = tokio::sync::oneshot::channel();
        self.stand.desk().obey(Order::Run { chore, done });
    }
}

impl Model {
    fn keep_up_with(&mut self, room: RoomId, act: Act) {
        self.write(AccountId::HUB, None, Deed::In { room, act }).unwrap();
    }

    fn own(&mut self, id: RoomId, who: AccountId) {
        if self.rooms[&id].banned.contains_key(&who) {
            self.keep_up_with(id, Act::Unban { who });
        }
        if !self.rooms[&id].members.contains_key(&who) {
            self.write(who, None, Deed::In { room: id, act: Act::Join }).unwrap();
        }
        self.keep_up_with(id, Act::Role { who, role: Role::Owner });
    }
}
