//! Which invitations are open. The hub tells of one once, when it is made; later it is asked which rooms there
//! are, and those are among them.

use relais_hub::protocol::{Ask, Listed};

/// What is asked for them. Nobody types that: `/rooms` without a word has none at all.
pub(super) fn asked() -> Ask {
    Ask::Rooms { matching: Some(String::new()) }
}

/// Whether `ask` is that.
pub(super) fn are_asked(ask: &Ask) -> bool {
    matches!(ask, Ask::Rooms { matching: Some(word) } if word.is_empty())
}

/// Those of `rooms` that one is invited to, private or public.
pub(super) fn open(rooms: Vec<Listed>) -> impl Iterator<Item = Listed> {
    rooms.into_iter().filter(|listed| listed.invited.is_some())
}
