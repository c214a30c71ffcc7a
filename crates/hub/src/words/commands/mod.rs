//! What can be typed: each command is one entry of a table here, and all doors know it.

mod coming;
mod keeping;
mod ruling;
mod speaking;

use super::{command::Command, lang::Lang};

/// What can be typed, in the order of `/help`.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    TABLES.into_iter().flatten()
}

const TABLES: [&[Command]; 4] =
    [coming::COMMANDS, speaking::COMMANDS, ruling::COMMANDS, keeping::COMMANDS];

/// What is called so, by whatever name it has, in whatever case.
pub(super) fn command_named(name: &str) -> Option<&'static Command> {
    let is_meant = |known: &&str| known.eq_ignore_ascii_case(name);
    commands().find(|command| command.names.iter().any(is_meant))
}

/// What can be typed, and what it does, for people.
pub fn help(lang: Lang) -> Vec<(String, String)> {
    commands().map(|command| (command.line(lang), command.about(lang))).collect()
}
