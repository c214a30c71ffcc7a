//! Strangers' text: fit to be put on a screen, as wide as every terminal draws it, cut into rows.

use relais_wire::{
    clean::{Limits, clean},
    visible::is_disturbing,
};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// What stands for the rest of a text that is cut.
const CUT: &str = "…";

/// How many columns `text` takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` in lines, without what a terminal would obey or draw in a width of its own.
pub(super) fn body(text: &str) -> String {
    shown(text, |char| if char == '\n' { Some('\n') } else { None })
}

/// The same as one line.
pub(super) fn line(text: &str) -> String {
    shown(text, |char| if char == '\n' { Some(' ') } else { None })
}

fn shown(text: &str, instead: fn(char) -> Option<char>) -> String {
    let text = text.replace('\0', "");
    let limits = Limits { bytes_max: usize::MAX, lines_max: usize::MAX };
    // What is refused is NUL alone, which is gone.
    let text = clean(&text, limits).unwrap_or_default().replace('\t', "    ");
    let fit =
        |char| if is_disturbing(char) || is_unsteady(char) { instead(char) } else { Some(char) };
    text.chars().filter_map(fit).collect()
}

/// Whether terminals differ in how wide `char` makes what it stands behind: variation selectors and the
/// colours of skins.
fn is_unsteady(char: char) -> bool {
    matches!(char, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// As much of the begin of `text` as fits into so many columns, and a mark if that is not all.
pub(super) fn cut(text: &str, columns_max: usize) -> String {
    if columns(text) <= columns_max {
        return text.to_owned();
    }
    let mut begin = begin(text, columns_max.saturating_sub(1)).to_owned();
    if columns_max > 0 {
        begin.push_str(CUT);
    }
    begin
}

fn begin(text: &str, columns_max: usize) -> &str {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += columns(grapheme);
        if taken > columns_max {
            return &text[..at];
        }
    }
    text
}

/// The rows of a text: the first of at most `first` columns, the others of at most `rest`, broken between
/// words where they fit. At least one.
pub(super) fn wrap(text: &str, (first, rest): (usize, usize)) -> Vec<String> {
    let mut rows =
        Rows { full: Vec::new(), row: String::new(), room: first.max(1), rest: rest.max(1) };
    let mut lines = text.split('\n');
    rows.add(lines.next().unwrap_or_default());
    for line in lines {
        rows.end();
        rows.add(line);
    }
    rows.end();
    rows.full
}

/// Rows that are being filled.
struct Rows {
    full: Vec<String>,
    row: String,
    /// How many columns the row still has.
    room: usize,
    /// How many the next ones have.
    rest: usize,
}

impl Rows {
    fn end(&mut self) {
        self.full.push(std::mem::take(&mut self.row).trim_end().to_owned());
        self.room = self.rest;
    }

    fn add(&mut self, line: &str) {
        for word in line.split_word_bounds() {
            let width = columns(word);
            if width <= self.room {
                self.put(word, width);
            } else if word.trim().is_empty() {
                // Blanks at the end of a row are not seen.
                self.end();
            } else if width <= self.rest && !self.row.is_empty() {
                self.end();
                self.put(word, width);
            } else {
                self.add_long(word);
            }
        }
    }

    fn add_long(&mut self, word: &str) {
        for grapheme in word.graphemes(true) {
            let width = columns(grapheme);
            if width > self.room && !self.row.is_empty() {
                self.end();
            }
            self.put(grapheme, width);
        }
    }

    fn put(&mut self, text: &str, width: usize) {
        self.row.push_str(text);
        self.room = self.room.saturating_sub(width);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_measure_otherwise_is_left_out() {
        assert_eq!(body("a\u{1b}[31mb\u{7}\u{202e}c\nd\te\0"), "a[31mbc\nd    e");
        assert_eq!(line("a\nb\r\n"), "a b ");
        assert_eq!(line("❤\u{fe0f} 👍\u{1f3fd} 👩\u{200d}🔬"), "❤ 👍 👩🔬");
        assert_eq!(columns(&line(&format!("e{}", "\u{301}".repeat(99)))), 1);
    }

    #[test]
    fn a_text_that_is_cut_says_so() {
        for (text, columns, expect) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 4, "日…"),
            ("ab", 0, ""),
            ("ab", 1, "…"),
        ] {
            assert_eq!(cut(text, columns), expect);
        }
    }

    #[track_caller]
    fn check(text: &str, widths: (usize, usize), expect: &[&str]) {
        assert_eq!(wrap(text, widths), expect);
    }

    #[test]
    fn rows_end_between_words_where_they_can() {
        check("", (5, 5), &[""]);
        check("one two", (9, 9), &["one two"]);
        check("one two three", (7, 7), &["one two", "three"]);
        check("one two", (3, 8), &["one", "two"]);
        check("one\n\ntwo", (9, 9), &["one", "", "two"]);
        check("abcdefgh", (3, 4), &["abc", "defg", "h"]);
        check("日本語", (5, 5), &["日本", "語"]);
        check("日", (1, 1), &["日"]);
        check("    x", (9, 9), &["    x"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_row_is_too_wide(text: String, first in 0..9_usize, rest in 2..9_usize) {
            let body = body(&text);
            for (nth, row) in wrap(&body, (first, rest)).iter().enumerate() {
                let room = if nth == 0 { first.max(2) } else { rest };
                // Some that is one on the screen is wider than a row may be here.
                let is_one = row.graphemes(true).count() == 1;
                prop_assert!(is_one || columns(row) <= room, "{row:?}");
            }
            prop_assert!(!body.contains(|char: char| char.is_control() && char != '\n'));
            prop_assert!(columns(&cut(&line(&text), rest)) <= rest);
        }
    }
}
