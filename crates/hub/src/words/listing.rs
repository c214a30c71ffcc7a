//! What something comes to, as lines for people.

use std::fmt::Write;

use super::{
    dialogue::held_words,
    happened::{role_words, show_event},
    noticing::{level_words, show_set, show_wishes},
    plain::{Plain, Room, day},
    reader::{Reader, note},
};
use crate::{
    model::{Access, Level, Millis, Role},
    protocol::{Answer, Event, InvitedBy, Listed},
};

/// Adds an answer.
pub(super) fn show_answer(answer: &Answer, reader: Reader<'_>, out: &mut String) {
    match answer {
        Answer::Done => reader.say(out, format_args!("done"), format_args!("fait")),
        Answer::Hello { server, .. } => note(out, format_args!("{}", Plain(server))),
        Answer::LoggedIn { user, rooms, wishes, .. } => {
            let user = Plain(user);
            reader.say(out, format_args!("you are {user}"), format_args!("vous êtes {user}"));
            show_rooms(rooms, reader, out);
            show_wishes(wishes, reader, out);
        }
        Answer::Joined(listed) => show_listed(listed, reader, out),
        Answer::Page { events, more } => show_page(events, *more, reader, out),
        Answer::Rooms { rooms, more } => show_found(rooms, *more, reader, out),
        Answer::Members { members, more } => show_members(members, *more, reader, out),
        Answer::Person { .. } => show_person(answer, reader, out),
        Answer::Value(value) => note(out, format_args!("{}", Plain(value))),
        Answer::Wishes { wishes, level } => show_set((wishes, level.as_ref()), reader, out),
        Answer::Sessions(sessions) => sessions.iter().for_each(|it| show_session(it, reader, out)),
        Answer::Hooked { path, session } => show_hook((&path.0, session), reader, out),
        Answer::Certified { certificate, session } => {
            show_certificate((certificate, session), reader, out);
        }
        Answer::Pong { .. } => note(out, format_args!("pong")),
        Answer::Help(commands) => show_commands(commands, out),
        Answer::Bye => reader.say(out, format_args!("goodbye"), format_args!("au revoir")),
        // What was said is seen as an event; a client that counts entries speaks JSON.
        Answer::Written { .. }
        | Answer::Exported { .. }
        | Answer::Live { .. }
        | Answer::Datagrams(_) => {}
    }
}

/// Adds the rooms that were asked for.
fn show_found(rooms: &[Listed], more: bool, reader: Reader<'_>, out: &mut String) {
    show_rooms(rooms, reader, out);
    match rooms {
        [] => reader.say(
            out,
            format_args!("there is none: /join ROOM makes one"),
            format_args!("il n'y en a pas : /join SALON en crée un"),
        ),
        [listed] => show_no_topic(listed, reader, out),
        _ => {}
    }
    if more {
        let (en, fr) = ("there are more: /rooms WORD", "il y en a d'autres : /rooms MOT");
        reader.say(out, format_args!("{en}"), format_args!("{fr}"));
    }
}

/// Adds where a program posts what it says, with nothing behind it, so that it is copied by a press.
fn show_hook((path, session): (&str, &str), reader: Reader<'_>, out: &mut String) {
    let (path, session) = (Plain(path), Plain(session));
    reader.say(
        out,
        format_args!("post {{\"text\":\"…\"}} to {path}"),
        format_args!("envoyez {{\"text\":\"…\"}} par POST à {path}"),
    );
    reader.say(
        out,
        format_args!("/revoke {session} ends it"),
        format_args!("/revoke {session} y met fin"),
    );
}

/// Adds by which certificate somebody is known.
fn show_certificate((certificate, session): (&str, &str), reader: Reader<'_>, out: &mut String) {
    let (certificate, session) = (Plain(certificate), Plain(session));
    reader.say(
        out,
        format_args!("/cert logs in by {certificate}; /revoke {session} ends it"),
        format_args!("/cert connecte par {certificate} ; /revoke {session} y met fin"),
    );
}

fn show_rooms(rooms: &[Listed], reader: Reader<'_>, out: &mut String) {
    for listed in rooms {
        show_listed(listed, reader, out);
    }
}

/// Adds that nobody has said what the one room is about that was asked for, as `/topic` does, if who reads is
/// in it.
fn show_no_topic(listed: &Listed, reader: Reader<'_>, out: &mut String) {
    if reader.here == Some(&listed.room) && listed.topic.is_empty() {
        let room = Room(&listed.room);
        reader.say(
            out,
            format_args!("{room} has no topic"),
            format_args!("{room} n'a pas de sujet"),
        );
    }
}

/// `# #lab (12), 3 new: what it is about`
fn show_listed(listed: &Listed, reader: Reader<'_>, out: &mut String) {
    let Listed { room, topic, mine, members, dialogue, .. } = listed;
    let mine = mine.map(|(_, role)| role).filter(|role| *role != Role::Member);
    let mine = mine.map(|role| format!(", {}", role_word(role, reader))).unwrap_or_default();
    let (access, new) = (access_words(listed, reader), new_words(listed, reader));
    let wanted = match listed.level {
        Level::Mentions => String::new(),
        level => format!(", {}", reader.word(level_words(level).0, level_words(level).1)),
    };
    let held = dialogue.as_ref().map(|held| held_words(held, reader)).unwrap_or_default();
    let topic = if topic.is_empty() { String::new() } else { format!(": {}", Plain(topic)) };
    note(out, format_args!("{} ({members}){access}{mine}{new}{wanted}{held}{topic}", Room(room)));
}

/// For whom it is, and who has who reads come in.
fn access_words(listed: &Listed, reader: Reader<'_>) -> String {
    let private = match listed.access {
        Access::Public => "",
        Access::Private => reader.word(", private", ", privé"),
    };
    let Some(InvitedBy { by, .. }) = &listed.invited else { return private.to_owned() };
    let invited = reader.word("you are invited by", "vous êtes invité par");
    format!("{private}, {invited} {}", Plain(by))
}

/// How much of it is new.
fn new_words(listed: &Listed, reader: Reader<'_>) -> String {
    let new = match listed.unread {
        0 => String::new(),
        1 => format!(", 1 {}", reader.word("new", "non lu")),
        unread => format!(", {unread} {}", reader.word("new", "non lus")),
    };
    match listed.mentions {
        0 => new,
        for_you => format!("{new}, {for_you} {}", reader.word("for you", "pour vous")),
    }
}

fn role_word(role: Role, reader: Reader<'_>) -> &'static str {
    let (en, fr) = role_words(role);
    reader.word(en, fr)
}

/// Each thing behind its number, by which it can be answered, and each day before what happened on it.
fn show_page(events: &[Event], more: bool, reader: Reader<'_>, out: &mut String) {
    if events.is_empty() {
        reader.say(out, format_args!("there is nothing"), format_args!("il n'y a rien"));
    }
    let mut today = String::new();
    for event in events {
        if let Some(at) = event.at() {
            let day = day(at.at);
            if day != today {
                note(out, format_args!("{day}"));
                today = day;
            }
            if matches!(event, Event::Message { .. }) {
                write!(out, "{} ", at.seq).expect("a string that takes all");
            }
        }
        show_event(event, reader, out);
    }
    if let Some(first) = events.iter().find_map(Event::at).filter(|_| more) {
        let said = |event: &&Event| matches!(event, Event::Message { .. });
        let (count, seq) = (events.iter().filter(said).count().max(1), first.seq);
        reader.say(
            out,
            format_args!("there is more: /history {count} {seq}"),
            format_args!("il y en a plus : /history {count} {seq}"),
        );
    }
}

/// Who is there in one line, who is not in another.
fn show_members(
    members: &[(String, Role, bool)],
    more: bool,
    reader: Reader<'_>,
    out: &mut String,
) {
    let named = |(user, role, _): &(String, Role, bool)| match role {
        Role::Member => Plain(user).to_string(),
        role => format!("{} ({})", Plain(user), role_word(*role, reader)),
    };
    let there: Vec<_> = members.iter().filter(|(.., online)| *online).map(named).collect();
    let gone: Vec<_> = members.iter().filter(|(.., online)| !online).map(named).collect();
    for (who, word) in
        [(there, reader.word("there", "là")), (gone, reader.word("not there", "absents"))]
    {
        if !who.is_empty() {
            let colon = reader.lang.colon();
            note(out, format_args!("{word}{colon}{}", who.join(", ")));
        }
    }
    if more {
        reader.say(out, format_args!("and others"), format_args!("et d'autres"));
    }
}

fn show_person(answer: &Answer, reader: Reader<'_>, out: &mut String) {
    let Answer::Person { user, since, online, away } = answer else { return };
    let (user, since) = (Plain(user), day(*since));
    let away = away.as_ref().map(|away| format!(" ({})", Plain(away))).unwrap_or_default();
    let is = match (online, away.is_empty()) {
        (false, _) => reader.word("not there", "n'est pas là"),
        (true, true) => reader.word("there", "est là"),
        (true, false) => reader.word("away", "s'est absenté"),
    };
    reader.say(
        out,
        format_args!("{user}: {is}{away}, has an account since {since}"),
        format_args!("{user} {is}{away}, a un compte depuis le {since}"),
    );
}

fn show_session(session: &(String, String, Millis, bool), reader: Reader<'_>, out: &mut String) {
    let (device, name, seen, is_this) = session;
    let (device, name, seen) = (Plain(device), Plain(name), day(*seen));
    let this = if *is_this { reader.word(", this one", ", celui-ci") } else { "" };
    note(out, format_args!("{name} {device}, {seen}{this}"));
}

fn show_commands(commands: &[(String, String)], out: &mut String) {
    let width = commands.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let width = width.min(WIDTH_MAX);
    for (line, does) in commands {
        let (line, does) = (Plain(line).to_string(), Plain(does));
        if line.chars().count() > width {
            note(out, format_args!("{line}"));
            note(out, format_args!("{:width$}  {does}", ""));
        } else {
            note(out, format_args!("{line:width$}  {does}"));
        }
    }
}

/// What longer ones do stands in a line of its own.
const WIDTH_MAX: usize = 32;
