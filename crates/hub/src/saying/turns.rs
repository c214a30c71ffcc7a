//! Whose turn it is in a dialogue, as the two are told.

use super::place;
use crate::{
    hall::Post,
    model::{AccountId, Act, Deed, Entry, RoomId, State},
    outbox::Spoken,
    protocol::{Event, Told},
};

/// What `viewer` is told of the turn in `room`; `None`, where nobody takes turns.
pub(crate) fn turn(state: &State, room: RoomId, viewer: AccountId) -> Option<Event> {
    let turn = state.room(room).dialogue?.turn()?;
    let who = state.account(turn).name.clone();
    Some(Event::Turn { room: place(state, room, Some(viewer)), who })
}

/// What the two are told of the turn that `entry` gave to one of them.
pub(crate) fn turns(state: &State, entry: &Entry) -> Vec<Post> {
    let Deed::In { room, act: Act::Say { .. } | Act::Dialogue { .. } } = entry.deed else {
        return Vec::new();
    };
    if state.room(room).dialogue.is_none() {
        return Vec::new();
    }
    let post = |who: &AccountId| {
        let spoken = Spoken::new(Told::Event(turn(state, room, *who)?));
        Some(Post::Account { who: *who, spoken, but: None })
    };
    state.room(room).members.keys().filter_map(post).collect()
}
