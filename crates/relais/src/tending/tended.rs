//! A hub that is looked after, and where it is.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use relais_hub::Hub;

use crate::control::HubAt;

/// A hub that is looked after.
#[derive(Clone, Debug)]
pub(crate) struct Tended {
    /// Its name.
    pub(crate) name: String,
    /// At which ports it listens.
    pub(crate) ports: Vec<u16>,
    /// Where it keeps all.
    pub(crate) store: PathBuf,
    /// Whether who asks may not have the first account, and nobody has one.
    pub(crate) waits_for_its_first: bool,
    pub(crate) hub: Hub,
}

impl Tended {
    /// The one whose store is in `file`, that does not run.
    pub(super) fn at_rest(hub: Hub, file: &Path) -> Arc<Self> {
        let (name, store) = (file.display().to_string(), file.to_owned());
        Arc::new(Self { name, ports: Vec::new(), store, waits_for_its_first: false, hub })
    }

    /// As those are told who look for one.
    pub(crate) fn told(&self) -> HubAt {
        let store = self.store.display().to_string();
        HubAt { name: self.name.clone(), ports: self.ports.clone(), store }
    }
}
