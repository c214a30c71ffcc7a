//! What is heard, on its way to standard output.

use std::{fmt::Display, io};

use relais_talk::send::Unit;

use crate::{
    hex,
    output::{Reader, print_on, tell},
    stop::Stop,
    terminal::Screen,
    visible::Visible,
};

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// Byte for byte.
    AsItIs,
    /// Fit for a terminal.
    Visible,
    /// In hexadecimal, which can be sent again.
    Hex,
    /// The same, with the text beside it.
    HexAndText,
}

/// Shows what is heard. Messages that have no line end are given one.
#[derive(Debug)]
pub(super) struct Heard {
    unit: Unit,
    shows: Shows,
    visible: Visible,
    /// Where a person types, too.
    screen: Option<Screen>,
    /// There: the begin of a line whose end has not come. It is the prompt: a server that asks for a
    /// name ends no line.
    begun: String,
    /// Whether anything came.
    is_any: bool,
    /// Whether a line has begun.
    is_within_line: bool,
    /// Whether who looks at it reads on: else nothing is printed any more.
    reader: io::Result<Reader>,
}

impl Heard {
    pub(super) fn new(unit: Unit, shows: Shows) -> Self {
        let visible = Visible::default();
        Self {
            unit,
            shows,
            visible,
            screen: None,
            begun: String::new(),
            is_any: false,
            is_within_line: false,
            reader: Ok(Reader::Reads),
        }
    }

    /// What is shown goes there from here on.
    pub(super) fn show_on(&mut self, screen: Screen) {
        self.screen = Some(screen);
    }

    /// Whether anything came.
    pub(super) fn is_any(&self) -> bool {
        self.is_any
    }

    /// This came.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let text = self.shown(bytes);
        let Some(screen) = &self.screen else {
            self.print(&text);
            return;
        };
        self.begun.push_str(&String::from_utf8_lossy(&text));
        let (whole, begun) = whole_lines(&self.begun);
        if !whole.is_empty() {
            screen.show(whole);
        }
        self.begun = begun.to_owned();
        screen.prompt(&prompt(&self.begun));
    }

    /// What was typed stands behind the line that had begun, and both are over.
    pub(super) fn said(&mut self) {
        if let Some(screen) = &self.screen
            && !std::mem::take(&mut self.begun).is_empty()
        {
            screen.prompt(PROMPT);
        }
    }

    /// Tells a line of talk.
    pub(super) fn tell(&mut self, line: &str) {
        match &self.screen {
            Some(screen) => screen.show(line),
            None => tell(line),
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        let mut rest = std::mem::take(&mut self.begun);
        self.visible.end(&mut rest);
        let is_within = self.is_within_line || !rest.is_empty();
        if is_within && self.shows == Shows::Visible {
            rest.push('\n');
        }
        self.is_within_line = false;
        match &self.screen {
            Some(screen) if rest.is_empty() => screen.prompt(PROMPT),
            Some(screen) => {
                screen.prompt(PROMPT);
                screen.show(&rest);
            }
            None => self.print(rest.as_bytes()),
        }
    }

    /// Whether nobody reads on: something could not be printed, or who read it has what it wanted.
    pub(super) fn is_over(&self) -> bool {
        !matches!(self.reader, Ok(Reader::Reads))
    }

    /// Why something could not be printed, if so. A reader that has enough has lost nothing.
    pub(super) fn lost(self) -> Option<io::Error> {
        self.reader.err()
    }

    fn print(&mut self, text: &[u8]) {
        if !self.is_over() {
            self.reader = print_on(text);
        }
    }

    fn shown(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.is_any = true;
        let mut text = match self.shows {
            Shows::AsItIs => bytes.to_vec(),
            Shows::Hex => lines(bytes, hex::Pairs),
            Shows::HexAndText => lines(bytes, hex::WithText),
            Shows::Visible => {
                let mut text = String::new();
                self.visible.show(bytes, &mut text);
                if self.unit != Unit::Bytes {
                    self.visible.end(&mut text);
                }
                text.into_bytes()
            }
        };
        if self.unit != Unit::Bytes && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        if let Some(last) = text.last() {
            self.is_within_line = *last != b'\n';
        }
        text
    }
}

/// Why what came, or what is to be said of it, is lost.
pub(super) fn unprinted(error: io::Error) -> Stop {
    anyhow::Error::new(error).context("writing to standard output").into()
}

/// What stands before what is typed.
pub(super) const PROMPT: &str = "> ";

/// How much of a line that has begun is shown while it has no end.
const BEGUN_CHARS: usize = 40;

/// How long a line may be that is waited for, in bytes.
const BEGUN_BYTES_MAX: usize = 4 << 10;

/// What of `text` is whole lines, or too long to be waited for; and the rest.
fn whole_lines(text: &str) -> (&str, &str) {
    let at = text.rfind('\n').map_or(0, |end| end + 1);
    if text.len() - at > BEGUN_BYTES_MAX { (text, "") } else { text.split_at(at) }
}

/// What stands before what is typed while a line has `begun`: its last characters.
fn prompt(begun: &str) -> String {
    let count = begun.chars().count();
    match count.checked_sub(BEGUN_CHARS) {
        _ if count == 0 => PROMPT.to_owned(),
        None | Some(0) => begun.to_owned(),
        Some(hidden) => std::iter::once('…').chain(begun.chars().skip(hidden)).collect(),
    }
}

/// A line for each sixteen bytes.
fn lines<'a, Line: Display>(bytes: &'a [u8], line: fn(&'a [u8]) -> Line) -> Vec<u8> {
    let mut text = Vec::new();
    for bytes in bytes.chunks(hex::LINE_BYTES) {
        text.extend_from_slice(line(bytes).to_string().as_bytes());
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: Unit, shows: Shows, came: &[&[u8]], expect: &str) {
        let mut heard = Heard::new(unit, shows);
        let text: Vec<_> = came.iter().flat_map(|bytes| heard.shown(bytes)).collect();
        assert_eq!(String::from_utf8_lossy(&text), expect);
    }

    #[test]
    fn a_line_without_an_end_is_the_prompt() {
        assert_eq!(whole_lines("a\nlogin: "), ("a\n", "login: "));
        assert_eq!(whole_lines("a\n"), ("a\n", ""));
        let long = "x".repeat(BEGUN_BYTES_MAX + 1);
        assert_eq!(whole_lines(&long), (long.as_str(), ""));
        assert_eq!(prompt(""), "> ");
        assert_eq!(prompt("login: "), "login: ");
        assert_eq!(prompt(&"é".repeat(50)), format!("…{}", "é".repeat(40)));
    }

    #[test]
    fn streams_are_shown_as_they_come_and_messages_as_lines() {
        check(Unit::Bytes, Shows::AsItIs, &[b"a", b"\x1bb"], "a\x1bb");
        check(Unit::Datagrams, Shows::AsItIs, &[b"a", b"b\n", b""], "a\nb\n\n");
        check(Unit::Bytes, Shows::Visible, &[b"\xc3", b"\xa9\x1b\r", b"\n"], "é\\u{1b}\n");
        check(Unit::Messages, Shows::Visible, &[b"\xc3", b"\xa9"], "\\xc3\n\\xa9\n");
        check(Unit::Bytes, Shows::Hex, &[b"Hi\n", b"\x00"], "48 69 0a\n00\n");
        let both = format!("48 69 0a{}Hi.\n", " ".repeat(41));
        check(Unit::Bytes, Shows::HexAndText, &[b"Hi\n"], &both);
    }
}
