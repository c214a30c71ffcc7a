//! `relais load`: many clients at once, and a picture of what they got.

mod bins;
mod figures;
mod flags;
mod html;
mod json;
mod page;
mod picture;
mod plot;
mod plots;
mod progress;
mod report;
mod said;
mod target;
mod text;

use std::{num::NonZeroUsize, time::Duration};

use anyhow::Context as _;
use clap::ColorChoice;
use relais_net::Dialer;
use relais_talk::load::{Load, Running};
use relais_wire::calendar::Moment;
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    runtime::Builder,
    signal::unix::SignalKind,
    time::{MissedTickBehavior, interval},
};

pub(crate) use flags::Flags;

use crate::{
    calling::{Channel, calls},
    clock,
    complaint::Wrong,
    data::Data,
    interrupt::Interrupt,
    output::{Telling, print_line, tell},
    run::raise_descriptors,
    stop::Stop,
};
use flags::Asked;
use page::Page;
use progress::Bar;
use report::{Ended, Measured, Report};

/// Puts a target under load, and shows what came of it.
pub(crate) fn obey(
    flags: Flags,
    data: &Data,
    (color, telling): (ColorChoice, Telling),
) -> Result<(), Stop> {
    let Asked { load, title, about, tls, json, html } = flags.asked()?;
    check_descriptors(load.connections)?;
    let demand = tls.demand_over(Channel::of(load.target.endpoint.scheme), data)?;
    let dialer = calls(&demand, load.timeout, None)?;
    let page = html.map(|file| Page::open(&file)).transpose()?;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.context("starting a runtime")?;
    let began = Moment::of(clock::now()).to_string().replace('T', " ");
    let about = format!("{about}; {began} UTC, relais {}", env!("CARGO_PKG_VERSION"));
    let measured = runtime.block_on(measure(load.clone(), dialer, (&title, telling)))?;
    let report = Report { title: &title, about: &about, load: &load, measured: &measured };
    let printed = print_line(if json { json::json(&report) } else { text::text(&report, color) });
    if telling != Telling::Less {
        report.notes().iter().for_each(|note| tell(format_args!("note: {note}")));
    }
    // What one of them lost the other may still keep.
    page.map_or(Ok(()), |page| page.write(&html::html(&report)))?;
    printed?;
    report.verdict()
}

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

async fn measure(
    load: Load,
    dialer: Dialer,
    (title, telling): (&str, Telling),
) -> Result<Measured, Stop> {
    // Only for as long as it measures: what is shown then may wait for a reader, and another one ends it.
    let mut interrupt = Interrupt::heard(&[SignalKind::interrupt(), SignalKind::terminate()])?;
    let mut bar = Bar::of(&load, title, telling);
    let mut running = Running::start(load, dialer).context("starting the clients")?;
    let mut ticks = interval(SHOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (cpu, begun) = (cpu_time(), std::time::Instant::now());
    let ended = loop {
        tokio::select! {
            () = running.wait() => break Ended::Done,
            () = interrupt.came() => break Ended::Interrupted,
            _ = ticks.tick() => bar.show(&running.progress()),
        }
    };
    bar.clear();
    let (busy, time) = (cpu_time().saturating_sub(cpu), begun.elapsed());
    let cores_busy = busy.as_secs_f64() / time.as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(Measured { outcome: running.end().await, cores_busy, ended })
}

/// How much time this process has spent on cores.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// What this program has open besides its connections, at most.
const OTHER_DESCRIPTORS: u64 = 64;

/// Refuses more connections than there can be descriptors.
fn check_descriptors(connections: NonZeroUsize) -> Result<(), Stop> {
    let limit = raise_descriptors();
    let most = limit.saturating_sub(OTHER_DESCRIPTORS);
    if u64::try_from(connections.get()).is_ok_and(|connections| connections <= most) {
        return Ok(());
    }
    let what = format!("{connections} connections, and {limit} descriptors for all");
    let wrong = Wrong::expected(what, format!("at most {most} connections"));
    Err(Stop::of_flag("--connections", wrong.hint("`ulimit -Hn` shows the limit")))
}
