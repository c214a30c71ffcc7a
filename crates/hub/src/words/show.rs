//! What is told, as lines for people.

use super::{
    happened::show_event,
    listing::show_answer,
    plain::Plain,
    reader::{Reader, note},
    refusals::sentence,
};
use crate::protocol::Told;

/// Shows what is told: lines with their ends, none if it is nothing that people read.
///
/// *Shape*: `12:31 <bob> salut`, `12:31 -bob→ privé`, `12:31 * alice rit`, and lines of the hub itself
/// behind `# `, as no line of a stranger begins. Times are in UTC. What would disturb a terminal is
/// left out.
pub fn show(told: &Told, reader: Reader<'_>) -> String {
    let mut out = String::new();
    match told {
        Told::Event(event) => show_event(event, reader, &mut out),
        Told::Answer { re: _, answer: Ok(answer) } => show_answer(answer, reader, &mut out),
        Told::Answer { re: _, answer: Err(refusal) } => {
            note(&mut out, format_args!("{}", Plain(&sentence(refusal, reader.lang))));
        }
    }
    out
}
