//! `relais hub user|room|invite|token|backup|stats`: looking after a hub that runs, or a store that none has.
//!
//! One end asks over the control socket and prints (`commands`, `shown`); the other has the hub
//! (`attending`). A store at rest is opened as a hub that nobody calls, and asked the same.

mod answers;
mod asking;
mod attending;
mod commands;
mod deeds;
mod found;
mod looking;
mod new_file;
mod openmetrics;
mod sentences;
mod shown;
mod stats;
mod sure;
mod tended;
mod watching;

pub(crate) use attending::attend;
pub(crate) use found::event_told;
pub(crate) use tended::Tended;

use crate::{data::Data, hub::Command, stop::Stop};

/// Does what `command` asks for.
pub(crate) fn obey(command: Command, data: &Data) -> Result<(), Stop> {
    let (whom, task) = command.taken_apart();
    asking::Asking { whom: asking::whom(whom, data)?, data }.obey(task)
}
