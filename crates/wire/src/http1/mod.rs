//! The guard before the HTTP/1 parser: it refuses what two parsers could read differently
//! ([RFC 9112], and [§11.2] for why).
//!
//! The parser behind it takes a bare LF for a line end, `Content-Length` beside
//! `Transfer-Encoding`, a repeated `Content-Length` and more, and says nothing about it. So the
//! guard sees each byte first and follows the framing by itself: where each head starts and ends,
//! where each body does. It neither changes nor keeps a message; it only says how far the bytes
//! may pass.
//!
//! What is a request beyond its framing (which methods, which fields mean what) is not judged
//! here.
//!
//! [`CutHead`] takes apart what has passed. What comes from the other side, when we ask, is read in
//! [`response`]; [`ChunkSize`] writes chunks.
//!
//! [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112
//! [§11.2]: https://www.rfc-editor.org/rfc/rfc9112#section-11.2

mod chunk_size;
mod chunks;
mod cut;
mod head;
mod lengths;
mod refusal;
pub mod response;

#[cfg(test)]
mod tests;

pub use chunk_size::{ChunkSize, LAST_CHUNK};
pub use chunks::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_EXTENSIONS_BYTES_MAX};
pub use cut::{CutFields, CutHead};
pub use head::{is_of_target, starts_like_request};
pub use lengths::{Version, parse_length};
pub use refusal::Refusal;

use chunks::Chunks;
use head::{Framing, Head, Section};

/// How large a head may be; trailers have the same limits, for themselves, but that a request may have
/// no more than [`TRAILERS_BYTES_MAX`] of them.
///
/// In 32 bits each: every idle connection holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// All lines with their ends, the empty last one included.
    pub head_bytes_max: u32,
    /// One line with its end, the request line included.
    pub line_bytes_max: u32,
    /// Fields, whatever their names.
    pub fields_max: u32,
}

/// The most bytes of a request's trailers, the empty last line included: the parser behind the guard
/// takes less than 16 KiB, and breaks off then without an answer.
pub const TRAILERS_BYTES_MAX: u32 = 16 * 1024 - 1;

/// What may pass of the bytes fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fed {
    /// How many may pass, from the first on. All of them, unless refused or [held](Stage::Held).
    pub passed: usize,
    /// Why the others may not, and nothing after them.
    pub refusal: Option<Refusal>,
}

/// Where in its messages a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No byte of the next message has come, but perhaps an empty line.
    BetweenMessages,
    /// A head has begun and not ended.
    Head,
    /// A body, or the trailers behind it.
    Body,
    /// Behind the head of a CONNECT. Whether what comes is for the far end of a tunnel is not said
    /// yet, so nothing passes, and nothing is judged.
    Held,
    /// No longer HTTP.
    Tunnel,
    /// Over.
    Refused,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Before the end of its head.
    Head,
    /// Behind its head.
    Body,
}

/// Follows what one client sends on one HTTP/1 connection.
///
/// *Cost*: no allocation for a head that comes in one piece, unless its target names a host. A
/// line that is split keeps its start until its end comes, within
/// [`line_bytes_max`](HeadLimits::line_bytes_max). Between messages and in bodies the guard holds
/// no memory but itself.
#[derive(Clone, Debug)]
pub struct Guard {
    limits: HeadLimits,
    /// The start of the line under way, if it came in an earlier piece. Without a LF, and shorter
    /// than the line may become.
    line: Vec<u8>,
    step: Step,
    heads: u64,
}

#[derive(Clone, Debug)]
enum Step {
    /// Before a request line, or in it.
    Request {
        /// Whether an empty line has come before it (RFC 9112 §2.2 wants one ignored).
        after_empty: bool,
    },
    Fields(Head),
    /// In a body with so many bytes to come: at least one.
    Length(u64),
    Chunks(Chunks),
    Trailers(Section),
    Held,
    Tunnel,
    /// And where it was.
    Refused(Refusal, Within),
}

/// Before a message: nothing of it has come.
const FRESH: Step = Step::Request { after_empty: false };

impl Guard {
    /// A guard at the start of a connection.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, line: Vec::new(), step: FRESH, heads: 0 }
    }

    /// Judges the next bytes of the connection, in pieces of any size.
    ///
    /// If a head is refused, nothing passes from the start of its message on; if a body is, nothing
    /// from the offending byte on (in trailers: from the offending line on). What came in earlier
    /// pieces has passed already, which is harmless: the parser never sees the end of that head or
    /// body, so nothing is acted on. The caller stops passing bytes on, lets the answers before it
    /// finish, sends the refusal's status and closes. From then on each call gives the same
    /// refusal, and nothing passes.
    ///
    /// Behind the head of a CONNECT nothing passes either, without a refusal: clients may send what
    /// is meant for the far end before they have an answer. The caller keeps it for the tunnel, or
    /// closes.
    ///
    /// Whether and why something is refused does not depend on how the bytes are cut into pieces.
    ///
    /// *Cost*: linear in `bytes`, whatever came before.
    pub fn feed(&mut self, bytes: &[u8]) -> Fed {
        let mut judged = 0;
        let mut sound = 0;
        while judged < bytes.len() {
            match self.advance(&bytes[judged..]) {
                Ok(0) => return Fed { passed: judged, refusal: None },
                Ok(taken) => judged += taken,
                Err(refusal) => {
                    self.step = Step::Refused(refusal, self.within());
                    self.line = Vec::new();
                    return Fed { passed: sound, refusal: Some(refusal) };
                }
            }
            if !matches!(self.step, Step::Fields(_) | Step::Request { after_empty: true }) {
                sound = judged;
            }
        }
        Fed { passed: bytes.len(), refusal: None }
    }

    /// Lets everything pass from now on: the connection speaks something else than HTTP.
    ///
    /// For after a 101, or a 2xx to CONNECT. Bytes that a client sent before it had a 101 were judged
    /// as HTTP. A connection once refused stays so.
    pub fn tunnel(&mut self) {
        if !matches!(self.step, Step::Refused(..)) {
            self.line = Vec::new();
            self.step = Step::Tunnel;
        }
    }

    /// Where the connection is after the bytes fed so far.
    pub fn stage(&self) -> Stage {
        match self.step {
            Step::Request { .. } if self.line.is_empty() => Stage::BetweenMessages,
            Step::Request { .. } | Step::Fields(_) => Stage::Head,
            Step::Length(_) | Step::Chunks(_) | Step::Trailers(_) => Stage::Body,
            Step::Held => Stage::Held,
            Step::Tunnel => Stage::Tunnel,
            Step::Refused(..) => Stage::Refused,
        }
    }

    /// The start of the line of a head, or of trailers, that is under way.
    ///
    /// Who wants the parser to see whole lines only holds back as many of the bytes that passed last.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Which part of a message the connection is in, or was in when it was refused.
    ///
    /// Who refuses has to know: a request whose body is refused may have its answer already.
    pub fn within(&self) -> Within {
        match self.step {
            Step::Length(_) | Step::Chunks(_) | Step::Trailers(_) => Within::Body,
            Step::Request { .. } | Step::Fields(_) | Step::Held | Step::Tunnel => Within::Head,
            Step::Refused(_, within) => within,
        }
    }

    /// How many bytes of the body under way may still come, its trailers included: 0 outside of a body,
    /// [`u64::MAX`] where no length is given.
    pub fn body_left(&self) -> u64 {
        match self.step {
            Step::Length(left) => left,
            Step::Trailers(_) => TRAILERS_BYTES_MAX.into(),
            Step::Chunks(_) | Step::Refused(_, Within::Body) => u64::MAX,
            Step::Request { .. }
            | Step::Fields(_)
            | Step::Held
            | Step::Tunnel
            | Step::Refused(_, Within::Head) => 0,
        }
    }

    /// How many complete heads have passed.
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Takes at least one byte off the start of `bytes`, which is not empty; returns how many. None
    /// where all is held.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        match &mut self.step {
            Step::Request { .. } | Step::Fields(_) | Step::Trailers(_) => self.take_line(bytes),
            Step::Length(left) => {
                let taken = count_down(left, bytes.len());
                if *left == 0 {
                    self.step = FRESH;
                }
                Ok(taken)
            }
            Step::Chunks(chunks) => {
                let taken = chunks.take(bytes)?;
                if chunks.ended() {
                    self.step = Step::Trailers(Section::default());
                }
                Ok(taken)
            }
            Step::Held => Ok(0),
            Step::Tunnel => Ok(bytes.len()),
            Step::Refused(refusal, _) => Err(*refusal),
        }
    }

    /// Takes a line, or what there is of it, off the start of `bytes`; returns how many bytes.
    fn take_line(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let (line_len_max, beyond) = self.line_limit();
        // The line before its end is kept shorter than its limit; see the refusal below.
        debug_assert!(self.line.is_empty() || self.line.len() < line_len_max);
        let room = line_len_max.saturating_sub(self.line.len());
        let window = &bytes[..bytes.len().min(room)];
        let Some(newline) = memchr::memchr(b'\n', window) else {
            if window.len() == room {
                return Err(beyond);
            }
            self.line.extend_from_slice(window);
            return Ok(window.len());
        };
        let taken = newline + 1;
        if self.line.is_empty() {
            self.judge_line(&window[..taken])?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&window[..taken]);
            self.judge_line(&line)?;
        }
        Ok(taken)
    }

    /// How long the line under way may become, its end included, and what to say if it is longer.
    fn line_limit(&self) -> (usize, Refusal) {
        let HeadLimits { head_bytes_max, line_bytes_max, .. } = self.limits;
        let too_long = Refusal::LineTooLong { max: line_bytes_max };
        let (before, beyond, head_bytes_max) = match &self.step {
            Step::Fields(Head { section, .. }) => (section.bytes, too_long, head_bytes_max),
            Step::Trailers(section) => {
                (section.bytes, too_long, head_bytes_max.min(TRAILERS_BYTES_MAX))
            }
            _ => (0, Refusal::TargetTooLong { max: line_bytes_max }, head_bytes_max),
        };
        let left = head_bytes_max.saturating_sub(before);
        let (max, beyond) = if line_bytes_max <= left {
            (line_bytes_max, beyond)
        } else {
            (left, Refusal::HeadTooLarge { max: head_bytes_max })
        };
        (usize::try_from(max).unwrap_or(usize::MAX), beyond)
    }

    /// Judges a whole line, which ends in LF.
    fn judge_line(&mut self, ended: &[u8]) -> Result<(), Refusal> {
        let line = ended.strip_suffix(b"\r\n").ok_or(Refusal::BareLf)?;
        let bytes = u32::try_from(ended.len()).unwrap_or(u32::MAX);
        match &mut self.step {
            Step::Request { after_empty } if line.is_empty() => {
                if std::mem::replace(after_empty, true) {
                    return Err(Refusal::EmptyLines);
                }
            }
            Step::Request { .. } => {
                let mut head = Head::start(line)?;
                head.section.bytes = bytes;
                self.step = Step::Fields(head);
            }
            Step::Fields(head) if line.is_empty() => {
                self.step = match head.end()? {
                    Framing::Length(0) => FRESH,
                    Framing::Length(length) => Step::Length(length),
                    Framing::Chunked => Step::Chunks(Chunks::of_request()),
                    Framing::Tunnel => Step::Held,
                };
                self.heads += 1;
            }
            Step::Fields(head) => {
                head.section.bytes += bytes;
                head.section.count_field(&self.limits)?;
                head.field(line)?;
            }
            Step::Trailers(_) if line.is_empty() => self.step = FRESH,
            Step::Trailers(section) => {
                section.bytes += bytes;
                section.count_field(&self.limits)?;
                head::trailer(line)?;
            }
            Step::Length(_) | Step::Chunks(_) | Step::Held | Step::Tunnel | Step::Refused(..) => {
                debug_assert!(false, "only heads and trailers have lines");
            }
        }
        Ok(())
    }
}

/// Takes up to `available` off `left`; returns how many that are.
fn count_down(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).map_or(available, |left| left.min(available));
    *left -= u64::try_from(taken).expect("at most `left`");
    taken
}
