//! What somebody wants to notice, as lines for it.

use super::{
    plain::{Plain, Room, clock, day},
    reader::Reader,
};
use crate::{
    model::{Level, Quiet, Wishes, Words},
    protocol::Place,
};

/// Adds what is wanted, where it is not what is usual.
pub(super) fn show_wishes(wishes: &Wishes, reader: Reader<'_>, out: &mut String) {
    let Wishes { words, quiet } = wishes;
    if !words.is_empty() {
        show_words(words, reader, out);
    }
    if *quiet != Quiet::Off {
        show_quiet(*quiet, reader, out);
    }
}

/// Adds all that is set, as it is usual or not.
pub(super) fn show_set(
    (wishes, level): (&Wishes, Option<&(Place, Level)>),
    reader: Reader<'_>,
    out: &mut String,
) {
    let Wishes { words, quiet } = wishes;
    if let Some((room, level)) = level {
        show_level((room, *level), reader, out);
    }
    show_words(words, reader, out);
    match quiet {
        Quiet::Off => reader.say(
            out,
            format_args!("you may be disturbed"),
            format_args!("on peut vous déranger"),
        ),
        quiet => show_quiet(*quiet, reader, out),
    }
}

/// Adds how much of a room is to be noticed.
pub(super) fn show_level((room, level): (&Place, Level), reader: Reader<'_>, out: &mut String) {
    let (room, (en, fr)) = (Room(room), level_words(level));
    reader.say(out, format_args!("{room}: {en}"), format_args!("{room} : {fr}"));
}

/// What stands of it behind a room in a list.
pub(super) fn level_words(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::All => ("all is to be noticed", "tout est signalé"),
        Level::Mentions => ("what is for you is to be noticed", "ce qui vous concerne est signalé"),
        Level::Nothing => ("nothing is to be noticed", "rien n'est signalé"),
    }
}

/// Adds which words are looked out for.
pub(super) fn show_words(words: &Words, reader: Reader<'_>, out: &mut String) {
    if words.is_empty() {
        return reader.say(
            out,
            format_args!("no words are looked out for"),
            format_args!("aucun mot n'est guetté"),
        );
    }
    let words = words.iter().map(|word| Plain(word).to_string()).collect::<Vec<_>>().join(", ");
    reader.say(
        out,
        format_args!("words that are looked out for: {words}"),
        format_args!("mots guettés : {words}"),
    );
}

/// Adds whether nothing is to be noticed for now.
pub(super) fn show_quiet(quiet: Quiet, reader: Reader<'_>, out: &mut String) {
    match quiet {
        Quiet::Off => reader.say(
            out,
            format_args!("you may be disturbed again"),
            format_args!("on peut de nouveau vous déranger"),
        ),
        Quiet::On => reader.say(
            out,
            format_args!("you are not disturbed, until /quiet off"),
            format_args!("on ne vous dérange plus, jusqu'à /quiet off"),
        ),
        Quiet::Until(until) => {
            let (day, time) = (day(until), clock(until));
            reader.say(
                out,
                format_args!("you are not disturbed until {day} {time}"),
                format_args!("on ne vous dérange plus jusqu'au {day} {time}"),
            );
        }
    }
}
