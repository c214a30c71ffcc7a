//! `relais hub`, word for word.

use std::path::PathBuf;

use clap::Args;

use super::{
    Table,
    table::{Form, Lang, Registration},
};
use crate::{
    complaint::KeyPath,
    spelling::{BareEndpoint, Size},
    tls,
};

/// What a hub is called that a command line asks for.
const NAME: &str = "hub";

/// The flags.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen: `tcp://`, `tls://`, `unix://`, or beside one of them `udp://`; a bare port is TCP
    /// on this machine
    #[arg(value_name = "ENDPOINT", required = true)]
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
    #[command(flatten)]
    tls: tls::Flags,
}

const EXAMPLES: &str = "\
Examples:
  relais hub 6680                               then `nc 127.0.0.1 6680`, and /help
  relais hub 6680 tls://:6697 --store team.db   and with TLS, for other machines
  relais hub 6680 udp://:6680                   and by datagrams, for who logged in";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            listen,
            store,
            registration,
            clear_passwords,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            tls,
        } = self;
        let table = Table {
            listen,
            store,
            registration,
            clear_passwords,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            tls: tls.table(),
        };
        (NAME.to_owned(), table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "ENDPOINT",
        ["store"] => "--store",
        ["registration"] => "--registration",
        ["clear_passwords"] => "--clear-passwords",
        ["lang"] => "--lang",
        ["udp"] => "--udp",
        ["message_max"] => "--message-max",
        ["burst"] => "--burst",
        ["messages_a_second"] => "--messages-a-second",
        ["tls", keys @ ..] => tls::flag_of(keys.first().copied()),
        _ => return None,
    })
}
