//! What people type who come from other programs, refused with what it is called here, or obeyed.
//!
//! Known to the parser only: neither help, manual nor completions show it.

mod proxying;

use std::{
    ffi::OsString,
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser as _};

use crate::{
    complaint::{Complaint, Wrong},
    flags::Cli,
    spelling::HttpEndpoint,
};

/// Why a command line is not obeyed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It asks for help, or is wrong.
    ByParser(clap::Error),
    /// It is right elsewhere.
    Habit(Box<Complaint>),
}

/// The port of those who name none.
const PORT: &str = "8080";

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Cli, Refused> {
    let mut command = with_habits(Cli::command());
    let words = with_body(std::env::args_os().collect());
    let matches = command.try_get_matches_from_mut(words);
    let matches = matches.map_err(Refused::ByParser)?;
    match matches.subcommand() {
        Some(("help", help)) => {
            let words = help.get_many::<String>("words").into_iter().flatten();
            let words = words.filter(|word| *word != "help").cloned();
            return again(words.chain(["--help".to_owned()]));
        }
        Some(("version", _)) => return again(["--version".to_owned()]),
        Some(("serve", serve)) => {
            if let Some(complaint) = of_serve(serve) {
                return Err(Refused::Habit(Box::new(complaint)));
            }
        }
        Some(("proxy", proxy)) => {
            if let Some(complaint) = proxying::of_proxy(proxy) {
                return Err(Refused::Habit(Box::new(complaint)));
            }
        }
        _ => (),
    }
    let cli = Cli::from_arg_matches(&matches);
    cli.map_err(|error| Refused::ByParser(error.format(&mut command)))
}

/// Has `--data` behind `get` be its body, as those who come from curl mean it: before `get` it is the
/// folder that every command takes.
fn with_body(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut is_value = false;
    let command = words.iter().enumerate().skip(1).find(|(_, word)| {
        let is_flag = word.as_encoded_bytes().starts_with(b"-");
        let is_command = !is_flag && !is_value;
        is_value = *word == "--data" || *word == "--color";
        is_command
    });
    let Some((at, _)) = command.filter(|(_, word)| *word == "get") else { return words };
    for word in words[at..].iter_mut().take_while(|word| *word != "--") {
        if word == "--data" {
            *word = "--body".into();
        } else if let Some(text) = word.to_str().and_then(|word| word.strip_prefix("--data=")) {
            *word = format!("--body={text}").into();
        }
    }
    words
}

/// The same in words of ours.
fn again(words: impl IntoIterator<Item = String>) -> Result<Cli, Refused> {
    let words = ["relais".to_owned()].into_iter().chain(words);
    Cli::try_parse_from(words).map_err(Refused::ByParser)
}

fn with_habits(command: clap::Command) -> clap::Command {
    let flag = |name: &'static str, short| Arg::new(name).long(name).short(short).hide(true);
    let words = Arg::new("words").action(ArgAction::Append).num_args(0..);
    command
        .mut_subcommand("serve", |serve| serve.arg(flag("port", 'p')).arg(flag("bind", 'b')))
        .mut_subcommand("proxy", proxying::with_habits)
        .subcommand(clap::Command::new("help").arg(words).hide(true))
        .subcommand(clap::Command::new("version").hide(true))
}

/// Where to listen, said as most servers of files are told.
fn of_serve(serve: &ArgMatches) -> Option<Complaint> {
    let said = |name| serve.get_one::<String>(name).map(String::as_str);
    let (flag, found) = match (said("port"), said("bind")) {
        (None, None) => return instead_of_folder(serve.get_one::<PathBuf>("root")?),
        (Some(port), _) => ("--port", port),
        (None, Some(address)) => ("--bind", address),
    };
    let port = said("port").unwrap_or(PORT);
    let meant = match said("bind") {
        None => port.to_owned(),
        Some("0.0.0.0" | "::" | "[::]" | "*" | "") => format!(":{port}"),
        Some(ip) if ip.parse::<Ipv6Addr>().is_ok() => format!("[{ip}]:{port}"),
        Some(address) if address.parse::<SocketAddr>().is_ok() => address.to_owned(),
        Some(address) => format!("{address}:{port}"),
    };
    Some(complaint(flag, &format!("no flag `{flag}`: {found:?}"), &meant))
}

fn instead_of_folder(root: &Path) -> Option<Complaint> {
    let text = root.to_string_lossy();
    let names_a_port = text.contains(':') || text.chars().all(|c| c.is_ascii_digit());
    if root.exists() || !names_a_port || text.parse::<HttpEndpoint>().is_err() {
        return None;
    }
    Some(complaint("DIR", &format!("no folder at {text:?}"), &text))
}

fn complaint(flag: &str, what: &str, meant: &str) -> Complaint {
    let wrong = Wrong { what: what.to_owned(), expected: None, hint: None };
    let wrong = wrong.hint(format!("where to listen is said by `--listen {meant}`"));
    Complaint::of_flag(flag, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_a_body_behind_get_and_a_folder_before_it() {
        let check = |line: &str, expect: &str| {
            let words = line.split(' ').map(OsString::from).collect();
            let found: Vec<_> =
                with_body(words).iter().map(|word| word.to_str().unwrap().to_owned()).collect();
            assert_eq!(found.join(" "), expect);
        };
        check("relais get --data a 80", "relais get --body a 80");
        check("relais get 80 --data=a", "relais get 80 --body=a");
        check("relais --data x -v get --data a 80", "relais --data x -v get --body a 80");
        check("relais --data get serve --data a", "relais --data get serve --data a");
        check("relais get 80 -- --data", "relais get 80 -- --data");
        check("relais --data x", "relais --data x");
    }

    #[test]
    fn habits_and_flags_of_ours_do_not_clash() {
        with_habits(Cli::command()).debug_assert();
    }
}
