//! Who hears what comes: standard output, or who compares it.

use std::ops::ControlFlow;

use relais_talk::send::Comparison;

use super::{
    heard::{Heard, unprinted},
    verdict::conclude,
};
use crate::{
    output::{Telling, tell},
    stop::Stop,
    terminal::Screen,
};

/// Who hears what comes, and is told of it.
#[derive(Debug)]
pub(super) struct Audience {
    pub(super) hears: Hears,
    pub(super) telling: Telling,
}

/// Who hears what comes.
#[derive(Debug)]
pub(super) enum Hears {
    /// Who looks at standard output.
    Shown(Heard),
    /// `--verify`, and where a person types, if one does.
    Compared(Comparison, Option<Screen>),
}

impl Audience {
    /// This is about to be said.
    pub(super) fn said(&mut self, message: &[u8]) {
        match &mut self.hears {
            Hears::Shown(heard) => heard.said(),
            Hears::Compared(comparison, _) => comparison.said(message),
        }
    }

    /// Tells a line of talk, if that is wanted, above what is being typed.
    pub(super) fn tell(&mut self, line: &str) {
        if self.telling == Telling::Less {
            return;
        }
        match &mut self.hears {
            Hears::Shown(heard) => heard.tell(line),
            Hears::Compared(_, Some(screen)) => screen.show(line),
            Hears::Compared(_, None) => tell(line),
        }
    }

    /// This came; breaks if it makes an answer whole, as far as that can be told.
    pub(super) fn heard(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let is_whole = match &mut self.hears {
            Hears::Shown(heard) => {
                heard.take(bytes);
                bytes.ends_with(b"\n") || heard.is_over()
            }
            Hears::Compared(comparison, _) => {
                comparison.heard(bytes);
                comparison.is_settled()
            }
        };
        if is_whole { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// What is shown goes there from here on, above what is being typed.
    pub(super) fn show_on(&mut self, screen: Screen) {
        match &mut self.hears {
            Hears::Shown(heard) => heard.show_on(screen),
            Hears::Compared(_, above) => *above = Some(screen),
        }
    }

    /// Whether anything came.
    pub(super) fn has_heard(&self) -> bool {
        match &self.hears {
            Hears::Shown(heard) => heard.is_any(),
            Hears::Compared(comparison, _) => comparison.matched_bytes() > 0,
        }
    }

    /// Whether something should have come that did not.
    pub(super) fn misses_something(&self) -> bool {
        matches!(&self.hears, Hears::Compared(comparison, _) if !comparison.is_settled())
    }

    /// Whether there is no use in hearing more: something else came than should have, or nobody reads
    /// what is printed.
    pub(super) fn is_over(&self) -> bool {
        match &self.hears {
            Hears::Shown(heard) => heard.is_over(),
            Hears::Compared(comparison, _) => comparison.difference().is_some(),
        }
    }

    /// Nothing more comes, and something went wrong.
    pub(super) fn end(&mut self) {
        if let Hears::Shown(heard) = &mut self.hears {
            heard.end();
        }
    }

    /// Nothing more comes: says what is to be said of it.
    pub(super) fn conclude(mut self) -> Result<(), Stop> {
        self.end();
        match self.hears {
            Hears::Shown(heard) => heard.lost().map_or(Ok(()), |error| Err(unprinted(error))),
            Hears::Compared(comparison, _) => conclude(comparison),
        }
    }

    /// The same where it ended early, for `reason`. That is told beside a difference, too, as it may be the
    /// cause.
    pub(super) fn conclude_after(self, reason: Stop) -> Stop {
        match self.conclude() {
            Ok(()) => reason,
            Err(Stop::No) => {
                reason.tell();
                Stop::No
            }
            Err(lost) => lost,
        }
    }
}
