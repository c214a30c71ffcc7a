//! SQLite's log emptied at once, for what was taken out and is in it yet.

use std::time::Duration;

use super::{
    broken::Broken,
    file,
    said::More,
    wiping::Wiped,
    writer::{Store, Traces},
};

impl Store {
    /// Empties SQLite's log as [`Self::checkpoint`] does, if something that was taken out may be in it, but
    /// waits for nobody: says whether somebody reads from it, so that this is to be asked again. Where those read
    /// by [archives](Self::archive), they are to pause for it meanwhile.
    ///
    /// *Cost*: some ten milliseconds, for which the next group waits; nothing, where nothing was taken out.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn wipe(&mut self) -> Result<More, Broken> {
        match (self.wiping.state(), self.traces) {
            (_, Traces::None) | (Wiped::All, Traces::Going) => {
                self.traces = Traces::None;
                return Ok(More::No);
            }
            (Wiped::Some, _) => return Ok(More::Yes),
            _ => {}
        }
        match file::empty(&mut self.conn, (&self.file, &self.gate), Duration::ZERO) {
            Ok(()) => self.traces = Traces::None,
            Err(Broken::Locked { .. }) => {
                if self.gate.is_used() {
                    self.traces = Traces::Going;
                    self.wiping.begin(&self.file, &self.place);
                }
                return Ok(More::Yes);
            }
            Err(error) => return Err(error),
        }
        Ok(More::No)
    }

    /// Empties SQLite's log beside the file into the file: what was taken out is in no file after that.
    /// Blocks while others read from it, up to some seconds.
    ///
    /// # Errors
    ///
    /// [`Broken::Locked`], if somebody read from it for longer: then some of it may be there yet. Else the
    /// disk's.
    pub fn checkpoint(&mut self) -> Result<(), Broken> {
        file::empty(&mut self.conn, (&self.file, &self.gate), file::PATIENCE)
    }
}
