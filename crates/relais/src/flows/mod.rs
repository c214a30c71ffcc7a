//! `relais flows`: who asked for what, searched in the sniffer's logs.

mod alone;
mod flags;
mod follow;
mod logs;
mod report;
mod show;
mod table;
mod when;

use std::{ops::ControlFlow, path::PathBuf, time::Instant};

use clap::ColorChoice;
use relais_inspect::{Judge, Keep, search};

pub(crate) use flags::Flags;

use crate::{clock, stop::Stop};
use flags::Asked;
use logs::{End, Logs};
use report::Report;
use show::{How, Show};

/// Shows the exchanges that `flags` ask for, in the logs that are `usual` if they name none.
pub(crate) fn obey(
    flags: Flags,
    color: ColorChoice,
    usual: impl FnOnce() -> Result<Vec<PathBuf>, Stop>,
) -> Result<(), Stop> {
    let begun = Instant::now();
    let Asked { filter, files, how, limit, follow, doubts } = flags.asked(clock::now(), usual)?;
    let keep = if how == How::Count { Keep::Count } else { Keep::Lines };
    let judge = Judge::new(filter);
    let mut logs = Logs::open(&files)?;
    logs.end_at(if follow { End::Line } else { End::Exchange })?;
    let mut report = Report::new(Show::new(how, limit, color));
    let mut done = None;
    search(&logs.sources, &judge, keep, |source, findings| {
        done = report.take(source.path(), &findings);
        if done.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if follow && done.is_none() {
        done = follow::follow(logs.tails(), &judge, &mut report)?;
    }
    report.end(done, begun.elapsed(), &doubts)
}
