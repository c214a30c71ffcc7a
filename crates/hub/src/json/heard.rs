//! What happened, and why something did not, read from the fields of a frame.

use super::{
    fields::{Amiss, Fields, Found},
    misread::{Misread, known, one_of},
    names::{KINDS, LEVELS, MODES, ROLES, WHYS},
    value::Value,
};
use crate::{
    model::{Quiet, Role, Seq, Words, is_of_word},
    protocol::{Code, Event, Gap, Place, Refusal, Where},
};

/// Reads an event that is called `what`.
pub(super) fn event(what: &str, f: Fields<'_>) -> Result<Event, Misread> {
    let found = EVENTS.iter().find(|(name, _)| *name == what);
    let (_, read) = found.ok_or_else(|| Misread::Unknown(what.to_owned()))?;
    read(f)
}

type Read = fn(Fields<'_>) -> Result<Event, Misread>;

/// What happens, and how each of it is read.
const EVENTS: &[(&str, Read)] = &[
    ("message", message),
    ("announce", announce),
    ("edit", |f| Ok(Event::Edit { at: at(f)?, of: of(f)?, body: body(f)? })),
    ("redact", |f| Ok(Event::Redact { at: at(f)?, of: of(f)?, reason: f.text("reason")? })),
    ("react", react),
    ("create", |f| Ok(Event::Create(at(f)?))),
    ("delete", |f| Ok(Event::Delete(at(f)?))),
    ("join", |f| Ok(Event::Join(at(f)?))),
    ("part", |f| Ok(Event::Part(at(f)?))),
    ("topic", |f| Ok(Event::Topic { at: at(f)?, topic: f.needed("topic", Fields::text)? })),
    ("role", |f| Ok(Event::Role { at: at(f)?, user: user(f)?, role: f.needed("role", role)? })),
    ("invite", |f| about("invite", f)),
    ("kick", |f| about("kick", f)),
    ("ban", |f| about("ban", f)),
    ("unban", |f| about("unban", f)),
    ("mute", |f| about("mute", f)),
    ("unmute", |f| about("unmute", f)),
    ("slow", |f| rule("slow", f)),
    ("retain", |f| rule("retain", f)),
    ("dialogue", dialogue),
    ("dialogue_end", |f| Ok(Event::DialogueEnd { at: at(f)?, word: f.text("word")? })),
    ("turn", turn),
    ("notify", notify),
    ("keywords", |f| Ok(Event::Keywords(f.needed("words", words)?))),
    ("quiet", |f| Ok(Event::Quiet(quiet(f)?))),
    ("read", |f| Ok(Event::Read { room: room(f)?, last: last(f)? })),
    ("gap", gap),
    ("rewound", |f| Ok(Event::Rewound { last: last(f)? })),
    ("lagged", |f| Ok(Event::Lagged { room: room(f)?, last: last(f)? })),
    ("typing", typing),
    ("presence", presence),
    ("bye", |f| refusal(f).map(Event::Bye)),
];

fn at(f: Fields<'_>) -> Result<Where, Amiss> {
    Ok(Where {
        room: room(f)?,
        seq: f.needed("seq", Fields::seq)?,
        prev: f.needed("prev", Fields::seq)?,
        at: f.needed("ts", Fields::time)?,
        from: f.needed("from", Fields::text)?,
        cid: f.cid()?,
    })
}

fn body(f: Fields<'_>) -> Result<String, Amiss> {
    f.needed("body", Fields::text)
}

fn room(f: Fields<'_>) -> Result<Place, Amiss> {
    f.needed("room", Fields::place)
}

fn user(f: Fields<'_>) -> Result<String, Amiss> {
    f.needed("user", Fields::text)
}

fn of(f: Fields<'_>) -> Result<Seq, Amiss> {
    f.needed("of", Fields::seq)
}

fn last(f: Fields<'_>) -> Result<Seq, Amiss> {
    f.needed("last", Fields::seq)
}

fn dialogue(f: Fields<'_>) -> Result<Event, Misread> {
    let mode = f.needed("mode", |f, field| MODES.read(f, field))?;
    Ok(Event::Dialogue { at: at(f)?, mode })
}

fn turn(f: Fields<'_>) -> Result<Event, Misread> {
    Ok(Event::Turn { room: room(f)?, who: f.needed("who", Fields::text)? })
}

fn notify(f: Fields<'_>) -> Result<Event, Misread> {
    let level = f.needed("level", |f, field| LEVELS.read(f, field))?;
    Ok(Event::Notify { room: room(f)?, level })
}

/// Words that somebody looks out for.
pub(super) fn words(f: Fields<'_>, field: &'static str) -> Found<Words> {
    let one = |word: &Value| match word {
        Value::Text(word) if word.chars().all(is_of_word) => Ok(word.clone()),
        _ => Err(Amiss::Other(field, "words")),
    };
    f.list(field)?.map(|words| words.iter().map(one).collect()).transpose()
}

/// Whether somebody wants to notice nothing for now.
pub(super) fn quiet(f: Fields<'_>) -> Result<Quiet, Amiss> {
    let is_on = f.needed("on", Fields::truth)?;
    let until = f.time("until")?.filter(|_| is_on);
    Ok(match until {
        Some(until) => Quiet::Until(until),
        None if is_on => Quiet::On,
        None => Quiet::Off,
    })
}

fn react(f: Fields<'_>) -> Result<Event, Misread> {
    let (emoji, on) = (f.needed("emoji", Fields::text)?, f.needed("on", Fields::truth)?);
    Ok(Event::React { at: at(f)?, of: of(f)?, emoji, on })
}

fn gap(f: Fields<'_>) -> Result<Event, Misread> {
    let (from, to) = (f.needed("from", Fields::seq)?, f.needed("to", Fields::seq)?);
    Ok(Event::Gap(Gap { room: room(f)?, from, to }))
}

fn typing(f: Fields<'_>) -> Result<Event, Misread> {
    let on = f.needed("on", Fields::truth)?;
    Ok(Event::Typing { room: room(f)?, user: user(f)?, on })
}

/// What a member may do.
pub(super) fn role(f: Fields<'_>, field: &'static str) -> Found<Role> {
    ROLES.read(f, field)
}

fn message(f: Fields<'_>) -> Result<Event, Misread> {
    Ok(Event::Message {
        at: at(f)?,
        kind: KINDS.read(f, "kind")?.unwrap_or_default(),
        body: f.text("body")?,
        reply: f.seq("reply")?,
        mention: f.truth("mention")?.unwrap_or(false),
        notify: WHYS.read(f, "notify")?,
        edited: f.truth("edited")?.unwrap_or(false),
    })
}

fn announce(f: Fields<'_>) -> Result<Event, Misread> {
    let (at, from) = (f.needed("ts", Fields::time)?, f.needed("from", Fields::text)?);
    Ok(Event::Announce { at, from, body: body(f)? })
}

fn about(what: &'static str, f: Fields<'_>) -> Result<Event, Misread> {
    let (user, reason) = (user(f)?, f.text("reason")?);
    Ok(Event::About { at: at(f)?, what, user, until: f.time("until")?, reason })
}

fn rule(what: &'static str, f: Fields<'_>) -> Result<Event, Misread> {
    Ok(Event::Rule { at: at(f)?, what, value: f.number("value")? })
}

fn presence(f: Fields<'_>) -> Result<Event, Misread> {
    let state = f.needed("state", Fields::str)?;
    let state = known(&["online", "away", "offline"], state)?;
    Ok(Event::Presence { user: user(f)?, state, text: f.text("text")? })
}

/// Reads why something is refused.
pub(super) fn refusal(err: Fields<'_>) -> Result<Refusal, Misread> {
    let code = err.needed("code", Fields::str)?;
    let code = Code::read(code).ok_or_else(|| Misread::Unknown(code.to_owned()))?;
    let field = err.str("field")?;
    Ok(Refusal {
        code,
        why: err.text("why")?.unwrap_or_default(),
        field: field.and_then(|field| one_of(FIELDS, field)),
        retry_ms: err.number("retry_ms")?,
    })
}

/// The fields of requests, which a refusal may name.
const FIELDS: &[&str] = &[
    "after",
    "all",
    "around",
    "before",
    "between",
    "body",
    "cid",
    "client",
    "cmd",
    "days",
    "device",
    "emoji",
    "expr",
    "from",
    "id",
    "invitation",
    "kind",
    "lang",
    "level",
    "limit",
    "line",
    "match",
    "messages",
    "mode",
    "name",
    "new",
    "old",
    "on",
    "password",
    "private",
    "proto",
    "q",
    "reason",
    "reply",
    "resume",
    "role",
    "room",
    "rooms",
    "seconds",
    "seq",
    "session",
    "since",
    "t",
    "text",
    "to",
    "token",
    "topic",
    "user",
    "with",
    "words",
];
