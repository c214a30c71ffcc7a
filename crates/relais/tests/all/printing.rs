//! What commands print, where it cannot be written, or nobody reads it.

use std::{fs::OpenOptions, io::Read as _, process::Stdio};

use crate::program::Place;

/// Commands that print, and end by themselves.
const COMMANDS: [&[&str]; 9] = [
    &["--version"],
    &["serve", "--help"],
    &["check"],
    &["check", "--json"],
    &["man", "serve"],
    &["completions", "bash"],
    &["cert", "init"],
    &["flows", "log.jsonl"],
    &["flows", "--count", "log.jsonl"],
];

fn place() -> Place {
    let place = Place::new();
    place.write("one/index.html", "one");
    place.write("relais.toml", "[serve.site]\nlisten = '127.0.0.1:0'\nroot = 'one'\n");
    let line = "{\"time\":\"2026-01-01T00:00:00.000Z\",\"client\":\"192.0.2.1\",\"method\":\"GET\",\
                \"url\":\"http://a.example/\",\"status\":200}\n";
    place.write("log.jsonl", line);
    place
}

#[test]
fn a_disk_that_is_full_is_told_and_is_a_failure() {
    let place = place();
    for words in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.command(words).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains("error: "), "{words:?}: {said}");
        assert!(said.to_lowercase().contains("no space left on device"), "{words:?}: {said}");
    }
}

#[test]
fn a_reader_that_has_enough_is_none() {
    let place = place();
    for words in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = place.command(words).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}: {said}");
        assert!(!said.contains("error"), "{words:?}: {said}");
    }
}
