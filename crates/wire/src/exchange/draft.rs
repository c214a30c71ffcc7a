//! The line of an exchange that is under way.

use super::{
    parts::{Answered, Closing, Opening, Source},
    print::{LINE_BYTES, print_request_type},
};

/// The line of an exchange that is under way: what is known of it is printed at once, so that nothing
/// else has to be kept for it. In the end it is the line that [`Exchange::print`] has for the same.
///
/// [`Exchange::print`]: super::Exchange::print
#[derive(Debug, Default)]
pub struct Draft {
    /// What is printed so far, without what is known at the end only and comes between: the opening,
    /// the request's media type, the answer, its source.
    text: Vec<u8>,
    /// Where the first three end. In order, and none behind the end of `text`.
    ends: [usize; 3],
}

impl Draft {
    /// Begins the line of an exchange whose request has come, with this media type if it has one, in
    /// the memory of the line before.
    pub fn open(&mut self, opening: &Opening<'_>, media_type: Option<&[u8]>) {
        let Self { text, ends } = self;
        text.clear();
        text.reserve(LINE_BYTES);
        opening.print(text);
        let opened = text.len();
        print_request_type(text, media_type);
        let asked = text.len();
        *ends = [opened, asked, asked];
    }

    /// How much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.text.capacity()
    }

    /// Goes on with what the head of the answer says, and where that came from. Takes the place of
    /// what was said of another answer before.
    pub fn answer(&mut self, answered: &Answered<'_>, source: &Source<'_>) {
        let Self { text, ends: [_, asked, came] } = self;
        text.truncate(*asked);
        answered.print(text);
        *came = text.len();
        source.print(text);
    }

    /// Appends the line to `out`, with its end.
    pub fn close(&self, closing: &Closing, out: &mut Vec<u8>) {
        let Self { text, ends: [opened, asked, came] } = self;
        out.reserve(LINE_BYTES);
        out.extend_from_slice(&text[..*opened]);
        closing.print_status(out);
        out.extend_from_slice(&text[*opened..*asked]);
        closing.print_bytes(out);
        out.extend_from_slice(&text[*asked..*came]);
        closing.print_total(out);
        out.extend_from_slice(&text[*came..]);
        closing.print_end(out);
    }
}
