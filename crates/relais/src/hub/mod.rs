//! `hub`: the messaging server. Its flags, its table, what they mean, and what runs.

mod commands;
mod flags;
mod handler;
mod messaging;
mod table;

pub(crate) use commands::{
    Command, Days, InviteTask, Password, RoomTask, Task, Terms, TokenTask, UserTask, Which,
};
pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Made, changed, random};
pub(crate) use messaging::Messaging;
pub(crate) use table::{Registration, Table};
