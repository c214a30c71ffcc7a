//! `hub`: the messaging server. Its flags, its table, what they mean, and what runs.

mod commands;
mod flags;
mod handler;
mod messaging;
mod new_password;
mod page;
mod table;
mod tasks;

pub(crate) use commands::{Command, StatsForm, Task, Which};
pub(crate) use flags::{Flags, flag_of};
pub(crate) use handler::{Made, at_rest, changed, is_nowhere, random};
pub(crate) use messaging::Messaging;
pub(crate) use new_password::new_password;
pub(crate) use table::{Registration, Table};
pub(crate) use tasks::{Days, InviteTask, Password, RoomTask, Sure, Terms, TokenTask, UserTask};
