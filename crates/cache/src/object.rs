//! What a list of what is stored has.

use std::sync::Arc;

use crate::{key::Key, stored::Stored};

/// Something that is stored.
#[derive(Clone, Debug)]
pub struct Object {
    /// Under what.
    pub key: Key,
    /// The response; its body only if it is in memory.
    pub stored: Arc<Stored>,
    /// How many bytes of its body are stored.
    pub bytes: u64,
    /// Where it is found.
    pub tier: Tier,
}

/// Where something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// In memory, and maybe on disk, too.
    Memory,
    /// On disk alone.
    Disk,
}

impl Object {
    pub(crate) fn in_memory(key: Key, stored: Arc<Stored>) -> Self {
        Self { bytes: stored.bytes(), key, stored, tier: Tier::Memory }
    }

    pub(crate) fn on_disk(key: Key, stored: Arc<Stored>, bytes: u64) -> Self {
        Self { key, stored, bytes, tier: Tier::Disk }
    }
}
