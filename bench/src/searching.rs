//! The row about `relais flows`: a word in a large log.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    launch::{LOAD_CORE, Process, SERVER_CORE},
    row::{Better, Column, Row, interleave},
    running::{self, Kit},
    stats::float,
    subject::{Program, Subject, Task, WORD},
    target::{Against, Bound, Target},
    usage,
    words::Words,
};

pub(crate) const TITLE: &str = "Flows, a word in a log";

/// Writes a log of `bytes`, then measures how fast it is searched.
pub(crate) fn measure(kit: &Kit<'_>, rounds: usize, bytes: u64) -> Row {
    let path = kit.site.log();
    let (series, skipped) = match write(&path, bytes) {
        Ok(log) => interleave(rounds, &SUBJECTS, |subject| search(subject, kit, &log)),
        Err(why) => (Vec::new(), vec![(RELAIS, format!("{why:#}"))]),
    };
    // It would be in the way of what comes after.
    let _ = std::fs::remove_file(path);
    let gigabytes = float(bytes) / 1e9;
    Row {
        title: TITLE,
        how: format!(
            "From starting the program to its end, on both cores, the log of {gigabytes} GB in the \
             page cache. One line in {LINES_PER_MATCH} has the word; all of them have to be found."
        ),
        columns: vec![RATE, CORES],
        ours: RELAIS,
        series,
        skipped,
        targets: &TARGETS,
    }
}

/// A log on disk and in the page cache.
struct Log {
    bytes: f64,
    matches: usize,
}

fn search(subject: Subject, kit: &Kit<'_>, log: &Log) -> Result<Vec<f64>> {
    let scratch = tempfile::Builder::new().prefix("search-").tempdir_in(kit.site.path("."))?;
    let setup = subject.setup(&running::place(kit, scratch.path(), (0, 0))?);
    let (begin, cpu_before) = (Instant::now(), usage::own_cpu_seconds()?);
    let process = Process::start(&[SERVER_CORE, LOAD_CORE], &setup, &scratch.path().join("said"))?;
    let said = process.finish(PATIENCE)?;
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = usage::own_cpu_seconds()? - cpu_before;
    let found = said.lines().filter(|line| line.contains(WORD)).count();
    ensure!(found == log.matches, "{found} lines found: expected {}", log.matches);
    Ok(vec![log.bytes / 1e9 / seconds, cpu / seconds])
}

fn write(path: &Path, bytes: u64) -> Result<Log> {
    let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let log = print(&mut out, bytes).context("writing a log")?;
    // Else the disk would still be at work while it is searched.
    out.into_inner().context("writing a log")?.sync_all().context("writing a log")?;
    Ok(log)
}

/// Prints lines as the sniffer does, of exchanges that lie 10 ms apart, until there are `bytes`.
fn print(out: &mut impl Write, bytes: u64) -> io::Result<Log> {
    let mut words = Words::new(LOG_SEED);
    let (mut written, mut matches, mut line) = (0, 0, Vec::new());
    for number in 0_u64.. {
        if written >= bytes {
            break;
        }
        line.clear();
        let has_word = number % LINES_PER_MATCH == LINES_PER_MATCH / 2;
        print_line(&mut line, &mut words, number, if has_word { WORD } else { "" })?;
        out.write_all(&line)?;
        written += u64::try_from(line.len()).expect("a short line");
        matches += usize::from(has_word);
    }
    Ok(Log { bytes: float(written), matches })
}

fn print_line(line: &mut Vec<u8>, words: &mut Words, number: u64, word: &str) -> io::Result<()> {
    let hundredths = number % 8_640_000;
    let (hours, minutes) = (hundredths / 360_000, hundredths / 6000 % 60);
    let (seconds, micros) = (hundredths / 100 % 60, hundredths % 100 * 10_000);
    let (client, port) = (words.below(256), 1024 + words.below(60_000));
    let (host, path) = (words.host(), words.path());
    let (bytes, first) = (words.below(100_000), 300 + words.below(20_000));
    let total = first + words.below(9_000);
    writeln!(
        line,
        "{{\"time\":\"2026-01-31T{hours:02}:{minutes:02}:{seconds:02}.{micros:06}Z\",\
         \"client\":\"192.0.2.{client}\",\"port\":{port},\"method\":\"GET\",\
         \"url\":\"http://{host}{path}{word}\",\"host\":\"{host}\",\"protocol\":\"HTTP/1.1\",\
         \"status\":200,\"bytes\":{bytes},\"type\":\"text/html; charset=utf-8\",\
         \"first_byte_us\":{first},\"total_us\":{total},\
         \"upstream\":\"http://127.0.0.1:8081\",\"end\":\"whole\"}}"
    )
}

const RELAIS: Subject = Program::Relais.at(Task::Search);
const SUBJECTS: [Subject; 2] = [RELAIS, Program::Grep.at(Task::Search)];

const RATE: Column = Column { name: "GB/s", better: Better::Higher, digits: 2 };
const CORES: Column = Column { name: "cores", better: Better::Lower, digits: 2 };
const TARGETS: [Target; 1] =
    [Target { column: RATE, of: RELAIS, against: Against::Nothing, bound: Bound::AtLeast(1.0) }];

const LINES_PER_MATCH: u64 = 100_000;
const LOG_SEED: u64 = 11;
const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_whole_lines_and_the_word_in_few() {
        let mut bytes = Vec::new();
        let log = print(&mut bytes, 20_000_000).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.lines().all(|line| line.starts_with("{\"time\":\"2026-01-31T")
            && line.ends_with("\"end\":\"whole\"}")));
        assert_eq!(text.matches(WORD).count(), log.matches);
        assert_eq!(log.matches, 1);
        assert!((300..500).contains(&(text.len() / text.lines().count())));
    }
}
