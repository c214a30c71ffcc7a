//! Colours on a terminal, where they are wanted.

use std::io::IsTerminal;

use clap::ColorChoice;

use crate::output::is_coloured;

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    None,
    Colour,
}

/// How a text stands out (ECMA-48, SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style(&'static str);

pub(crate) const BOLD: Style = Style("1");
pub(crate) const FAINT: Style = Style("2");
pub(crate) const RED: Style = Style("31");
pub(crate) const CYAN: Style = Style("36");
pub(crate) const BOLD_RED: Style = Style("1;31");
pub(crate) const BOLD_GREEN: Style = Style("1;32");
pub(crate) const BOLD_YELLOW: Style = Style("1;33");

impl Ink {
    /// That of what goes to `out`.
    pub(crate) fn of(choice: ColorChoice, out: &impl IsTerminal) -> Self {
        if is_coloured(choice, out) { Self::Colour } else { Self::None }
    }

    /// `text`, which the terminal may be given, in `style`.
    pub(crate) fn with(self, Style(code): Style, text: &str) -> String {
        match self {
            Self::Colour if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Colour | Self::None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_end_with_their_text() {
        assert_eq!(Ink::Colour.with(RED, "a"), "\x1b[31ma\x1b[0m");
        assert_eq!(Ink::Colour.with(RED, ""), "");
        assert_eq!(Ink::None.with(RED, "a"), "a");
    }
}
