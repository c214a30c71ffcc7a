//! Where something is said, as scripts name it.

use relais_hub::{
    Lang,
    protocol::{Listed, Place},
};

use super::phrases::{CREATE_IT, IS_IT, NO_ROOM, OUT_OF, THERE_ARE};
use crate::{
    complaint::{Complaint, Wrong, near},
    stop::Stop,
    visible::Escaped,
};

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

/// Says that who was in `room` is in it no more.
pub(super) fn out_of(room: &Place, lang: Lang) -> Stop {
    let what = format!("{} {:?}", OUT_OF.of(lang), room.to_string());
    Stop::Refused(vec![Complaint::of_nothing_said(Wrong { what, expected: None, hint: None })])
}

/// How many rooms are named to who seeks another.
const NAMED_MAX: usize = 5;

/// Says that there is no `room` among `rooms`, which is like it, and how it comes to be.
pub(super) fn no_room(room: &Place, rooms: &[String], lang: Lang) -> Stop {
    let clean = |name: &str| Escaped(name.as_bytes()).to_string();
    let sought = room.to_string();
    let what = format!("{} {:?}", NO_ROOM.of(lang), sought);
    let named = rooms.iter().filter(|name| name.starts_with('#')).map(String::as_str);
    let first: Vec<_> = named.clone().take(NAMED_MAX).map(clean).collect();
    let there = match near(&sought, named) {
        Some(like) => format!("{} `{}`? ", IS_IT.of(lang), clean(like)),
        None if first.is_empty() => String::new(),
        None => format!("{} {}; ", THERE_ARE.of(lang), first.join(", ")),
    };
    let hint = format!("{there}{}", CREATE_IT.of(lang));
    let wrong = Wrong { what, expected: None, hint: Some(hint) };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_is_not_there_is_told_with_those_that_are_like_it() {
        let check = |rooms: &[&str], expect: &str| {
            let rooms: Vec<_> = rooms.iter().map(|&room| room.to_owned()).collect();
            let Stop::Refused(complaints) = no_room(&place("genral"), &rooms, Lang::En) else {
                panic!("it is no refusal")
            };
            let told = complaints[0].to_string();
            assert_eq!(told, format!("error: there is no room called \"#genral\"\nhint: {expect}"));
        };
        check(&["#lab", "#general"], "did you mean `#general`? `--create` makes it");
        check(&["#x\u{1b}", "@genral"], "there are #x\\u{1b}; `--create` makes it");
        check(&[], "`--create` makes it");
    }

    #[test]
    fn a_place_is_named_with_its_sign_or_is_a_room() {
        for (name, expect) in [("lab", "#lab"), ("#lab", "#lab"), ("@bob", "@bob")] {
            assert_eq!(place(name).to_string(), expect);
        }
    }
}
