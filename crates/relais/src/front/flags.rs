//! The flags that say what a front is, but for where it listens, which each command says in its own
//! way.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Table;
use crate::{
    access_log, auth,
    complaint::KeyPath,
    spelling::{HostName, HttpEndpoint},
    tls,
};

/// The flags.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct Flags {
    #[command(flatten)]
    tls: tls::Flags,
    /// Answer for this host only; may be given again
    #[arg(long, value_name = "NAME")]
    host: Vec<HostName>,
    /// Where only this machine can call, answer to `localhost`, names below it and addresses alone:
    /// no web page can have its own name lead here then, and read (DNS rebinding)
    #[arg(long, conflicts_with = "host")]
    own_names: bool,
    /// Write a line for each answer, `-` to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    access_log: Option<PathBuf>,
    /// How such a line looks
    #[arg(long, value_name = "FORMAT", default_value = "combined", requires = "access_log")]
    log_format: access_log::Format,
    /// Ask for a user of this file (see `relais password`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    auth: Option<PathBuf>,
    /// What the password is for
    #[arg(long, value_name = "TEXT", requires = "auth")]
    realm: Option<String>,
}

impl Flags {
    /// The keys that say the same of what listens there.
    pub(crate) fn table(self, listen: Vec<HttpEndpoint>) -> Table {
        let Self { tls, host, own_names, access_log, log_format, auth, realm } = self;
        Table {
            listen,
            hosts: host,
            own_names,
            tls: tls.table(),
            access_log: access_log.map(|file| access_log::Table { file, format: log_format }),
            auth: auth.map(|file| auth::Table { file, realm }),
        }
    }
}

/// The flag that says what `key`, a key of a site's table, says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["listen"] => "--listen",
        ["hosts"] => "--host",
        ["own_names"] => "--own-names",
        ["access_log", "format"] => "--log-format",
        ["access_log", ..] => "--access-log",
        ["auth", "realm"] => "--realm",
        ["auth", ..] => "--auth",
        ["tls", keys @ ..] => tls::flag_of(keys.first().copied()),
        _ => return None,
    })
}
