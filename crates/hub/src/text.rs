//! What strangers' words become before they are kept.

use crate::{
    limits::Limits,
    protocol::{Code, Refusal},
};

/// What was said.
///
/// # Errors
///
/// [`Code::TooLong`], [`Code::BadField`].
pub fn body(text: &str, limits: &Limits) -> Result<String, Refusal> {
    let text = clean(text, ("body", limits.body_bytes_max))?;
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    if lines > limits.body_lines_max {
        let why = format!("{lines} lines: expected at most {}", limits.body_lines_max);
        return Err(Refusal::of(Code::TooLong).field("body").why(why));
    }
    if text.trim().is_empty() {
        return Err(Refusal::of(Code::BadField).field("body").why("nothing is said"));
    }
    Ok(text)
}

/// What a room is about.
///
/// # Errors
///
/// [`Code::TooLong`].
pub fn topic(text: &str, limits: &Limits) -> Result<String, Refusal> {
    one_line(text, ("topic", limits.topic_bytes_max))
}

/// A reason, or what a device is called.
///
/// # Errors
///
/// [`Code::TooLong`].
pub fn line(text: &str, limits: &Limits) -> Result<String, Refusal> {
    one_line(text, ("reason", limits.line_bytes_max))
}

/// What is answered with: an emoji, or a short word.
///
/// # Errors
///
/// [`Code::BadField`].
pub fn sign(text: &str) -> Result<String, Refusal> {
    let sign = one_line(text, ("emoji", SIGN_BYTES_MAX))?;
    if sign.is_empty() || sign.contains(char::is_whitespace) {
        return Err(Refusal::of(Code::BadField).field("emoji").why("expected a sign or a word"));
    }
    Ok(sign)
}

const SIGN_BYTES_MAX: usize = 64;

/// What a room may be called.
///
/// # Errors
///
/// [`Code::NameInvalid`].
pub fn room_name(text: &str) -> Result<String, Refusal> {
    let refusal = |why: String| Refusal::of(Code::NameInvalid).field("room").why(why);
    let rest = text.strip_prefix('#').unwrap_or(text);
    let is_good = (1..=63).contains(&rest.chars().count())
        && rest.chars().all(|char| char.is_alphanumeric() || "-_.".contains(char));
    if is_good { Ok(format!("#{rest}")) } else { Err(refusal(format!("bad name {text:?}"))) }
}

fn one_line(text: &str, bound: (&'static str, usize)) -> Result<String, Refusal> {
    clean(text, bound).map(|text| text.replace(['\n', '\t'], " ").trim().to_owned())
}

fn clean(text: &str, (field, bytes_max): (&'static str, usize)) -> Result<String, Refusal> {
    if text.len() > bytes_max {
        let why = format!("{} bytes: expected at most {bytes_max}", text.len());
        return Err(Refusal::of(Code::TooLong).field(field).why(why));
    }
    let is_kept = |char: &char| matches!(char, '\n' | '\t') || !char.is_control();
    Ok(text.chars().filter(is_kept).collect())
}
