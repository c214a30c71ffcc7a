//! What each command asks for. Named as the commands are, or as several are.

use super::{
    lang::Lang,
    line::{Line, Typed, Wanted},
};
use crate::{
    model::{Access, Kind, Level, Mode, Role, Seq},
    proof::TokenHash,
    protocol::{Ask, Code, Page, Place, Proof, Refusal, Secret},
};

/// Reads what stands behind a command.
pub(super) type Read = fn(Typed<'_>) -> Result<Line, Refusal>;

pub(super) fn lang(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let tag = typed.needed("lang")?;
    let refusal = Refusal::of(Code::BadField).field("lang");
    Lang::read(tag).map(Line::Lang).ok_or_else(|| refusal.why("expected en or fr"))
}

pub(super) fn login(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(with_secret(Wanted::Login { user: typed.user()? }, typed))
}

pub(super) fn register(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let user = typed.user()?;
    // An invitation is known by what it begins with; no password of anybody's does.
    let mut behind = typed;
    let word = behind.word().filter(|word| TokenHash::read_invitation(word).is_some());
    let typed = if word.is_some() { behind } else { typed };
    let invitation = word.map(|word| Secret(word.to_owned()));
    Ok(with_secret(Wanted::Register { user, invitation }, typed))
}

pub(super) fn unregister(typed: Typed<'_>) -> Line {
    with_secret(Wanted::Unregister, typed)
}

/// A secret may have spaces in it; without one the next line is it.
fn with_secret(wanted: Wanted, typed: Typed<'_>) -> Line {
    match typed.rest() {
        Some(secret) => Line::Ask(wanted.with(&secret)),
        None => Line::Secret(wanted),
    }
}

pub(super) fn password(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let old = Secret(typed.needed("old")?.to_owned());
    Ok(Line::Ask(Ask::Password { old, new: Secret(typed.text("new")?) }))
}

pub(super) fn revoke(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Revoke { session: typed.needed("session")?.to_owned() }))
}

/// Under a name it is to be known.
pub(super) fn cert(typed: Typed<'_>) -> Line {
    let login = || Ask::Login { proof: Proof::External, device: None, resume: None };
    Line::Ask(typed.rest().map_or_else(login, |name| Ask::Certify { name }))
}

pub(super) fn hook(typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, name) = (typed.here()?, typed.text("name")?);
    Ok(Line::Ask(Ask::Hook { room, name }))
}

pub(super) fn msg(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let name = typed.needed("user")?;
    let to = Place::read(name).unwrap_or_else(|| Place::Person(name.to_owned()));
    let body = typed.text("body")?;
    Ok(Line::Ask(Ask::Message { to, kind: Kind::Text, body, reply: None, cid: None }))
}

/// In turns, if nothing is said of it.
pub(super) fn dialogue(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let with = typed.user()?;
    let mode = match typed.word() {
        None | Some("turns" | "tours") => Some(Mode::Turns),
        Some("free" | "libre") => Some(Mode::Free),
        Some("end" | "fin") => None,
        Some(word) => {
            let refusal = Refusal::of(Code::BadField).field("mode");
            return Err(refusal.why(format!("{word:?}: expected turns, free or end")));
        }
    };
    Ok(Line::Ask(Ask::Dialogue { with, mode }))
}

pub(super) fn me(typed: Typed<'_>) -> Result<Line, Refusal> {
    let (to, body) = (typed.here()?, typed.text("body")?);
    Ok(Line::Ask(Ask::Message { to, kind: Kind::Action, body, reply: None, cid: None }))
}

pub(super) fn all(typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Announce { body: typed.text("body")? }))
}

pub(super) fn reply(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (to, reply) = (typed.here()?, Some(typed.seq()?));
    Ok(Line::Ask(Ask::Message {
        to,
        kind: Kind::Text,
        body: typed.text("body")?,
        reply,
        cid: None,
    }))
}

pub(super) fn edit(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::Edit { room, seq, body: typed.text("body")?, cid: None }))
}

pub(super) fn delete(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::Redact { room, seq, reason: typed.rest(), cid: None }))
}

pub(super) fn react(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::React { room, seq, emoji: typed.text("emoji")?, on: true, cid: None }))
}

pub(super) fn unreact(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::React { room, seq, emoji: typed.text("emoji")?, on: false, cid: None }))
}

pub(super) fn history(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, limit) = (typed.here()?, typed.number("limit")?);
    let page = typed.number("before")?.map_or(Page::Latest, |seq| Page::Before(Seq(seq)));
    Ok(Line::Ask(Ask::History { room, page, limit }))
}

pub(super) fn search(typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Search { words: typed.text("q")?, room: None, from: None, limit: None }))
}

pub(super) fn join(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let room = typed.room().ok_or_else(|| Refusal::of(Code::MissingField).field("room"))?;
    Ok(Line::Ask(Ask::Join { room }))
}

pub(super) fn leave(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Part { room: typed.room().map_or_else(|| typed.here(), Ok)? }))
}

pub(super) fn who(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Who { room: typed.room().map_or_else(|| typed.here(), Ok)? }))
}

pub(super) fn whois(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Whois { user: typed.user()? }))
}

pub(super) fn create(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let name = typed.needed("room")?;
    let access = match typed.word() {
        None => Access::Public,
        Some("private" | "privé") => Access::Private,
        Some(_) => {
            let refusal = Refusal::of(Code::BadField).field("private");
            return Err(refusal.why("expected private, or nothing"));
        }
    };
    let room = format!("#{}", name.strip_prefix('#').unwrap_or(name));
    Ok(Line::Ask(Ask::Create { room, access, topic: None }))
}

/// Without a text the room is shown, and what it is about.
pub(super) fn topic(typed: Typed<'_>) -> Result<Line, Refusal> {
    let room = typed.here()?;
    match typed.rest() {
        None => Ok(Line::Ask(Ask::Rooms { matching: Some(room.to_string()) })),
        Some(dash) if dash == "-" => Ok(Line::Ask(Ask::Topic { room, topic: String::new() })),
        Some(topic) => Ok(Line::Ask(Ask::Topic { room, topic })),
    }
}

pub(super) fn invite(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Invite { room: typed.here()?, user: typed.user()? }))
}

pub(super) fn role(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, user) = (typed.here()?, typed.user()?);
    let role = match typed.needed("role")? {
        "member" | "membre" => Role::Member,
        "moderator" | "modérateur" | "modératrice" => Role::Moderator,
        "owner" | "propriétaire" => Role::Owner,
        _ => {
            let refusal = Refusal::of(Code::BadField).field("role");
            return Err(refusal.why("expected member, moderator or owner"));
        }
    };
    Ok(Line::Ask(Ask::Role { room, user, role }))
}

pub(super) fn kick(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, user) = (typed.here()?, typed.user()?);
    Ok(Line::Ask(Ask::Kick { room, user, reason: typed.rest() }))
}

pub(super) fn ban(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, user) = (typed.here()?, typed.user()?);
    let mut behind = typed;
    let seconds = behind.word().and_then(seconds);
    let reason = if seconds.is_some() { behind.rest() } else { typed.rest() };
    Ok(Line::Ask(Ask::Ban { room, user, seconds, reason }))
}

pub(super) fn unban(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Unban { room: typed.here()?, user: typed.user()? }))
}

pub(super) fn mute(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, user) = (typed.here()?, typed.user()?);
    let seconds = typed.word().map(needed_seconds).transpose()?;
    Ok(Line::Ask(Ask::Mute { room, user, on: true, seconds }))
}

pub(super) fn unmute(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Mute { room: typed.here()?, user: typed.user()?, on: false, seconds: None }))
}

/// A time as `30s`, `10m`, `2h`, `7d` or, in French, `7j`.
fn seconds(word: &str) -> Option<u64> {
    let unit = word.chars().next_back()?;
    let number: u64 = word.strip_suffix(unit)?.parse().ok()?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' | 'j' => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The same, of a word that has to be one.
fn needed_seconds(word: &str) -> Result<u64, Refusal> {
    let refusal = Refusal::of(Code::BadField).field("seconds");
    seconds(word).ok_or_else(|| refusal.why("expected a time as 30s, 10m, 2h or 7d"))
}

pub(super) fn notify(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let room = typed.here()?;
    let level = match typed.needed("level")? {
        "all" | "tout" => Level::All,
        "mentions" => Level::Mentions,
        "none" | "rien" => Level::Nothing,
        word => {
            let refusal = Refusal::of(Code::BadField).field("level");
            return Err(refusal.why(format!("{word:?}: expected all, mentions or none")));
        }
    };
    Ok(Line::Ask(Ask::Notify { room, level }))
}

pub(super) fn keywords(typed: Typed<'_>) -> Result<Line, Refusal> {
    let words = match typed.text("words")? {
        dash if dash == "-" => Vec::new(),
        words => words.split_whitespace().map(|word| word.trim_matches(',').to_owned()).collect(),
    };
    Ok(Line::Ask(Ask::Keywords { words }))
}

pub(super) fn quiet(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(match typed.word() {
        None => Ask::Quiet { on: true, seconds: None },
        Some("off" | "non") => Ask::Quiet { on: false, seconds: None },
        Some(time) => Ask::Quiet { on: true, seconds: Some(needed_seconds(time)?) },
    }))
}

pub(super) fn slow(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    let (room, seconds) = (typed.here()?, typed.number("seconds")?);
    let seconds = seconds.ok_or_else(|| Refusal::of(Code::MissingField).field("seconds"))?;
    Ok(Line::Ask(Ask::Slow { room, seconds }))
}

/// For good, without a number.
pub(super) fn keep(mut typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Retain { room: typed.here()?, days: typed.number("days")? }))
}

pub(super) fn calc(typed: Typed<'_>) -> Result<Line, Refusal> {
    Ok(Line::Ask(Ask::Calc { expr: typed.text("expr")? }))
}
