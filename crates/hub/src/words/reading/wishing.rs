//! What somebody wants to notice, as it is typed; with nothing said of it, what is set is asked for.

use super::needed_seconds;
use crate::{
    model::Level,
    protocol::Ask,
    words::{
        argument::{self, Amiss},
        line::{Line, Typed},
    },
};

pub(in crate::words) fn notify(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let room = typed.here()?;
    let level = match typed.word() {
        None => return Ok(what_is_set(typed)),
        Some("all" | "tout") => Level::All,
        Some("mentions") => Level::Mentions,
        Some("none" | "rien") => Level::Nothing,
        Some(word) => return Err(argument::LEVEL.not(word)),
    };
    Ok(Line::Ask(Ask::Notify { room, level }))
}

pub(in crate::words) fn keywords(typed: Typed<'_>) -> Line {
    let words = match typed.rest() {
        None => return what_is_set(typed),
        Some(dash) if dash == "-" => Vec::new(),
        Some(words) => {
            words.split_whitespace().map(|word| word.trim_matches(',').to_owned()).collect()
        }
    };
    Line::Ask(Ask::Keywords { words })
}

/// What of all that is set.
fn what_is_set(typed: Typed<'_>) -> Line {
    Line::Ask(Ask::Wishes { room: typed.here().ok() })
}

pub(in crate::words) fn quiet(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(match typed.word() {
        None => return Ok(what_is_set(typed)),
        Some("on" | "oui") => Ask::Quiet { on: true, seconds: None },
        Some("off" | "non") => Ask::Quiet { on: false, seconds: None },
        Some(time) => Ask::Quiet { on: true, seconds: Some(needed_seconds(time)?) },
    }))
}
