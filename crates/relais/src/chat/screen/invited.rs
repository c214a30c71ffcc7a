//! Invitations to rooms: they stand in the list until one comes in.

use relais_hub::protocol::{Ask, Event, Listed, Where};

use super::{
    model::Model,
    room::{Room, Standing},
    text,
};
use crate::chat::{invitations, phrases::INVITED_TO};

impl Model {
    /// Asks the hub which rooms there are, to find those that one is invited to.
    pub(super) fn ask_invitations(&mut self, hub: usize) {
        self.ask(hub, invitations::asked());
    }

    /// Takes in which there are.
    pub(super) fn heard_invitations(&mut self, hub: usize, listed: Vec<Listed>) {
        let of_hub = &mut self.hubs[hub];
        of_hub.keep_invitations(|room| {
            listed.iter().any(|one| one.room == *room && one.invited.is_some())
        });
        let mut places = Vec::new();
        for listed in invitations::open(listed) {
            if of_hub.has_place_for(&listed.room) {
                places.push(text::line(&listed.room.to_string()));
                of_hub.room_to(&listed.room.clone()).list(listed);
            }
        }
        if !places.is_empty() {
            self.tell_briefly(format!("{} {}", self.word(INVITED_TO), places.join(", ")));
        }
    }

    /// Somebody is invited. Whether that is who looks, who may come in now.
    pub(super) fn heard_invitation(&mut self, hub: usize, (event, at): (&Event, &Where)) -> bool {
        let Event::About { what: "invite", user, .. } = event else { return false };
        let is_in = |room: &Room| room.standing == Standing::In;
        if *user != self.hubs[hub].me || self.hubs[hub].room(&at.room).is_some_and(is_in) {
            return false;
        }
        self.hubs[hub].room_to(&at.room).standing = Standing::Invited;
        let note = self.in_words(hub, event, None);
        self.alert(text::line(&at.from), note.clone());
        self.tell(note);
        true
    }

    /// Whether one is in the room that is shown, and not only invited.
    pub(super) fn is_in(&self) -> bool {
        self.room().is_some_and(|room| room.standing == Standing::In)
    }

    /// Comes into the room that is shown, if one is invited.
    pub(super) fn accept(&mut self) {
        if let Some(here) = self.here.clone().filter(|_| !self.is_in()) {
            self.ask(here.hub, Ask::Join { room: here.place });
        }
    }
}
