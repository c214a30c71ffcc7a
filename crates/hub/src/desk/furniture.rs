//! What a desk is made of, and how it begins.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::SystemTime,
};

use tokio::time::Instant;

use super::{
    Before, Desk, Devices, clock::Clock, mending::Mending, pace::Pace, trouble::Trouble,
    undoing::Ground, upkeep::Upkeep,
};
use crate::{
    archive::Reader,
    counts::{Counts, Fresh},
    hall::Group,
    limits::Limits,
    model::{Millis, State},
    names::Names,
    store::Store,
};

/// What a desk is made of.
#[derive(Debug)]
pub(crate) struct Furniture {
    pub(crate) state: State,
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) names: Arc<Names>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: fn() -> SystemTime,
    /// What is known of the clock.
    pub(crate) before: Before,
    /// What is owed to the store of devices.
    pub(crate) devices: Devices,
    pub(crate) counts: Arc<Counts>,
}

impl Desk {
    pub(crate) fn new(furniture: Furniture) -> Self {
        let Furniture { state, store, reader, names, limits, clock, before, devices, counts } =
            furniture;
        let pace = Pace::new(limits.burst, limits.messages_a_second);
        let lookups = Pace::new(limits.lookups, limits.lookups_a_second);
        Self {
            state,
            store,
            limits,
            clock,
            reader,
            halls: Vec::new(),
            pace,
            lookups,
            names,
            online: HashMap::new(),
            clients: HashMap::new(),
            moved: HashMap::new(),
            away: HashMap::new(),
            entered: Vec::new(),
            ran: Vec::new(),
            orders: VecDeque::new(),
            dismissed: Vec::new(),
            certain: Vec::new(),
            looks: Vec::new(),
            jobs: Vec::new(),
            last_at: Millis::default(),
            time: Clock::after(before, Instant::now()),
            mending: Mending::default(),
            upkeep: Upkeep::default(),
            devices,
            trouble: Trouble::default(),
            posts: Group::new(),
            asked: Vec::new(),
            is_writing: false,
            ground: Ground::default(),
            counts,
            fresh: Fresh::default(),
            done: 0,
        }
    }
}
