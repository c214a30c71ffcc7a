//! What is heard, on its way to standard output.

use std::fmt::Display;

use relais_talk::send::Unit;

use crate::{hex, output::print, terminal::Screen, visible::Visible};

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
    /// Whether anything came.
    is_any: bool,
    /// Whether a line has begun.
    is_within_line: bool,
}

impl Heard {
    pub(super) fn new(unit: Unit, shows: Shows) -> Self {
        let visible = Visible::default();
        Self { unit, shows, visible, screen: None, is_any: false, is_within_line: false }
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
        match &self.screen {
            Some(screen) => screen.show(&String::from_utf8_lossy(&text)),
            // A reader that went away is told by the end of the call, or by a signal.
            None => _ = print(&text),
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        let mut rest = String::new();
        self.visible.end(&mut rest);
        let is_within = self.is_within_line || !rest.is_empty();
        if is_within && self.shows == Shows::Visible {
            rest.push('\n');
        }
        self.is_within_line = false;
        _ = print(rest.as_bytes());
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
