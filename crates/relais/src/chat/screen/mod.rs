//! The client as a screen: rooms, what is said in them, who is there, and a line to type in.
//!
//! [`Model`](model::Model) knows all that is shown: it hears news and keys, and gives what is to be done.
//! [`drawing`] makes a screen of it. Neither knows the terminal, a connection or the clock; [`shell`] does.

mod alerts;
mod answers;
mod bare;
mod carrying;
mod completion;
mod composer;
mod counting;
mod dates;
mod drawing;
mod exports;
mod hearing;
mod help;
mod hub;
mod inputs;
mod invited;
mod item;
mod keys;
mod layout;
mod message;
mod model;
mod moving;
mod paging;
mod panes;
mod phrases;
mod pressing;
mod rewinding;
mod room;
mod scrolling;
mod shell;
mod sides;
mod signs;
mod text;
mod theme;
mod tty;
mod typed;
mod wishes;

#[cfg(test)]
mod tests;

use std::env;

use clap::ColorChoice;
use relais_hub::{Lang, model::Millis};

use super::{caller::Caller, let_in::Door};
use crate::{clock, hub::random, output::is_coloured, stop::Stop};

pub(super) use alerts::Alerts;
pub(super) use theme::Theme;

use model::{Model, Outside};
use shell::Shell;
use theme::{Depth, Look};

/// How a screen is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    pub(super) theme: Theme,
    pub(super) color: ColorChoice,
    pub(super) alerts: Alerts,
    pub(super) lang: Lang,
}

/// Who was logged out, at the only hub, and why.
#[derive(Debug)]
pub(super) struct LoggedOut {
    pub(super) user: String,
    pub(super) why: Stop,
}

/// Talks with hubs, each called by its name, until somebody leaves, or is logged out.
pub(super) async fn talk(
    parties: Vec<(String, Caller, Door)>,
    wishes: Wishes,
) -> Result<Option<LoggedOut>, Stop> {
    let (mut names, mut callers, mut doors) = (Vec::new(), Vec::new(), Vec::new());
    let mut entered = Vec::new();
    for (name, mut caller, door) in parties {
        // Before the terminal is taken: why nobody is let in is to be read afterwards.
        entered.push(door.enter(&mut caller, wishes.lang).await?);
        names.push(name);
        callers.push(caller);
        doors.push(door);
    }
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let outside = Outside { random, clock: || Millis::of(clock::now()) };
    let model = Model::new(names, (wishes.lang, look(wishes)), size, outside);
    Shell::new(model, doors, wishes.alerts)?.run(callers, entered).await
}

fn look(Wishes { theme, color, .. }: Wishes) -> Look {
    let said = |name| env::var(name).unwrap_or_default();
    let is_coloured = is_coloured(color, &std::io::stdout());
    let depth =
        if is_coloured { Depth::of(&said("TERM"), &said("COLORTERM")) } else { Depth::None };
    Look::of(theme, depth)
}
