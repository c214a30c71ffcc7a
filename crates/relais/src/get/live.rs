//! A text on a terminal, as it comes.

use relais_http::client::Head;

use super::latin1::text_of;
use crate::visible::Visible;

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

    /// What is to be shown of what came.
    pub(super) fn shown(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        self.visible.show(&text_of(self.head, bytes), &mut text);
        self.is_line = if text.is_empty() { self.is_line } else { text.ends_with('\n') };
        text
    }

    /// What is to be shown where nothing more comes: it ends the line.
    pub(super) fn end(mut self) -> String {
        let mut text = String::new();
        self.visible.end(&mut text);
        if !text.is_empty() || !self.is_line {
            text.push('\n');
        }
        text
    }
}
