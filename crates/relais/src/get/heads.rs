//! Heads of requests and answers, shown.

use std::{
    fmt::{Display, Write as _},
    io,
};

use clap::ColorChoice;
use http::{StatusCode, Version};
use relais_http::client::{Head, Request, Sent};

use crate::{
    ink::{BOLD_GREEN, BOLD_RED, BOLD_YELLOW, CYAN, Ink},
    output::{Telling, print_line, tell},
    visible::visible,
};

/// Shows heads, on standard error unless they are what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub(super) telling: Telling,
    ink: Ink,
    answer: Shown,
}

/// As what the head of an answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is what was asked for.
    AsData,
    AsTalk,
}

impl Heads {
    pub(super) fn new(color: ColorChoice, telling: Telling, answer: Shown) -> Self {
        let ink = match answer {
            Shown::AsData => Ink::of(color, &io::stdout()),
            Shown::AsTalk => Ink::of(color, &io::stderr()),
        };
        Self { telling, ink, answer }
    }

    /// Shows what was sent, each line with `>` before it, and no secrets.
    pub(super) fn request(Sent { line, fields }: &Sent) {
        let mut text = format!("> {line}\n");
        for (name, value) in fields {
            let value = if Sent::is_secret(name) { "***".to_owned() } else { visible(value) };
            _ = writeln!(text, "> {name}: {value}");
        }
        tell(text);
    }

    /// Shows an answer's status and fields.
    ///
    /// # Errors
    ///
    /// They were asked for, and are lost.
    pub(super) fn answer(self, head: &Head) -> anyhow::Result<()> {
        let mut text = format!("{}\n", self.status_line(head));
        for (name, value) in &head.fields {
            let (name, value) = (self.ink.with(CYAN, &visible(name.as_bytes())), one_line(value));
            _ = writeln!(text, "{name}: {value}");
        }
        match self.answer {
            Shown::AsData => return print_line(text.trim_end()),
            Shown::AsTalk => self.note(text),
        }
        Ok(())
    }

    /// Tells something beside what was asked for, if that is wanted.
    pub(super) fn note(self, text: impl Display) {
        if self.telling != Telling::Less {
            tell(text);
        }
    }

    /// Shows that it goes on elsewhere.
    pub(super) fn step(self, head: &Head, next: &Request) {
        let line = self.status_line(head);
        self.note(format_args!("{line}\n* goes on with {} {}\n", next.method, next.url));
    }

    fn status_line(self, head: &Head) -> String {
        let colour = match head.status {
            ..200 => CYAN,
            200..=299 => BOLD_GREEN,
            300..=399 => BOLD_YELLOW,
            _ => BOLD_RED,
        };
        // Over HTTP/2 nobody says why: what stands in brackets did not come.
        let known = StatusCode::from_u16(head.status).ok().and_then(|code| code.canonical_reason());
        let reason = match (head.version, known) {
            (Version::HTTP_2, Some(known)) => format!("({known})"),
            (Version::HTTP_2, None) => String::new(),
            _ => visible(&head.reason),
        };
        let status = self.ink.with(colour, &format!("{} {reason}", head.status));
        format!("{} {}", version(head.version), status.trim_end())
    }
}

/// As it is written.
pub(super) fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// A value of a field: over HTTP/2 it may have what over HTTP/1 it has not.
fn one_line(value: &[u8]) -> String {
    visible(value).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_shown_without_what_a_terminal_would_obey() {
        let heads = Heads::new(ColorChoice::Never, Telling::Usual, Shown::AsTalk);
        let check = |version, status, reason: &[u8], expect: &str| {
            let head = Head { version, status, reason: reason.to_vec(), fields: Vec::new() };
            assert_eq!(heads.status_line(&head), expect);
        };
        check(Version::HTTP_11, 200, b"Fine", "HTTP/1.1 200 Fine");
        check(Version::HTTP_10, 404, b"", "HTTP/1.0 404");
        check(Version::HTTP_2, 404, b"", "HTTP/2 404 (Not Found)");
        check(Version::HTTP_2, 599, b"", "HTTP/2 599");
        check(Version::HTTP_11, 500, b"\xc2\x9b31m", "HTTP/1.1 500 \\u{9b}31m");
    }
}
