//! `limits.rate_up`, `limits.rate_down` and `impair = { delay, … }`: what is done to bytes and
//! datagrams besides passing them on.

use std::time::Duration;

use clap::Args;
use relais_relay::{Cuts, Noise, datagrams::Losses};
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Delay, Share, Size, Time},
};

/// `impair`, word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ delay = \"50ms±10ms\" }`")]
pub(crate) struct Table {
    /// How much later bytes arrive, each way.
    delay: Option<Delay>,
    /// After how many bytes of one direction both sides are reset.
    reset_after: Option<Size>,
    /// The same, closed.
    close_after: Option<Size>,
    /// The share of bytes that are changed.
    corrupt: Option<Share>,
    /// How many bytes are written at a time.
    slice: Option<Size>,
    /// What is random is drawn from this.
    seed: Option<u64>,
    /// The share of datagrams that are lost.
    loss: Option<Share>,
    /// The share of datagrams that arrive twice.
    duplicate: Option<Share>,
    /// The share of datagrams that others overtake.
    reorder: Option<Share>,
}

/// The flags that say the same.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "A bad network, for tests")]
pub(crate) struct Flags {
    /// Have bytes arrive later, each way, e.g. 50ms±10ms
    #[arg(long, value_name = "TIME")]
    delay: Option<Delay>,
    /// Reset both sides after so many bytes of one direction
    #[arg(long, value_name = "SIZE")]
    reset_after: Option<Size>,
    /// Close both sides after so many bytes of one direction, as if that were the end
    #[arg(long, value_name = "SIZE")]
    close_after: Option<Size>,
    /// Change this share of bytes, e.g. 0.1%
    #[arg(long, value_name = "SHARE")]
    corrupt: Option<Share>,
    /// Write at most so many bytes at a time
    #[arg(long, value_name = "SIZE")]
    slice: Option<Size>,
    /// Draw what is random from this number: the same each time [default: 0]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Lose this share of datagrams, each way, e.g. 1%
    #[arg(long, value_name = "SHARE")]
    loss: Option<Share>,
    /// Pass this share of datagrams on twice
    #[arg(long, value_name = "SHARE")]
    duplicate: Option<Share>,
    /// Pass this share of datagrams on 20 ms later, behind those that follow
    #[arg(long, value_name = "SHARE")]
    reorder: Option<Share>,
}

/// What makes a good network like a bad one, resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Impair {
    delay: Option<Delay>,
    reset_after: Option<Size>,
    close_after: Option<Size>,
    corrupt: Option<Share>,
    slice: Option<Size>,
    seed: u64,
    loss: Option<Share>,
    duplicate: Option<Share>,
    reorder: Option<Share>,
}

/// Longer, and it is no network.
const DELAY_MAX: Time = Time(Duration::from_mins(1));

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Table {
        let Self { delay, reset_after, close_after, corrupt, slice, seed, .. } = self;
        let Self { loss, duplicate, reorder, .. } = self;
        Table { delay, reset_after, close_after, corrupt, slice, seed, loss, duplicate, reorder }
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(self, key: &KeyPath) -> Result<Impair, Vec<Problem>> {
        let Self { delay, reset_after, close_after, corrupt, slice, seed, .. } = self;
        let Self { loss, duplicate, reorder, .. } = self;
        let mut problems = Vec::new();
        if let Some(delay) = delay.filter(|delay| delay.mean.max(delay.jitter) > DELAY_MAX) {
            let what = format!("`delay` is too long: {:?}", delay.to_string());
            let wrong = Wrong::expected(what, format!("{DELAY_MAX} or less"));
            problems.push(key.key("delay").wrong(wrong));
        }
        if slice == Some(Size(0)) {
            let wrong = Wrong::expected("`slice` is 0: nothing would be written", "1 or more");
            problems.push(key.key("slice").wrong(wrong));
        }
        if reset_after.is_some() && close_after.is_some() {
            let what = "a connection is not both reset and closed";
            let wrong = Wrong::expected(what, "`reset_after` or `close_after`");
            problems.push(key.key("close_after").wrong(wrong));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let seed = seed.unwrap_or_default();
        Ok(Impair {
            delay,
            reset_after,
            close_after,
            corrupt,
            slice,
            seed,
            loss,
            duplicate,
            reorder,
        })
    }

    /// Whether the keys are given that mean something for datagrams alone: loss, duplicate, reorder.
    pub(super) fn of_datagrams(&self) -> (bool, bool, bool) {
        (self.loss.is_some(), self.duplicate.is_some(), self.reorder.is_some())
    }

    /// The same for streams: `reset_after`, `close_after`, `slice`.
    pub(super) fn of_streams(&self) -> (bool, bool, bool) {
        (self.reset_after.is_some(), self.close_after.is_some(), self.slice.is_some())
    }
}

impl Impair {
    /// How late, and how badly, what passes arrives.
    pub(super) fn noise(&self) -> Noise {
        Noise {
            delay: self.time(|delay| delay.mean),
            jitter: self.time(|delay| delay.jitter),
            corrupt: part(self.corrupt),
            seed: self.seed,
        }
    }

    /// What else is done to streams.
    pub(super) fn cuts(&self) -> Cuts {
        Cuts {
            reset_after: self.reset_after.map(|size| size.0),
            close_after: self.close_after.map(|size| size.0),
            slice: self.slice.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX)),
        }
    }

    /// What else is done to datagrams.
    pub(super) fn losses(&self) -> Losses {
        Losses {
            loss: part(self.loss),
            duplicate: part(self.duplicate),
            reorder: part(self.reorder),
        }
    }

    fn time(&self, of: fn(Delay) -> Time) -> Duration {
        self.delay.map_or(Duration::ZERO, |delay| of(delay).0)
    }
}

/// A share as a part of 1.
fn part(share: Option<Share>) -> f64 {
    share.map_or(0.0, Share::part)
}
