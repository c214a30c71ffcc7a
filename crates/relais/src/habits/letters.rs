//! Flags of curl, netcat and others that are unknown here, and what is meant by them: told as a hint.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::complaint::{Complaint, Wrong};

/// For each command: flags of others, and what to do here.
const HINTS: &[(&str, &[&str], &str)] = &[
    ("get", &["-L", "--location"], "`--follow` goes where the answer sends"),
    ("get", &["-I"], "`--head` asks for the head alone"),
    (
        "get",
        &["-k"],
        "`--insecure` believes whoever answers; `--ca` and `--pin` say whom to believe",
    ),
    ("get", &["-i", "--include"], "not needed: the head goes to standard error"),
    ("get", &["-s", "-S", "--silent"], "`-q` tells errors alone; the body goes to standard output"),
    ("get", &["-f", "--fail"], "`--check` exits with 3 if the status is 400 or above"),
    ("get", &["-O"], "`-o FILE` writes the body to FILE"),
    ("get", &["-x"], "`--proxy ENDPOINT` asks through a proxy"),
    ("get", &["-m"], "`--timeout TIME` says how long each step may take"),
    ("send", &["-u"], "`--udp` sends datagrams"),
    ("send", &["-w"], "`--wait TIME` says how long answers are waited for"),
    ("send", &["-U"], "an endpoint `unix:///PATH` is a socket in the file system"),
    ("listen", &["-l"], "not needed: `relais listen PORT` does"),
    ("listen", &["-p"], "the port stands alone: `relais listen PORT`"),
    ("listen", &["-k"], "not needed: it goes on listening"),
    ("listen", UDP, "an endpoint `udp://127.0.0.1:PORT` is of UDP"),
    ("relay", UDP, "endpoints `udp://127.0.0.1:PORT` are of UDP, on each side"),
    ("relay", &["-p"], "first where to listen, then who is called: `relais relay 9000 8081`"),
    ("load", &["-k"], "not needed: connections are kept; `--insecure` believes whoever answers"),
];

const UDP: &[&str] = &["-u", "--udp"];

/// What is told to who types a flag of another program: nothing of those that nobody knows.
pub(super) fn of_unknown(error: &clap::Error, words: &[OsString]) -> Option<Complaint> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let words: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let is_known = |word: &str| HINTS.iter().any(|(command, ..)| *command == word);
    let command = words.iter().find(|word| is_known(word))?;
    let hint = if is_counted_apart(&words) {
        Some("the number of `--follow` stands behind `=`: `--follow=5`")
    } else {
        let mut all = HINTS.iter();
        all.find(|(of, flags, _)| of == command && flags.contains(&flag.as_str()))
            .map(|(_, _, hint)| *hint)
    };
    let what = if flag.starts_with('-') {
        format!("no flag `{flag}` of `{command}`")
    } else {
        format!("{flag:?} behind all that `{command}` takes")
    };
    let wrong = Wrong { what, expected: None, hint: None };
    Some(Complaint::of_flag(flag.as_str(), wrong.hint(hint?)))
}

/// Whether a number stands behind `--follow` where it is taken for a URL.
fn is_counted_apart<S: AsRef<str>>(words: &[S]) -> bool {
    words.windows(2).any(|two| {
        let [first, second] = two else { return false };
        first.as_ref() == "--follow" && second.as_ref().bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::flags::Cli;

    fn hint(line: &str) -> Option<String> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&words).expect_err(line);
        of_unknown(&error, &words).map(|complaint| complaint.to_string())
    }

    #[test]
    fn flags_of_others_are_told_what_they_are_called_here() {
        let check = |line: &str, expect: &str| {
            let hint = hint(line).expect(line);
            assert!(hint.contains(expect), "{hint}");
        };
        check("relais get -L 80", "hint: `--follow`");
        check("relais get 80 -k", "hint: `--insecure`");
        check("relais get --follow 5 80", "hint: the number of `--follow`");
        check("relais -v send -w1 80 x", "hint: `--wait");
        check("relais listen --udp 80", "udp://");
        check("relais relay -u 80 81", "udp://");
        assert_eq!(hint("relais get --nonsense 80"), None);
        assert_eq!(hint("relais get 80 81"), None);
    }

    #[test]
    fn no_flag_of_ours_is_told_to_be_another() {
        let cli = Cli::command();
        for (command, flags, _) in HINTS {
            let ours = cli.find_subcommand(command).expect(command);
            for flag in *flags {
                let is_ours = ours.get_arguments().any(|arg| match flag.strip_prefix("--") {
                    Some(long) => arg.get_long() == Some(long),
                    None => arg.get_short() == flag.chars().nth(1),
                });
                assert!(!is_ours, "{command} {flag}");
            }
        }
    }
}
