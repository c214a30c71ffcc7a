//! `relay`: streams and datagrams passed on as they are. Its flags, its table, what they mean, and what runs.

mod called;
mod datagrams;
mod flags;
mod flow_log;
mod handler;
mod kind;
mod lasting;
mod limits;
mod lines;
mod means;
mod names;
mod shape;
mod table;

pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Made, Parts};
pub(crate) use lasting::Lasting;
pub(crate) use means::Relay;
pub(crate) use table::Table;
