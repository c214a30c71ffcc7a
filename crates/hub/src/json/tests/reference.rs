//! The page for who writes a client: what it shows is what is read and written.

use std::collections::BTreeSet;

use super::{FRAME_BYTES_MAX, written};
use crate::{
    json::{asked, read, read_told},
    protocol::Code,
};

const PAGE: &str = include_str!("../../../../../docs/reference/hub-protocol.md");

/// Every line of the transcripts that is sent, or heard.
fn lines(sign: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("```transcript").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<_> =
        blocks.flat_map(str::lines).filter_map(|line| line.split_once(sign)).collect();
    assert!(lines.iter().all(|(who, _)| ["", "bob "].contains(who)), "{lines:?}");
    lines.into_iter().map(|(_, line)| line).collect()
}

/// A line with something for each `…` that varies.
fn filled(line: &str) -> String {
    let mut line = line.to_owned();
    for field in ["ts", "time", "since", "until", "expires"] {
        let (any, one) = (format!("\"{field}\":\"…\""), "2025-11-20T19:00:03.511Z");
        line = line.replace(&any, &format!("\"{field}\":\"{one}\""));
    }
    for list in ["sessions", "commands", "events", "exported"] {
        line = line.replace(&format!("\"{list}\":…"), &format!("\"{list}\":[]"));
    }
    for text in ["msg", "why"] {
        line = line.replace(&format!("\"{text}\":…"), &format!("\"{text}\":\"\""));
    }
    line.replace(":…", ":1")
}

#[test]
fn what_is_sent_on_the_page_is_read() {
    let mut asked = BTreeSet::new();
    for line in lines(">> ") {
        let refused = match read(filled(line).as_bytes(), FRAME_BYTES_MAX) {
            Ok(_) => None,
            Err((_, refusal)) => Some(refusal.code.as_str()),
        };
        let behind = PAGE.split_once(line).unwrap().1.lines().nth(1).unwrap();
        let is_shown = refused.is_none_or(|code| behind.contains(code));
        assert!(is_shown, "{line}: {refused:?}, but the page has {behind}");
        asked.extend(line.split('"').nth(3));
    }
    for (command, _) in asked::COMMANDS {
        assert!(asked.contains(command), "{command} has no transcript");
    }
}

#[test]
fn what_is_heard_on_the_page_is_written() {
    for line in lines("<< ") {
        let line = filled(line);
        let told = read_told(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        // A sentence that varies is not written again.
        if !line.contains("\"msg\":\"\"") {
            assert_eq!(String::from_utf8(written(&told)).unwrap(), format!("{line}\n"));
        }
    }
}

#[test]
fn every_code_is_on_the_page() {
    for code in Code::ALL {
        assert!(PAGE.contains(&format!("`{code}`")), "{code}");
    }
}
