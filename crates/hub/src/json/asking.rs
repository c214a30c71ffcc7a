//! What clients ask, written as frames: for clients.

use super::{
    names::{ENDED_OR, EVENTS_BY, KINDS, LEVELS, ROLES},
    spelling::{Object, Spell},
};
use crate::{
    model::{Access, Said},
    protocol::{Ask, Page, Proof, Request, Resume},
};

/// Writes a request as [`read`](super::read) takes it, with its line end.
pub fn write_request(request: &Request, out: &mut Vec<u8>) {
    let Request { id, ask } = request;
    Object::write(out, |frame| {
        frame.put("cmd", name(ask)).maybe("id", id.as_ref());
        say(ask, frame);
    });
    out.push(b'\n');
}

/// What is asked is called so.
fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Hello { .. } => "HELLO",
        Ask::Register { .. } => "REGISTER",
        Ask::Login { .. } => "LOGIN",
        Ask::Logout { .. } => "LOGOUT",
        Ask::Password { .. } => "PASSWORD",
        Ask::Unregister { .. } => "UNREGISTER",
        Ask::Resume(_) => "RESUME",
        Ask::Message { .. } => "MESSAGE",
        Ask::Announce { .. } => "ANNOUNCE",
        Ask::Edit { .. } => "EDIT",
        Ask::Redact { .. } => "REDACT",
        Ask::React { .. } => "REACT",
        Ask::Read { .. } => "READ",
        Ask::Typing { .. } => "TYPING",
        Ask::Away { .. } => "AWAY",
        Ask::History { .. } => "HISTORY",
        Ask::Search { .. } => "SEARCH",
        Ask::Join { .. } => "JOIN",
        Ask::Part { .. } => "PART",
        Ask::Create { .. } => "CREATE",
        Ask::Invite { .. } => "INVITE",
        Ask::Topic { .. } => "TOPIC",
        Ask::Role { .. } => "ROLE",
        Ask::Kick { .. } => "KICK",
        Ask::Ban { .. } => "BAN",
        Ask::Unban { .. } => "UNBAN",
        Ask::Mute { .. } => "MUTE",
        Ask::Slow { .. } => "SLOW",
        Ask::Retain { .. } => "RETAIN",
        Ask::Dialogue { .. } => "DIALOGUE",
        Ask::Notify { .. } => "NOTIFY",
        Ask::Keywords { .. } => "KEYWORDS",
        Ask::Quiet { .. } => "QUIET",
        Ask::Wishes { .. } => "WISHES",
        Ask::Rooms { .. } => "ROOMS",
        Ask::Who { .. } => "WHO",
        Ask::Whois { .. } => "WHOIS",
        Ask::Calc { .. } => "CALC",
        Ask::Sessions => "SESSIONS",
        Ask::Export { .. } => "EXPORT",
        Ask::Udp { .. } => "UDP",
        Ask::Revoke { .. } => "REVOKE",
        Ask::Hook { .. } => "HOOK",
        Ask::Certify { .. } => "CERT",
        Ask::Ping { .. } => "PING",
        Ask::Help => "HELP",
        Ask::Bye { .. } => "BYE",
    }
}

/// What belongs to it: who asks, and what is asked of the hub as a whole.
fn say<'f, 'o>(ask: &Ask, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match ask {
        Ask::Hello { proto, client, lang } => {
            let frame = frame.maybe("proto", proto.as_ref()).maybe("client", client.as_ref());
            frame.maybe("lang", lang.as_ref())
        }
        Ask::Register { user, password, invitation, device } => {
            let frame = frame.put("user", user).put("password", password);
            frame.maybe("invitation", invitation.as_ref()).maybe("device", device.as_ref())
        }
        Ask::Login { proof, device, resume } => {
            let frame = say_proof(proof, frame).maybe("device", device.as_ref());
            match resume {
                Some(resume) => frame.object("resume", |frame| _ = say_resume(resume, frame)),
                None => frame,
            }
        }
        Ask::Logout { all } => frame.maybe("all", all.then_some(&true)),
        Ask::Unregister { password, said } => frame
            .put("password", password)
            .maybe("messages", (*said == Said::Goes).then_some(&true)),
        Ask::Password { old, new } => frame.put("old", old).put("new", new),
        Ask::Resume(resume) => say_resume(resume, frame),
        Ask::Announce { body } => frame.put("body", body),
        Ask::Away { text } => frame.maybe("text", text.as_ref()),
        Ask::Search { words, room, from, limit } => {
            let frame = frame.put("q", words).maybe("room", room.as_ref());
            frame.maybe("from", from.as_ref()).maybe("limit", limit.as_ref())
        }
        Ask::Dialogue { with, mode } => frame.put("with", with).put("mode", ENDED_OR.of(*mode)),
        Ask::Keywords { words } => frame.list("words", words, Spell::spell),
        Ask::Quiet { on, seconds } => frame.put("on", on).maybe("seconds", seconds.as_ref()),
        Ask::Wishes { room } => frame.maybe("room", room.as_ref()),
        Ask::Rooms { matching } => frame.maybe("match", matching.as_ref()),
        Ask::Whois { user } => frame.put("user", user),
        Ask::Calc { expr } => frame.put("expr", expr),
        Ask::Revoke { session } => frame.put("session", session),
        Ask::Hook { room, name } => frame.put("room", room).put("name", name),
        Ask::Export { after } => frame.maybe("after", after.as_ref()),
        Ask::Certify { name } => frame.put("name", name),
        Ask::Udp { events } => frame.put("events", EVENTS_BY.of(*events)),
        Ask::Ping { t } => frame.maybe("t", t.as_ref()),
        Ask::Bye { reason } => frame.maybe("reason", reason.as_ref()),
        Ask::Sessions | Ask::Help => frame,
        of_a_room => say_of_a_room(of_a_room, frame),
    }
}

fn say_proof<'f, 'o>(proof: &Proof, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match proof {
        Proof::Password { user, password } => frame.put("user", user).put("password", password),
        Proof::Token(token) => frame.put("token", token),
        Proof::External => frame.put("external", &true),
    }
}

fn say_resume<'f, 'o>(resume: &Resume, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match resume {
        Resume::Since(seq) => frame.put("since", seq),
        Resume::Rooms(rooms) => frame.object("rooms", |frame| {
            for (place, seq) in rooms {
                frame.put(&place.to_string(), seq);
            }
        }),
    }
}

/// What is asked of what was said in a room, and of the room.
fn say_of_a_room<'f, 'o>(ask: &Ask, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match ask {
        Ask::Message { to, kind, body, reply, cid } => {
            let frame = frame.put("room", to).put("kind", KINDS.of(*kind)).put("body", body);
            frame.maybe("reply", reply.as_ref()).maybe("cid", cid.as_ref())
        }
        Ask::Edit { room, seq, body, cid } => {
            frame.put("room", room).put("seq", seq).put("body", body).maybe("cid", cid.as_ref())
        }
        Ask::Redact { room, seq, reason, cid } => {
            let frame = frame.put("room", room).put("seq", seq);
            frame.maybe("reason", reason.as_ref()).maybe("cid", cid.as_ref())
        }
        Ask::React { room, seq, emoji, on, cid } => {
            let frame = frame.put("room", room).put("seq", seq).put("emoji", emoji);
            frame.put("on", on).maybe("cid", cid.as_ref())
        }
        Ask::Read { room, seq } => frame.put("room", room).put("seq", seq),
        Ask::Typing { room, on } => frame.put("room", room).put("on", on),
        Ask::History { room, page, limit, messages } => {
            let frame = say_page(*page, frame.put("room", room));
            frame.maybe("limit", limit.as_ref()).maybe("messages", messages.as_ref())
        }
        Ask::Join { room } | Ask::Part { room } | Ask::Who { room } => frame.put("room", room),
        Ask::Create { room, access, topic } => {
            let frame = frame.put("room", room).put("private", &(*access == Access::Private));
            frame.maybe("topic", topic.as_ref())
        }
        Ask::Topic { room, topic } => frame.put("room", room).put("topic", topic),
        Ask::Slow { room, seconds } => frame.put("room", room).put("seconds", seconds),
        Ask::Notify { room, level } => frame.put("room", room).put("level", LEVELS.of(*level)),
        Ask::Retain { room, days } => frame.put("room", room).put("days", days),
        about_somebody => say_about(about_somebody, frame),
    }
}

fn say_page<'f, 'o>(page: Page, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match page {
        Page::Latest => frame,
        Page::Before(seq) => frame.put("before", &seq),
        Page::After(seq) => frame.put("after", &seq),
        Page::Around(seq) => frame.put("around", &seq),
        Page::Between(from, to) => frame.list("between", &[from, to], Spell::spell),
    }
}

/// What is asked about somebody in a room. What else is asked is written above.
fn say_about<'f, 'o>(ask: &Ask, frame: &'f mut Object<'o>) -> &'f mut Object<'o> {
    match ask {
        Ask::Invite { room, user } | Ask::Unban { room, user } => {
            frame.put("room", room).put("user", user)
        }
        Ask::Role { room, user, role } => {
            frame.put("room", room).put("user", user).put("role", ROLES.of(*role))
        }
        Ask::Kick { room, user, reason } => {
            frame.put("room", room).put("user", user).maybe("reason", reason.as_ref())
        }
        Ask::Ban { room, user, seconds, reason } => {
            let frame = frame.put("room", room).put("user", user);
            frame.maybe("seconds", seconds.as_ref()).maybe("reason", reason.as_ref())
        }
        Ask::Mute { room, user, on, seconds } => {
            let frame = frame.put("room", room).put("user", user).put("on", on);
            frame.maybe("seconds", seconds.as_ref())
        }
        _ => frame,
    }
}
