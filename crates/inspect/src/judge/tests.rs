use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use relais_wire::exchange::Exchange;

use super::*;
use crate::filter::Word;

fn line(second: u64, url: &str) -> String {
    let at = UNIX_EPOCH + Duration::from_secs(second);
    let mut line = Vec::new();
    Exchange { url: url.into(), ..Exchange::at(at) }.print(&mut line);
    String::from_utf8(line).unwrap()
}

fn judge(filter: Filter, lines: &str) -> Findings {
    Judge::new(filter).judge(lines.as_bytes(), Keep::Lines)
}

fn word(word: &str) -> Filter {
    Filter { word: Some(Word::new(word)), ..Filter::default() }
}

#[test]
fn wanted_lines_are_kept_as_they_are() {
    let lines = [line(1, "/a"), line(2, "/b"), line(3, "/ab")];
    let all = lines.concat();
    let check = |filter: Filter, expect: &[usize]| {
        let found = judge(filter.clone(), &all);
        let text: String = expect.iter().map(|index| lines[*index].as_str()).collect();
        assert_eq!(String::from_utf8(found.text).unwrap(), text, "{filter:?}");
        assert_eq!((found.lines, found.exchanges, found.broken), (3, 3, 0));
        assert_eq!(found.matched, expect.len() as u64);
        let counted = Judge::new(filter).judge(all.as_bytes(), Keep::Count);
        assert_eq!((counted.matched, counted.text.len()), (expect.len() as u64, 0));
    };
    check(Filter::default(), &[0, 1, 2]);
    check(word("/a"), &[0, 2]);
    check(word("b"), &[1, 2]);
    check(word("/c"), &[]);
    let second = |second| Some(UNIX_EPOCH + Duration::from_secs(second));
    check(Filter { since: second(2), ..Filter::default() }, &[1, 2]);
    check(Filter { until: second(2), ..Filter::default() }, &[0, 1]);
    check(Filter { since: second(2), until: second(2), ..word("/") }, &[1]);
    check(Filter { since: second(4), ..Filter::default() }, &[]);
}

#[test]
fn times_that_are_spelled_otherwise_are_read() {
    let lines =
        "{\"time\":\"1970-01-01T02:00:01.00+02:00\"}\n{ \"time\": \"1970-01-01T00:00:03Z\" }";
    let since = Some(UNIX_EPOCH + Duration::from_secs(2));
    let found = judge(Filter { since, ..Filter::default() }, lines);
    assert_eq!((found.exchanges, found.matched), (2, 1));
}

#[test]
fn broken_lines_are_told_by_number_and_passed_over() {
    let lines = [
        &line(1, "/a"),
        "{\"time\":\"1970-01\n",
        "\n",
        &line(1, "/a"),
        "\0\0\0\n",
        "{\"time\":\"1970-01-01T00:00:00Z\",\"url\":\"/a\",}\n",
        "{\"dropped\":5,\"time\":\"1970-01-01T00:00:00Z\"}\r\n",
        "{\"dropped\":-5}\n",
        &line(1, "/a")[..20],
    ];
    let found = judge(word("/a"), &lines.concat());
    assert_eq!((found.lines, found.exchanges, found.matched), (9, 2, 2));
    assert_eq!((found.dropped, found.broken), (5, 5));
    let numbers: Vec<_> = found.broken_first.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 4, 5, 7, 8]);
    let why: Vec<_> = found.broken_first.iter().map(|(_, why)| why.to_string()).collect();
    assert_eq!(why[0], "torn: expected {…}");
    assert_eq!(why[2], "no JSON at byte 43: expected a text in quotes");
    assert_eq!(why[3], "bad \"dropped\": expected a whole number");
}

#[test]
fn a_file_that_is_no_log_fills_no_memory_with_what_is_broken() {
    let found = judge(word("a"), &"a\n".repeat(1000));
    assert_eq!((found.broken, found.broken_first.len()), (1000, 20));
}

proptest! {
    /// What is looked for in the raw bytes leaves nothing out.
    #[test]
    fn what_is_found_is_what_matches_line_by_line(
        urls in prop::collection::vec("[abA/\"\\\\é\u{1b}]{0,6}", 0..8),
        text in "[abA/\"\\\\é\u{1b}]{0,2}",
    ) {
        let lines: Vec<_> = urls.iter().map(|url| line(1, url)).collect();
        for filter in [word(&text), Filter { url: Some(Word::new(&*text)), ..Filter::default() }] {
            let is_wanted = |line: &&String| {
                filter.matches(&Exchange::read(line.as_bytes()).unwrap())
            };
            let expect: String = lines.iter().filter(is_wanted).map(String::as_str).collect();
            let found = judge(filter.clone(), &lines.concat());
            prop_assert_eq!(String::from_utf8(found.text).unwrap(), expect);
        }
    }

    #[test]
    fn nothing_panics(lines: Vec<u8>, text in "[{}\"a-z:,0-9\n]{0,100}") {
        for filter in [Filter::default(), word("a")] {
            let judge = Judge::new(filter);
            let found = judge.judge(&lines, Keep::Lines);
            prop_assert!(found.exchanges + found.broken <= found.lines);
            judge.judge(text.as_bytes(), Keep::Lines);
        }
    }
}
