use std::{fs::OpenOptions, io::Write, path::Path};

use super::*;
use crate::filter::Filter;

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn exchange(second: u32) -> String {
    format!("{{\"time\":\"1970-01-01T00:00:{second:02}Z\"}}\n")
}

fn tail(path: &Path) -> Tail {
    let mut source = Source::open(path).unwrap();
    source.end_at_line().unwrap();
    Tail::after(source)
}

/// What has come: the lines, `!` for each that is broken, and `|` where a file ended.
fn more(tail: &mut Tail) -> String {
    let judge = Judge::new(Filter::default());
    let mut found = String::new();
    while let Some(more) = tail.more(&judge, Keep::Lines).unwrap() {
        let (findings, end) = match more {
            More::Lines(findings) => (findings, ""),
            More::Anew(findings) => (findings, "|"),
        };
        found += str::from_utf8(&findings.text).unwrap();
        found += &"!".repeat(usize::try_from(findings.broken).unwrap());
        found += end;
    }
    found
}

#[test]
fn lines_come_when_they_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    append(&path, &exchange(1));
    append(&path, &exchange(2)[..9]);
    let mut tail = tail(&path);
    assert_eq!(more(&mut tail), "");
    append(&path, &exchange(2)[9..]);
    assert_eq!(more(&mut tail), exchange(2));
    append(&path, "torn\n");
    append(&path, &exchange(3));
    append(&path, &exchange(4)[..1]);
    assert_eq!(more(&mut tail), exchange(3) + "!");
    assert_eq!(more(&mut tail), "");
}

#[test]
fn a_line_that_is_taken_back_is_read_anew_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    append(&path, &exchange(1));
    let mut tail = tail(&path);
    append(&path, &exchange(2));
    let whole = fs::metadata(&path).unwrap().len();
    append(&path, &exchange(3)[..9]);
    assert_eq!(more(&mut tail), exchange(2));
    let cut = |len| OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
    cut(whole);
    assert_eq!(more(&mut tail), "");
    append(&path, &exchange(4));
    assert_eq!(more(&mut tail), exchange(4));
    cut(0);
    append(&path, &exchange(5));
    assert_eq!(more(&mut tail), exchange(5));
}

#[test]
fn a_log_that_is_put_aside_is_followed_into_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (path, older) = (dir.path().join("log"), dir.path().join("log.1"));
    append(&path, &exchange(1));
    let mut tail = tail(&path);
    fs::rename(&path, &older).unwrap();
    assert_eq!(more(&mut tail), "", "there is no new one yet");
    append(&older, &exchange(2));
    append(&older, "torn");
    append(&path, &exchange(3));
    assert_eq!(more(&mut tail), exchange(2) + "!|" + &exchange(3));
}

#[test]
fn no_file_is_passed_over_where_more_than_one_was_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let log = |number: u32| dir.path().join(format!("log.{number}"));
    let path = dir.path().join("log");
    append(&path, &exchange(1));
    let mut tail = tail(&path);
    fs::rename(&path, log(3)).unwrap();
    for (path, second) in [(log(2), 2), (log(1), 3), (path.clone(), 4)] {
        append(&path, &exchange(second));
    }
    let expect = ["|", &exchange(2), "|", &exchange(3), "|", &exchange(4)].concat();
    assert_eq!(more(&mut tail), expect);
}

#[test]
fn an_emptied_log_is_read_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    append(&path, &exchange(1).repeat(2));
    let mut tail = tail(&path);
    fs::write(&path, exchange(2)).unwrap();
    assert_eq!(more(&mut tail), exchange(2));
}

#[test]
fn a_line_without_end_fills_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    append(&path, "");
    let mut tail = tail(&path);
    append(&path, &"a".repeat(LINE_BYTES_MAX + STEP_BYTES));
    assert_eq!(more(&mut tail), "!");
    assert!(tail.begun.len() <= LINE_BYTES_MAX);
    append(&path, "a\n");
    append(&path, &exchange(1));
    assert_eq!(more(&mut tail), exchange(1) + "!");
}
