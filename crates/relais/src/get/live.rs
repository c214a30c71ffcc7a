//! A text on a terminal, as it comes.

use std::io;

use relais_http::client::Head;

use super::latin1::text_of;
use crate::{output::print, visible::Visible};

/// Shows what comes of a text, however it is cut.
#[derive(Debug)]
pub(super) struct Live<'a> {
    head: &'a Head,
    visible: Visible,
    /// Whether what was shown last ends a line.
    is_line: bool,
}

impl<'a> Live<'a> {
    /// That of an answer with this head.
    pub(super) fn of(head: &'a Head) -> Self {
        Self { head, visible: Visible::default(), is_line: true }
    }

    /// Shows what came, and gives how much that was.
    pub(super) fn show(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = String::new();
        self.visible.show(&text_of(self.head, bytes), &mut text);
        self.print(&text)?;
        Ok(bytes.len())
    }

    /// Nothing more comes: ends the line.
    pub(super) fn end(mut self) -> io::Result<()> {
        let mut text = String::new();
        self.visible.end(&mut text);
        self.print(&text)?;
        if self.is_line { Ok(()) } else { print(b"\n") }
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.is_line = text.ends_with('\n');
        print(text.as_bytes())
    }
}
