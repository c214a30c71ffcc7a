//! The rows that count CPU time under load.

mod gauge;
mod proxying;
mod serving;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{
    fleet::Fleet,
    launch,
    load::{Ask, Done, Load, Work},
    origin::Asked,
    row::{Row, interleave},
    running::Running,
    site::Urls,
    sniffed,
    stats::float,
    subject::{Subject, Task},
    target::Target,
    usage,
};
use gauge::Gauge;

/// A row of this kind, to be measured.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) title: &'static str,
    load: Load,
    ask: Ask,
    /// Who is measured; the others are compared with the first.
    subjects: &'static [Subject],
    /// How many times the usual time it takes. Small differences need much, and turns of a second each:
    /// a machine that has others beside it is another one a few seconds later.
    times: usize,
    gauges: &'static [Gauge],
    targets: &'static [Target],
}

/// What one load did, and what it cost.
#[derive(Debug)]
struct Sample {
    done: Done,
    /// CPU seconds of the server.
    cpu: f64,
    /// CPU seconds of the load generator and of the origin.
    load_cpu: f64,
    /// What the origin had to do.
    asked: Asked,
    /// How many exchanges the server wrote down.
    noted: f64,
}

/// Every row of this kind.
pub(crate) fn specs() -> impl Iterator<Item = &'static Spec> {
    serving::SPECS.iter().chain(&proxying::SPECS)
}

impl Spec {
    /// Runs it: every server warmed up once, then all in turn.
    pub(crate) fn measure(&self, fleet: &mut Fleet<'_>, rounds: usize, seconds: u64) -> Row {
        let (rounds, seconds) = self.turns(rounds, seconds);
        let mut skipped = Vec::new();
        let mut ready = Vec::new();
        fleet.keep_only(self.subjects);
        for &subject in self.subjects {
            match self.sample(fleet, subject, self.warm_up_seconds(subject)) {
                Ok(_) => ready.push(subject),
                Err(why) => skipped.push((subject, format!("{why:#}"))),
            }
        }
        let (series, failed) = interleave(rounds, &ready, |subject| {
            let sample = self.sample(fleet, subject, subject.seconds(seconds))?;
            ensure_task(subject, &sample)?;
            Ok(self.gauges.iter().map(|gauge| (gauge.read)(&sample)).collect())
        });
        skipped.extend(failed);
        Row {
            title: self.title,
            how: self.load.how(self.ask, seconds),
            columns: self.gauges.iter().map(|gauge| gauge.column).collect(),
            ours: self.subjects[0],
            series,
            skipped,
            targets: self.targets,
        }
    }

    /// How many rounds there are, and how many seconds each subject has in one.
    fn turns(&self, rounds: usize, seconds: u64) -> (usize, u64) {
        match self.times {
            1 => (rounds, seconds),
            times => (rounds * times * usize::try_from(seconds).unwrap_or(1), 1),
        }
    }

    /// How long `subject` is to warm up: a cache has to have seen all URLs.
    fn warm_up_seconds(&self, subject: Subject) -> u64 {
        let is_kept = matches!(subject.task, Task::Cache | Task::CacheOnDisk);
        if is_kept && self.ask.urls == Urls::Varied { FILLING_SECONDS } else { WARM_UP_SECONDS }
    }

    fn sample(&self, fleet: &mut Fleet<'_>, subject: Subject, seconds: u64) -> Result<Sample> {
        let (site, origin) = (fleet.kit().site, fleet.kit().origin);
        let server = fleet.server(subject).map_err(anyhow::Error::msg)?;
        let mark = sniffed::mark(&server.sniffed())?;
        let (asked, load_before) = (origin.asked(), usage::own_cpu_seconds()?);
        let before = server.cpu_seconds()?;
        let done = self.load.run(server, self.ask, Work { site, seconds }).context("under load")?;
        let (asked, load_after) = (origin.asked().since(asked), usage::own_cpu_seconds()?);
        let noted = noted(subject, server, &mark)?;
        let cpu = server.cpu_seconds()? - before;
        Ok(Sample { done, cpu, load_cpu: load_after - load_before, asked, noted })
    }
}

/// Fails if a cache asked the origin, or a proxy did not.
fn ensure_task(subject: Subject, sample: &Sample) -> Result<()> {
    let (requests, asked) = (sample.done.requests, float(sample.asked.requests));
    match subject.task {
        Task::Serve
        | Task::Relay
        | Task::EchoDatagrams
        | Task::RelayDatagrams
        | Task::Search
        | Task::Message
        | Task::Load => {}
        Task::Cache | Task::CacheOnDisk => {
            ensure!(asked <= MISSES_MAX, "{asked} of {requests} requests went on to the origin");
        }
        Task::Pass | Task::Sniff | Task::Block | Task::SniffAndBlock => {
            ensure!(asked >= requests, "only {asked} of {requests} requests went on to the origin");
        }
    }
    Ok(())
}

/// How many exchanges `server` has written down since `mark`, given time to end its writing.
fn noted(subject: Subject, server: &Running, mark: &sniffed::Mark) -> Result<f64> {
    if !matches!(subject.task, Task::Sniff | Task::SniffAndBlock) {
        return Ok(0.0);
    }
    launch::pause(WRITING);
    Ok(float(sniffed::count_after(&server.sniffed(), mark)?))
}

/// For caches, heaps and the processor to find their state.
const WARM_UP_SECONDS: u64 = 1;
/// For a cache to be asked for all of many URLs.
const FILLING_SECONDS: u64 = 4;
/// How many requests a cache may pass on once it is warm: as many as there are connections, if the
/// answer had to make room.
const MISSES_MAX: f64 = 64.0;
/// The sniffer's thread waits 250 ms for more to write.
const WRITING: Duration = Duration::from_millis(500);
