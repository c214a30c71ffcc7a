//! Which invitations are open. The hub tells of one once, when it is made; later it is asked which rooms there
//! are, and those are among them.

use relais_hub::{
    model::Access,
    protocol::{Ask, Listed, Place},
};

/// What is asked for them. Nobody types that: `/rooms` without a word has none at all.
pub(super) fn asked() -> Ask {
    Ask::Rooms { matching: Some(String::new()) }
}

/// Whether `ask` is that.
pub(super) fn are_asked(ask: &Ask) -> bool {
    matches!(ask, Ask::Rooms { matching: Some(word) } if word.is_empty())
}

/// Those of `rooms` that one is invited to: who may know of a private room and is not in it is.
pub(super) fn open(rooms: Vec<Listed>) -> impl Iterator<Item = Listed> {
    let is_open = |listed: &Listed| {
        let Listed { room, access, mine, .. } = listed;
        matches!(room, Place::Room(_)) && *access == Access::Private && mine.is_none()
    };
    rooms.into_iter().filter(is_open)
}
