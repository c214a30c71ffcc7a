//! `relais flows`: what it finds in logs, and how it says so.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    process::{Output, Stdio},
    time::{Duration, UNIX_EPOCH},
};

use relais_http::{line_log::LogFile, sniff::SniffLog};
use relais_wire::exchange::{Cached, Content, End, Exchange, Timings};

use crate::program::{Place, Running};

fn exchange(second: u64, url: &str) -> Exchange<'static> {
    Exchange {
        client: Some(([192, 0, 2, 1], 4711).into()),
        method: "GET".into(),
        url: url.to_owned().into(),
        status: Some(200),
        response: Content { bytes: 2326, media_type: None },
        timings: Timings { total: Some(Duration::from_micros(12_034)), ..Timings::default() },
        cached: Some(Cached::Hit),
        end: End::Whole,
        ..Exchange::at(UNIX_EPOCH + Duration::from_secs(971_186_136 + second))
    }
}

fn line(second: u64, url: &str) -> String {
    let mut line = Vec::new();
    exchange(second, url).print(&mut line);
    String::from_utf8(line).unwrap()
}

/// What it printed, and what it said but for how much was searched and how long that took.
#[track_caller]
fn check(output: &Output, stdout: &str, said: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{stderr}");
    assert!(output.status.success(), "{stderr}");
    let untimed = stderr.lines().map(|line| match line.split_once(" exchanges, ") {
        Some((count, rest)) => {
            format!("{count} exchanges{}", rest.find(';').map_or("", |more| &rest[more..]))
        }
        None => line.to_owned(),
    });
    assert_eq!(untimed.collect::<Vec<_>>().join("\n"), said);
}

#[test]
fn what_the_sniffer_wrote_is_found() {
    let place = Place::new();
    let log = SniffLog::start(LogFile::at(place.path().join("front.jsonl"))).unwrap();
    log.note(&exchange(0, "http://a.org/Index.html"));
    log.note(&exchange(1, "http://b.org/a"));
    // The index of a folder, which is asked for by the folder's name.
    log.note(&exchange(2, "http://b.org/a/"));
    assert_eq!(log.shutdown(Duration::from_secs(30)), relais_http::line_log::Closed::InTime);
    let table = "\
time (UTC)          client    method code  size   took cache url
2000-10-10 13:55:36 192.0.2.1 GET    200   2.2K   12ms hit   http://a.org/Index.html
2000-10-10 13:55:38 192.0.2.1 GET    200   2.2K   12ms hit   http://b.org/a/
";
    check(&place.run(&["flows", "index", "front.jsonl"]), table, "2 of 3 exchanges");
    let quiet = place.run(&["flows", "-q", "INDEX", "front.jsonl", "--color", "always"]);
    check(&quiet, "", "");
}

#[test]
fn conditions_hold_together_and_lines_stay_as_they_are() {
    let place = Place::new();
    let lines =
        [line(0, "http://a.org/1"), line(60, "http://b.org/1"), line(120, "http://a.org/2")];
    place.write("log", lines.concat());
    let run = |arguments: &[&str]| {
        let output = place.run(&[&["flows", "log", "-q"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(&["--json"]), lines.concat());
    assert_eq!(run(&["--json", "--url", "a.org"]), lines[0].clone() + &lines[2]);
    assert_eq!(run(&["--json", "--url", "a.org", "--since", "2000-10-10T13:56:36Z"]), lines[2]);
    assert_eq!(run(&["--json", "--until", "2000-10-10T15:56:36+02:00", "-n1"]), lines[0]);
    assert_eq!(run(&["--json", "--since", "10m"]), "");
    assert_eq!(run(&["--count"]), "3\n");
    assert_eq!(run(&["--count", "--client", "192.0.2.0/24", "--status", "2xx"]), "3\n");
    assert_eq!(run(&["--count", "--cache", "hit", "--method", "get", "--larger", "2KiB"]), "3\n");
    assert_eq!(run(&["--count", "--slower", "1s"]), "0\n");
    assert_eq!(run(&["--count", "--blocked"]), "0\n");
    assert_eq!(run(&["--count", "--host", "a.org"]), "0\n", "no line has a host");
    assert_eq!(run(&["--url", "nowhere"]), "", "a table without rows has no names either");
}

#[test]
fn older_files_come_first_and_a_broken_line_is_told_by_file_and_number() {
    let place = Place::new();
    let [one, two, three] = [line(0, "/1"), line(1, "/2"), line(2, "/3")];
    place.write("log.2", &one);
    place.write("log.1", format!("{two}{{\"time\":\"20\nnot\x1b[2J one\n"));
    place.write("log", format!("{{\"dropped\":7,\"time\":\"2000-10-10T13:55:36Z\"}}\n{three}"));
    let said = "\
log.1:2: passed over: torn: expected {…}
log.1:3: passed over: torn: expected {…}
3 of 3 exchanges; 2 lines passed over; 7 lines never written";
    let output = place.run(&["flows", "log", "--json"]);
    check(&output, &[&*one, &two, &three].concat(), said);
    place.write("log", "a\n".repeat(30));
    let output = place.run(&["flows", "--count", "", "log"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.matches(": passed over: ").count(), 20, "{stderr}");
    assert!(stderr.trim_end().ends_with("; 32 lines passed over"), "{stderr}");
}

#[test]
fn what_is_no_log_is_refused() {
    let place = Place::new();
    place.write("index", "no log");
    let refused = |arguments: &[&str], expect: &str| {
        let output = place.run(&[&["flows"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(expect), "{stderr}");
    };
    let none = "error: no log to search\n --> command line: FILE\n  \
                = expected the FILE that the sniffer writes\n\
                hint: name it: `relais flows \"index\" FILE`\n";
    refused(&["index"], none);
    let none = "error: no such file: \"nope.jsonl\"\n --> command line: FILE\nhint: as a word ";
    refused(&["nope.jsonl"], none);
    refused(&["l.jsonll"], "error: no such file: \"l.jsonll\"\n");
    fs::create_dir(place.path().join("folder")).unwrap();
    let folder =
        "error: cannot read the log \"folder/\": it is not a file\n --> command line: FILE\n";
    refused(&["folder/"], folder);
    refused(&["/tmp"], "error: cannot read the log \"/tmp\": it is not a file\n");
    refused(&["folder"], "error: no log to search\n");
    let expected = "error: invalid value 'x' for '--limit <N>': expected a number, 1 or more\n";
    refused(&["a", "index", "--limit", "x"], expected);
    refused(&["a", "index", "--status", "6xx"], "error: invalid value '6xx' for '--status");
    refused(&["a", "none"], "error: cannot read the log \"none\": no such file or directory\n");
    refused(&["a", "."], "error: cannot read the log \".\": it is not a file\n");
    refused(&["a", "index", "--status", "abc"], "error: invalid value 'abc' for '--status");
    refused(&["a", "index", "--since", "abc"], "error: invalid value 'abc' for '--since");
    refused(&["a", "index", "--cache", "abc"], "error: invalid value 'abc' for '--cache");
    refused(&["a", "index", "--limit", "0"], "error: invalid value '0' for '--limit");
    refused(&["a", "index", "--count", "--json"], "error: the argument '--count' cannot be used");
}

#[test]
fn a_configuration_that_names_no_log_is_told_as_such() {
    let place = Place::new();
    let refused = |expect: &str| {
        let output = place.run(&["flows", "a"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(expect), "{stderr}");
    };
    let text = "[proxy.front]\nlisten = \"9000\"\nupstream = \"8081\"\n";
    place.write("relais.toml", text);
    refused("error: no log to search: relais.toml names no `sniff.log`\n --> command line: FILE\n");
    place.write("relais.toml", text.to_owned() + "sniff.log = \"front.jsonl\"\n");
    refused("error: no log to search: \"front.jsonl\" is not there yet\n");
    place.write("relais.toml", "[proxy.front]\n");
    refused("error: missing key `listen`\n --> relais.toml:1:1\n");
}

#[test]
fn what_may_be_the_reason_is_told_where_nothing_is_found() {
    let place = Place::new();
    place.write("log.jsonl", line(0, "http://a.org/1") + &line(1, "http://a.org/2"));
    let output = place.run(&["flows", "--method", "GTE", "log.jsonl"]);
    check(&output, "", "0 of 2 exchanges\nno method is called \"GTE\": did you mean `GET`?");
    let output = place.run(&["flows", "--method", "PROPFIND", "log.jsonl"]);
    check(&output, "", "0 of 2 exchanges");
    let output = place.run(&["flows", "--count", "--since", "2000-10-10 13:55:37", "log.jsonl"]);
    check(&output, "1\n", "1 of 2 exchanges");
    let output = place.run(&["flows", "--json", "-n", "1", "log.jsonl"]);
    check(&output, &line(0, "http://a.org/1"), "1 of 2 exchanges; more were not looked for");
}

#[test]
fn who_stops_reading_ends_it_without_a_word() {
    let place = Place::new();
    place.write("log", line(0, "/").repeat(10_000));
    for how in ["--json", "--color=never"] {
        let mut command = place.command(&["flows", "log", how]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn what_comes_is_followed_into_the_next_file_until_a_signal() {
    let place = Place::new();
    let log = place.write("log", line(0, "/1") + "torn\n");
    let append = |text: &str| {
        let mut file = OpenOptions::new().append(true).create(true).open(&log).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let running = Running::of(place.command(&["flows", "-f", "--json", "/", "log"]), 1);
    append(&line(1, "/2")[..20]);
    append(&(line(1, "/2")[20..].to_owned() + "torn\n"));
    assert_eq!(running.line() + "\n", line(1, "/2"));
    fs::rename(&log, place.path().join("log.1")).unwrap();
    append(&("torn\n".to_owned() + &line(2, "/3")));
    assert_eq!(running.line() + "\n", line(2, "/3"));
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said: Vec<_> = ended.stderr.lines().collect();
    assert!(said[0].starts_with("log:2: ") && said[1].starts_with("log:4: "), "{said:?}");
    assert!(
        said[2].starts_with("log:1: ") && said[3].starts_with("3 of 3 exchanges, "),
        "{said:?}"
    );
}
