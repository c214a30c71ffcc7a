//! An answer's head ([RFC 9112 §4, §6.3]).
//!
//! [RFC 9112 §4, §6.3]: https://www.rfc-editor.org/rfc/rfc9112#section-4

use std::ops::Range;

use super::{
    bad::BadHead,
    lines::{Field, Line, Lines, Span},
};
use crate::class::count_value;
use crate::http1::{
    HeadLimits,
    lengths::{Lengths, Named, Version},
    refusal::Refusal,
};
use crate::list::trim;

/// What a request was, as far as its answer's framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Any but these.
    Usual,
    /// A HEAD, whose answer has no body.
    Head,
    /// A CONNECT: a tunnel begins behind a 2xx.
    Connect,
    /// Neither HEAD nor CONNECT, with an `Upgrade`: a tunnel begins behind a 101.
    Upgrade,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none, whatever the fields say.
    Nothing,
    /// After so many bytes, perhaps none.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With its connection.
    UntilClose,
    /// What follows is no longer HTTP.
    Tunnel,
}

/// What a head says of its connection ([RFC 9112 §9.3]).
///
/// [RFC 9112 §9.3]: https://www.rfc-editor.org/rfc/rfc9112#section-9.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Behind the body another answer may come.
    Persists,
    /// Behind the body nothing comes: the connection is not to be used again.
    Closes,
}

/// A head, but for its [fields](HeadReader::fields).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// 100 to 599. What is 1xx and not 101 is not the answer yet: its head comes behind.
    pub status: u16,
    /// Which version the server speaks.
    pub version: Version,
    /// Where the reason stands, perhaps empty: visible bytes, those above ASCII, spaces and tabs.
    pub reason: Range<usize>,
    /// How many bytes of the buffer it took. What follows it is the body.
    pub len: usize,
    /// How the body ends.
    pub framing: Framing,
    /// What becomes of the connection.
    pub persistence: Persistence,
}

/// Reads the heads of answers, one after another. Keeps its memory from one to the next.
#[derive(Clone, Debug)]
pub struct HeadReader {
    lines: Lines,
    fields: Vec<Span>,
    stage: Stage,
    statuses: Statuses,
}

#[derive(Clone, Debug)]
enum Stage {
    StatusLine,
    Fields(Start),
    /// A whole head was given away: another begins.
    Done,
    Bad(BadHead),
}

/// Which statuses are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statuses {
    /// 100 to 599 (RFC 9110 §15).
    OfClasses,
    /// Up to 999, too.
    Any,
}

/// What is known of an answer whose head has not ended.
#[derive(Clone, Debug)]
struct Start {
    status: u16,
    reason: Range<usize>,
    lengths: Lengths,
    /// In `Transfer-Encoding` stands what nobody registered.
    misnamed: bool,
    closes: bool,
    keeps_alive: bool,
}

impl HeadReader {
    /// A reader at the start of a head.
    pub fn new(limits: HeadLimits) -> Self {
        let (lines, fields) = (Lines::new(limits), Vec::new());
        Self { lines, fields, stage: Stage::StatusLine, statuses: Statuses::OfClasses }
    }

    /// The same for who shows whatever comes: a status may be of no class, too. It frames its answer
    /// as 200 does, and nothing may be passed on with it.
    #[must_use]
    pub fn of_any_status(self) -> Self {
        Self { statuses: Statuses::Any, ..self }
    }

    /// Reads a head off the start of `buffer`, or gives nothing if its end has not come.
    ///
    /// In that case the next call is with the same bytes and those that came since. After a head,
    /// the next call is for another one, and has that at its start.
    ///
    /// *Cost*: linear in the head, however many calls it took: one allocation the first time.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as soon as that is certain, and at each call from then on: the
    /// connection cannot be resynchronised. It does not depend on how many calls it took.
    pub fn read(&mut self, buffer: &[u8], asked: Asked) -> Result<Option<Head>, BadHead> {
        match self.stage {
            Stage::Bad(bad) => return Err(bad),
            Stage::Done => {
                self.lines = Lines::new(self.lines.limits());
                self.fields.clear();
                self.stage = Stage::StatusLine;
            }
            Stage::StatusLine | Stage::Fields(_) => {}
        }
        let read = self.read_on(buffer, asked);
        match &read {
            Ok(None) => {}
            Ok(Some(_)) => self.stage = Stage::Done,
            Err(bad) => self.stage = Stage::Bad(*bad),
        }
        read
    }

    /// The fields of the head that was read last, in its order, as places in the buffer it was read
    /// from.
    pub fn fields(&self) -> &[Span] {
        &self.fields
    }

    fn read_on(&mut self, buffer: &[u8], asked: Asked) -> Result<Option<Head>, BadHead> {
        if matches!(self.stage, Stage::StatusLine) {
            let Some(start) = self.start(buffer)? else { return Ok(None) };
            self.stage = Stage::Fields(start);
        }
        let Stage::Fields(start) = &mut self.stage else { return Ok(None) };
        while let Some(line) = self.lines.next(buffer)? {
            if line.bytes.is_empty() {
                return start.end(asked, self.lines.taken()).map(Some);
            }
            let field = self.lines.field(line)?;
            start.field(&field)?;
            self.fields.push(field.span);
        }
        Ok(None)
    }

    fn start(&mut self, buffer: &[u8]) -> Result<Option<Start>, BadHead> {
        // Told before the end of the line: other protocols may have none.
        if !buffer.iter().zip(NAME).all(|(found, expected)| found == expected) {
            return Err(BadHead::NotHttp);
        }
        let line = self.lines.next(buffer).map_err(|refusal| match refusal {
            Refusal::LineTooLong { max } => BadHead::StatusLineTooLong { max },
            refusal => BadHead::Fields(refusal),
        })?;
        line.map(|line| Start::read(line, self.statuses)).transpose()
    }
}

/// What every answer starts with.
const NAME: &[u8] = b"HTTP/";

impl Start {
    fn read(line: Line<'_>, statuses: Statuses) -> Result<Self, BadHead> {
        let rest = line.bytes.strip_prefix(NAME).ok_or(BadHead::NotHttp)?;
        let (version, rest) = match rest {
            // What is later is read as the newest that is known (RFC 9110 §2.5).
            [b'1', b'.', b'1'..=b'9', b' ', rest @ ..] => (Version::Http11, rest),
            [b'1', b'.', b'0', b' ', rest @ ..] => (Version::Http10, rest),
            [b'1', b'.', b'0'..=b'9', ..] => return Err(BadHead::StatusLine),
            _ => return Err(BadHead::Version),
        };
        let (status, reason) = match rest {
            // A server has to send the space before no reason, too, and some don't: that leaves
            // nothing open.
            [a, b, c] => ([*a, *b, *c], &[][..]),
            [a, b, c, b' ', reason @ ..] => ([*a, *b, *c], reason),
            _ => return Err(BadHead::StatusLine),
        };
        let status = parse_status(status, statuses)?;
        match reason.get(count_value(reason)) {
            None => {}
            Some(b'\r') => return Err(BadHead::Fields(Refusal::BareCr)),
            Some(&byte) => return Err(BadHead::Reason(byte)),
        }
        let end = line.at + line.bytes.len();
        let reason = end - reason.len()..end;
        let lengths = Lengths::of(version);
        let (misnamed, closes, keeps_alive) = (false, false, false);
        Ok(Self { status, reason, lengths, misnamed, closes, keeps_alive })
    }

    fn field(&mut self, field: &Field<'_>) -> Result<(), Refusal> {
        let Field { name, value, .. } = field;
        // Of the three that matter no two have names of one length.
        match name.len() {
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.lengths.content_length(value)?;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.transfer_encoding(value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.lengths.version == Version::Http11 && is_no_coding(value) && !self.misnamed {
            self.misnamed = true;
            return Ok(());
        }
        self.lengths.transfer_encoding(value)
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',').map(trim) {
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.keeps_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn end(&mut self, asked: Asked, len: usize) -> Result<Head, BadHead> {
        let framing = self.framing(asked)?;
        let asks_to_close = self.misnamed
            || match self.lengths.version {
                Version::Http11 => self.closes,
                Version::Http10 => self.closes || !self.keeps_alive,
            };
        let is_last = asks_to_close || matches!(framing, Framing::UntilClose | Framing::Tunnel);
        Ok(Head {
            status: self.status,
            version: self.lengths.version,
            reason: std::mem::take(&mut self.reason),
            len,
            framing,
            persistence: if is_last { Persistence::Closes } else { Persistence::Persists },
        })
    }

    /// RFC 9112 §6.3, in its order.
    fn framing(&self, asked: Asked) -> Result<Framing, BadHead> {
        let named = self.lengths.named()?;
        if self.misnamed && named != Named::Nothing {
            return Err(Refusal::TransferCoding.into());
        }
        match (self.status, asked) {
            (101, Asked::Upgrade) | (200..=299, Asked::Connect) => Ok(Framing::Tunnel),
            (101, _) => Err(BadHead::SwitchUnasked),
            // Such answers have no body and may not name one. Some say that it has no bytes; who says
            // more may send it, and it would be taken for the next answer.
            (100..=199 | 204, _) if self.misnamed => Err(BadHead::BodyForbidden(self.status)),
            (100..=199 | 204, _) => match named {
                Named::Nothing | Named::Length(0) => Ok(Framing::Nothing),
                Named::Length(_) | Named::Chunked => Err(BadHead::BodyForbidden(self.status)),
            },
            (304, _) | (_, Asked::Head) => Ok(Framing::Nothing),
            _ => Ok(match named {
                Named::Chunked => Framing::Chunked,
                Named::Length(length) => Framing::Length(length),
                Named::Nothing => Framing::UntilClose,
            }),
        }
    }
}

/// Whether a transfer coding is a word that nobody registered, as of servers that mistake the field for
/// another (`binary`, `utf-8`): nothing was coded by it, and the body goes on until the connection is
/// closed ([RFC 9112 §6.3]). What a real coding did to a body is not undone here, and what reads
/// somehow like `chunked` might be taken for that by others: both are refused.
///
/// [RFC 9112 §6.3]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
fn is_no_coding(value: &[u8]) -> bool {
    const REAL: [&str; 10] = [
        "chunked",
        "gzip",
        "x-gzip",
        "deflate",
        "compress",
        "x-compress",
        "identity",
        "br",
        "zstd",
        // Reserved: it is for `TE`.
        "trailers",
    ];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let lower = value.to_ascii_lowercase();
    !value.is_empty()
        && value.iter().all(is_word)
        && !lower.windows(5).any(|five| five == b"chunk")
        && !REAL.iter().any(|coding| coding.as_bytes() == lower)
}

fn parse_status(digits: [u8; 3], statuses: Statuses) -> Result<u16, BadHead> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadHead::StatusLine);
    }
    match digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0')) {
        status @ 100..=599 => Ok(status),
        status @ 600.. if statuses == Statuses::Any => Ok(status),
        status => Err(BadHead::Status(status)),
    }
}
