//! `relais cert`: a local authority, certificates signed by it, and how to trust it.

use clap::Subcommand;

use crate::{data::Data, stop::Stop};

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the local authority, if there is none
    Init,
}

/// Does it.
pub(crate) fn obey(command: Command, data: &Data) -> Result<(), Stop> {
    match command {
        Command::Init => {
            let authority = crate::tls::open_authority(&data.authority())?;
            crate::output::say(authority.certificate_path().display());
            Ok(())
        }
    }
}
