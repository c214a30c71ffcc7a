//! Who hears what comes: standard output, or who compares it.

use std::ops::ControlFlow;

use relais_talk::send::Comparison;

use super::{heard::Heard, verdict::conclude};
use crate::{output::tell, stop::Stop, terminal::Screen};

/// Who hears what comes.
#[derive(Debug)]
pub(super) enum Audience {
    /// Who looks at standard output.
    Shown(Heard),
    /// `--verify`.
    Compared(Comparison),
}

impl Audience {
    /// This is about to be said.
    pub(super) fn said(&mut self, message: &[u8]) {
        match self {
            Self::Shown(heard) => heard.said(),
            Self::Compared(comparison) => comparison.said(message),
        }
    }

    /// Tells a line of talk, above what is being typed.
    pub(super) fn tell(&mut self, line: &str) {
        match self {
            Self::Shown(heard) => heard.tell(line),
            Self::Compared(_) => tell(line),
        }
    }

    /// This came; breaks if it makes an answer whole, as far as that can be told.
    pub(super) fn heard(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let is_whole = match self {
            Self::Shown(heard) => {
                heard.take(bytes);
                bytes.ends_with(b"\n")
            }
            Self::Compared(comparison) => {
                comparison.heard(bytes);
                comparison.is_settled()
            }
        };
        if is_whole { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// What is shown goes there from here on, above what is being typed.
    pub(super) fn show_on(&mut self, screen: Screen) {
        if let Self::Shown(heard) = self {
            heard.show_on(screen);
        }
    }

    /// Whether anything came.
    pub(super) fn has_heard(&self) -> bool {
        match self {
            Self::Shown(heard) => heard.is_any(),
            Self::Compared(comparison) => comparison.matched_bytes() > 0,
        }
    }

    /// Whether something should have come that did not.
    pub(super) fn misses_something(&self) -> bool {
        matches!(self, Self::Compared(comparison) if !comparison.is_settled())
    }

    /// Whether something else came than should have.
    pub(super) fn differs(&self) -> bool {
        matches!(self, Self::Compared(comparison) if comparison.difference().is_some())
    }

    /// Nothing more comes, and something went wrong.
    pub(super) fn end(&mut self) {
        if let Self::Shown(heard) = self {
            heard.end();
        }
    }

    /// Nothing more comes: says what is to be said of it.
    pub(super) fn conclude(mut self) -> Result<(), Stop> {
        self.end();
        match self {
            Self::Shown(_) => Ok(()),
            Self::Compared(comparison) => conclude(comparison),
        }
    }
}
