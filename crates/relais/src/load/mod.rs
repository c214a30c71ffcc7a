//! `relais load`: many clients at once, and a picture of what they got.

mod bins;
mod figures;
mod flags;
mod html;
mod json;
mod picture;
mod plot;
mod plots;
mod progress;
mod report;
mod target;
mod text;

use std::{fs, num::NonZeroUsize, time::Duration};

use anyhow::Context as _;
use clap::ColorChoice;
use relais_net::{
    DialLimits, Dialer,
    tls::{Connector, Demand, Roots, Trust, read_chain},
};
use relais_talk::load::{Load, Running};
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

pub(crate) use flags::Flags;

use crate::{
    complaint::Wrong,
    data::Data,
    output::{say, tell},
    run::raise_descriptors,
    stop::Stop,
};
use flags::Asked;
use progress::Bar;
use report::{Ended, Measured, Report};

/// Puts a target under load, and shows what came of it.
pub(crate) fn obey(flags: Flags, color: ColorChoice, data: &Data) -> Result<(), Stop> {
    let Asked { load, title, trust, json, html } = flags.asked()?;
    check_descriptors(load.connections)?;
    let dialer = dialer(&load, &trust, data)?;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.context("starting a runtime")?;
    let measured = runtime.block_on(measure(load.clone(), dialer, &title))?;
    let report = Report { title: &title, load: &load, measured: &measured };
    if json {
        say(json::json(&report));
    } else {
        say(text::text(&report, color));
    }
    for note in report.notes() {
        tell(format_args!("note: {note}"));
    }
    if let Some(file) = html {
        fs::write(&file, html::html(&report))
            .with_context(|| format!("writing {:?}", file.display()))?;
    }
    report.verdict()
}

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

async fn measure(load: Load, dialer: Dialer, title: &str) -> Result<Measured, Stop> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for signals")?;
    let mut bar = Bar::of(&load, title);
    let mut running = Running::start(load, dialer).context("starting the clients")?;
    let mut ticks = interval(SHOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (cpu, begun) = (cpu_time(), std::time::Instant::now());
    let ended = loop {
        tokio::select! {
            () = running.wait() => break Ended::Done,
            _ = interrupt.recv() => break Ended::Interrupted,
            _ = terminate.recv() => break Ended::Interrupted,
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

/// Calls whom `load` is for.
fn dialer(load: &Load, trust: &flags::Trust, data: &Data) -> Result<Dialer, Stop> {
    let trust = if !load.target.endpoint.scheme.is_secure() {
        Trust::Roots(Roots::none())
    } else if trust.insecure {
        Trust::InsecureAnyone
    } else if let Some(file) = &trust.ca {
        let wrong = |error: &dyn std::error::Error| {
            flags::wrong("--ca", Wrong::from_error(error).at_home(file))
        };
        let chain = read_chain(file).map_err(|error| wrong(&error))?;
        Trust::Roots(Roots::none().with_given(&chain).map_err(|error| wrong(&error))?)
    } else {
        Trust::Roots(usual_roots(data))
    };
    let tls = Connector::new(&Demand { trust, server_name: None, own: None });
    let tls = tls.context("asking for a server's name")?;
    let most = load.timeout;
    let limits =
        DialLimits { connect_max: most, handshake_max: most, source: None, keepalive: None };
    Ok(Dialer::new(limits, tls))
}

/// Whom this machine believes: its authorities, and the local one if there is one.
fn usual_roots(data: &Data) -> Roots {
    let roots = Roots::system();
    let local = data.authority_certificate().ok().filter(|file| file.exists());
    match local.map(|file| read_chain(&file)) {
        Some(Ok(chain)) => chain.iter().fold(roots, Roots::with_authority),
        Some(Err(error)) => {
            tell(format_args!("note: the local authority is not believed: {error}"));
            roots
        }
        None => roots,
    }
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
    Err(flags::wrong("--connections", wrong.hint("`ulimit -Hn` shows the limit")))
}
