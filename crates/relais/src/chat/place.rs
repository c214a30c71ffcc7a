//! Where something is said, as scripts name it.

use relais_hub::protocol::{Listed, Place};

/// The place that `name` means: a room with its `#` or without, or somebody with `@`.
pub(super) fn place(name: &str) -> Place {
    Place::read(name).unwrap_or_else(|| Place::Room(format!("#{name}")))
}

/// The same as the hub calls it, if it is one of `rooms`.
pub(super) fn found(place: &Place, rooms: &[Listed]) -> Option<Place> {
    let name = place.to_string().to_lowercase();
    let mut places = rooms.iter().map(|listed| &listed.room);
    places.find(|room| room.to_string().to_lowercase() == name).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_with_its_sign_or_is_a_room() {
        for (name, expect) in [("lab", "#lab"), ("#lab", "#lab"), ("@bob", "@bob")] {
            assert_eq!(place(name).to_string(), expect);
        }
    }
}
