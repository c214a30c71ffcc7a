//! What ends being in a room.

use relais_hub::protocol::{Event, Listed, Place};

use super::place::found;

/// Whether who is called `me` is in the room no more.
pub(super) fn is_out(event: &Event, me: &str) -> bool {
    match event {
        Event::Part(at) => at.from == me,
        Event::About { what: "kick" | "ban", user, .. } => user == me,
        // It is nobody's any more.
        Event::Delete(_) => true,
        _ => false,
    }
}

/// Whether who is in `rooms` may still be `here`: of what ended that while there was no connection, the next
/// login tells.
pub(super) fn may_be_in(here: &Place, rooms: &[Listed]) -> bool {
    match here {
        Place::Room(_) => found(here, rooms).is_some(),
        Place::Person(_) => true,
    }
}
