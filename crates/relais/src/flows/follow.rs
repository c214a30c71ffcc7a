//! Goes on with what comes to the logs.

use std::time::Duration;

use anyhow::Context as _;
use relais_inspect::{Judge, Keep, More, Tail};
use tokio::signal::unix::SignalKind;

use super::{report::Report, show::Done};
use crate::interrupt::Interrupt;

/// How often it is asked for more.
const PACE: Duration = Duration::from_millis(200);

/// Takes in what comes to `tails`, until it is enough or a signal says stop.
pub(super) fn follow(
    tails: Vec<Tail>,
    judge: &Judge,
    report: &mut Report,
) -> anyhow::Result<Option<Done>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(until_stopped(tails, judge, report))
}

async fn until_stopped(
    mut tails: Vec<Tail>,
    judge: &Judge,
    report: &mut Report,
) -> anyhow::Result<Option<Done>> {
    let mut interrupt = Interrupt::heard(&[SignalKind::interrupt(), SignalKind::terminate()])?;
    loop {
        for tail in &mut tails {
            let done = take_all(tail, judge, report);
            let path = || format!("reading {:?}", tail.path().display());
            if let Some(done) = done.with_context(path)? {
                return Ok(Some(done));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => (),
            () = interrupt.came() => return Ok(None),
        }
    }
}

/// Takes in what has come to `tail` by now.
fn take_all(tail: &mut Tail, judge: &Judge, report: &mut Report) -> std::io::Result<Option<Done>> {
    while let Some(more) = tail.more(judge, Keep::Lines)? {
        let done = match &more {
            More::Lines(findings) | More::Anew(findings) => report.take(tail.path(), findings),
        };
        if let More::Anew(_) = more {
            report.begin_anew(tail.path());
        }
        if done.is_some() {
            return Ok(done);
        }
    }
    Ok(None)
}
