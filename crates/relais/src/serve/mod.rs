//! `serve`: files over HTTP. Its flags, its table, what they mean, and what runs.

mod flags;
mod handler;
mod site;
mod table;

pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::Parts;
pub(crate) use site::INDEX;
pub(crate) use site::{Root, Site};
pub(crate) use table::{CacheRule, Table};
