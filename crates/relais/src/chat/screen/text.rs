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
    text.chars().filter_map(fit).map(steady).collect()
}

/// A flag is two letters, which some terminals draw in two columns, some in four, and some over each other: it is
/// shown as letters that all draw alike.
fn steady(char: char) -> char {
    let nth = u32::from(char).checked_sub(0x1f1e6).filter(|nth| *nth < 26);
    let letter = nth.and_then(|nth| u8::try_from(nth).ok()).map(|nth| char::from(b'A' + nth));
    letter.unwrap_or(char)
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

/// The rows of a text: the first of at most `first` columns, the others of at most `rest`, broken at blanks. A
/// word is broken where it is longer than a row alone, so that what is to be copied stands whole wherever it
/// can; one of wide characters, which are written without blanks, between those. At least one.
pub(super) fn wrap(text: &str, (first, rest): (usize, usize)) -> Vec<String> {
    let rows = wrap_out(text, (first, rest), rest);
    rows.into_iter().map(|row| row.text).collect()
}

/// The same, where rows are indented: a word that is too long for that, and not for `whole` columns, has a row
/// that is not.
pub(super) fn wrap_out(text: &str, (first, rest): (usize, usize), whole: usize) -> Vec<Row> {
    let (first, rest) = (first.max(1), rest.max(1));
    let row = Row::default();
    let mut rows = Rows { full: Vec::new(), row, room: first, rest, whole: whole.max(rest) };
    let mut lines = text.split('\n');
    rows.add(lines.next().unwrap_or_default());
    for line in lines {
        rows.end();
        rows.add(line);
    }
    rows.end();
    rows.full
}

/// A row of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) begins: Begins,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Begins {
    #[default]
    Indented,
    AtTheEdge,
}

/// Rows that are being filled.
struct Rows {
    full: Vec<Row>,
    row: Row,
    /// How many columns the row still has.
    room: usize,
    /// How many the next ones have.
    rest: usize,
    /// How many one has that is not indented.
    whole: usize,
}

impl Rows {
    fn end(&mut self) {
        let Row { text, begins } = std::mem::take(&mut self.row);
        self.full.push(Row { text: text.trim_end().to_owned(), begins });
        self.room = self.rest;
    }

    fn add(&mut self, line: &str) {
        pieces(line, |piece| self.add_piece(piece));
    }

    fn add_piece(&mut self, piece: &str) {
        let width = columns(piece);
        if width > self.room && piece.trim().is_empty() {
            // Blanks at the end of a row are not seen.
            return self.end();
        }
        if width > self.room {
            self.make_room(width);
        }
        if width <= self.room { self.put(piece, width) } else { self.add_long(piece) }
    }

    /// Has what takes so many columns, and more than are left, not be broken if a row has them.
    fn make_room(&mut self, width: usize) {
        let fits = width <= self.whole;
        if !self.row.text.trim().is_empty() {
            self.end();
        } else if fits {
            // Without what it was indented by.
            self.room += columns(&std::mem::take(&mut self.row.text));
        }
        if width > self.room && fits && self.full.is_empty() {
            // Something stands before the first.
            self.end();
        }
        if width > self.room && fits {
            (self.room, self.row.begins) = (self.whole, Begins::AtTheEdge);
        }
    }

    fn add_long(&mut self, word: &str) {
        for grapheme in word.graphemes(true) {
            let width = columns(grapheme);
            if width > self.room && !self.row.text.is_empty() {
                self.end();
            }
            self.put(grapheme, width);
        }
    }

    fn put(&mut self, text: &str, width: usize) {
        self.row.text.push_str(text);
        self.room = self.room.saturating_sub(width);
    }
}

/// Gives what a line may be broken between: blanks, words, and wide characters, each with what closes behind it.
fn pieces<'l>(line: &'l str, mut give: impl FnMut(&'l str)) {
    let (mut begin, mut last) = (0, Class::Blank);
    for (at, grapheme) in line.grapheme_indices(true) {
        let class = Class::of(grapheme);
        let is_one = match class {
            Class::Closing => last != Class::Blank,
            Class::Wide => false,
            Class::Blank | Class::Word => class == last,
        };
        if !is_one && begin < at {
            give(&line[begin..at]);
            begin = at;
        }
        last = class;
    }
    if begin < line.len() {
        give(&line[begin..]);
    }
}

/// What a grapheme is to who breaks lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Blank,
    Word,
    /// A row may end before it, and behind it.
    Wide,
    /// The same, but not before it.
    Closing,
}

impl Class {
    fn of(grapheme: &str) -> Self {
        match grapheme.chars().next() {
            Some('、' | '。' | '，' | '．' | '！' | '？' | '：' | '；' | '）' | '」' | '』') => {
                Self::Closing
            }
            Some(char) if char.is_whitespace() && !is_tight(char) => Self::Blank,
            // Wide, but written with blanks between words: Hangul.
            Some('\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}') => {
                Self::Word
            }
            _ if columns(grapheme) > 1 => Self::Wide,
            _ => Self::Word,
        }
    }
}

/// Whether `char` is a blank at which nothing is broken.
fn is_tight(char: char) -> bool {
    matches!(char, '\u{a0}' | '\u{2007}' | '\u{202f}')
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
        assert_eq!(line("🇫🇷 🇿"), "FR Z");
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
        check("日本、語。", (5, 5), &["日", "本、", "語。"]);
        check("one 👍👍 two", (6, 6), &["one 👍", "👍 two"]);
        check("여기에 있습니다", (11, 11), &["여기에", "있습니다"]);
        check("quoi\u{a0}? oui", (8, 8), &["quoi\u{a0}?", "oui"]);
    }

    #[test]
    fn what_is_to_be_copied_is_broken_only_if_it_is_longer_than_a_row() {
        let path = "/hook/hk_A-b.c";
        check(&format!("post to {path}; done"), (16, 16), &["post to", "/hook/hk_A-b.c;", "done"]);
        check(
            "see http://a.example/x?y=1#z now",
            (25, 25),
            &["see", "http://a.example/x?y=1#z", "now"],
        );
        // Behind a name there is less room than in the next row.
        check(path, (6, 14), &["", path]);
        check(&format!("to {path}"), (9, 9), &["to", "/hook/hk_", "A-b.c"]);
        check(&format!("    {path}"), (9, 9), &["    /hook", "/hk_A-b.c"]);
        check(&format!("    {path}"), (14, 14), &[path]);
        let rows = wrap_out(&format!("to {path} now"), (9, 9), 14);
        let begins = |row: Row| (row.text, row.begins == Begins::AtTheEdge);
        let expect = [("to", false), (path, true), ("now", false)];
        let rows: Vec<_> = rows.into_iter().map(begins).collect();
        assert_eq!(rows, expect.map(|(text, is_out)| (text.to_owned(), is_out)));
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
