//! What comes back, judged as it comes: an answer of HTTP, or what was sent. No socket.

use relais_wire::{
    http1::{
        HeadLimits,
        response::{Asked, AtClose, BodyDecoder, Head, HeadReader, Persistence},
    },
    plural::plural,
    visible::is_disturbing,
};

use super::{
    failure::{Failure, Kind},
    ledger::{Answered, Then},
};

/// Hears what comes until it is whole.
pub(super) trait Hear {
    /// Hears the next bytes, which are some.
    fn hear(&mut self, bytes: &[u8]) -> Result<Heard, Failure>;

    /// Hears that no more come.
    fn end(&mut self) -> Result<Answered, Failure>;
}

/// What was heard so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A part.
    Part,
    /// All of it.
    Whole(Answered),
}

/// Hears the answers of HTTP/1.1 on one connection, one after another.
///
/// *Cost*: no allocation for an answer that comes in one piece, nor for content in any number; heads
/// and trailers that come in several are kept until their ends, within [`LIMITS`].
#[derive(Debug)]
pub(super) struct Answers {
    asked: Asked,
    heads: HeadReader,
    /// What came of a head or of trailers that have not ended.
    kept: Vec<u8>,
    stage: Stage,
    /// How many came before the answer that is awaited.
    interims: u32,
    bytes: u64,
}

#[derive(Debug)]
enum Stage {
    Head,
    Body(BodyDecoder, u16, Persistence),
}

/// How many may come before an answer.
const INTERIMS_MAX: u32 = 16;

/// What a head may be like.
const LIMITS: HeadLimits =
    HeadLimits { head_bytes_max: 64 << 10, line_bytes_max: 32 << 10, fields_max: 256 };

impl Answers {
    pub(super) fn to(asked: Asked) -> Self {
        let heads = HeadReader::new(LIMITS);
        Self { asked, heads, kept: Vec::new(), stage: Stage::Head, interims: 0, bytes: 0 }
    }

    /// Takes what is whole off the start of `input`; how many bytes that are, and the answer if it
    /// has ended.
    fn take(&mut self, input: &[u8]) -> Result<(usize, Option<Answered>), Failure> {
        let mut taken = 0;
        loop {
            match &mut self.stage {
                Stage::Head => {
                    let head = self.heads.read(&input[taken..], self.asked);
                    let Some(head) = head.map_err(|bad| malformed(&bad))? else {
                        return Ok((taken, None));
                    };
                    taken += head.len;
                    self.begin(&head)?;
                }
                Stage::Body(body, status, persistence) => {
                    if body.has_ended() {
                        let (status, persistence) = (*status, *persistence);
                        return Ok((taken, Some(self.answered(status, persistence))));
                    }
                    let step = body.decode(&input[taken..]).map_err(|bad| malformed(&bad))?;
                    if step.consumed == 0 {
                        return Ok((taken, None));
                    }
                    taken += step.consumed;
                }
            }
        }
    }

    /// Goes on behind a head. Before the answer itself others may come (RFC 9110, section 15.2).
    fn begin(&mut self, head: &Head) -> Result<(), Failure> {
        if head.status >= 200 {
            let body = BodyDecoder::new(head.framing, LIMITS);
            self.stage = Stage::Body(body, head.status, head.persistence);
            return Ok(());
        }
        self.interims += 1;
        if self.interims > INTERIMS_MAX {
            let what = format!("more than {INTERIMS_MAX} interim answers");
            return Err(Failure::new(Kind::Malformed, what));
        }
        Ok(())
    }

    /// The answer, which has ended; the next one begins.
    fn answered(&mut self, status: u16, persistence: Persistence) -> Answered {
        let then = match persistence {
            Persistence::Persists => Then::Goes,
            Persistence::Closes => Then::Closes,
        };
        (self.stage, self.interims) = (Stage::Head, 0);
        let bytes = std::mem::take(&mut self.bytes);
        Answered { bytes, status: Some(status), sent: None, then }
    }
}

impl Hear for Answers {
    fn hear(&mut self, bytes: &[u8]) -> Result<Heard, Failure> {
        self.bytes += len(bytes);
        let (left, answered) = if self.kept.is_empty() {
            let (taken, answered) = self.take(bytes)?;
            self.kept.extend_from_slice(&bytes[taken..]);
            (self.kept.len(), answered)
        } else {
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(bytes);
            let (taken, answered) = self.take(&kept)?;
            kept.drain(..taken);
            self.kept = kept;
            (self.kept.len(), answered)
        };
        match answered {
            None => Ok(Heard::Part),
            Some(answered) if left == 0 => Ok(Heard::Whole(answered)),
            Some(_) => {
                let s = plural(left);
                let what = format!("{left} byte{s} behind the answer: expected none");
                Err(Failure::new(Kind::Malformed, what))
            }
        }
    }

    fn end(&mut self) -> Result<Answered, Failure> {
        match &self.stage {
            Stage::Body(body, status, _) if body.at_close() == AtClose::Whole => {
                let status = *status;
                Ok(self.answered(status, Persistence::Closes))
            }
            Stage::Body(..) => Err(Failure::new(Kind::Closed, "closed within an answer's body")),
            Stage::Head if self.bytes > 0 => {
                Err(Failure::new(Kind::Closed, "closed within an answer's head"))
            }
            Stage::Head => Err(Failure::new(Kind::Closed, "closed before an answer")),
        }
    }
}

fn malformed(bad: &dyn std::error::Error) -> Failure {
    Failure::new(Kind::Malformed, bad.to_string())
}

/// Hears back what was sent, byte for byte.
#[derive(Debug)]
pub(super) struct Echo<'a> {
    sent: &'a [u8],
    /// How much of it has come. `0 <= matched <= sent.len()`
    matched: usize,
}

impl<'a> Echo<'a> {
    pub(super) fn of(sent: &'a [u8]) -> Self {
        Self { sent, matched: 0 }
    }

    /// Hears all of it at once, from what keeps messages apart.
    pub(super) fn hear_whole(&mut self, bytes: &[u8]) -> Result<Answered, Failure> {
        match self.hear(bytes)? {
            Heard::Whole(answered) => Ok(answered),
            Heard::Part => Err(self.wrong(&[])),
        }
    }

    fn wrong(&self, bytes: &[u8]) -> Failure {
        let came = [&self.sent[..self.matched], bytes].concat();
        let (shown_came, expected) = (shown(&came), shown(self.sent));
        if shown_came != expected {
            return Failure::new(
                Kind::Wrong,
                format!("{shown_came} came back: expected {expected}"),
            );
        }
        // What differs is behind all that is shown.
        let alike = came.iter().zip(self.sent).take_while(|(came, sent)| came == sent).count();
        let how = if alike == came.len().min(self.sent.len()) {
            "which begin as was sent".to_owned()
        } else {
            format!("of which number {} is another", alike + 1)
        };
        let (came, sent) = (came.len(), self.sent.len());
        let what = format!("{came} bytes came back, {how}: expected {sent} bytes");
        Failure::new(Kind::Wrong, what)
    }
}

impl Hear for Echo<'_> {
    fn hear(&mut self, bytes: &[u8]) -> Result<Heard, Failure> {
        if !self.sent[self.matched..].starts_with(bytes) {
            return Err(self.wrong(bytes));
        }
        self.matched += bytes.len();
        if self.matched < self.sent.len() {
            return Ok(Heard::Part);
        }
        let bytes = len(self.sent);
        Ok(Heard::Whole(Answered { bytes, status: None, sent: None, then: Then::Goes }))
    }

    fn end(&mut self) -> Result<Answered, Failure> {
        let what = format!("closed after {} of {} bytes", self.matched, self.sent.len());
        Err(Failure::new(Kind::Closed, what))
    }
}

/// The start of a message, fit to be looked at.
pub(super) fn shown(bytes: &[u8]) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES_MAX)]);
    let mut text = String::from('"');
    for char in start.chars() {
        match char {
            '\u{fffd}' => text.push(char),
            '"' | '\\' => text.extend(['\\', char]),
            char if is_disturbing(char) => text.extend(char.escape_debug()),
            char => text.push(char),
        }
    }
    text.push_str(if bytes.len() > SHOWN_BYTES_MAX { "…\"" } else { "\"" });
    text
}

const SHOWN_BYTES_MAX: usize = 60;

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length in memory")
}

#[cfg(test)]
mod tests;
