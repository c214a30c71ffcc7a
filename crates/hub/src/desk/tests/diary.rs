//! What one client was told, held against what the protocol promises, and nothing else.

use std::collections::{HashMap, HashSet};

use crate::{
    model::{Cid, Seq},
    protocol::{Answer, Event, Place, Told},
};

/// Up to where a client knows each room. Of the others it does not know where it is.
#[derive(Default)]
pub(super) struct Diary {
    known: HashMap<Place, Seq>,
    /// What it heard of, by what its own devices call that.
    cids: HashSet<(Place, Cid)>,
}

impl Diary {
    /// Hears something, as who is called `name`.
    pub(super) fn hear(&mut self, told: &Told, name: Option<&str>) {
        match told {
            Told::Answer { answer: Ok(Answer::LoggedIn { rooms, .. }), .. } => {
                self.known = rooms.iter().map(|room| (room.room.clone(), room.last)).collect();
                // It may be somebody else now.
                self.cids.clear();
            }
            Told::Event(event) => self.follow(event, name),
            Told::Answer { .. } => {}
        }
    }

    fn follow(&mut self, event: &Event, name: Option<&str>) {
        let Some(at) = event.at() else { return };
        let known = self.known.get(&at.room).copied();
        match known {
            // What was missed is told again; it is no news.
            Some(known) if at.seq <= known => return,
            Some(known) => {
                assert_eq!(at.prev, known, "a hole before {event:?}");
            }
            None if matches!(event, Event::Join(_) | Event::Create(_)) => {}
            // Nor of those that are called otherwise since: what is no news there it cannot tell.
            None => return,
        }
        let is_own = |who: &str| Some(who) == name;
        let leaves = match event {
            Event::Part(at) => is_own(&at.from),
            Event::About { what, user, .. } => ["kick", "ban"].contains(what) && is_own(user),
            // Of a room that one is not in, one hears nothing more.
            _ => false,
        };
        if leaves {
            self.known.remove(&at.room);
        } else {
            self.known.insert(at.room.clone(), at.seq);
        }
        if let Some(cid) = &at.cid {
            let is_new = self.cids.insert((at.room.clone(), cid.clone()));
            assert!(is_new, "{cid:?} was told twice as news: {event:?}");
        }
    }
}

/// All of a room's log, from its beginning.
pub(super) fn check_log(events: &[Event]) {
    let (mut last, mut cids) = (Seq(0), HashSet::new());
    for event in events {
        let at = event.at().expect("an entry of the log");
        assert_eq!(at.prev, last, "a hole before {event:?}");
        assert!(at.seq > last, "out of order: {event:?}");
        last = at.seq;
        if let Some(cid) = &at.cid {
            assert!(cids.insert(cid.clone()), "{cid:?} is there twice");
        }
    }
}
