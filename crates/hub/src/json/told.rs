//! What clients are told, read from frames, for clients: answers here, [events](super::heard) apart.

use super::{
    fields::{Amiss, Fields},
    heard::{event, quiet, refusal, role, words},
    misread::{Misread, known},
    names::{LEVELS, MODES, ROLES},
    value::{self, Value},
};
use crate::{
    model::{Access, Millis, Role, Wishes},
    protocol::{Answer, Held, InvitedBy, Listed, Secret, Ticket, Told},
};

/// Reads what a hub tells, without its line end or with it.
///
/// # Errors
///
/// [`Misread`]. Lines of plain text, which begin with `# `, are [`Misread::NoFrame`], too.
pub fn read_told(line: &[u8]) -> Result<Told, Misread> {
    let members = value::object(line).map_err(|flaw| Misread::NoFrame(flaw.to_string()))?;
    let fields = Fields(&members);
    if let Some(what) = fields.str("ev")? {
        return event(what, fields).map(Told::Event);
    }
    let re = fields.number("re")?;
    let answer = match fields.object("err")? {
        Some(err) => Err(refusal(err)?),
        None => Ok(answer(fields)?),
    };
    Ok(Told::Answer { re, answer })
}

/// What an answer is, its fields tell.
fn answer(f: Fields<'_>) -> Result<Answer, Misread> {
    let read = ANSWERS.iter().find(|(field, _)| f.has(field)).map(|(_, read)| read);
    read.map_or(Ok(Answer::Done), |read| read(f))
}

type ReadAnswer = fn(Fields<'_>) -> Result<Answer, Misread>;

/// By which field each answer is known; the first that is there.
const ANSWERS: &[(&str, ReadAnswer)] = &[
    ("server", hello),
    ("hook", hooked),
    ("certificate", certified),
    ("exported", exported),
    ("key", ticket),
    ("session", logged_in),
    ("seq", written),
    ("events", page),
    ("rooms", rooms),
    ("words", wishes),
    ("room", |f| Ok(Answer::Joined(listed(f)?))),
    ("members", members),
    ("user", person),
    ("value", |f| Ok(Answer::Value(f.needed("value", Fields::text)?))),
    ("sessions", |f| Ok(Answer::Sessions(each(f, "sessions", session)?))),
    ("commands", |f| Ok(Answer::Help(each(f, "commands", command)?))),
    ("cursor", |f| Ok(Answer::Live { cursor: f.needed("cursor", Fields::seq)? })),
    // Without one it is as any that is done.
    ("t", |f| Ok(Answer::Pong { t: f.number("t")? })),
    ("bye", |_| Ok(Answer::Bye)),
];

fn rooms(f: Fields<'_>) -> Result<Answer, Misread> {
    let more = f.truth("more")?.unwrap_or_default();
    Ok(Answer::Rooms { rooms: each(f, "rooms", listed)?, more })
}

fn members(f: Fields<'_>) -> Result<Answer, Misread> {
    let more = f.truth("more")?.unwrap_or_default();
    Ok(Answer::Members { members: each(f, "members", member)?, more })
}

/// Reads each object of a list.
fn each<'a, T, E: From<Amiss>>(
    f: Fields<'a>,
    field: &'static str,
    read: impl Fn(Fields<'a>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let one = |value: &'a Value| match value {
        Value::Object(members) => read(Fields(members)),
        _ => Err(Amiss::Other(field, "objects").into()),
    };
    f.needed(field, Fields::list)?.iter().map(one).collect()
}

fn hooked(f: Fields<'_>) -> Result<Answer, Misread> {
    let path = Secret(f.needed("hook", Fields::text)?);
    Ok(Answer::Hooked { path, session: f.needed("session", Fields::text)? })
}

fn certified(f: Fields<'_>) -> Result<Answer, Misread> {
    let certificate = f.needed("certificate", Fields::text)?;
    Ok(Answer::Certified { certificate, session: f.needed("session", Fields::text)? })
}

fn exported(f: Fields<'_>) -> Result<Answer, Misread> {
    let events = each(f, "exported", |f| event(f.needed("ev", Fields::str)?, f))?;
    let upto = f.needed("upto", Fields::seq)?;
    Ok(Answer::Exported { events, upto, more: f.needed("more", Fields::truth)? })
}

fn hello(f: Fields<'_>) -> Result<Answer, Misread> {
    let limits = f.needed("limits", Fields::object)?;
    let register = f.needed("register", Fields::str)?;
    Ok(Answer::Hello {
        server: f.needed("server", Fields::text)?,
        register: known(&["open", "invitation", "closed"], register)?,
        frame: limits.needed("frame", Fields::short)?,
        body: limits.needed("body", Fields::short)?,
        time: f.needed("time", Fields::time)?,
        tls: f.needed("tls", Fields::truth)?,
        external: may_show(f)?,
    })
}

/// Whether a certificate may be shown. A hub that does not say takes none.
fn may_show(f: Fields<'_>) -> Result<bool, Amiss> {
    let auth = f.list("auth")?.unwrap_or_default();
    Ok(auth.iter().any(|value| matches!(value, Value::Text(text) if text == "external")))
}

fn ticket(f: Fields<'_>) -> Result<Answer, Misread> {
    Ok(Answer::Datagrams(Ticket {
        sid: f.needed("sid", Fields::text)?,
        key: Secret(f.needed("key", Fields::text)?),
        port: f.needed("port", Fields::short)?,
        mtu: f.needed("mtu", Fields::short)?,
        form: known(&["sealed", "mac"], f.needed("form", Fields::str)?)?,
        expires: f.needed("expires", Fields::time)?,
    }))
}

fn logged_in(f: Fields<'_>) -> Result<Answer, Misread> {
    Ok(Answer::LoggedIn {
        user: f.needed("user", Fields::text)?,
        session: f.needed("session", Fields::text)?,
        token: f.text("token")?.map(Secret),
        cursor: f.needed("cursor", Fields::seq)?,
        rooms: each(f, "rooms", listed)?,
        wishes: Wishes {
            words: words(f, "keywords")?.unwrap_or_default(),
            quiet: f.object("quiet")?.map(quiet).transpose()?.unwrap_or_default(),
        },
    })
}

fn wishes(f: Fields<'_>) -> Result<Answer, Misread> {
    let words = f.needed("words", words)?;
    let quiet = quiet(f.needed("quiet", Fields::object)?)?;
    let level = f.place("room")?.zip(LEVELS.read(f, "level")?);
    Ok(Answer::Wishes { wishes: Wishes { words, quiet }, level })
}

fn written(f: Fields<'_>) -> Result<Answer, Misread> {
    let (seq, at) = (f.needed("seq", Fields::seq)?, f.needed("ts", Fields::time)?);
    Ok(Answer::Written { seq, at, dup: f.needed("dup", Fields::truth)? })
}

fn page(f: Fields<'_>) -> Result<Answer, Misread> {
    let events = each(f, "events", |f| event(f.needed("ev", Fields::str)?, f))?;
    Ok(Answer::Page { events, more: f.needed("more", Fields::truth)? })
}

fn listed(f: Fields<'_>) -> Result<Listed, Amiss> {
    let is_private = f.needed("private", Fields::truth)?;
    Ok(Listed {
        room: f.needed("room", Fields::place)?,
        topic: f.needed("topic", Fields::text)?,
        access: if is_private { Access::Private } else { Access::Public },
        last: f.needed("last", Fields::seq)?,
        mine: f.seq("read")?.zip(ROLES.read(f, "role")?),
        unread: f.needed("unread", Fields::number)?,
        members: f.needed("members", Fields::short)?,
        mentions: f.number("mentions")?.unwrap_or(0),
        level: LEVELS.read(f, "level")?.unwrap_or_default(),
        slow: f.short("slow")?.unwrap_or(0),
        dialogue: f.object("dialogue")?.map(held).transpose()?,
        invited: f.object("invited")?.map(invited).transpose()?,
    })
}

fn held(f: Fields<'_>) -> Result<Held, Amiss> {
    let mode = f.needed("mode", |f, field| MODES.read(f, field))?;
    Ok(Held { mode, turn: f.text("turn")? })
}

fn invited(f: Fields<'_>) -> Result<InvitedBy, Amiss> {
    Ok(InvitedBy { by: f.needed("by", Fields::text)?, at: f.needed("ts", Fields::time)? })
}

fn member(f: Fields<'_>) -> Result<(String, Role, bool), Amiss> {
    let user = f.needed("user", Fields::text)?;
    Ok((user, f.needed("role", role)?, f.needed("online", Fields::truth)?))
}

fn person(f: Fields<'_>) -> Result<Answer, Misread> {
    Ok(Answer::Person {
        user: f.needed("user", Fields::text)?,
        since: f.needed("since", Fields::time)?,
        online: f.needed("online", Fields::truth)?,
        away: f.text("away")?,
    })
}

fn session(f: Fields<'_>) -> Result<(String, String, Millis, bool), Amiss> {
    let (device, name) = (f.needed("device", Fields::text)?, f.needed("session", Fields::text)?);
    Ok((device, name, f.needed("seen", Fields::time)?, f.needed("this", Fields::truth)?))
}

fn command(f: Fields<'_>) -> Result<(String, String), Amiss> {
    Ok((f.needed("line", Fields::text)?, f.needed("does", Fields::text)?))
}
