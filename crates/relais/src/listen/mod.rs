//! `listen`: the small dialogues. Its flags, its table, what they mean, and what runs.

mod dialogue;
mod flags;
mod handler;
mod table;

pub(crate) use dialogue::Dialogue;
pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Made, Parts};
pub(crate) use table::{Role, Table};
