//! `serve`: files over HTTP. Its flags, its table, what they mean, and what runs.

mod files;
mod flags;
mod handler;
mod table;

pub(crate) use files::{Files, Root};
pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::open;
pub(crate) use table::{CacheRule, Table};
