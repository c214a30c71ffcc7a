//! A host and its port as two words, as netcat takes them.

use std::ffi::OsString;

use clap::{
    CommandFactory as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    complaint::{Complaint, Wrong},
    flags::Cli,
    spelling::{go_together, together},
};

/// What is told to who writes them so: nothing where something else is wrong.
pub(super) fn of_two_words(error: &clap::Error, words: &[OsString]) -> Option<Complaint> {
    let words = words.iter().map(|word| word.to_str()).collect::<Option<Vec<_>>>()?;
    let told = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.as_str()),
        _ => None,
    };
    let (argument, kind) = (told(ContextKind::InvalidArg)?, error.kind());
    let (place, word) = match kind {
        // A host that is nothing by itself.
        ErrorKind::ValueValidation if names_an_endpoint(argument) => {
            (0, told(ContextKind::InvalidValue)?)
        }
        // A port behind a host that is one, of the usual port.
        ErrorKind::UnknownArgument => (1, argument),
        _ => return None,
    };
    let (at, meant) = words.windows(2).enumerate().find_map(|(at, two)| {
        let meant = together(two[0], two[1])?;
        (two[place] == word).then_some((at, meant))
    })?;
    if kind == ErrorKind::UnknownArgument && !is_asked(&words, (at, &meant)) {
        return None;
    }
    let what = "host and port stand apart".to_owned();
    let wrong = Wrong { what, expected: None, hint: Some(go_together(&meant)) };
    Some(Complaint::of_flag(words[at..at + 2].join(" "), wrong))
}

/// Whether `argument` is written as one that takes endpoints.
fn names_an_endpoint(argument: &str) -> bool {
    ["ENDPOINT", "LISTEN", "UPSTREAM"].iter().any(|name| argument.contains(name))
}

/// Whether the line is right with `meant` in the place of the two words at `at`, and that is what is
/// asked: the host may be what a flag takes.
fn is_asked(words: &[&str], (at, meant): (usize, &str)) -> bool {
    let line = [&words[..at], &[meant], &words[at + 2..]].concat();
    let Ok(matches) = Cli::command().try_get_matches_from(line) else { return false };
    let Some((_, command)) = matches.subcommand() else { return false };
    ["url", "target"].iter().any(|id| {
        let asked = command.try_get_raw(id).ok().flatten();
        asked.is_some_and(|mut asked| asked.any(|asked| asked == meant))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// What is told, if it is.
    fn told(line: &str) -> Option<String> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&words).expect_err(line);
        of_two_words(&error, &words).map(|complaint| complaint.to_string())
    }

    #[test]
    fn a_host_and_its_port_as_two_words_are_told_to_go_together() {
        let check = |line: &str, words: &str, meant: &str| {
            let expect = format!(
                "error: host and port stand apart\n --> command line: {words}\n\
                 hint: host and port go together: {meant}"
            );
            assert_eq!(told(line), Some(expect), "{line}");
        };
        check("relais listen localhost 6666", "localhost 6666", "localhost:6666");
        check("relais listen ::1 6666 --as echo", "::1 6666", "[::1]:6666");
        check(
            "relais listen --as echo udp://a.example 6666",
            "udp://a.example 6666",
            "udp://a.example:6666",
        );
        check("relais relay localhost 9100", "localhost 9100", "localhost:9100");
        check("relais relay 8081 localhost 8081", "localhost 8081", "localhost:8081");
        check("relais relay 8081 8082 --listen localhost 8083", "localhost 8083", "localhost:8083");
        check("relais get localhost 8081", "localhost 8081", "localhost:8081");
        check(
            "relais get -v http://a.example 8081",
            "http://a.example 8081",
            "http://a.example:8081",
        );
        check("relais load -c 50 localhost 50", "localhost 50", "localhost:50");
        check("relais hub localhost 6680", "localhost 6680", "localhost:6680");
        check("relais chat localhost 6680", "localhost 6680", "localhost:6680");
    }

    #[test]
    fn what_is_wrong_otherwise_is_told_no_such_thing() {
        for line in [
            "relais get 80 81",
            "relais get a.example/b 81",
            "relais get a.example b",
            "relais get a.example --user ana 81",
            "relais load a.example 81 82",
            "relais listen localhost",
            "relais listen localhost quit",
            "relais relay 80 81 --idle-max x 82",
            "relais password ana 80",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
