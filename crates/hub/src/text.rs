//! What strangers' words become before they are kept.

use relais_wire::{
    clean::{self, Unclean, clean, clean_line},
    visible::is_disturbing,
};

use crate::{
    limits::Limits,
    name,
    protocol::{Code, Refusal},
};

/// What who wants to be called so is told.
pub(crate) fn no_name(why: &name::NotAName) -> Refusal {
    Refusal::of(Code::NameInvalid).field("user").why(why.to_string())
}

/// What was said.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub(crate) fn body(text: &str, limits: &Limits) -> Result<String, Refusal> {
    let limits =
        clean::Limits { bytes_max: limits.body_bytes_max, lines_max: limits.body_lines_max };
    let text = clean(text, limits).map_err(|unclean| refused("body", unclean))?;
    if text.chars().all(|char| char.is_whitespace() || is_disturbing(char)) {
        return Err(Refusal::of(Code::BadField).field("body").why("nothing is said"));
    }
    Ok(text)
}

/// What a room is about.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub(crate) fn topic(text: &str, limits: &Limits) -> Result<String, Refusal> {
    one_line(text, ("topic", limits.topic_bytes_max))
}

/// What a device is called by its owner: not as hooks are, which are kept among them.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub(crate) fn device(text: &str, limits: &Limits) -> Result<String, Refusal> {
    let name = line(text, limits)?;
    if name.starts_with(HOOK_SIGN) {
        let why = format!("{name:?} begins as hooks do: expected another name");
        return Err(Refusal::of(Code::BadField).field("device").why(why));
    }
    Ok(name)
}

/// What the name of a hook's session begins with.
pub(crate) const HOOK_SIGN: &str = "hook ";

/// A reason.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub(crate) fn line(text: &str, limits: &Limits) -> Result<String, Refusal> {
    one_line(text, ("reason", limits.line_bytes_max))
}

/// What is answered with: an emoji, or a short word.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub(crate) fn sign(text: &str) -> Result<String, Refusal> {
    let sign = one_line(text, ("emoji", SIGN_BYTES_MAX))?;
    let is_seen = sign.chars().any(|char| !is_disturbing(char));
    if !is_seen || sign.contains(char::is_whitespace) {
        return Err(Refusal::of(Code::BadField).field("emoji").why("expected a sign or a word"));
    }
    Ok(sign)
}

/// As long as a family of emoji with all their joiners.
const SIGN_BYTES_MAX: usize = 64;

/// What a room may be called.
///
/// # Errors
///
/// [`Code::NameInvalid`].
pub(crate) fn room_name(text: &str) -> Result<String, Refusal> {
    let invalid =
        |why: name::NotAName| Refusal::of(Code::NameInvalid).field("room").why(why.to_string());
    name::room_name(text).map_err(invalid)
}

fn one_line(text: &str, (field, bytes_max): (&'static str, usize)) -> Result<String, Refusal> {
    let text = clean_line(text, bytes_max).map_err(|unclean| refused(field, unclean))?;
    Ok(text.trim().to_owned())
}

fn refused(field: &'static str, unclean: Unclean) -> Refusal {
    let code = match unclean {
        Unclean::Nul { .. } => Code::BadField,
        Unclean::TooLong { .. } | Unclean::TooManyLines { .. } => Code::TooLong,
    };
    Refusal::of(code).field(field).why(unclean.to_string())
}
