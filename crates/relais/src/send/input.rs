//! What is typed or piped in, made messages by a thread of its own.

use std::{
    convert::Infallible,
    io::{self, BufRead, IsTerminal as _, Read as _},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::Context as _;
use bytes::Bytes;
use relais_talk::{
    LineEnd,
    send::{MESSAGE_BYTES_MAX, Unit},
};
use tokio::sync::mpsc;

use super::asked::{Asked, DATAGRAM_BYTES_MAX, Notation, What};
use crate::{complaint::Wrong, terminal::Lines};

/// What is typed or piped in.
#[derive(Debug)]
pub(super) struct Reading {
    /// What is typed; `None` if a thread reads what is piped in.
    lines: Option<Lines>,
    /// Whether the person said that nothing more will be.
    is_over: bool,
    /// What is wrong with it.
    wrong: Arc<Mutex<Option<Wrong>>>,
}

/// How messages are made of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Pieces, as they come.
    AsItIs,
    /// Lines, their ends replaced by these.
    Lines { line_end: LineEnd, bytes_max: usize },
    /// Lines that are written so, with these behind.
    Written { notation: Notation, line_end: LineEnd, bytes_max: usize },
}

impl Reading {
    /// Of a person at the terminal.
    pub(super) fn typed(lines: Lines) -> Self {
        Self { lines: Some(lines), is_over: false, wrong: Arc::default() }
    }

    /// Of standard input, to its end, or until nobody takes what it gives.
    ///
    /// # Errors
    ///
    /// What the system says that has no thread for it.
    pub(super) fn piped(form: Form, said: mpsc::Sender<Bytes>) -> anyhow::Result<Self> {
        let wrong = Arc::<Mutex<_>>::default();
        let told = Arc::clone(&wrong);
        let read = move || {
            let mut input = io::stdin().lock();
            let mut say = |message: Vec<u8>| said.blocking_send(message.into()).is_ok();
            if let Err(wrong) = read_all(&mut input, form, &mut say) {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(wrong);
            }
        };
        // Nobody waits for it: a read that does not return ends with the process.
        let started = thread::Builder::new().name("reading".to_owned()).spawn(read);
        started.context("starting a thread that reads standard input")?;
        Ok(Self { lines: None, is_over: false, wrong })
    }

    /// Makes messages of what is typed, to its end, and then waits for nothing.
    pub(super) async fn go_on(&mut self, form: Form, said: mpsc::Sender<Bytes>) -> Infallible {
        if let Some(lines) = &mut self.lines {
            let mut number = 0;
            while let Some(line) = lines.next().await {
                number += 1;
                match form.message(line, number) {
                    // Nobody takes it: what was said is over.
                    Ok(message) => _ = said.send(message.into()).await,
                    Err(wrong) => lines.tell(&wrong.what),
                }
            }
        }
        self.is_over = true;
        drop(said);
        std::future::pending().await
    }

    /// Whether the person said that nothing more will be typed.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// What is wrong with the input, which ended there.
    pub(super) fn wrong(&self) -> Option<Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How messages are made of what standard input gives.
pub(super) fn form(asked: &Asked, unit: Unit) -> Form {
    let line_end = if let What::Input(line_end) = &asked.what { *line_end } else { None };
    let bytes_max = if unit == Unit::Datagrams { DATAGRAM_BYTES_MAX } else { MESSAGE_BYTES_MAX };
    let is_typed = io::stdin().is_terminal();
    match (unit, line_end) {
        _ if asked.notation != Notation::Plain => {
            let line_end = line_end.unwrap_or(LineEnd::None);
            Form::Written { notation: asked.notation, line_end, bytes_max }
        }
        (Unit::Bytes, Some(LineEnd::None)) => Form::AsItIs,
        (Unit::Bytes, None) if !is_typed => Form::AsItIs,
        (Unit::Bytes, None) => Form::Lines { line_end: LineEnd::Lf, bytes_max },
        (_, line_end) => Form::Lines { line_end: line_end.unwrap_or(LineEnd::None), bytes_max },
    }
}

/// Makes messages of all of `input`, for as long as somebody takes them.
fn read_all(
    input: &mut impl BufRead,
    form: Form,
    say: &mut impl FnMut(Vec<u8>) -> bool,
) -> Result<(), Wrong> {
    let mut line_number = 0_u64;
    loop {
        line_number += 1;
        let message = match form {
            Form::AsItIs => piece(input),
            Form::Lines { bytes_max, .. } => line(input, bytes_max),
            Form::Written { bytes_max, .. } => line(input, bytes_max * LETTERS_A_BYTE_MAX),
        };
        let message = message.map_err(|error| Wrong::from_error(&error))?;
        let Some(message) = message else { return Ok(()) };
        if let Form::Written { bytes_max, .. } = form
            && message.len() > bytes_max * LETTERS_A_BYTE_MAX
        {
            // Not all of it was read: the rest is no line.
            return Err(too_long(line_number, bytes_max));
        }
        let message = form.message(message, line_number)?;
        if !say(message) {
            return Ok(());
        }
    }
}

impl Form {
    /// The message that a line is, which is the `number`th.
    fn message(self, mut line: Vec<u8>, number: u64) -> Result<Vec<u8>, Wrong> {
        if let Self::Written { notation, .. } = self {
            let of_line = |wrong: Wrong| {
                let what = format!("line {number}: {}", wrong.what);
                Wrong { what, ..wrong }
            };
            line = notation.read(line).map_err(of_line)?;
        }
        if let Self::Lines { line_end, bytes_max } | Self::Written { line_end, bytes_max, .. } =
            self
        {
            if line.len() > bytes_max {
                return Err(too_long(number, bytes_max));
            }
            line.extend_from_slice(line_end.bytes());
        }
        Ok(line)
    }
}

fn too_long(line_number: u64, bytes_max: usize) -> Wrong {
    let what = "longer than a message may be";
    let expected = format!("expected at most {bytes_max} bytes");
    Wrong::from_message(&format!("line {line_number}: {what}: {expected}"))
}

/// How many letters stand for a byte at most where it is written: `0x41, `.
const LETTERS_A_BYTE_MAX: usize = 6;

/// What there is, as soon as there is something; `None` at the end.
fn piece(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let there = input.fill_buf()?;
    let piece = there.to_vec();
    input.consume(piece.len());
    Ok((!piece.is_empty()).then_some(piece))
}

/// A line without its end, or of one that has more than `letters_max` so much that it shows; `None` at
/// the end.
fn line(input: &mut impl BufRead, letters_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    // With room for `\r\n`, which is none of it.
    if input.take(letters_max as u64 + 2).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LF: Form = Form::Lines { line_end: LineEnd::Lf, bytes_max: 4 };
    const HEX: Form =
        Form::Written { notation: Notation::Hex, line_end: LineEnd::None, bytes_max: 4 };

    const ESCAPES: Form =
        Form::Written { notation: Notation::Escapes, line_end: LineEnd::None, bytes_max: 4 };

    #[track_caller]
    fn check(form: Form, input: &str, expect: Result<&[&str], &str>) {
        let mut said = Vec::new();
        let mut say = |message: Vec<u8>| {
            said.push(String::from_utf8(message).unwrap());
            true
        };
        let read = read_all(&mut input.as_bytes(), form, &mut say);
        let found = read.map(|()| said).map_err(|wrong| wrong.what);
        let expect = expect.map(|messages| messages.iter().map(|&m| m.to_owned()).collect());
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn what_is_piped_in_is_a_stream_or_lines() {
        check(Form::AsItIs, "a\r\nb", Ok(&["a\r\nb"]));
        check(LF, "a\r\n\nb", Ok(&["a\n", "\n", "b\n"]));
        check(LF, "", Ok(&[]));
        let crlf = Form::Lines { line_end: LineEnd::Crlf, bytes_max: 4 };
        check(crlf, "a\nb\r\n", Ok(&["a\r\n", "b\r\n"]));
        check(HEX, "48 69\n0a", Ok(&["Hi", "\n"]));
        check(ESCAPES, "a\\r\\n\nb\n", Ok(&["a\r\n", "b"]));
        check(HEX, "0x48, 0x69, 0x48, 0x69, \r\n0a", Ok(&["HiHi", "\n"]));
        check(ESCAPES, "\\x41\\x41\\x41\\x41\r\n", Ok(&["AAAA"]));
        let bytes_max = DATAGRAM_BYTES_MAX;
        let long =
            Form::Written { notation: Notation::Escapes, line_end: LineEnd::None, bytes_max };
        check(long, &"\\x41".repeat(50_000), Ok(&["A".repeat(50_000).as_str()]));
    }

    #[test]
    fn a_line_that_is_no_message_is_told_by_its_number() {
        check(LF, "ab\nabcde\n", Err("line 2: longer than a message may be"));
        check(LF, &"x".repeat(1000), Err("line 1: longer than a message may be"));
        check(HEX, "48\n4\n", Err("line 2: half a byte in \"4\""));
        let written = format!("a\n{}\n", "\\x41".repeat(50_000));
        check(ESCAPES, &written, Err("line 2: longer than a message may be"));
        check(HEX, &"0x41, ".repeat(5), Err("line 1: longer than a message may be"));
    }

    #[test]
    fn who_is_not_listened_to_reads_no_more() {
        let mut input = b"a\nb\n".as_slice();
        read_all(&mut input, LF, &mut |_| false).unwrap();
        assert_eq!(input, b"b\n");
    }
}
