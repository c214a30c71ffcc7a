//! `--cert`, `--key` and `--client-ca`, of every command that lets callers in over TLS.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Table;

/// The flags.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Callers over TLS")]
pub(crate) struct Flags {
    /// The certificate to show them, PEM, with those that vouch for it [default: one of the local
    /// authority]
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Let only callers in whose certificate one of these has signed, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_ca: Option<PathBuf>,
}

impl Flags {
    /// The table that says the same.
    pub(crate) fn table(self) -> Table {
        let Self { cert, key, client_ca } = self;
        Table { cert, key, client_ca }
    }
}

/// The flag that says what the table's key `name` says in a file.
pub(crate) fn flag_of(name: Option<&str>) -> &'static str {
    match name {
        Some("key") => "--key",
        Some("client_ca") => "--client-ca",
        _ => "--cert",
    }
}
