//! What clients ask, read from frames: a function for each command.

use super::{
    fields::{Amiss, Fields, PLACE},
    names::{ENDED_OR, EVENTS_BY, KINDS, LEVELS, ROLES},
    value::{self, Flaw, Value},
};
use crate::{
    model::{Access, Mode, Said, Seq},
    protocol::{Ask, Code, Page, Place, Proof, Refusal, Request, Resume, Secret},
    words::{self, Line},
};

/// Reads a request, without its line end or with it.
///
/// *Cost*: little more than the bytes.
///
/// # Errors
///
/// The request's number, if there is one to be read, and what is wrong: [`Code::FrameTooBig`] past
/// `frame_bytes_max`, [`Code::BadFrame`], [`Code::UnknownCommand`], [`Code::MissingField`],
/// [`Code::BadField`]. After each the next line may be read.
pub fn read(line: &[u8], frame_bytes_max: usize) -> Result<Request, (Option<u64>, Refusal)> {
    if line.len() > frame_bytes_max {
        let why = format!("{} bytes: expected at most {frame_bytes_max}", line.len());
        return Err((None, Refusal::of(Code::FrameTooBig).why(why)));
    }
    let no_frame = |flaw: Flaw| (None, Refusal::of(Code::BadFrame).why(flaw.to_string()));
    let members = value::object(line).map_err(no_frame)?;
    let fields = Fields(&members);
    let id = fields.number("id").map_err(|amiss| (None, amiss.into()))?;
    let ask = ask(fields).map_err(|refusal| (id, refusal))?;
    Ok(Request { id, ask })
}

fn ask(fields: Fields<'_>) -> Result<Ask, Refusal> {
    let command = fields.needed("cmd", Fields::str)?;
    if command == "COMMAND" {
        return typed(fields);
    }
    let Some((_, read)) = COMMANDS.iter().find(|(name, _)| *name == command) else {
        return Err(Refusal::of(Code::UnknownCommand).field("cmd"));
    };
    Ok(read(fields)?)
}

type Read = fn(Fields<'_>) -> Result<Ask, Amiss>;

/// Each command. The ones that are asked most come first.
pub(super) const COMMANDS: &[(&str, Read)] = &[
    ("MESSAGE", message),
    ("READ", |f| Ok(Ask::Read { room: room(f)?, seq: seq(f)? })),
    ("TYPING", |f| Ok(Ask::Typing { room: room(f)?, on: on(f)? })),
    ("PING", |f| Ok(Ask::Ping { t: f.number("t")? })),
    ("HELLO", hello),
    ("REGISTER", register),
    ("LOGIN", login),
    ("LOGOUT", |f| Ok(Ask::Logout { all: f.truth("all")?.unwrap_or(false) })),
    ("PASSWORD", |f| Ok(Ask::Password { old: secret(f, "old")?, new: secret(f, "new")? })),
    ("UNREGISTER", unregister),
    ("SESSIONS", |_| Ok(Ask::Sessions)),
    ("EXPORT", |f| Ok(Ask::Export { after: f.seq("after")? })),
    ("REVOKE", |f| Ok(Ask::Revoke { session: f.needed("session", Fields::text)? })),
    ("HOOK", |f| Ok(Ask::Hook { room: room(f)?, name: f.needed("name", Fields::text)? })),
    ("CERT", |f| Ok(Ask::Certify { name: f.needed("name", Fields::text)? })),
    ("RESUME", |f| resume(f).map(Ask::Resume)),
    ("ANNOUNCE", |f| Ok(Ask::Announce { body: body(f)? })),
    ("EDIT", |f| Ok(Ask::Edit { room: room(f)?, seq: seq(f)?, body: body(f)?, cid: f.cid()? })),
    ("REDACT", redact),
    ("REACT", react),
    ("HISTORY", history),
    ("SEARCH", search),
    ("AWAY", |f| Ok(Ask::Away { text: f.text("text")? })),
    ("JOIN", |f| Ok(Ask::Join { room: room(f)? })),
    ("PART", |f| Ok(Ask::Part { room: room(f)? })),
    ("CREATE", create),
    ("TOPIC", |f| Ok(Ask::Topic { room: room(f)?, topic: f.needed("topic", Fields::text)? })),
    ("INVITE", |f| Ok(Ask::Invite { room: room(f)?, user: user(f)? })),
    ("ROLE", role),
    ("KICK", |f| Ok(Ask::Kick { room: room(f)?, user: user(f)?, reason: f.text("reason")? })),
    ("BAN", ban),
    ("UNBAN", |f| Ok(Ask::Unban { room: room(f)?, user: user(f)? })),
    ("MUTE", mute),
    ("SLOW", |f| Ok(Ask::Slow { room: room(f)?, seconds: f.needed("seconds", Fields::short)? })),
    ("RETAIN", |f| Ok(Ask::Retain { room: room(f)?, days: f.short("days")? })),
    ("DIALOGUE", dialogue),
    ("NOTIFY", notify),
    ("KEYWORDS", keywords),
    ("QUIET", |f| Ok(Ask::Quiet { on: on(f)?, seconds: f.number("seconds")? })),
    ("WISHES", |f| Ok(Ask::Wishes { room: f.place("room")? })),
    ("ROOMS", |f| Ok(Ask::Rooms { matching: f.text("match")? })),
    ("WHO", |f| Ok(Ask::Who { room: room(f)? })),
    ("WHOIS", |f| Ok(Ask::Whois { user: user(f)? })),
    ("CALC", |f| Ok(Ask::Calc { expr: f.needed("expr", Fields::text)? })),
    ("HELP", |_| Ok(Ask::Help)),
    ("UDP", |f| Ok(Ask::Udp { events: EVENTS_BY.read(f, "events")?.unwrap_or_default() })),
    ("BYE", |f| Ok(Ask::Bye { reason: f.text("reason")? })),
];

fn room(fields: Fields<'_>) -> Result<Place, Amiss> {
    fields.needed("room", Fields::place)
}

fn user(fields: Fields<'_>) -> Result<String, Amiss> {
    fields.needed("user", Fields::text)
}

fn body(fields: Fields<'_>) -> Result<String, Amiss> {
    fields.needed("body", Fields::text)
}

fn seq(fields: Fields<'_>) -> Result<Seq, Amiss> {
    fields.needed("seq", Fields::seq)
}

/// Who says nothing about it means yes.
fn on(fields: Fields<'_>) -> Result<bool, Amiss> {
    Ok(fields.truth("on")?.unwrap_or(true))
}

fn secret(fields: Fields<'_>, field: &'static str) -> Result<Secret, Amiss> {
    fields.needed(field, Fields::text).map(Secret)
}

fn limit(fields: Fields<'_>) -> Result<Option<usize>, Amiss> {
    fields.short("limit")
}

fn hello(f: Fields<'_>) -> Result<Ask, Amiss> {
    let (proto, client, lang) = (f.number("proto")?, f.text("client")?, f.text("lang")?);
    Ok(Ask::Hello { proto, client, lang })
}

fn register(f: Fields<'_>) -> Result<Ask, Amiss> {
    Ok(Ask::Register {
        user: user(f)?,
        password: secret(f, "password")?,
        invitation: f.text("invitation")?.map(Secret),
        device: f.text("device")?,
    })
}

fn unregister(f: Fields<'_>) -> Result<Ask, Amiss> {
    let said = if f.truth("messages")?.unwrap_or(false) { Said::Goes } else { Said::Stays };
    Ok(Ask::Unregister { password: secret(f, "password")?, said })
}

fn login(f: Fields<'_>) -> Result<Ask, Amiss> {
    let proof = proof(f)?;
    let resume = f.object("resume")?.map(resume).transpose()?;
    Ok(Ask::Login { proof, device: f.text("device")?, resume })
}

/// Who shows a certificate or a token is who that says, and shows nothing else.
fn proof(f: Fields<'_>) -> Result<Proof, Amiss> {
    if f.truth("external")?.unwrap_or(false) {
        let others = &["user", "password", "token"];
        return alone(f, others, "nothing beside \"external\"").map(|()| Proof::External);
    }
    if let Some(token) = f.text("token")?.map(Secret) {
        let others = &["user", "password"];
        return alone(f, others, "nothing beside \"token\"").map(|()| Proof::Token(token));
    }
    Ok(Proof::Password { user: user(f)?, password: secret(f, "password")? })
}

fn resume(f: Fields<'_>) -> Result<Resume, Amiss> {
    let Some(Fields(rooms)) = f.object("rooms")? else {
        return f.needed("since", Fields::seq).map(Resume::Since);
    };
    alone(f, &["since"], "nothing beside \"rooms\"")?;
    let one = |(name, seq): &(String, Value)| match (Place::read(name), seq) {
        (Some(place), Value::Number(seq)) => Ok((place, Seq(*seq))),
        (None, _) => Err(Amiss::Other("rooms", PLACE)),
        (Some(_), _) => Err(Amiss::Other("rooms", "a number for each")),
    };
    rooms.iter().map(one).collect::<Result<_, _>>().map(Resume::Rooms)
}

/// Whether none of `others`, which say the same otherwise, is there: none is to win unseen.
fn alone(f: Fields<'_>, others: &[&'static str], expect: &'static str) -> Result<(), Amiss> {
    let other = others.iter().find(|field| f.value(field).is_some());
    other.map_or(Ok(()), |field| Err(Amiss::Other(field, expect)))
}

fn message(f: Fields<'_>) -> Result<Ask, Amiss> {
    let to = match f.str("to")? {
        Some(name) => {
            alone(f, &["room"], "nothing beside \"to\"")?;
            Place::Person(name.strip_prefix('@').unwrap_or(name).to_owned())
        }
        None => room(f)?,
    };
    Ok(Ask::Message {
        to,
        kind: KINDS.read(f, "kind")?.unwrap_or_default(),
        body: body(f)?,
        reply: f.seq("reply")?,
        cid: f.cid()?,
    })
}

fn redact(f: Fields<'_>) -> Result<Ask, Amiss> {
    Ok(Ask::Redact { room: room(f)?, seq: seq(f)?, reason: f.text("reason")?, cid: f.cid()? })
}

fn react(f: Fields<'_>) -> Result<Ask, Amiss> {
    let emoji = f.needed("emoji", Fields::text)?;
    Ok(Ask::React { room: room(f)?, seq: seq(f)?, emoji, on: on(f)?, cid: f.cid()? })
}

fn history(f: Fields<'_>) -> Result<Ask, Amiss> {
    let messages = f.short("messages")?;
    Ok(Ask::History { room: room(f)?, page: page(f)?, limit: limit(f)?, messages })
}

fn page(f: Fields<'_>) -> Result<Page, Amiss> {
    let ends = match f.list("between")? {
        None => None,
        Some([Value::Number(from), Value::Number(to)]) => Some((Seq(*from), Seq(*to))),
        Some(_) => return Err(Amiss::Other("between", "two numbers")),
    };
    let pages = [
        ends.map(|(from, to)| Page::Between(from, to)),
        f.seq("before")?.map(Page::Before),
        f.seq("after")?.map(Page::After),
        f.seq("around")?.map(Page::Around),
    ];
    let mut pages = pages.into_iter().flatten();
    match (pages.next(), pages.next()) {
        (page, None) => Ok(page.unwrap_or(Page::Latest)),
        _ => Err(Amiss::Other("before", "one of before, after, around and between")),
    }
}

fn search(f: Fields<'_>) -> Result<Ask, Amiss> {
    let words = f.needed("q", Fields::text)?;
    Ok(Ask::Search { words, room: f.place("room")?, from: f.text("from")?, limit: limit(f)? })
}

fn create(f: Fields<'_>) -> Result<Ask, Amiss> {
    let is_private = f.truth("private")?.unwrap_or(false);
    let access = if is_private { Access::Private } else { Access::Public };
    let room = f.needed("room", Fields::text)?;
    Ok(Ask::Create { room, access, topic: f.text("topic")? })
}

fn role(f: Fields<'_>) -> Result<Ask, Amiss> {
    let role = ROLES.read(f, "role")?.ok_or(Amiss::Missing("role"))?;
    Ok(Ask::Role { room: room(f)?, user: user(f)?, role })
}

fn ban(f: Fields<'_>) -> Result<Ask, Amiss> {
    let (seconds, reason) = (f.number("seconds")?, f.text("reason")?);
    Ok(Ask::Ban { room: room(f)?, user: user(f)?, seconds, reason })
}

fn mute(f: Fields<'_>) -> Result<Ask, Amiss> {
    Ok(Ask::Mute { room: room(f)?, user: user(f)?, on: on(f)?, seconds: f.number("seconds")? })
}

fn dialogue(f: Fields<'_>) -> Result<Ask, Amiss> {
    let mode = ENDED_OR.read(f, "mode")?.unwrap_or(Some(Mode::Turns));
    let with = f.needed("with", Fields::str)?;
    Ok(Ask::Dialogue { with: with.strip_prefix('@').unwrap_or(with).to_owned(), mode })
}

fn notify(f: Fields<'_>) -> Result<Ask, Amiss> {
    let level = LEVELS.read(f, "level")?.ok_or(Amiss::Missing("level"))?;
    Ok(Ask::Notify { room: room(f)?, level })
}

fn keywords(f: Fields<'_>) -> Result<Ask, Amiss> {
    let one = |word: &Value| match word {
        Value::Text(word) => Ok(word.clone()),
        _ => Err(Amiss::Other("words", "a list of strings")),
    };
    let words = f.needed("words", Fields::list)?.iter().map(one);
    Ok(Ask::Keywords { words: words.collect::<Result<_, _>>()? })
}

/// A line as it is typed at the door of plain text.
fn typed(fields: Fields<'_>) -> Result<Ask, Refusal> {
    let here = fields.place("room")?;
    let line = fields.needed("line", Fields::str)?;
    match words::read(line, here.as_ref()) {
        Line::Ask(ask) => Ok(ask),
        Line::End => Ok(Ask::Bye { reason: None }),
        Line::Lang(lang) => {
            Ok(Ask::Hello { proto: None, client: None, lang: Some(lang.as_str().to_owned()) })
        }
        Line::Wrong(misuse) => Err(misuse.refusal()),
        Line::Secret(_) => Err(Refusal::of(Code::MissingField).field("password")),
        Line::Nothing => Err(Refusal::of(Code::BadField).field("line").why("nothing is asked")),
        Line::Export(_) => {
            Err(Refusal::of(Code::Forbidden).why("asked as EXPORT, and written by who asks"))
        }
        Line::NameStays => Err(Refusal::of(Code::Forbidden).why("the name of an account stays")),
    }
}
