//! `proxy`: requests passed on to other servers. Its flags, its table, what they mean, and what
//! runs.

mod alike;
mod block;
mod cache;
mod cache_choices;
mod cache_flags;
mod cache_rules;
mod cache_table;
mod disk;
mod edits;
mod flags;
mod forward;
mod group;
mod handler;
mod lasting;
mod limits;
mod log_file;
mod logs;
mod made_of;
mod means;
mod passing;
mod purge;
mod reused;
mod routes;
mod sniff;
mod table;
mod upstream;
mod upstreams;

pub(crate) use flags::{Flags, flag_of};
pub(crate) use group::Balance;
pub(crate) use handler::Parts;
pub(crate) use lasting::Lasting;
pub(crate) use log_file::LogFile;
pub(crate) use means::Proxy;
pub(crate) use table::Table;
pub(crate) use upstream::is_at;
