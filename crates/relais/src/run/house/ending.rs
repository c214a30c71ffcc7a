//! How a house ends: nobody comes in, those inside finish or are cut off, and the logs are written.

use std::time::Duration;

use relais_net::Drained;
use tokio::task::JoinSet;
use tracing::warn;

use super::House;
use crate::{leaving::Leaving, listen::Unprinted};

impl House {
    /// Lets nobody in any more, and gives what waits for those inside, for as long as they may
    /// take. To be called on a runtime.
    pub(crate) fn finish(&mut self) -> impl Future<Output = Drained> + use<> {
        let grace = self.grace();
        let open = std::mem::take(&mut self.entrances).into_iter().map(|each| each.shutdown);
        let all = open.chain(std::mem::take(&mut self.leaving));
        let all: JoinSet<_> = all.map(|shutdown| shutdown.finish(grace)).collect();
        async {
            let drained = all.join_all().await;
            if drained.contains(&Drained::TimedOut) { Drained::TimedOut } else { Drained::InTime }
        }
    }

    /// Waits until all that callers of dialogues said is printed, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// If nobody does, and some of it was to be whole.
    pub(crate) async fn printed(&self) -> Result<(), Unprinted> {
        self.lasting.services.printed().await
    }

    /// Ends whoever is inside, within `patience`. Blocks; nobody is served after that.
    pub(crate) fn cut_off(&self, patience: Duration) {
        if self.cores.end(patience) == Drained::TimedOut {
            warn!("some who were inside are not in the logs: they did not leave in time");
        }
    }

    /// What waits until all logs are written that there are now, and what caches have on disk, but not longer
    /// than it is told. Blocks. It keeps all that outlives a reload, and is not to be kept itself beyond the next.
    pub(in crate::run) fn logs(&self) -> impl FnOnce(Leaving) + Send + use<> {
        let (sites, services) = (self.lasting.sites.clone(), self.lasting.services.clone());
        move |leaving| {
            sites.close_logs(leaving);
            services.close_logs(leaving.logs);
        }
    }
}
