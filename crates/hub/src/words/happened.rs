//! What happened, as lines for people.

use std::fmt::Write;

use super::{
    dialogue::show_dialogue,
    noticing::{show_level, show_quiet, show_words},
    plain::{Body, Plain, Room, clock, day},
    reader::{Reader, note},
    refusals::sentence,
};
use crate::{
    model::{Kind, Millis, Role},
    protocol::{Event, Gap, Place, Where},
};

/// Adds what happened.
pub(super) fn show_event(event: &Event, reader: Reader<'_>, out: &mut String) {
    match event {
        Event::Message { .. } => show_message(event, reader, out),
        Event::Edit { at, of, body } => {
            let (head, edited) = (head(at, Kind::Text, reader), reader.word("edited", "corrigé"));
            add(out, format_args!("{head} ({of} {edited}) {}", Body(body)));
        }
        Event::Announce { at, from, body } => {
            let (time, all) = (clock(*at), reader.word("all", "tous"));
            add(out, format_args!("{time} {} → {all}: {}", Plain(from), Body(body)));
        }
        Event::Gap(Gap { room, .. }) => reader.say(
            out,
            format_args!("not all that you missed of {} is shown: /history", Room(room)),
            format_args!("tout ce qui vous manque de {} n'est pas montré : /history", Room(room)),
        ),
        Event::Rewound { .. } => reader.say(
            out,
            format_args!("the hub's log was set back: what was said last may be gone from it"),
            format_args!(
                "le journal du serveur est revenu en arrière : la fin de ce qui a été dit peut y manquer"
            ),
        ),
        Event::Lagged { room, .. } => reader.say(
            out,
            format_args!("you read too slowly for {}: /history", Room(room)),
            format_args!("vous lisez trop lentement pour {} : /history", Room(room)),
        ),
        Event::Presence { user, state, text } => {
            show_presence((user, state, text.as_deref()), reader, out);
        }
        Event::Bye(refusal) => {
            note(out, format_args!("{}", Plain(&sentence(refusal, reader.lang))));
        }
        // For programs, which show more than lines.
        Event::Read { .. } | Event::Typing { .. } => {}
        Event::Dialogue { .. } | Event::DialogueEnd { .. } | Event::Turn { .. } => {
            show_dialogue(event, reader, out);
        }
        Event::Notify { room, level } => show_level((room, *level), reader, out),
        Event::Keywords(words) => show_words(words, reader, out),
        Event::Quiet(quiet) => show_quiet(*quiet, reader, out),
        in_a_room => show_in_a_room(in_a_room, reader, out),
    }
}

/// Adds what was said.
fn show_message(event: &Event, reader: Reader<'_>, out: &mut String) {
    let Event::Message { at, kind, body, reply, mention: _, notify: _, edited } = event else {
        return;
    };
    let reply = reply.map(|seq| format!("(→ {seq}) ")).unwrap_or_default();
    let body = body.as_deref().unwrap_or(reader.word("(taken out)", "(retiré)"));
    let edited = if *edited { reader.word(" (edited)", " (corrigé)") } else { "" };
    add(out, format_args!("{} {reply}{}{edited}", head(at, *kind, reader), Body(body)));
}

/// When it was said, by whom, how, and where if that is not plain.
fn head(at: &Where, kind: Kind, reader: Reader<'_>) -> String {
    let (time, from) = (clock(at.at), Plain(&at.from));
    let action = if kind == Kind::Action { format!(" * {from}") } else { String::new() };
    let there =
        if reader.here == Some(&at.room) { String::new() } else { format!("{} ", Room(&at.room)) };
    match (&at.room, kind) {
        (Place::Person(name), _) if reader.is(&at.from) => {
            format!("{time} →{}-{action}", Plain(name))
        }
        (Place::Person(_), _) => format!("{time} -{from}→{action}"),
        (Place::Room(_), Kind::Text) => format!("{time} {there}<{from}>"),
        (Place::Room(_), Kind::Action) => format!("{time} {there}* {from}"),
        (Place::Room(_), Kind::Notice) => format!("{time} {there}-{from}-"),
    }
}

fn show_presence(
    (user, state, text): (&str, &str, Option<&str>),
    reader: Reader<'_>,
    out: &mut String,
) {
    let user = Plain(user);
    let text = text.map(|text| format!(" ({})", Plain(text))).unwrap_or_default();
    match state {
        "away" => reader.say(
            out,
            format_args!("{user} is away{text}"),
            format_args!("{user} s'est absenté{text}"),
        ),
        "offline" => {
            reader.say(out, format_args!("{user} went"), format_args!("{user} est parti"));
        }
        _ => reader.say(out, format_args!("{user} is there"), format_args!("{user} est là")),
    }
}

/// Adds what else happened in a room. What happens elsewhere is shown above.
fn show_in_a_room(event: &Event, reader: Reader<'_>, out: &mut String) {
    match event {
        Event::Redact { at, of, reason } => {
            let (who, there, why) =
                (Plain(&at.from), reader.elsewhere(&at.room), because(reason.as_ref(), reader));
            reader.say(
                out,
                format_args!("{who} took {of} out{there}{why}"),
                format_args!("{who} a retiré {of}{there}{why}"),
            );
        }
        // Of who was deleted with all its words.
        Event::React { emoji, .. } if emoji.is_empty() => {}
        Event::React { at, of, emoji, on } => {
            let (who, there) = (Plain(&at.from), reader.elsewhere(&at.room));
            let sign = if *on { "" } else { "-" };
            note(out, format_args!("{who}: {sign}{} {of}{there}", Plain(emoji)));
        }
        Event::Create(at) => show_step(at, ("made", "a créé"), reader, out),
        Event::Delete(at) => show_step(at, ("deleted", "a supprimé"), reader, out),
        Event::Join(at) => show_step(at, ("came into", "est entré dans"), reader, out),
        Event::Part(at) => show_step(at, ("left", "a quitté"), reader, out),
        Event::Topic { at, topic } => {
            let (room, who, topic) = (Room(&at.room), Plain(&at.from), Plain(topic));
            note(out, format_args!("{room}: {topic} ({who})"));
        }
        Event::Role { at, user, role } => {
            let (user, room) = (Plain(user), Room(&at.room));
            let (en, fr) = role_words(*role);
            reader.say(
                out,
                format_args!("{user} is {en} of {room}"),
                format_args!("{user} est {fr} de {room}"),
            );
        }
        Event::About { at, what, user, until, reason } => {
            let until = until.map(|at| until_when(at, reader)).unwrap_or_default();
            show_about(
                at,
                (what, user),
                &format!("{until}{}", because(reason.as_ref(), reader)),
                (reader, out),
            );
        }
        Event::Rule { at, what, value } => show_rule((&at.room, what, *value), reader, out),
        _ => {}
    }
}

/// Adds that somebody, or who reads, did something with a room.
fn show_step(at: &Where, did: (&str, &str), reader: Reader<'_>, out: &mut String) {
    let (who, room, (en, fr)) = (Plain(&at.from), Room(&at.room), did);
    reader.say(out, format_args!("{who} {en} {room}"), format_args!("{who} {fr} {room}"));
}

/// What a role is called.
pub(super) fn role_words(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Member => ("member", "membre"),
        Role::Moderator => ("moderator", "modérateur"),
        Role::Owner => ("owner", "propriétaire"),
    }
}

fn because(reason: Option<&String>, reader: Reader<'_>) -> String {
    reason.map(|reason| format!("{}{}", reader.lang.colon(), Plain(reason))).unwrap_or_default()
}

fn until_when(at: Millis, reader: Reader<'_>) -> String {
    format!(" {} {} {}", reader.word("until", "jusqu'au"), day(at), clock(at))
}

/// Adds what was done about somebody.
fn show_about(
    at: &Where,
    (what, user): (&str, &str),
    how: &str,
    (reader, out): (Reader<'_>, &mut String),
) {
    if what == "invite" && reader.is(user) {
        return show_invited(at, reader, out);
    }
    let (en, fr) = match what {
        "invite" => ("invited", "a invité"),
        "kick" => ("sent out", "a fait sortir"),
        "ban" => ("banned", "a banni"),
        "unban" => ("no longer bans", "ne bannit plus"),
        "mute" => ("silenced", "a fait taire"),
        "unmute" => ("no longer silences", "ne fait plus taire"),
        _ => return,
    };
    let (who, user, there) = (Plain(&at.from), Plain(user), reader.elsewhere(&at.room));
    reader.say(
        out,
        format_args!("{who} {en} {user}{there}{how}"),
        format_args!("{who} {fr} {user}{there}{how}"),
    );
}

/// Adds that who reads is invited, and what to do about it.
fn show_invited(at: &Where, reader: Reader<'_>, out: &mut String) {
    let (who, room) = (Plain(&at.from), Room(&at.room));
    reader.say(
        out,
        format_args!("{who} invited you to {room}: /join {room} comes in, /leave {room} declines"),
        format_args!("{who} vous a invité dans {room} : /join {room} pour entrer, /leave {room} pour décliner"),
    );
}

/// Adds which rules a room keeps now.
fn show_rule(
    (room, what, value): (&Place, &str, Option<u64>),
    reader: Reader<'_>,
    out: &mut String,
) {
    let room = Room(room);
    match (what, value) {
        ("slow", Some(seconds)) => reader.say(
            out,
            format_args!("{room}: {seconds} s between two messages"),
            format_args!("{room} : {seconds} s entre deux messages"),
        ),
        ("retain", Some(1)) => reader.say(
            out,
            format_args!("{room}: messages are kept 1 day"),
            format_args!("{room} : les messages sont gardés 1 jour"),
        ),
        ("retain", Some(days)) => reader.say(
            out,
            format_args!("{room}: messages are kept {days} days"),
            format_args!("{room} : les messages sont gardés {days} jours"),
        ),
        ("retain", None) => reader.say(
            out,
            format_args!("{room}: messages are kept for good"),
            format_args!("{room} : les messages sont gardés pour toujours"),
        ),
        _ => {}
    }
}

fn add(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string that takes all");
}
