//! An answer's body, as places in the buffer ([RFC 9112 §6, §7.1]).
//!
//! [RFC 9112 §6, §7.1]: https://www.rfc-editor.org/rfc/rfc9112#section-6

use std::ops::Range;

use super::{
    head::Framing,
    lines::{Lines, Span},
};
use crate::http1::{
    HeadLimits, chunks::Chunks, count_down, head::refuse_framing_in_trailer, refusal::Refusal,
};

/// Tells what of the bytes behind a head is content, and where they end.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    limits: HeadLimits,
    step: Step,
    trailers: Vec<Span>,
}

#[derive(Clone, Debug)]
enum Step {
    /// So many bytes to come: at least one.
    Length(u64),
    Chunks(Chunks),
    Trailers(Lines),
    UntilClose,
    Ended,
    Bad(Refusal),
}

/// What was read of a body in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Decoded {
    /// Where content stands in the input: perhaps nowhere.
    pub data: Range<usize>,
    /// How many bytes of the input are done with, the content included. The next call's input starts
    /// behind them. None: more has to come first.
    pub consumed: usize,
    /// Whether the body has ended. What is not consumed is none of it.
    pub ended: bool,
}

/// What the connection's end means to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtClose {
    /// All of it has come. Without a length only the connection tells: under TLS it has to end with
    /// a `close_notify`, in the clear with a FIN.
    Whole,
    /// Some of it is missing.
    Cut,
}

impl BodyDecoder {
    /// A decoder at the start of a body. `limits` are for its trailers.
    pub fn new(framing: Framing, limits: HeadLimits) -> Self {
        let step = match framing {
            Framing::Nothing | Framing::Length(0) => Step::Ended,
            Framing::Length(length) => Step::Length(length),
            Framing::Chunked => Step::Chunks(Chunks::default()),
            Framing::UntilClose | Framing::Tunnel => Step::UntilClose,
        };
        Self { limits, step, trailers: Vec::new() }
    }

    /// Reads a step of the body off the start of `input`: up to the end of a run of content, of
    /// the last chunk, or of the trailers.
    ///
    /// What is not consumed is the start of the next call's input. But for trailers that have not
    /// ended, which are within the limits, everything is.
    ///
    /// *Cost*: linear in what is consumed; in trailers, in what came since the last call.
    ///
    /// # Errors
    ///
    /// What is wrong with the framing, at each call from then on: the body is broken off here, and
    /// nothing more of the connection can be understood.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, Refusal> {
        let step = self.advance(input);
        if let Err(refusal) = step {
            self.step = Step::Bad(refusal);
        }
        let (framing, data) = step?;
        let consumed = framing + data;
        Ok(Decoded { data: framing..consumed, consumed, ended: self.has_ended() })
    }

    /// Passes over so many bytes of content, which were not in any input. No more of a body whose length
    /// was told may be passed over than are left, and of no other body any.
    ///
    /// # Panics
    ///
    /// If they are more.
    pub fn pass_over(&mut self, bytes: u64) {
        let Step::Length(left) = &mut self.step else { panic!("a body of no known length") };
        *left = left.checked_sub(bytes).expect("no more than are left");
        if *left == 0 {
            self.step = Step::Ended;
        }
    }

    /// Whether nothing more belongs to the body.
    pub fn has_ended(&self) -> bool {
        matches!(self.step, Step::Ended)
    }

    /// What it means if the connection ends here.
    pub fn at_close(&self) -> AtClose {
        match self.step {
            Step::UntilClose | Step::Ended => AtClose::Whole,
            Step::Length(_) | Step::Chunks(_) | Step::Trailers(_) | Step::Bad(_) => AtClose::Cut,
        }
    }

    /// How many bytes of content are still to come, if the head has told.
    pub fn left(&self) -> Option<u64> {
        match self.step {
            Step::Length(left) => Some(left),
            Step::Ended => Some(0),
            _ => None,
        }
    }

    /// The trailers, once the body has ended: places in the input of the call that ended it.
    pub fn trailers(&self) -> &[Span] {
        &self.trailers
    }

    /// Takes framing off the start of `input`, and then content; how many bytes of each.
    fn advance(&mut self, input: &[u8]) -> Result<(usize, usize), Refusal> {
        match &mut self.step {
            Step::Ended => Ok((0, 0)),
            Step::Bad(refusal) => Err(*refusal),
            Step::UntilClose => Ok((0, input.len())),
            Step::Length(left) => {
                let data = count_down(left, input.len());
                if *left == 0 {
                    self.step = Step::Ended;
                }
                Ok((0, data))
            }
            Step::Chunks(chunks) => {
                let framing = chunks.take_framing(input)?;
                let data = chunks.take_data(input.len() - framing);
                if chunks.ended() {
                    self.step = Step::Trailers(Lines::new(self.limits));
                }
                Ok((framing, data))
            }
            Step::Trailers(_) => Ok((self.take_trailers(input)?, 0)),
        }
    }

    /// Takes the trailers off the start of `input`, or nothing if their end has not come.
    fn take_trailers(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let Step::Trailers(lines) = &mut self.step else { return Ok(0) };
        while let Some(line) = lines.next(input)? {
            if line.bytes.is_empty() {
                let taken = lines.taken();
                self.step = Step::Ended;
                return Ok(taken);
            }
            let field = lines.field(line)?;
            refuse_framing_in_trailer(field.name)?;
            self.trailers.push(field.span);
        }
        Ok(0)
    }
}
