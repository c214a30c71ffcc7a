//! What each command asks for. Named as the commands are, or as several are.

pub(super) mod wishing;

use super::{
    argument::{self, Amiss},
    lang::Lang,
    line::{Line, Typed, Wanted},
};
use crate::{
    model::{Access, Kind, Mode, Role, Seq},
    proof::TokenHash,
    protocol::{Ask, Page, Place, Proof, Secret},
};

/// Reads what stands behind a command.
pub(super) type Read = fn(Typed<'_>) -> Result<Line, Amiss>;

pub(super) fn lang(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let tag = typed.needed(argument::LANG)?;
    Lang::read(tag).map(Line::Lang).ok_or_else(|| argument::LANG.not(tag))
}

pub(super) fn login(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(with_secret(Wanted::Login { user: typed.user()? }, typed))
}

pub(super) fn register(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let user = typed.user()?;
    // An invitation is known by what it begins with: one that was cut is to be no password.
    let mut behind = typed;
    let word = behind.word().filter(|word| TokenHash::is_like_an_invitation(word));
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

pub(super) fn password(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let old = Secret(typed.needed(argument::OLD)?.to_owned());
    Ok(Line::Ask(Ask::Password { old, new: Secret(typed.text(argument::NEW)?) }))
}

pub(super) fn revoke(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Revoke { session: typed.needed(argument::SESSION)?.to_owned() }))
}

pub(super) fn export(typed: Typed<'_>) -> Result<Line, Amiss> {
    typed.text(argument::FILE).map(Line::Export)
}

/// Under a name it is to be known.
pub(super) fn cert(typed: Typed<'_>) -> Line {
    let login = || Ask::Login { proof: Proof::External, device: None, resume: None };
    Line::Ask(typed.rest().map_or_else(login, |name| Ask::Certify { name }))
}

pub(super) fn hook(typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, name) = (typed.here()?, typed.text(argument::NAME)?);
    Ok(Line::Ask(Ask::Hook { room, name }))
}

pub(super) fn msg(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let name = typed.needed(argument::USER)?;
    let to = Place::read(name).unwrap_or_else(|| Place::Person(name.to_owned()));
    let body = typed.text(argument::BODY)?;
    Ok(Line::Ask(Ask::Message { to, kind: Kind::Text, body, reply: None, cid: None }))
}

/// In turns, if nothing is said of it.
pub(super) fn dialogue(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let with = typed.user()?;
    let mode = match typed.word() {
        None | Some("turns" | "tours") => Some(Mode::Turns),
        Some("free" | "libre") => Some(Mode::Free),
        Some("end" | "fin") => None,
        Some(word) => return Err(argument::MODE.not(word)),
    };
    Ok(Line::Ask(Ask::Dialogue { with, mode }))
}

pub(super) fn me(typed: Typed<'_>) -> Result<Line, Amiss> {
    let (to, body) = (typed.here()?, typed.text(argument::BODY)?);
    Ok(Line::Ask(Ask::Message { to, kind: Kind::Action, body, reply: None, cid: None }))
}

pub(super) fn all(typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Announce { body: typed.text(argument::BODY)? }))
}

pub(super) fn reply(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (to, reply) = (typed.here()?, Some(typed.seq()?));
    Ok(Line::Ask(Ask::Message {
        to,
        kind: Kind::Text,
        body: typed.text(argument::BODY)?,
        reply,
        cid: None,
    }))
}

pub(super) fn edit(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::Edit { room, seq, body: typed.text(argument::BODY)?, cid: None }))
}

pub(super) fn delete(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::Redact { room, seq, reason: typed.rest(), cid: None }))
}

pub(super) fn react(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::React { room, seq, emoji: typed.text(argument::SIGN)?, on: true, cid: None }))
}

pub(super) fn unreact(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, seq) = (typed.here()?, typed.seq()?);
    Ok(Line::Ask(Ask::React {
        room,
        seq,
        emoji: typed.text(argument::SIGN)?,
        on: false,
        cid: None,
    }))
}

pub(super) fn history(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, messages) = (typed.here()?, typed.number(argument::LIMIT)?);
    let page = typed.number(argument::BEFORE)?.map_or(Page::Latest, |seq| Page::Before(Seq(seq)));
    Ok(Line::Ask(Ask::History { room, page, limit: None, messages }))
}

pub(super) fn search(typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Search {
        words: typed.text(argument::SOUGHT)?,
        room: None,
        from: None,
        limit: None,
    }))
}

pub(super) fn join(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let whole = typed.rest.trim();
    let room = typed.room().ok_or(Amiss::Missing(argument::ROOM))?;
    // Who types more means something by it: a room that is made of less may be another.
    match typed.word() {
        Some(_) => Err(argument::ROOM.not(whole)),
        None => Ok(Line::Ask(Ask::Join { room })),
    }
}

pub(super) fn leave(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Part { room: typed.room().map_or_else(|| typed.here(), Ok)? }))
}

pub(super) fn who(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Who { room: typed.room().map_or_else(|| typed.here(), Ok)? }))
}

pub(super) fn whois(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Whois { user: typed.user()? }))
}

pub(super) fn create(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let name = typed.needed(argument::ROOM)?;
    let access = match typed.word() {
        None => Access::Public,
        Some("private" | "privé") => Access::Private,
        Some(word) => return Err(argument::ACCESS.not(word)),
    };
    let room = format!("#{}", name.strip_prefix('#').unwrap_or(name));
    Ok(Line::Ask(Ask::Create { room, access, topic: None }))
}

/// Without a text the room is shown, and what it is about. Two are about nothing: that the hub says.
pub(super) fn topic(typed: Typed<'_>) -> Result<Line, Amiss> {
    let room = typed.here()?;
    match typed.rest() {
        None if matches!(room, Place::Person(_)) => {
            Ok(Line::Ask(Ask::Topic { room, topic: String::new() }))
        }
        None => Ok(Line::Ask(Ask::Rooms { matching: Some(room.to_string()) })),
        Some(dash) if dash == "-" => Ok(Line::Ask(Ask::Topic { room, topic: String::new() })),
        Some(topic) => Ok(Line::Ask(Ask::Topic { room, topic })),
    }
}

pub(super) fn invite(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Invite { room: typed.here()?, user: typed.user()? }))
}

pub(super) fn role(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, user) = (typed.here()?, typed.user()?);
    let role = match typed.needed(argument::ROLE)? {
        "member" | "membre" => Role::Member,
        "moderator" | "modérateur" | "modératrice" => Role::Moderator,
        "owner" | "propriétaire" => Role::Owner,
        word => return Err(argument::ROLE.not(word)),
    };
    Ok(Line::Ask(Ask::Role { room, user, role }))
}

pub(super) fn kick(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, user) = (typed.here()?, typed.user()?);
    Ok(Line::Ask(Ask::Kick { room, user, reason: typed.rest() }))
}

pub(super) fn ban(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, user) = (typed.here()?, typed.user()?);
    let mut behind = typed;
    // What begins with a digit is meant for a time: mistyped it is to ban nobody for good.
    let time = behind.word().filter(|word| word.starts_with(|char: char| char.is_ascii_digit()));
    let seconds = time.map(needed_seconds).transpose()?;
    let reason = if seconds.is_some() { behind.rest() } else { typed.rest() };
    Ok(Line::Ask(Ask::Ban { room, user, seconds, reason }))
}

pub(super) fn unban(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Unban { room: typed.here()?, user: typed.user()? }))
}

pub(super) fn mute(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, user) = (typed.here()?, typed.user()?);
    let seconds = typed.word().map(needed_seconds).transpose()?;
    Ok(Line::Ask(Ask::Mute { room, user, on: true, seconds }))
}

pub(super) fn unmute(mut typed: Typed<'_>) -> Result<Line, Amiss> {
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
fn needed_seconds(word: &str) -> Result<u64, Amiss> {
    seconds(word).ok_or_else(|| argument::TIME.not(word))
}

pub(super) fn slow(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, seconds) = (typed.here()?, typed.number(argument::SECONDS)?);
    let seconds = seconds.ok_or(Amiss::Missing(argument::SECONDS))?;
    Ok(Line::Ask(Ask::Slow { room, seconds }))
}

/// Nothing is changed without a word: what is not kept any more is gone.
pub(super) fn keep(mut typed: Typed<'_>) -> Result<Line, Amiss> {
    let (room, word) = (typed.here()?, typed.needed(argument::DAYS)?);
    let days = match word {
        "forever" | "toujours" => None,
        word => match word.parse() {
            Ok(days @ 1..) => Some(days),
            _ => return Err(argument::DAYS.not(word)),
        },
    };
    Ok(Line::Ask(Ask::Retain { room, days }))
}

pub(super) fn calc(typed: Typed<'_>) -> Result<Line, Amiss> {
    Ok(Line::Ask(Ask::Calc { expr: typed.text(argument::EXPRESSION)? }))
}
