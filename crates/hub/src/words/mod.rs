//! Plain text, for people with `nc` or telnet: lines are typed and lines are shown. What may be typed
//! is one [table](COMMANDS); what codes say to people, whatever door they come through, is another.

mod command;
mod commands;
mod dialogue;
mod happened;
mod lang;
mod line;
mod listing;
mod noticing;
mod phrases;
mod plain;
mod reader;
mod reading;
mod refusals;
mod show;
mod typed;

pub use self::{
    command::{Command, Who},
    commands::{COMMANDS, help},
    dialogue::Stand,
    lang::{Lang, Text},
    line::{Line, Wanted},
    phrases::Phrase,
    reader::Reader,
    refusals::sentence,
    show::show,
    typed::{read, read_at},
};

#[cfg(test)]
mod tests;
