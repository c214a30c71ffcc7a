//! What people type who come from other programs, refused with what it is called here, or obeyed.
//!
//! Known to the parser only: neither help, manual nor completions show it.

mod apart;
mod letters;
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
    let words: Vec<OsString> = std::env::args_os().collect();
    let matches = command.try_get_matches_from_mut(&words);
    let matches = matches.map_err(|error| {
        let habit = letters::of_unknown(&error, &words);
        match habit.or_else(|| apart::of_two_words(&error, &words)) {
            Some(complaint) => Refused::Habit(Box::new(complaint)),
            None => Refused::ByParser(error),
        }
    })?;
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
        let check = |line: &str, folder: Option<&str>, is_body: bool| {
            let words = line.split(' ');
            let cli = Cli::try_parse_from(words).expect(line);
            assert_eq!(cli.global.data, folder.map(PathBuf::from), "{line}");
            let said = format!("{:?}", cli.command);
            assert_eq!(said.contains("body: Some(\"a\")"), is_body, "{said}");
        };
        check("relais get --data a 80", None, true);
        check("relais get 80 --data=a", None, true);
        check("relais get -d a 80", None, true);
        check("relais get --body a 80", None, true);
        check("relais --data x -v get --data a 80", Some("x"), true);
        check("relais serve --data a", Some("a"), false);
        check("relais --data x get 80", Some("x"), false);
    }

    #[test]
    fn habits_and_flags_of_ours_do_not_clash() {
        with_habits(Cli::command()).debug_assert();
    }
}
