//! What a typed line asks for. A line that begins with `/`, blanks before it or none, is a
//! [command](super::COMMANDS); any other is said in the room that who types it is in.

use relais_wire::visible::is_disturbing;

use super::{
    argument::Amiss,
    commands::command_named,
    dialogue::Stand,
    keys::without_keys,
    line::{Line, Typed},
    misuse::Misuse,
};
use crate::{model::Kind, protocol::Place};

/// Reads a line, without its line end or with it, of somebody who is in the room `here`.
///
/// What a terminal sends for keys is left out of it. `fin`, `quit` and what else ends a talk is no message;
/// `//` begins a message that begins with `/`.
pub fn read(line: &str, here: Option<&Place>) -> Line {
    let line = without_keys(line.trim_end_matches(['\r', '\n']));
    let word = line.trim();
    if word.is_empty() {
        return Line::Nothing;
    }
    if is_last_word(word) {
        return Line::End;
    }
    match typed_command(&line) {
        Some(rest) => command(rest, here),
        None => say(line.strip_prefix('/').unwrap_or(&line), here),
    }
}

/// What stands behind the `/` of a command, if `line` is one. What is not seen before it makes it no message:
/// there may be a password in it.
fn typed_command(line: &str) -> Option<&str> {
    let begin = line.trim_start_matches(|char: char| char.is_whitespace() || is_disturbing(char));
    begin.strip_prefix('/').filter(|rest| !rest.starts_with('/'))
}

/// The same of who stands there: what would end the connection is said in a dialogue, and ends that.
pub fn read_at(line: &str, stand: &Stand) -> Line {
    let read = read(line, stand.place());
    match stand {
        Stand::InDialogue(_) if read == Line::End && is_last_word(&without_keys(line)) => {
            say(without_keys(line).trim(), stand.place())
        }
        _ => read,
    }
}

/// Whether `line` has nothing but a word that ends a dialogue, whoever's turn it is, and elsewhere the talk.
pub fn is_last_word(line: &str) -> bool {
    ENDS.iter().any(|end| end.eq_ignore_ascii_case(line.trim()))
}

/// What ends it all, by itself on a line.
const ENDS: [&str; 2] = ["fin", "quit"];

fn say(said: &str, here: Option<&Place>) -> Line {
    let read = Typed { rest: said, here }.say(Kind::Text);
    read.unwrap_or_else(|amiss| Line::Wrong(Misuse { usage: None, amiss }))
}

fn command(line: &str, here: Option<&Place>) -> Line {
    let mut typed = Typed { rest: line, here };
    let name = typed.word().unwrap_or_default();
    let Some(command) = command_named(name) else {
        let amiss = Amiss::Unknown(format!("/{name}"));
        return Line::Wrong(Misuse { usage: None, amiss });
    };
    let wrong = |amiss| Line::Wrong(Misuse { usage: Some(command.usage()), amiss });
    (command.read)(typed).unwrap_or_else(wrong)
}
