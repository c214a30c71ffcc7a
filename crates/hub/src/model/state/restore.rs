//! A state made of what the log came to, without the log.

use std::collections::HashSet;

use super::{Account, Member, Room, State, Title, in_order};
use crate::{
    model::{
        numbers::{AccountId, RoomId, Seq},
        wish::Level,
    },
    name::Skeleton,
};

impl State {
    /// What `accounts`, of which `admins` administer, and `rooms` come to, after the `last` entry: what [applying](Self::apply) the
    /// log gives. Who is in what is taken from the rooms.
    ///
    /// # Panics
    ///
    /// If somebody who is no account is in a room.
    pub fn restore(
        accounts: impl IntoIterator<Item = (AccountId, Account)>,
        admins: impl IntoIterator<Item = AccountId>,
        rooms: impl IntoIterator<Item = (RoomId, Room)>,
        last: Seq,
    ) -> Self {
        let admins = admins.into_iter().collect();
        let mut state = Self { last, admins, ..Self::default() };
        for (id, account) in accounts {
            match &account.gone {
                None => state.name_account(&account.name, id),
                Some(gone) => _ = state.looks.entry(Skeleton::of(&gone.name)).or_insert(id),
            }
            state.listen(id, &account.wishes.words);
            state.accounts.insert(id, Account { rooms: HashSet::new(), ..account });
        }
        for (id, mut room) in rooms {
            match &room.title {
                Title::Named(name, _) => state.name_room(name, id),
                Title::Talk(one, other) => {
                    state.talks.insert(in_order(*one, *other), id);
                }
            }
            let is_keen = |(_, member): &(_, &Member)| member.level == Level::All;
            room.keen = room.members.iter().filter(is_keen).map(|(who, _)| *who).collect();
            for who in room.members.keys() {
                state.accounts.get_mut(who).expect("an account that was made").rooms.insert(id);
            }
            state.rooms.insert(id, room);
        }
        state
    }
}
