//! What ends being in a room.

use relais_hub::protocol::Event;

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
