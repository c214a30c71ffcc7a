//! What becomes of what is shown where the log of a hub was set back.

use relais_hub::protocol::{Event, Page};

use super::{model::Model, room::Behind};

impl Model {
    /// Forgets what was said, as it may be in the log no more, and asks anew for what is looked at.
    pub(super) fn begin_anew(&mut self, hub: usize, rewound: &Event) {
        let why = self.in_words(hub, rewound, None);
        let known = &mut self.hubs[hub];
        for room in &mut known.rooms {
            room.empty(Behind::Nothing);
            room.marker = None;
        }
        // What was written down there, nobody is told of any more.
        known.pending.retain(|pending| pending.seq.is_none());
        if self.here.as_ref().is_some_and(|here| here.hub == hub) {
            self.ask_page(Page::Latest);
        }
        self.wrong(why);
    }
}
