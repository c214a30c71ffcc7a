//! `relais cert`: a local authority, certificates signed by it, and how to trust it.

mod issue;
mod show;
mod stores;
mod trust;

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::{data::Data, output::say, stop::Stop, tls::open_authority};

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// Make the local authority, if there is none, and print where its certificate is
    Init,
    /// Issue a certificate for these names and write it with its key
    Issue {
        /// DNS names, `*.` and a DNS name, or addresses
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// The folder for NAME.pem and NAME-key.pem
        #[arg(long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        /// Overwrite these files
        #[arg(long)]
        force: bool,
    },
    /// Tell how to make this machine trust the local authority, or do it
    Trust {
        /// Do what can be done, and tell the rest
        #[arg(long, conflicts_with = "remove")]
        install: bool,
        /// Undo it
        #[arg(long)]
        remove: bool,
    },
    /// Show a certificate: from a file, or as a server shows it
    ///
    /// The exit code is 3 if a server shows one that is not to be believed.
    Show {
        /// A PEM file or an endpoint, e.g. `example.org` or `tls://localhost:8443`
        #[arg(value_name = "FILE|ENDPOINT", value_hint = ValueHint::FilePath)]
        what: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  relais cert trust                     how browsers come to trust https://localhost
  relais cert issue app.test --out .    app.test.pem and app.test-key.pem
  relais cert show example.org          what a server shows, and whether to believe it";

/// Does it.
pub(crate) fn obey(command: Command, data: &Data) -> Result<(), Stop> {
    match command {
        Command::Init => {
            say(open_authority(&data.authority()?)?.certificate_path().display());
            Ok(())
        }
        Command::Issue { names, out, force } => {
            let rule = if force { issue::There::Replaced } else { issue::There::Kept };
            issue::issue(&names, &out, rule, data)
        }
        Command::Trust { install, remove } => {
            let deed = match (install, remove) {
                (_, true) => trust::Deed::Remove,
                (true, _) => trust::Deed::Install,
                _ => trust::Deed::Tell,
            };
            trust::trust(deed, data)
        }
        Command::Show { what, json } => show::show(&what, json, data),
    }
}
