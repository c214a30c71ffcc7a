//! What programs post to a hook: an object, as strict as a frame.

use super::{
    fields::Fields,
    value::{self, Flaw},
};
use crate::protocol::{Code, Refusal};

/// Reads what is to be said off `{"text":"…"}`. What others add to it is left out.
///
/// # Errors
///
/// [`Code::BadFrame`], if it is no object that could be a frame; [`Code::BadField`], if it has no text.
pub(crate) fn read_posted(body: &[u8]) -> Result<String, Refusal> {
    let expect = "expected {\"text\":\"…\"}";
    let no_frame = |flaw| match flaw {
        // Where the parser stood says nothing to who posts a form, or forgot to quote.
        Flaw::NoObject(_) => Refusal::of(Code::BadFrame).why(expect),
        Flaw::TooLoose(why) => Refusal::of(Code::BadFrame).why(why),
    };
    let members = value::object(body).map_err(no_frame)?;
    let text = Fields(&members).text("text").ok().flatten();
    text.ok_or_else(|| Refusal::of(Code::BadField).field("text").why(expect))
}
