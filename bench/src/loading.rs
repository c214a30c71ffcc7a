//! The row about `relais load`: what a request costs who asks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{
    launch::{LOAD_CORE, Process},
    load::parse_wrk,
    row::{Better, Column, Row, interleave},
    running::{self, Door, Kit, Running},
    site::Served,
    stats::float,
    subject::{LOAD_CONNECTIONS, Program, Subject, Task},
    target::{Against, Bound, Target},
    usage,
};

pub(crate) const TITLE: &str = "Load, requests a core second";

/// Measures what is asked of one nginx in `seconds`, and what that costs who asks.
pub(crate) fn measure(kit: &Kit<'_>, rounds: usize, seconds: u64) -> Row {
    let server = Running::start(Program::Nginx.at(Task::Serve), kit);
    let (series, skipped) = match server.context("cannot start nginx") {
        Ok(server) => interleave(rounds, &SUBJECTS, |subject| ask(subject, kit, &server, seconds)),
        Err(why) => (Vec::new(), vec![(RELAIS, format!("{why:#}"))]),
    };
    Row {
        title: TITLE,
        how: format!(
            "1 KiB of nginx on core 0, asked for over {LOAD_CONNECTIONS} connections by one thread on \
             core 1 for {seconds} s (`-d {seconds}s`). The CPU is that of who asks, from its start to \
             its end."
        ),
        columns: vec![PER_CORE_SECOND, RATE, CORES],
        ours: RELAIS,
        series,
        skipped,
        targets: &TARGETS,
    }
}

fn ask(subject: Subject, kit: &Kit<'_>, server: &Running, seconds: u64) -> Result<Vec<f64>> {
    let scratch = tempfile::Builder::new().prefix("load-").tempdir_in(kit.site.path("."))?;
    let place = running::place(kit, scratch.path(), (server.port(Door::Http), 0))?;
    let mut setup = subject.setup(&place);
    setup.command.push(format!("-d{seconds}s"));
    let before = usage::own_cpu_seconds()?;
    let process = Process::start(&[LOAD_CORE], &setup, &scratch.path().join("said"))?;
    let said = process.finish(Duration::from_secs(seconds) + OVERTIME)?;
    let cpu = usage::own_cpu_seconds()? - before;
    let (requests, bytes) = match subject.program {
        Program::Wrk => parse_wrk(&said).map(|done| (done.requests, done.bytes))?,
        _ => parse_relais(&said).with_context(|| format!("unexpected answer: {said:?}"))?,
    };
    let expect = float(u64::try_from(Served::Small.len())?) * requests;
    ensure!(bytes >= expect, "{bytes} bytes came: expected {expect}");
    let seconds = float(seconds);
    Ok(vec![requests / cpu, requests / seconds, cpu / seconds])
}

/// Reads how many requests were answered, and with how many bytes, if there was no error.
fn parse_relais(said: &str) -> Result<(f64, f64)> {
    let value = |key: &str| {
        let lines = said.lines().map(str::trim);
        let found = lines.filter_map(|line| line.strip_prefix('"')?.split_once("\": "));
        let mut found = found.filter(|(name, _)| *name == key);
        let (_, value) = found.next().with_context(|| format!("no {key}"))?;
        Ok::<_, anyhow::Error>(value.trim_end_matches(','))
    };
    for errors in ["errors", "connect_errors"] {
        ensure!(value(errors)? == "{}", "there were {errors}");
    }
    Ok((value("answers")?.parse()?, value("received_bytes")?.parse()?))
}

const RELAIS: Subject = Program::Relais.at(Task::Load);
const WRK: Subject = Program::Wrk.at(Task::Load);
const SUBJECTS: [Subject; 2] = [RELAIS, WRK];

const PER_CORE_SECOND: Column =
    Column { name: "requests/core-s", better: Better::Higher, digits: 0 };
const RATE: Column = Column { name: "requests/s", better: Better::Higher, digits: 0 };
const CORES: Column = Column { name: "cores", better: Better::Lower, digits: 2 };
const TARGETS: [Target; 1] = [Target {
    column: PER_CORE_SECOND,
    of: RELAIS,
    against: Against::Best(&[WRK]),
    bound: Bound::AtLeast(0.8),
}];

/// How long who asks may take beyond its time.
const OVERTIME: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relais_is_believed_only_without_errors() {
        let said = "{\n  \"answers\": 12,\n  \"connect_errors\": {},\n  \"errors\": {},\n  \
                    \"received_bytes\": 3400\n}\nnote: a loop\n";
        assert_eq!(parse_relais(said).unwrap(), (12.0, 3400.0));
        assert!(parse_relais(&said.replace("\"errors\": {}", "\"errors\": {")).is_err());
        assert!(parse_relais("").is_err());
    }
}
