//! What a typed line asks for. A line that begins with `/` is a [command](super::COMMANDS); any other
//! is said in the room that who types it is in.

use super::{
    commands::COMMANDS,
    dialogue::Stand,
    line::{Line, Typed},
};
use crate::{
    model::Kind,
    protocol::{Code, Place, Refusal},
};

/// Reads a line, without its line end or with it, of somebody who is in the room `here`.
///
/// `fin`, `quit` and what else ends a talk is no message; `//` begins a message that begins with `/`.
pub fn read(line: &str, here: Option<&Place>) -> Line {
    let line = line.trim_end_matches(['\r', '\n']);
    let word = line.trim();
    if word.is_empty() {
        return Line::Nothing;
    }
    if ENDS.iter().any(|end| end.eq_ignore_ascii_case(word)) {
        return Line::End;
    }
    let read = match line.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => command(rest, here),
        Some(message) => Typed { rest: message, here }.say(Kind::Text),
        None => Typed { rest: line, here }.say(Kind::Text),
    };
    read.unwrap_or_else(Line::Wrong)
}

/// The same of who stands there: what would end the connection is said in a dialogue, and ends that.
pub fn read_at(line: &str, stand: &Stand) -> Line {
    let read = read(line, stand.place());
    match stand {
        Stand::InDialogue(_) if read == Line::End && !line.starts_with('/') => {
            let typed = Typed { rest: line.trim(), here: stand.place() };
            typed.say(Kind::Text).unwrap_or_else(Line::Wrong)
        }
        _ => read,
    }
}

/// What ends it all, by itself on a line.
const ENDS: [&str; 2] = ["fin", "quit"];

fn command(line: &str, here: Option<&Place>) -> Result<Line, Refusal> {
    let mut typed = Typed { rest: line, here };
    let name = typed.word().unwrap_or_default();
    let is_meant = |known: &&str| known.eq_ignore_ascii_case(name);
    match COMMANDS.iter().find(|command| command.names.iter().any(is_meant)) {
        Some(command) => (command.read)(typed),
        None => Err(Refusal::of(Code::UnknownCommand).why(format!("/{name}"))),
    }
}
