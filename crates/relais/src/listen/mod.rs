//! `listen`: the small dialogues. Its flags, its table, what they mean, and what runs.

mod begun;
pub(crate) mod calculating;
mod dialogue;
mod flags;
mod handler;
mod printing;
mod style;
mod table;
mod talking;

pub(crate) use dialogue::{Dialogue, Shows};
pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Made, Parts};
pub(crate) use printing::Unprinted;
pub(crate) use table::{Role, Style, Table};
