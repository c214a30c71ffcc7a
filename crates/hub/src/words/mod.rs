//! Plain text, for people with `nc` or telnet: lines are typed and lines are shown. What may be typed
//! is one [table](commands); what codes say to people, whatever door they come through, is another.

mod argument;
mod command;
mod commands;
mod dialogue;
mod happened;
mod hooking;
mod keys;
mod lang;
mod line;
mod listing;
mod misuse;
mod nearer;
mod noticing;
mod phrases;
mod plain;
mod reader;
mod reading;
mod refusals;
mod reread;
mod show;
mod typed;
mod whys;

pub use self::{
    command::{Command, Who},
    commands::{commands, help},
    dialogue::Stand,
    lang::{Lang, Text},
    line::{Line, Wanted},
    misuse::Misuse,
    nearer::DELETED,
    phrases::Phrase,
    plain::clock,
    reader::Reader,
    refusals::{not_done, sentence},
    show::show,
    typed::{is_last_word, read, read_at},
};

pub(crate) use self::{
    hooking::sentence_for_hooks,
    nearer::{NO_SUCH_INVITATION, NONE_SHOWN, NOT_INVITED, UNKNOWN_CERTIFICATE},
    refusals::sentence_of_field,
};

#[cfg(test)]
mod tests;
