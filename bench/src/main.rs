//! `relais-bench`: speed and memory of relais, as ratios to its peers, taken in one run.
//!
//! It starts the servers, checks what they send, loads them in turn, reads from the kernel what
//! that cost, and says which targets hold. `README.md` beside this tells how to run and read it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "results to stdout, talk to stderr")]

mod changing;
mod client;
mod datagrams;
mod fleet;
mod floor;
mod footprint;
mod herd;
mod launch;
mod load;
mod loading;
mod machine;
mod messaging;
mod origin;
mod policy;
mod relaying;
mod report;
mod row;
mod running;
mod searching;
mod site;
mod sniffed;
mod stats;
mod subject;
mod target;
mod throughput;
mod usage;
mod words;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use crate::{
    fleet::Fleet, footprint::Effort, origin::Origin, report::Report, row::Row, running::Kit,
    site::Site,
};

/// Measures relais beside its peers: servers, proxies, caches, and a server that does nothing
///
/// Run it from the root of the repository, on a machine that does nothing else. Exits with 0 if
/// every target was measured and holds, with 3 if not.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// The program to measure
    #[arg(long, default_value = "target/release/relais")]
    relais: PathBuf,
    /// How often every subject is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each measurement under load takes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only rows whose title contains this, in any case; may be given again
    #[arg(long, value_name = "ROW", visible_alias = "row")]
    only: Vec<String>,
    /// One round of one second, few idle connections: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Also write `bench/RESULTS.md` and `bench/RESULTS-HUB.md`, each if a row of it was measured
    #[arg(long)]
    write: bool,
}

/// What this program does in processes of its own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Serve one file with the least work possible
    Floor(floor::Args),
    /// Send datagrams back, or pass them on, with the least work possible
    Datagrams(datagrams::Args),
    /// Tell a room what is said there, with the least work possible
    Room(messaging::RoomArgs),
    /// Compare how often caches have what they are asked for: ours and published policies
    HitRatio(policy::Args),
    /// Become a program on one core
    #[command(hide = true)]
    Pinned(launch::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.part {
        Some(Part::Floor(args)) => floor::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Part::Datagrams(args)) => datagrams::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Part::Room(args)) => messaging::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Part::HitRatio(args)) => policy::compare(args).map(|(table, is_kept)| {
            print!("{table}");
            if is_kept { ExitCode::SUCCESS } else { ExitCode::from(CHECK_SAID_NO) }
        }),
        Some(Part::Pinned(args)) => launch::become_pinned(args).map(|()| ExitCode::SUCCESS),
        None => measure(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn measure(args: &Args) -> Result<ExitCode> {
    machine::check_cores()?;
    machine::check_tools()?;
    for peer in machine::missing_peers() {
        eprintln!("missing, and left out of the rows: {peer}");
    }
    machine::raise_files_max(FILES_MAX)?;
    let facts = machine::facts(&args.relais);
    launch::pin(&[launch::LOAD_CORE])?;

    let site = Site::prepare()?;
    let origin = Origin::start(&site)?;
    let kit = || Kit { site: &site, relais: &args.relais, origin: &origin, head: None };
    let rows = rows(args, &kit);
    ensure!(!rows.is_empty(), "no row whose title contains any of {:?}", args.only);
    let (of_hub, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row: &Row| messaging::is_of_hub(row.title));
    let mut all_pass = true;
    for (rows, page) in [(others, RESULTS), (of_hub, RESULTS_OF_HUB)] {
        if rows.is_empty() {
            continue;
        }
        let report = Report { facts: facts.clone(), effort: args.effort(), rows };
        println!("{}", report.results());
        if args.write {
            fs::write(page, report.page()).with_context(|| format!("writing {page}"))?;
        }
        all_pass &= report.all_pass();
    }
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::from(CHECK_SAID_NO) })
}

fn rows<'a>(args: &Args, kit: &dyn Fn() -> Kit<'a>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut fleet = Fleet::new(kit());
    for spec in throughput::specs().filter(|spec| args.wants(spec.title)) {
        eprintln!("{} …", spec.title);
        rows.push(spec.measure(&mut fleet, args.rounds(), args.seconds()));
    }
    // No other server runs while one is started or weighed.
    drop(fleet);
    for spec in footprint::SPECS.iter().filter(|spec| args.wants(spec.title())) {
        eprintln!("{} …", spec.title());
        rows.push(spec.measure(&kit(), args.footprint()));
    }
    for spec in datagrams::SPECS.iter().filter(|spec| args.wants(spec.title)) {
        eprintln!("{} …", spec.title);
        rows.push(spec.measure(&kit(), args.rounds(), args.seconds()));
    }
    for spec in relaying::SPECS.iter().filter(|spec| args.wants(spec.title())) {
        eprintln!("{} …", spec.title());
        rows.push(spec.measure(&kit(), args.relaying()));
    }
    for spec in messaging::SPECS.iter().filter(|spec| args.wants(spec.title())) {
        eprintln!("{} …", spec.title());
        rows.push(spec.measure(&kit(), args.messaging()));
    }
    if args.wants(herd::TITLE) {
        eprintln!("{} …", herd::TITLE);
        rows.push(herd::measure(&kit(), args.rounds(), args.herd()));
    }
    if args.wants(changing::TITLE) {
        eprintln!("{} …", changing::TITLE);
        rows.push(changing::measure(&kit(), args.rounds(), args.asked()));
    }
    if args.wants(loading::TITLE) {
        eprintln!("{} …", loading::TITLE);
        rows.push(loading::measure(&kit(), args.rounds(), args.seconds()));
    }
    if args.wants(searching::TITLE) {
        eprintln!("{} …", searching::TITLE);
        rows.push(searching::measure(&kit(), args.rounds(), args.log_bytes()));
    }
    rows
}

impl Args {
    fn wants(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        self.only.is_empty() || self.only.iter().any(|part| title.contains(&part.to_lowercase()))
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds.into() }
    }

    fn seconds(&self) -> u64 {
        if self.quick { 1 } else { self.seconds }
    }

    fn herd(&self) -> usize {
        if self.quick { 500 } else { 10_000 }
    }

    /// How many times what fits in a cache is asked for in each size.
    fn asked(&self) -> f64 {
        if self.quick { 0.2 } else { 1.5 }
    }

    fn footprint(&self) -> Effort {
        let (clear_conns, tls_conns) = if self.quick { (1000, 500) } else { (10_000, 5_000) };
        Effort { rounds: self.rounds(), clear_conns, tls_conns }
    }

    fn relaying(&self) -> relaying::Effort {
        let Effort { rounds, clear_conns: conns, .. } = self.footprint();
        let conns = machine::relayed_at_once(conns);
        relaying::Effort { rounds, seconds: self.seconds(), conns }
    }

    fn messaging(&self) -> messaging::Effort {
        let Effort { rounds, clear_conns, tls_conns } = self.footprint();
        let (accounts, messages) = if self.quick { (1000, 100_000) } else { (100_000, 10_000_000) };
        messaging::Effort {
            rounds,
            seconds: self.seconds(),
            clear_sessions: clear_conns,
            tls_sessions: tls_conns,
            accounts,
            messages,
        }
    }

    fn log_bytes(&self) -> u64 {
        if self.quick { 100_000_000 } else { 2_000_000_000 }
    }

    fn effort(&self) -> String {
        format!("{} rounds of {} s", self.rounds(), self.seconds())
    }
}

const RESULTS: &str = "bench/RESULTS.md";
/// Measured by itself: a large store takes its time.
const RESULTS_OF_HUB: &str = "bench/RESULTS-HUB.md";
/// The exit code of a measurement that went well and found a promise broken.
const CHECK_SAID_NO: u8 = 3;
/// More than the idle connections of any row, on either side.
const FILES_MAX: u64 = 20_000;
