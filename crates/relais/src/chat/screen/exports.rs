//! `/export` at the screen: one at a time, whichever hub it is of.

use relais_hub::protocol::{Answer, Refusal};

use super::shell::Shell;
use crate::chat::exporting::{Exported, Exporting};

impl Shell {
    /// Begins to write an export.
    pub(super) fn export(&mut self, hub: usize, path: &str) {
        let under_way = self.export.as_ref().map(|(_, export)| export);
        match Exporting::begin(path, under_way, self.model.lang) {
            Ok((export, ask)) => {
                self.export = Some((hub, export));
                // A hub that is over is asked nothing.
                _ = self.asks[hub].send(ask);
            }
            Err(why) => self.model.wrong(why),
        }
    }

    /// Goes on to write one.
    pub(super) fn go_on_exporting(&mut self, answer: Result<Answer, Refusal>) {
        let Some((hub, export)) = self.export.take() else { return };
        match export.take(answer, self.model.lang) {
            Exported::More(export, ask) => {
                self.export = Some((hub, export));
                _ = self.asks[hub].send(ask);
            }
            Exported::Whole(told) => self.model.tell_briefly(told),
            Exported::Not(why) => self.model.wrong(why),
        }
    }
}
