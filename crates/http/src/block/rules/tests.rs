use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::block::{BadLine, WrongRule};

const LIST: &str = "\
# what is blocked
ads.example
*.below.example
0.0.0.0 Itself.example also.example # as in a hosts file
192.0.2.7
2001:DB8::7

casino
/private/area
/tmp/*.exe|
buy%20now
|https://*.secure.example:8443/
казино";

#[test]
fn hosts_are_blocked_however_they_are_spelled() {
    check("http://ads.example/", 2);
    check("http://x.ADS.example./a?b", 2);
    check("https://ads.example:8443/", 2);
    check("http://bads.example/", 0);
    check("http://below.example/", 0);
    check("http://a.b.below.example/", 3);
    check("http://itself.example/", 4);
    check("http://also.example/", 4);
    check("http://x.itself.example/", 0);
    check("http://192.0.2.7/", 5);
    check("http://0xC0.0.519/", 5);
    check("http://3221225991/", 5);
    check("http://[::ffff:192.0.2.7]/", 5);
    check("http://[2001:db8:0:0::7]:81/", 6);
    check("http://[2001:db8::8]/", 0);
}

#[test]
fn words_are_found_however_they_are_encoded() {
    check("http://a/casino", 8);
    check("http://Casino.example/", 8);
    check("http://a/?q=my-CASINO-x", 8);
    check("http://a/c%61s%49no", 8);
    check("http://a/c%2561sino", 8);
    check("http://a/?q=c%25%36%31sino", 8);
    check("http://a/cas/../ino", 0);
    check("http://a/cas/..ino", 0);
    check("http://a/x/..%2fcasino", 8);
    check("http://a/%D0%9A%D0%90%D0%97%D0%98%D0%9D%D0%9E", 13);
    check("http://a/?%25D0%259a%D0%B0%D0%B7%D0%B8%D0%BD%D0%BE", 13);
}

#[test]
fn paths_are_found_however_they_are_written() {
    check("http://a/private/area", 9);
    check("http://a//private///area/x", 9);
    check("http://a/private/./area", 9);
    check("http://a/private/x/../area", 9);
    check("http://a/private/x/%2e%2e/area", 9);
    check("http://a/private/x/%252e%252e/area", 9);
    check("http://a/private\\area", 9);
    check("http://a/private%5Carea", 9);
    check("http://a/private%2Farea", 9);
    // Not where this leads to; but who does not resolve it would read it so.
    check("http://a/private/area/../public", 9);
    check("http://a/private//../area", 9);
    check("http://a/private/x%2fy/../area", 9);
    check("http://a/x%2fy/../private/area", 9);
    check("http://a/private", 0);
}

#[test]
fn parameters_of_segments_hide_nothing() {
    let list = "a.example/secret\n|http://*/a/b|\n";
    let check = |path: &str, line: u32| {
        check_list(list, &format!("http://a.example{path}"), line);
    };
    for path in ["/;/secret", "/x/..;/secret", "/x/%2e%2e;/secret", "/;a=b/secret", "/secret;x"] {
        check(path, 1);
    }
    for path in ["/x/..%3b/secret", "/x/..%253b;/secret", "/x;a/..;b=%2f/;c/secret", "/.;/secret"] {
        check(path, 1);
    }
    check("/a;x/b;y=z", 2);
    check("/a;x/b?;", 0);
    check("/x?;/secret", 0);
}

#[test]
fn globs_and_phrases_are_found() {
    check("http://a/tmp/b.exe", 10);
    check("http://a/tmp/b.EX%45", 10);
    check("http://a/tmp/b.exe?x", 0);
    check("http://a/?x=buy+now", 11);
    check("http://a/?x=buy%20now", 11);
    check("http://a/buy%2bnow", 11);
    check("https://a.secure.example:8443/", 12);
    check("https://a.secure.example/", 0);
    check("http://a.secure.example:8443/", 0);
    check_list("a.example/area", "http://a.example:81/area", 1);
}

#[test]
fn the_usual_port_is_left_out_of_a_url() {
    check_list("|http://a/", "http://a:80/", 1);
    check_list("|https://a/", "https://a:443/", 1);
    check_list(":8080/", "http://a:8080/", 1);
    check_list("url::80/", "http://a:80/", 0);
}

#[track_caller]
fn check(url: &str, line: u32) {
    check_list(LIST, url, line);
}

/// `line` is that of the rule that is found, or 0.
#[track_caller]
fn check_list(list: &str, url: &str, line: u32) {
    let rules = Rules::parse(list.into()).unwrap();
    let found = rules.judge(&target(url)).map_or(0, |rule| rule.line);
    assert_eq!(found, line, "for {url}");
}

fn target(url: &str) -> Target<'_> {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path_and_query) = rest.split_at(rest.find('/').unwrap());
    let host_len = authority
        .rfind(']')
        .map_or_else(|| authority.find(':').unwrap_or(authority.len()), |bracket| bracket + 1);
    let (host, port) = authority.split_at(host_len);
    let port = port.strip_prefix(':').map(|port| port.parse().unwrap());
    Target { scheme, host, port, path_and_query }
}

#[test]
fn a_rule_is_told_as_it_stands_in_the_list() {
    let rules = Rules::parse(LIST.into()).unwrap();
    assert_eq!(rules.len(), 11);
    let told = |url| rules.judge(&target(url)).map(|rule| rule.text);
    assert_eq!(told("http://also.example/"), Some("0.0.0.0 Itself.example also.example"));
    assert_eq!(told("http://a/buy+now"), Some("buy%20now"));
}

#[test]
fn line_ends_and_byte_order_marks_are_no_part_of_rules() {
    let rules = Rules::parse("\u{feff}ads.example\r\n\r\n  casino \r\n".into()).unwrap();
    assert_eq!(
        rules.judge(&target("http://ads.example/")),
        Some(Rule { text: "ads.example", line: 1 })
    );
    assert_eq!(rules.judge(&target("http://a/casino")), Some(Rule { text: "casino", line: 3 }));
}

#[test]
fn a_list_may_be_empty() {
    let rules = Rules::parse(Vec::new()).unwrap();
    assert!(rules.is_empty());
    assert_eq!(rules.judge(&target("http://a/")), None);
    assert!(Rules::parse("# nothing yet".into()).unwrap().is_empty());
}

#[test]
fn a_bad_list_is_told_with_its_line() {
    let bad = |list: &[u8]| {
        let BadList { mut lines } = Rules::parse(list.into()).unwrap_err();
        let BadLine { line, text, wrong } = lines.remove(0);
        (line, text, wrong)
    };
    assert_eq!(
        bad(b"a.example\n\nhost: \n"),
        (3, "host:".into(), WrongRule::BadHost(String::new()))
    );
    assert_eq!(bad(b"a\nb\n  c\xff d\ne"), (3, "c\u{fffd} d".into(), WrongRule::NotUtf8));
    let error = Rules::parse(b"\nbuy now".into()).unwrap_err();
    assert!(
        error.to_string().starts_with("line 2: \"buy now\": space in a rule: expected"),
        "{error}"
    );
}

#[test]
fn the_first_bad_lines_are_told_together() {
    let numbers = |list: &str| {
        let BadList { lines } = Rules::parse(list.into()).unwrap_err();
        lines.iter().map(|line| line.line).collect::<Vec<_>>()
    };
    assert_eq!(numbers("a\nhost:\nb\n*"), [2, 4]);
    assert_eq!(numbers(&"host:\n".repeat(9)), [1, 2, 3, 4, 5]);
    let error = Rules::parse("*\n*\n*".into()).unwrap_err();
    assert!(error.to_string().ends_with(" (and 2 lines more)"), "{error}");
}

#[test]
fn at_its_limits_a_list_is_refused() {
    let caps = Caps { line_bytes_max: 20, rules_max: 3, url_bytes_max: 30 };
    let read = |list: &str| reader::read(list.into(), &caps).map(|read| read.places.len());
    let bad = |list: &str| {
        let BadList { lines } = read(list).unwrap_err();
        format!("line {}: {}", lines[0].line, lines[0].wrong)
    };
    assert_eq!(read("# 9 123456 123456 12\na.b\na.b\na.b"), Ok(3));
    assert_eq!(
        bad("a.b\na.b\n# 9 123456 123456 123"),
        "line 3: too long: expected at most 20 bytes"
    );
    assert_eq!(bad("a.b\na.b\na.b\n\na.b"), "line 5: too many rules: expected at most 3");
    assert_eq!(bad("::1 a.b b.b c.b d.b"), "line 1: too many rules: expected at most 3");
    assert_eq!(read("123456789 # 0123456\n123456789\n012345678901"), Ok(3));
    let much = "line 3: too much text in rules for URLs: expected at most 30 bytes; \
                rules for hosts are free";
    assert_eq!(bad("123456789\n123456789\n0123456789012"), much);
    assert_eq!(bad("1234567890123456789\n\n*abcdefghij*"), much);
}

/// Encodes `byte` in one of the ways that an upstream may decode.
fn encoded(byte: u8, way: u8) -> String {
    match way {
        0 => format!("%{byte:02x}"),
        1 => format!("%{byte:02X}"),
        2 => format!("%25{byte:02x}"),
        3 => format!("%{:02x}{:x}%{:02X}", b'%', byte >> 4, format!("{byte:x}").as_bytes()[1]),
        4 => char::from(byte.to_ascii_uppercase()).into(),
        5 => format!("%{:02x}", byte.to_ascii_uppercase()),
        _ => char::from(byte).into(),
    }
}

proptest! {
    #[test]
    fn no_encoding_slips_through(
        ways in prop::collection::vec(0..8_u8, 11),
        before in r"[a-z0-9/._~?=&+%-]{0,12}",
        after in r"[a-z0-9/._~?=&+%-]{0,12}",
    ) {
        let rules = Rules::parse("blockedword".into()).unwrap();
        let word: String =
            b"blockedword".iter().zip(&ways).map(|(byte, way)| encoded(*byte, *way)).collect();
        let path_and_query = format!("/{before}/{word}{after}");
        let target = Target { scheme: "http", host: "h", port: None, path_and_query: &path_and_query };
        prop_assert!(rules.judge(&target).is_some(), "{}", path_and_query);
    }

    #[test]
    fn no_detour_slips_through(
        detours in prop::collection::vec(0..8_usize, 3),
        ways in prop::collection::vec(0..8_u8, 3),
    ) {
        let rules = Rules::parse("|http://h/one/two/three".into()).unwrap();
        let detour = ["", "/", "./", "x/../", "x/%2e%2e/", "%2e/", "x/.%252e/", "y\\..\\"];
        let mut path = String::new();
        for ((name, detour_at), way) in ["one", "two", "three"].iter().zip(&detours).zip(&ways) {
            let first = encoded(name.as_bytes()[0], *way);
            write!(path, "/{}{first}{}", detour[*detour_at], &name[1..]).unwrap();
        }
        let target = Target { scheme: "http", host: "h", port: Some(80), path_and_query: &path };
        prop_assert!(rules.judge(&target).is_some(), "{}", path);
    }

    #[test]
    fn a_word_is_found_if_and_only_if_it_is_there(
        words in prop::collection::vec("[ab]{3,5}", 1..4),
        path in "/[abA/.%+?]{0,16}",
    ) {
        let rules = Rules::parse(words.join("\n").into()).unwrap();
        let target = Target { scheme: "http", host: "h", port: None, path_and_query: &path };
        let is_there = looks(&path).iter().any(|look| {
            words.iter().any(|word| memchr::memmem::find(look, word.as_bytes()).is_some())
        });
        prop_assert_eq!(rules.judge(&target).is_some(), is_there);
    }

    #[test]
    fn nothing_panics(list: Vec<u8>, lines in "(.{0,12}\n){0,6}", host: String, path: String) {
        let target = Target { scheme: &host, host: &host, port: Some(1), path_and_query: &path };
        for list in [list, lines.into()] {
            if let Ok(rules) = Rules::parse(list) {
                rules.judge(&target);
            }
        }
    }
}
