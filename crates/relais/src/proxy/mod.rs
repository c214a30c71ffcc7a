//! `proxy`: requests passed on to other servers. Its flags, its table, what they mean, and what
//! runs.

mod flags;
mod handler;
mod limits;
mod means;
mod table;
mod upstream;

pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Lasting, Parts};
pub(crate) use means::Proxy;
pub(crate) use table::Table;
