//! What strangers say and are called, fit for a terminal.

use std::fmt::{self, Write};

use relais_wire::{calendar::Moment, visible::is_disturbing};

use crate::{model::Millis, protocol::Place};

/// Prints a text in one line, without what would disturb a terminal. Line ends and tabs become spaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'a>(pub(super) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.contains(is_disturbing) {
            return f.write_str(self.0);
        }
        self.0.chars().try_for_each(|char| match char {
            '\n' | '\t' => f.write_char(' '),
            // Dropped, not escaped: this is for people, who read names and emoji with joiners in them.
            char if is_disturbing(char) => Ok(()),
            char => f.write_char(char),
        })
    }
}

/// Prints a room, or with whom it is spoken, as [`Plain`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Room<'a>(pub(super) &'a Place);

impl fmt::Display for Room<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Room(name) => write!(f, "{}", Plain(name)),
            Place::Person(name) => write!(f, "@{}", Plain(name)),
        }
    }
}

/// Prints a text of several lines as [`Plain`] ones, those behind the first one indented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a>(pub(super) &'a str);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.split('\n');
        write!(f, "{}", Plain(lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| write!(f, "\n{INDENT}{}", Plain(line)))
    }
}

/// As wide as a time: nobody writes a line that looks like another's, or like one of the hub.
const INDENT: &str = "      ";

/// The time of day in UTC: `12:31`.
pub fn clock(at: Millis) -> String {
    let Moment { hour, minute, .. } = at.moment();
    format!("{hour:02}:{minute:02}")
}

/// The day in UTC: `2026-11-20`.
pub(super) fn day(at: Millis) -> String {
    let Moment { year, month, day, .. } = at.moment();
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_disturbs_a_terminal_is_left_out() {
        assert_eq!(Plain("a\u{1b}[31mb\u{9b}c\u{202e}d\te\nf\r").to_string(), "a[31mbcd e f");
        assert_eq!(Body("a\n# b\u{7}\n").to_string(), "a\n      # b\n      ");
        assert_eq!(Room(&Place::Person("a\u{200b}na".into())).to_string(), "@ana");
    }

    #[test]
    fn times_are_shown_in_utc() {
        let at = Millis(971_186_136_123);
        assert_eq!((clock(at), day(at)), ("13:55".to_owned(), "2000-10-10".to_owned()));
        assert_eq!(day(Millis(u64::MAX)), "9999-12-31");
    }
}
