//! How somebody is told who does not look at the screen.

use std::time::Duration;

use tokio::time::Instant;

use super::text;

/// The least time between two alerts.
const RUNG_EVERY: Duration = Duration::from_secs(2);

/// How somebody who does not look is told of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::chat) enum Alerts {
    /// By the terminal's bell, and a notification where the terminal shows them
    #[default]
    All,
    /// By the bell alone
    Bell,
    /// Not at all
    None,
}

/// The sequence that has a terminal show a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notes {
    /// OSC 9: `iTerm2`, kitty, `WezTerm`, Ghostty; others drop it.
    Nine,
    /// OSC 777: rxvt, foot, VTE.
    Triple,
    /// It would write it down.
    None,
}

impl Notes {
    /// That of a terminal which says `term` (`TERM`) and `vte` (`VTE_VERSION`) of itself.
    pub(super) fn of(term: &str, vte: &str) -> Self {
        match term {
            "linux" | "" => Self::None,
            _ if !vte.is_empty() || term.starts_with("foot") || term.starts_with("rxvt") => {
                Self::Triple
            }
            _ => Self::Nine,
        }
    }
}

/// What calls somebody who does not look, and not too often.
#[derive(Debug)]
pub(super) struct Bell {
    alerts: (Alerts, Notes),
    rung_at: Option<Instant>,
}

impl Bell {
    /// One that calls in this way.
    pub(super) fn new(alerts: Alerts, notes: Notes) -> Self {
        Self { alerts: (alerts, notes), rung_at: None }
    }

    /// What the terminal is given at `now` so that somebody looks: nothing so soon after the last time.
    pub(super) fn ring(&mut self, (title, body): (&str, &str), now: Instant) -> String {
        if self.rung_at.is_some_and(|at| now < at + RUNG_EVERY) {
            return String::new();
        }
        self.rung_at = Some(now);
        alert(self.alerts, title, body)
    }
}

/// What the terminal is given so that somebody looks.
fn alert((alerts, notes): (Alerts, Notes), title: &str, body: &str) -> String {
    let (title, body) = (part(title), part(body));
    let note = match (alerts, notes) {
        (Alerts::All, Notes::Nine) => format!("\x1b]9;{title}: {body}\x07"),
        (Alerts::All, Notes::Triple) => format!("\x1b]777;notify;{title};{body}\x07"),
        _ => String::new(),
    };
    match alerts {
        Alerts::None => String::new(),
        Alerts::All | Alerts::Bell => format!("\x07{note}"),
    }
}

/// A part of a notification: nothing in it ends it.
fn part(text: &str) -> String {
    text::cut(&text::line(text).replace(';', ","), NOTE_COLUMNS_MAX)
}

const NOTE_COLUMNS_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_look_is_told_as_the_terminal_can() {
        let check = |alerts, term, vte, expect: &str| {
            let notes = Notes::of(term, vte);
            assert_eq!(alert((alerts, notes), "bob (#a;b)", "x\u{7}\u{1b}]0;y\u{9c}"), expect);
        };
        check(Alerts::All, "xterm-kitty", "", "\x07\x1b]9;bob (#a,b): x]0,y\x07");
        check(Alerts::All, "foot", "", "\x07\x1b]777;notify;bob (#a,b);x]0,y\x07");
        check(Alerts::All, "xterm-256color", "7600", "\x07\x1b]777;notify;bob (#a,b);x]0,y\x07");
        check(Alerts::All, "linux", "", "\x07");
        check(Alerts::Bell, "foot", "", "\x07");
        check(Alerts::None, "foot", "", "");
    }

    #[test]
    fn who_was_called_is_left_alone_for_a_while() {
        let (mut bell, begin) = (Bell::new(Alerts::Bell, Notes::None), Instant::now());
        let mut rung = |ms| bell.ring(("bob", "hi"), begin + Duration::from_millis(ms));
        assert_eq!([0, 1999, 2000, 2001].map(&mut rung), ["\x07", "", "\x07", ""]);
    }
}
