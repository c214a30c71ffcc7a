//! `relais listen`, word for word.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Role, Table};
use crate::{complaint::KeyPath, spelling::BareEndpoint, tls};

/// What a dialogue is called that a command line asks for.
const NAME: &str = "dialogue";

/// The flags.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Where to listen: `tcp://`, `tls://`, `udp://` or `unix://`; a bare port is TCP on this machine
    #[arg(value_name = "ENDPOINT", required = true)]
    on: Vec<BareEndpoint>,
    /// What to do with what comes
    #[arg(long = "as", value_name = "ROLE")]
    role: Role,
    /// The certificate of `tls://` and `wss://`, PEM, with those that vouch for it
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Let only callers in whose certificate one of these has signed, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_ca: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  relais listen 6666 udp://127.0.0.1:6666 --as echo";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self { on, role, cert, key, client_ca } = self;
        (NAME.to_owned(), Table { on, role, tls: tls::Table { cert, key, client_ca } })
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["on"] => "ENDPOINT",
        ["as"] => "--as",
        ["tls", "key"] => "--key",
        ["tls", "client_ca"] => "--client-ca",
        ["tls", ..] => "--cert",
        _ => return None,
    })
}
