//! `relais cache`: what a running relais has stored.
//!
//! One end asks over the control socket and prints (`asking`); the other is in the relais that runs
//! (`attending`). What goes between them is JSON, texts for people included: so both speak of
//! one version of the rules.

mod asking;
mod at_rest;
mod attending;
mod commands;
mod doors;
mod explained;
mod flags;
mod hints;
mod listed;
mod objects;
mod sentences;
mod stats;
mod steps;
mod told;
mod trying;
mod verified;
mod warming;

use clap::ColorChoice;

pub(crate) use attending::attend;
pub(crate) use doors::{Door, House};
pub(crate) use flags::Flags;

use crate::{data::Data, stop::Stop};
use asking::{Asking, Whom};

/// Does what `flags` ask for.
pub(crate) fn obey(flags: Flags, color: ColorChoice, data: &Data) -> Result<(), Stop> {
    let Flags { command, file, at, proxy, folder } = flags;
    let whom = match folder {
        Some(folder) => Whom::Folder(folder),
        None => asking::running((file, at), data)?,
    };
    Asking { whom, proxy, data, color }.obey(command)
}
