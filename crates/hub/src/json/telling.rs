//! What clients are told, written as frames: answers here, [events](super::events) apart.

use super::{
    events::{say_event, say_quiet, say_refusal, say_refusal_as, say_words},
    names::{LEVELS, MODES, ROLES},
    spelling::{Object, Spell as _},
};
use crate::{
    model::{Access, Level, Millis, Quiet, Role, Wishes},
    protocol::{Answer, Event, Held, InvitedBy, Listed, Refusal, Ticket, Told},
    words::Lang,
};

/// Writes what is told as a line, its end included. What people may read of it is in English.
///
/// *Cost*: what is written, once.
pub fn write(told: &Told, out: &mut Vec<u8>) {
    write_in(told, Lang::En, out);
}

/// The same, in a language of who is told.
pub fn write_in(told: &Told, lang: Lang, out: &mut Vec<u8>) {
    Object::write(out, |frame| match told {
        Told::Event(event) => say_event(event, lang, frame),
        Told::Answer { re, answer: Ok(answer) } => {
            frame.maybe("re", re.as_ref()).put("ok", &true);
            say_answer(answer, frame);
        }
        Told::Answer { re, answer: Err(refusal) } => {
            let frame = frame.maybe("re", re.as_ref());
            frame.object("err", |err| say_refusal(refusal, lang, err));
        }
    });
    out.push(b'\n');
}

/// Writes what a program is told whose post is refused, in such a sentence.
pub fn write_refused(refusal: &Refusal, msg: &str, out: &mut Vec<u8>) {
    Object::write(out, |frame| {
        frame.object("err", |err| say_refusal_as(refusal, msg, err));
    });
    out.push(b'\n');
}

/// An answer is known by its fields.
fn say_answer(answer: &Answer, frame: &mut Object<'_>) {
    match answer {
        Answer::Done => frame,
        Answer::Hello { server, register, frame: frame_max, body, time, tls, external } => {
            let frame = frame.put("server", server).put("proto", &PROTO);
            let auth = if *external { PROOFS } else { &PROOFS[..2] };
            let frame =
                frame.list("auth", auth, |one, out| one.spell(out)).put("register", *register);
            frame.object("limits", |limits| {
                limits.put("frame", frame_max).put("body", body);
            });
            frame.put("time", time).put("tls", tls)
        }
        Answer::LoggedIn { user, session, token, cursor, rooms, wishes } => {
            let frame = frame.put("user", user).put("session", session);
            let frame = frame.maybe("token", token.as_ref()).put("cursor", cursor);
            say_wishes(wishes, frame.list("rooms", rooms, say_listed))
        }
        Answer::Written { seq, at, dup } => frame.put("seq", seq).put("ts", at).put("dup", dup),
        Answer::Joined(listed) => {
            fill_listed(listed, frame);
            frame
        }
        Answer::Page { events, more } => frame.list("events", events, say_past).put("more", more),
        Answer::Exported { events, upto, more } => {
            frame.list("exported", events, say_past).put("upto", upto).put("more", more)
        }
        Answer::Rooms { rooms, more } => {
            frame.list("rooms", rooms, say_listed).maybe("more", Some(more).filter(|more| **more))
        }
        Answer::Members { members, more } => {
            let frame = frame.list("members", members, say_member);
            frame.maybe("more", Some(more).filter(|more| **more))
        }
        Answer::Person { user, since, online, away } => {
            let frame = frame.put("user", user).put("since", since).put("online", online);
            frame.maybe("away", away.as_ref())
        }
        Answer::Value(value) => frame.put("value", value),
        Answer::Wishes { wishes: Wishes { words, quiet }, level } => {
            say_words("words", words, frame);
            let frame = frame.object("quiet", |frame| say_quiet(*quiet, frame));
            let frame = frame.maybe("room", level.as_ref().map(|(room, _)| room));
            frame.maybe("level", level.as_ref().map(|(_, level)| LEVELS.of(*level)))
        }
        Answer::Sessions(sessions) => frame.list("sessions", sessions, say_session),
        Answer::Hooked { path, session } => frame.put("hook", path).put("session", session),
        Answer::Certified { certificate, session } => {
            frame.put("certificate", certificate).put("session", session)
        }
        Answer::Live { cursor } => frame.put("cursor", cursor),
        Answer::Pong { t } => frame.maybe("t", t.as_ref()),
        Answer::Help(commands) => frame.list("commands", commands, say_command),
        Answer::Datagrams(ticket) => say_ticket(ticket, frame),
        Answer::Bye => frame.put("bye", &true),
    };
}

/// Nothing of it is in a language: what was said is as it was said.
fn say_past(event: &Event, out: &mut Vec<u8>) {
    Object::write(out, |frame| say_event(event, Lang::En, frame));
}

/// By what somebody may show who it is; the last, where that can be.
const PROOFS: &[&str] = &["password", "token", "external"];

/// What is as it is for most is left out.
fn say_wishes<'f, 'o>(wishes: &Wishes, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    let Wishes { words, quiet } = wishes;
    if !words.is_empty() {
        say_words("keywords", words, frame);
    }
    if *quiet != Quiet::Off {
        frame.object("quiet", |frame| say_quiet(*quiet, frame));
    }
    frame
}

fn say_ticket<'f, 'o>(ticket: &Ticket, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    let Ticket { sid, key, port, mtu, form, expires } = ticket;
    let frame = frame.put("key", key).put("sid", sid).put("port", &u64::from(*port));
    frame.put("mtu", mtu).put("form", *form).put("expires", expires)
}

/// Which version of the protocol this is.
const PROTO: u64 = 1;

fn say_listed(listed: &Listed, out: &mut Vec<u8>) {
    Object::write(out, |object| fill_listed(listed, object));
}

fn fill_listed(listed: &Listed, object: &mut Object<'_>) {
    let Listed { room, topic, access, last, mine, unread, members, .. } = listed;
    object.put("room", room).put("topic", topic).put("private", &(*access == Access::Private));
    object.put("last", last);
    if let Some((read, role)) = mine {
        object.put("read", read).put("role", ROLES.of(*role));
    }
    object.put("unread", unread).put("members", members);
    let Listed { mentions, level, slow, dialogue, invited, .. } = listed;
    object.maybe("mentions", (*mentions > 0).then_some(mentions));
    object.maybe("slow", (*slow > 0).then_some(u64::from(*slow)).as_ref());
    object.maybe("level", (*level != Level::default()).then(|| LEVELS.of(*level)));
    if let Some(Held { mode, turn }) = dialogue {
        object.object("dialogue", |held| {
            held.put("mode", MODES.of(*mode)).maybe("turn", turn.as_ref());
        });
    }
    if let Some(InvitedBy { by, at }) = invited {
        object.object("invited", |invited| {
            invited.put("by", by).put("ts", at);
        });
    }
}

fn say_member((user, role, is_online): &(String, Role, bool), out: &mut Vec<u8>) {
    Object::write(out, |member| {
        member.put("user", user).put("role", ROLES.of(*role)).put("online", is_online);
    });
}

fn say_session(session: &(String, String, Millis, bool), out: &mut Vec<u8>) {
    let (device, name, seen, is_this) = session;
    Object::write(out, |object| {
        object.put("device", device).put("session", name).put("seen", seen).put("this", is_this);
    });
}

fn say_command((line, does): &(String, String), out: &mut Vec<u8>) {
    Object::write(out, |command| {
        command.put("line", line).put("does", does);
    });
}
