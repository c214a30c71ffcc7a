//! What is seen of a line being typed, and what a terminal is told so that it shows that.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// A row with the line that is typed, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// With the prompt.
    pub(super) text: String,
    /// In which column the cursor is.
    pub(super) cursor: usize,
    /// How many columns the terminal has.
    pub(super) columns: usize,
}

impl View {
    /// What a terminal is told that shows whatever it may in this row.
    pub(super) fn whole(&self) -> String {
        format!("\r{}\x1b[K\r{}", self.text, right(self.cursor))
    }

    /// What one is told that shows `shown`: what is typed at the end alone, say. A screen reader says what
    /// is written, and is to say no line twice.
    pub(super) fn behind(&self, shown: &Self) -> String {
        let is_at_end = self.is_at_end() && shown.is_at_end();
        match (self.text.strip_prefix(&*shown.text), shown.text.strip_prefix(&*self.text)) {
            _ if self.columns != shown.columns => self.whole(),
            (Some(""), _) => match self.cursor.cmp(&shown.cursor) {
                std::cmp::Ordering::Less => format!("\x1b[{}D", shown.cursor - self.cursor),
                std::cmp::Ordering::Equal => String::new(),
                std::cmp::Ordering::Greater => right(self.cursor - shown.cursor),
            },
            (Some(typed), _) if is_at_end => typed.to_owned(),
            (_, Some(taken)) if is_at_end && columns(taken) > 0 => {
                format!("\x1b[{}D\x1b[K", columns(taken))
            }
            _ => self.whole(),
        }
    }

    fn is_at_end(&self) -> bool {
        self.cursor == columns(&self.text)
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Moves the cursor so many columns on.
fn right(columns: usize) -> String {
    let mut told = String::new();
    if columns > 0 {
        _ = write!(told, "\x1b[{columns}C");
    }
    told
}

/// How many columns `char` takes; of a control, which is shown as a blank, one.
pub(super) fn width(char: char) -> usize {
    char.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str, cursor: usize) -> View {
        View { text: text.into(), cursor, columns: 80 }
    }

    #[test]
    fn a_terminal_is_told_what_is_new_alone() {
        let check = |before: View, now: View, expect| assert_eq!(now.behind(&before), expect);
        check(view("> ab", 4), view("> abc", 5), "c");
        check(view("> 日", 4), view("> 日本", 6), "本");
        check(view("> abc", 5), view("> ab", 4), "\x1b[1D\x1b[K");
        check(view("> 日本", 6), view("> 日", 4), "\x1b[2D\x1b[K");
        check(view("> abc", 5), view("> abc", 2), "\x1b[3D");
        check(view("> abc", 2), view("> abc", 3), "\x1b[1C");
        check(view("> abc", 3), view("> abc", 3), "");
    }

    #[test]
    fn what_is_otherwise_is_drawn_anew() {
        let check = |before: View, now: View| assert_eq!(now.behind(&before), now.whole());
        check(view("> ac", 3), view("> abc", 4));
        check(view("#lab> ", 6), view("> ", 2));
        check(View { columns: 40, ..view("> a", 3) }, view("> ab", 4));
        // A mark that takes no column of its own.
        check(view("> e\u{301}", 3), view("> e", 3));
    }
}
