//! `--cache` and the flags beside it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{cache_choices::Abandoned, cache_table::Table, purge};
use crate::spelling::{Size, Time};

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Cache")]
pub(crate) struct Flags {
    /// Keep answers in memory for who asks next, as far as they may be; each flag below means it, too
    #[arg(long)]
    cache: bool,
    /// How long an answer is fresh that says nothing, not even when it was changed [default: 1m]
    #[arg(long, value_name = "TIME")]
    cache_ttl: Option<Time>,
    /// How much is kept [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    cache_memory: Option<Size>,
    /// Keep answers in this folder as well: it holds more, and outlives a restart
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    cache_disk: Option<PathBuf>,
    /// How much that folder may hold [default: 10GiB]
    #[arg(long, value_name = "SIZE", requires = "cache_disk")]
    cache_disk_max: Option<Size>,
    /// How large an answer may be that is kept [default: 8MiB; with a folder 1GiB]
    #[arg(long, value_name = "SIZE")]
    cache_object_max: Option<Size>,
    /// How long an answer may be sent that is too old and says nothing about that, while it is asked
    /// for again [default: 0s]
    #[arg(long, value_name = "TIME")]
    cache_grace: Option<Time>,
    /// How long it is kept that there is nothing (404, 410, ...) or that the server fails (5xx), if it
    /// does not say [default: as other answers, and not at all]
    #[arg(long, value_name = "TIME")]
    cache_negative_ttl: Option<Time>,
    /// How long a client waits for what another asked for already [default: 30s]
    #[arg(long, value_name = "TIME")]
    cache_wait_max: Option<Time>,
    /// How many clients wait so at once; with 0 each makes a request of its own [default: 65536]
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    cache_waiting_max: Option<u32>,
    /// What becomes of what is fetched when the last client has left: it ends, or is finished and
    /// kept [default: end]
    #[arg(long, value_name = "WAY")]
    cache_abandoned: Option<Abandoned>,
    #[command(flatten)]
    purge: purge::Flags,
}

fn count(text: &str) -> Result<u32, String> {
    let expected = format!("a number from 0 to {}", u32::MAX);
    text.parse().map_err(|_| format!("bad number {text:?}: expected {expected}"))
}

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Option<Table> {
        let table = Table {
            default_ttl: self.cache_ttl,
            memory: self.cache_memory,
            disk: self.cache_disk,
            disk_max: self.cache_disk_max,
            object_max: self.cache_object_max,
            grace: self.cache_grace,
            negative_ttl: self.cache_negative_ttl,
            wait_max: self.cache_wait_max,
            waiting_max: self.cache_waiting_max,
            abandoned: self.cache_abandoned,
            purge: self.purge.table(),
            ..Table::default()
        };
        (self.cache || table != Table::default()).then_some(table)
    }
}
