//! How each server is spoken to: what a client says to come in, and what a message is.

use super::floor::LET_IN;
use crate::subject::{Program, Subject};

/// What a client says, and hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    /// JSON lines of a hub.
    Hub,
    Irc,
    Nats,
    /// Of the floor, which passes on what it hears.
    Floor,
}

/// What a message says: so many characters.
pub(super) const BODY_BYTES: usize = 100;

impl Tongue {
    pub(super) fn of(subject: Subject) -> Self {
        match subject.program {
            Program::Ngircd | Program::InspIrcd => Self::Irc,
            Program::NatsServer => Self::Nats,
            Program::Floor => Self::Floor,
            _ => Self::Hub,
        }
    }

    /// What client `number` says to be somebody, and what it is told when it is; on the hub it is who
    /// has `token`, and in the room of all.
    pub(super) fn entrance(self, number: usize, token: &str) -> (String, &'static str) {
        match self {
            Self::Hub => {
                (format!("{{\"cmd\":\"LOGIN\",\"id\":1,\"token\":\"{token}\"}}\n"), "\"ok\":true")
            }
            // The first lines that are told to who is somebody.
            Self::Irc => (format!("NICK m{number}\r\nUSER m{number} 0 * :m\r\n"), " 004 "),
            Self::Floor => ("in\n".to_owned(), LET_IN),
            Self::Nats => (format!("CONNECT {NATS_MANNERS}\r\nPING\r\n"), "PONG"),
        }
    }

    /// What it says then to be in the room of all, and what it is told when it is.
    pub(super) fn join(self) -> Option<(String, &'static str)> {
        match self {
            Self::Hub | Self::Floor => None,
            // The end of the list of names, behind all else that is told of a room.
            Self::Irc => Some((format!("JOIN {IRC_ROOM}\r\n"), " 366 ")),
            Self::Nats => Some((format!("SUB {NATS_ROOM} 1\r\nPING\r\n"), "PONG")),
        }
    }

    /// A message of so many characters, which say its `number`.
    pub(super) fn message(self, number: u64) -> String {
        let body = format!("{number:.<BODY_BYTES$}");
        match self {
            Self::Hub => {
                format!("{{\"cmd\":\"MESSAGE\",\"room\":\"{ROOM}\",\"body\":\"{body}\"}}\n")
            }
            Self::Floor => format!("{body}\n"),
            Self::Irc => format!("PRIVMSG {IRC_ROOM} :{body}\r\n"),
            Self::Nats => format!("PUB {NATS_ROOM} {BODY_BYTES}\r\n{body}\r\n"),
        }
    }

    /// How many lines a message is to who is told it.
    pub(super) fn lines_each(self) -> u64 {
        match self {
            Self::Hub | Self::Irc | Self::Floor => 1,
            Self::Nats => 2,
        }
    }
}

/// The room of all.
pub(super) const ROOM: &str = "#all";
const IRC_ROOM: &str = "#all";
const NATS_ROOM: &str = "all";
const NATS_MANNERS: &str = r#"{"verbose":false,"pedantic":false,"echo":false}"#;
