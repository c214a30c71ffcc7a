//! `relais cache`: what a running relais has stored.
//!
//! One end asks over the control socket and prints (`asking`); the other is in the relais that runs
//! (`attending`). What goes between them is JSON, texts for people included: so both speak of
//! one version of the rules.

mod asking;
mod attending;
mod commands;
mod explained;
mod flags;
mod listed;
mod objects;
mod sentences;
mod told;
mod warming;

use clap::ColorChoice;

pub(crate) use attending::{Desks, attend};
pub(crate) use flags::Flags;

use crate::{data::Data, stop::Stop};
use asking::Asking;

/// Does what `flags` ask for.
pub(crate) fn obey(flags: Flags, color: ColorChoice, data: &Data) -> Result<(), Stop> {
    let Flags { command, file, proxy } = flags;
    let asking = Asking { running: asking::running(file), proxy, data, color };
    asking.obey(command)
}
