//! From a command line or a file to a running program. The only crate that knows all the others.
//!
//! A command line is a configuration of one table: [`Config`] says what is asked for, word for
//! word; [`Plan`] what that means, every name resolved and nothing opened. Running it reads what
//! is on the disk, binds every socket or none, and lets callers in.

mod access_log;
mod auth;
mod bar;
mod base;
mod cache;
mod calling;
mod cert;
mod chat;
mod clock;
mod columns;
mod complaint;
mod config;
mod content;
mod control;
mod data;
mod demo;
mod document;
mod embedded;
mod flags;
mod flows;
mod front;
mod get;
mod habits;
mod hex;
mod hub;
mod ink;
mod interrupt;
mod leaving;
mod limits;
mod listen;
mod load;
mod logging;
mod manual;
mod measure;
mod meets;
mod new_file;
mod output;
mod password;
mod plan;
mod private;
mod proxy;
mod quit;
mod relay;
mod run;
mod send;
mod serve;
mod service;
mod site;
mod spelling;
mod stop;
mod tending;
mod terminal;
mod tls;
mod tree;
mod upstream_tls;
mod visible;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ColorChoice;

pub use base::Base;
pub use complaint::{Complaint, KeyPath, Line, Part, Place, Problem, Step, Wrong};
pub use config::{Config, Said, Source};
pub use plan::Plan;
pub use run::look;

use data::Data;
use flags::{Cli, Command};
use habits::Refused;
use output::{Telling, say};
use stop::Stop;

/// The configuration of those who name none.
const CONFIG: &str = "relais.toml";

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    if let Some(code) = listen::calculating::calculate() {
        return code;
    }
    let Cli { global, command } = match habits::parse() {
        Ok(cli) => cli,
        Err(Refused::Habit(complaint)) => return Stop::Wrong(vec![*complaint]).tell(),
        Err(Refused::ByParser(error)) => {
            // Help and version are asked for, and go to standard output.
            return match error.print() {
                Err(lost) if !error.use_stderr() => ended(Ok(()), Some(&lost)),
                _ => ExitCode::from(u8::from(error.use_stderr()) * 2),
            };
        }
    };
    let telling = match (global.quiet, global.verbose) {
        (true, _) => Telling::Less,
        (_, 0) => Telling::Usual,
        _ => Telling::More,
    };
    // A client tells of its exchange first, and of what goes on below only when asked twice.
    let verbose = global.verbose.saturating_sub(u8::from(command.is_client()));
    logging::start(&flags::Global { verbose, ..global.clone() });
    let data = Data::of(global.data).map_err(Stop::from);
    let done = clock::judge(clock::now())
        .and(data)
        .and_then(|data| obey(command, &data, (global.color, telling)));
    ended(done, output::unsaid())
}

/// Says how it ended. A judgement that could not be written is none.
fn ended(done: Result<(), Stop>, unsaid: Option<&io::Error>) -> ExitCode {
    let unsaid = unsaid.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    match (done, unsaid) {
        (Ok(()) | Err(Stop::No), Some(error)) => {
            let error = anyhow::anyhow!("{error}").context(output::PRINTING);
            Stop::Failed(error).tell()
        }
        (Ok(()), None) => ExitCode::SUCCESS,
        (Err(stop), _) => stop.tell(),
    }
}

fn obey(
    command: Command,
    data: &Data,
    (color, telling): (ColorChoice, Telling),
) -> Result<(), Stop> {
    match command {
        Command::Up { file: None } if has_no_config() => {
            let (text, base) = (demo::TEXT.to_owned(), demo::settle(data)?);
            let source = Source::Embedded { name: demo::NAME, text, base };
            run::run(source, data, run::Greeting::Demo)
        }
        Command::Up { file } => run::run(Source::File(or_usual(file)), data, run::Greeting::Plain),
        Command::Serve(flags) => {
            let greeting = if flags.open { run::Greeting::Browser } else { run::Greeting::Plain };
            let (name, table) = flags.table();
            let source = of_site(name, site::Table::Serve(Box::new(table)));
            run::run(source, data, greeting)
        }
        Command::Proxy(flags) => {
            let (name, table) = flags.table().map_err(|wrong| Stop::Wrong(vec![*wrong]))?;
            let source = of_site(name, site::Table::Proxy(Box::new(table)));
            run::run(source, data, run::Greeting::Plain)
        }
        Command::Relay(flags) => {
            let (name, table) = flags.table();
            let source = of_service(name, service::Table::Relay(Box::new(table)));
            run::run(source, data, run::Greeting::Plain)
        }
        Command::Hub(flags) => {
            if let Some(command) = flags.command {
                return tending::obey(command, data);
            }
            let (name, table) = flags.table();
            let source = of_service(name, service::Table::Hub(Box::new(table)));
            run::run(source, data, run::Greeting::Plain)
        }
        Command::Listen(flags) => {
            let (name, table) = flags.table();
            let source = of_service(name, service::Table::Listen(Box::new(table)));
            run::run(source, data, run::Greeting::Plain)
        }
        Command::Get(flags) => get::obey(*flags, data, (color, telling)),
        Command::Send(flags) => send::obey(*flags, data, telling),
        Command::Chat(flags) => chat::obey(&flags, data, (color, telling)),
        Command::Check { file, json } => check(or_usual(file), json),
        Command::Reload { file } => control::reload(&or_usual(file), data),
        Command::Cache(flags) => cache::obey(*flags, color, data),
        Command::Flows(flags) => flows::obey(*flags, color, || usual_logs(data)),
        Command::Load(flags) => load::obey(*flags, data, (color, telling)),
        Command::Cert(command) => cert::obey(command, data),
        Command::Password { user } => password::print_line(user.as_deref()),
        Command::Completions { shell } => Ok(manual::completions(shell)?),
        Command::Man { command, dir: None } => manual::show(&command),
        Command::Man { dir: Some(dir), .. } => Ok(manual::write_all(&dir)?),
    }
}

/// The configuration that a command line is, which asks for a site.
fn of_site(name: String, table: site::Table) -> Source {
    let empty = Config::of(Base(PathBuf::new()));
    Source::Flags(Box::new(Config { sites: vec![(name, table)], ..empty }))
}

/// The same of one that asks for a service.
fn of_service(name: String, table: service::Table) -> Source {
    let empty = Config::of(Base(PathBuf::new()));
    Source::Flags(Box::new(Config { services: vec![(name, table)], ..empty }))
}

fn or_usual(file: Option<PathBuf>) -> PathBuf {
    file.unwrap_or_else(|| CONFIG.into())
}

/// Whether there is none here. One that is there and cannot be read, as a link that leads nowhere, is told
/// of when it is.
fn has_no_config() -> bool {
    let found = fs::symlink_metadata(CONFIG);
    found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// The sniffers' logs of those who name none: those of the usual configuration, else the demo's.
fn usual_logs(data: &Data) -> Result<Vec<PathBuf>, Stop> {
    if has_no_config() {
        return Ok(demo::log(data).into_iter().collect());
    }
    let said = Source::File(CONFIG.into()).read().map_err(Stop::Wrong)?;
    let plan = Plan::new(&said.config);
    let plan = plan.map_err(|problems| Stop::Wrong(said.complaints(problems)))?;
    let (there, others): (Vec<_>, Vec<_>) = plan.sniff_logs().partition(|log| log.exists());
    if !there.is_empty() {
        return Ok(there.into_iter().map(Path::to_owned).collect());
    }
    let what = match others.first() {
        Some(log) => format!("no log to search: {:?} is not there yet", log.display()),
        None => format!("no log to search: {CONFIG} names no `sniff.log`"),
    };
    let wrong = Wrong::expected(what, "the FILE that the sniffer writes");
    Err(Stop::Wrong(vec![Complaint::of_flag("FILE", wrong)]))
}

/// Prints what `file` would run.
fn check(file: PathBuf, json: bool) -> Result<(), Stop> {
    if json && file.to_str().is_none() {
        let what = format!("the path {:?} is not UTF-8, as JSON is", file.display());
        let wrong = Wrong::expected(what, "one that is, or no `--json`");
        return Err(Stop::Wrong(vec![Complaint::of_flag("FILE", wrong)]));
    }
    match (look(&Source::File(file)), json) {
        (Ok(plan), false) => say(plan),
        (Ok(plan), true) => say(format_args!("{:#}", plan.json())),
        (Err(complaints), false) => return Err(Stop::Wrong(complaints)),
        (Err(complaints), true) => {
            say(format_args!("{:#}", serde_json::json!({ "complaints": complaints })));
            return Err(Stop::Wrong(complaints));
        }
    }
    Ok(())
}
