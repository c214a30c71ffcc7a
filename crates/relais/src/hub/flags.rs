//! `relais hub`, word for word.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Command, Table,
    table::{Form, Lang, Registration},
};
use crate::{
    complaint::KeyPath,
    spelling::{BareEndpoint, Size},
    tls,
};

/// What a hub is called that a command line asks for, if its store is called nothing else.
const NAME: &str = "hub";

/// What a hub is called whose store is in `file`: two stores of one folder are two names.
fn name(file: Option<&Path>) -> String {
    let stem = file.and_then(Path::file_stem).and_then(OsStr::to_str);
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    let stem = stem.filter(|stem| stem.chars().all(is_plain));
    stem.unwrap_or(NAME).to_owned()
}

/// The flags.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(subcommand_help_heading = "Commands, for a hub that runs or a store at rest")]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Where to listen: `tcp://`, `tls://`, `unix://`, or `http://` and `https://` for browsers, and beside
    /// one of them `udp://`; a bare port is TCP on this machine
    #[arg(value_name = "ENDPOINT", required = true, value_parser = endpoint)]
    listen: Vec<BareEndpoint>,
    /// The file in which all that is said is kept [default: hub.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Who may have an account
    #[arg(long, value_name = "WHO", default_value = "open")]
    registration: Registration,
    /// Take passwords without TLS from other machines, where others may read them
    #[arg(long)]
    clear_passwords: bool,
    /// Ask who calls over `tls://` for a certificate, whoever signed it: accounts can have theirs known,
    /// and log in by it
    #[arg(long)]
    client_certificates: bool,
    /// How to speak to people who do not say
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    lang: Lang,
    /// What datagrams are like
    #[arg(long, value_name = "FORM", default_value = "sealed")]
    udp: Form,
    /// How long a message may be [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    message_max: Option<Size>,
    /// How many messages an account may say at once [default: 10]
    #[arg(long, value_name = "NUMBER")]
    burst: Option<u32>,
    /// How many a second after that; 0, as many as it likes [default: 2]
    #[arg(long, value_name = "NUMBER")]
    messages_a_second: Option<u32>,
    /// Let pages of this site come in over HTTP, e.g. `https://a.example`, or those of any: `*`; may be
    /// given more than once
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    #[command(flatten)]
    tls: tls::Flags,
}

const EXAMPLES: &str = "\
Examples:
  relais hub 6680                               then `nc 127.0.0.1 6680`, and /help
  relais hub 6680 http://127.0.0.1:8010         and a page for browsers
  relais hub 6680 tls://:6697 --store team.db   and with TLS, for other machines
  relais hub 6680 udp://:6680                   and by datagrams, for who logged in
  relais hub user add ana                       makes an account at the hub that runs
  relais hub backup ~/hub-monday.db             copies what it keeps, while it runs
  relais hub stats --watch                      tells what happens in it";

/// What else stands there: who looks after a hub may have it in the wrong place.
const COMMANDS: [&str; 6] = ["user", "room", "invite", "token", "backup", "stats"];

fn endpoint(text: &str) -> Result<BareEndpoint, String> {
    if COMMANDS.contains(&text) {
        return Err(format!("{text:?} is a command: expected it first, with all flags behind it"));
    }
    text.parse().map_err(|error| {
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let or = if is_word {
            format!(", or a command: {}", COMMANDS.join(", "))
        } else {
            String::new()
        };
        format!("{error}{or}")
    })
}

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            // Who has one does not run a hub.
            command: _,
            listen,
            store,
            registration,
            clear_passwords,
            client_certificates,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            origins,
            tls,
        } = self;
        let name = name(store.as_deref());
        let table = Table {
            listen,
            store,
            registration,
            clear_passwords,
            client_certificates,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            origins,
            tls: tls.table(),
        };
        (name, table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "ENDPOINT",
        ["store"] => "--store",
        ["registration"] => "--registration",
        ["clear_passwords"] => "--clear-passwords",
        ["client_certificates"] => "--client-certificates",
        ["lang"] => "--lang",
        ["udp"] => "--udp",
        ["message_max"] => "--message-max",
        ["burst"] => "--burst",
        ["messages_a_second"] => "--messages-a-second",
        ["origins", ..] => "--origin",
        ["tls", keys @ ..] => tls::flag_of(keys.first().copied()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_endpoint_may_be_meant_as_a_command() {
        check("6680", "");
        check("user", "\"user\" is a command: expected it first, with all flags behind it");
        check(
            "usr",
            "no port in \"usr\": expected host:port, or a command: user, room, invite, token, \
             backup, stats",
        );
        check("a:x", "bad port \"x\": expected 0 to 65535");
    }

    #[test]
    fn a_hub_is_called_as_its_store() {
        let name = |file: &str| name(Some(Path::new(file)));
        assert_eq!((super::name(None), name("hub.db")), ("hub".to_owned(), "hub".to_owned()));
        assert_eq!((name("/var/lib/team-2.db"), name("team")), ("team-2".into(), "team".into()));
        assert_eq!((name("a b.db"), name("..")), ("hub".to_owned(), "hub".to_owned()));
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(endpoint(text).err().unwrap_or_default(), expect);
    }
}
