//! What is being typed in a room: a text of one line or more, what each key does to it, and what it is for.

use relais_hub::model::Seq;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    keys::Key,
    text::{columns, line},
};
use crate::terminal::History;

/// How long a text may get: as long as a hub may take it, but for what else there is in a frame, however much of it is
/// escaped. What a hub does not take it refuses, and it is typed again.
const BYTES_MAX: usize = (32 << 10) - 512;

/// A text that is being typed, kept while one is in another room.
///
/// `cursor` is where a grapheme begins, or the end.
#[derive(Debug, Default)]
pub(super) struct Composer {
    text: String,
    cursor: usize,
    cut: String,
    history: History,
    pub(super) purpose: Purpose,
}

/// What a text is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be said, or done.
    #[default]
    Say,
    /// To answer this.
    Reply(Seq),
    /// To have this read otherwise.
    Edit(Seq),
    /// To be put to this as a sign.
    React(Seq),
    /// To be the reason why this is taken out, or none.
    Delete(Seq),
}

/// What a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    /// The text is another.
    Change,
    /// The cursor is elsewhere, if anything.
    Move,
    /// What was to be put in is too long, and is not there.
    Nothing,
}

impl Composer {
    /// Does what a key of editing says.
    pub(super) fn press(&mut self, key: &Key) -> Did {
        let before = self.text.len();
        match key {
            Key::Char(char) => return self.paste(char.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => return self.paste(text),
            Key::NewLine => return self.put("\n"),
            Key::Yank => return self.put(&self.cut.clone()),
            Key::Backspace => self.take(self.before(), self.cursor),
            Key::Delete | Key::Finish => self.take(self.cursor, self.after()),
            Key::CutBefore => self.cut(self.line_begin(), self.cursor),
            Key::CutAfter => self.cut(self.cursor, self.line_end()),
            Key::CutWord => self.cut(self.word_before(), self.cursor),
            Key::Up => return self.up(),
            Key::Down => return self.down(),
            key => self.cursor = self.boundary(self.place(key)),
        }
        if self.text.len() == before { Did::Move } else { Did::Change }
    }

    /// Takes the text out, to be done.
    pub(super) fn enter(&mut self) -> String {
        self.history.remember(&self.text);
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Gives up what it was for, and the text if it was for something.
    pub(super) fn forget_purpose(&mut self) {
        if std::mem::take(&mut self.purpose) != Purpose::Say {
            self.set("");
        }
    }

    /// Has another text be typed, with the cursor at its end.
    pub(super) fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = text.len();
    }

    /// Has `with` stand instead of what is from `start` to the cursor.
    pub(super) fn replace(&mut self, start: usize, with: &str) {
        self.take(start, self.cursor);
        self.put(with);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What is before the cursor.
    pub(super) fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The rows of the text in so many columns, as they are shown, and in which row and column the cursor is.
    pub(super) fn rows(&self, room: usize) -> (Vec<String>, (usize, usize)) {
        let mut rows = Rows { full: Vec::new(), row: String::new(), taken: 0, room };
        let mut cursor = (0, 0);
        for (at, grapheme) in self.text.grapheme_indices(true) {
            let shown = if grapheme == "\n" { String::new() } else { line(grapheme) };
            let is_end = grapheme == "\n";
            if !is_end || at == self.cursor {
                // The cursor, too, takes a column.
                rows.make_room(columns(&shown).max(1));
            }
            if at == self.cursor {
                cursor = rows.place();
            }
            if is_end {
                rows.end();
            } else {
                rows.put(&shown);
            }
        }
        if self.cursor == self.text.len() {
            rows.make_room(1);
            cursor = rows.place();
        }
        rows.end();
        (rows.full, cursor)
    }

    /// Puts in all of `text`, or nothing: the end of it would be missed by nobody before it was said.
    fn put(&mut self, text: &str) -> Did {
        if text.is_empty() {
            return Did::Move;
        }
        if self.text.len() + text.len() > BYTES_MAX {
            return Did::Nothing;
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        // What was put in may have become one with what is behind it.
        self.cursor = self.boundary(self.cursor);
        Did::Change
    }

    /// What cannot be seen would be said without being seen.
    fn paste(&mut self, text: &str) -> Did {
        let mut text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        text.retain(|char| char == '\n' || !char.is_control());
        self.put(&text)
    }

    fn take(&mut self, start: usize, end: usize) {
        self.text.drain(start..end);
        self.cursor = self.boundary(start);
    }

    fn cut(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.text[start..end].to_owned();
            self.take(start, end);
        }
    }

    /// The first place from `at` on where a grapheme begins.
    fn boundary(&self, at: usize) -> usize {
        let mut begins = self.text.grapheme_indices(true).map(|(begin, _)| begin);
        begins.find(|begin| *begin >= at).unwrap_or(self.text.len())
    }

    fn before(&self) -> usize {
        self.before_cursor().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn line_begin(&self) -> usize {
        self.before_cursor().rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    fn word_before(&self) -> usize {
        let before = self.before_cursor().trim_end();
        let blank = before.rfind(char::is_whitespace);
        blank.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }

    fn word_after(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let word = rest.len() - rest.trim_start().len();
        let end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |at| word + at);
        self.cursor + end
    }

    /// Where `key` puts the cursor.
    fn place(&self, key: &Key) -> usize {
        match key {
            Key::Left => self.before(),
            Key::Right => self.after(),
            Key::Home => self.line_begin(),
            Key::End => self.line_end(),
            Key::WordLeft => self.word_before(),
            Key::WordRight => self.word_after(),
            _ => self.cursor,
        }
    }

    /// A line up, or in the first one to what was typed before.
    fn up(&mut self) -> Did {
        let begin = self.line_begin();
        if begin == 0 {
            let older = self.history.older(self.text.clone());
            return self.recall(older);
        }
        let above = self.text[..begin - 1].rfind('\n').map_or(0, |at| at + 1);
        self.cursor = self.same_column(begin, above);
        Did::Move
    }

    fn down(&mut self) -> Did {
        let end = self.line_end();
        if end == self.text.len() {
            let newer = self.history.newer();
            return self.recall(newer);
        }
        self.cursor = self.same_column(self.line_begin(), end + 1);
        Did::Move
    }

    fn recall(&mut self, text: Option<String>) -> Did {
        let Some(text) = text else { return Did::Move };
        self.set(&text);
        Did::Change
    }

    /// As far in the line that begins at `to` as the cursor is in its own, which begins at `from`.
    fn same_column(&self, from: usize, to: usize) -> usize {
        let count = self.text[from..self.cursor].graphemes(true).count();
        let line = self.text[to..].split('\n').next().unwrap_or_default();
        let length: usize = line.graphemes(true).take(count).map(str::len).sum();
        self.boundary(to + length)
    }
}

/// Rows that are being filled, each of at most `room` columns.
struct Rows {
    full: Vec<String>,
    row: String,
    taken: usize,
    room: usize,
}

impl Rows {
    /// Begins another row where so many columns are not left.
    fn make_room(&mut self, width: usize) {
        if self.taken > 0 && self.taken + width > self.room {
            self.end();
        }
    }

    fn put(&mut self, text: &str) {
        self.row.push_str(text);
        self.taken += columns(text);
    }

    fn end(&mut self) {
        self.full.push(std::mem::take(&mut self.row));
        self.taken = 0;
    }

    fn place(&self) -> (usize, usize) {
        (self.full.len(), self.taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(text: &str, keys: &[Key]) -> Composer {
        let mut composer = Composer::default();
        composer.press(&Key::Paste(text.to_owned()));
        for key in keys {
            composer.press(key);
        }
        composer
    }

    /// Types `text`, presses `keys`, and puts an `x` at the cursor.
    #[track_caller]
    fn check(text: &str, keys: &[Key], expect: &str) {
        let mut composer = typed(text, keys);
        composer.press(&Key::Char('x'));
        assert_eq!(composer.text(), expect);
    }

    #[test]
    fn keys_edit_the_text() {
        use Key::{
            Backspace, CutAfter, CutBefore, CutWord, Delete, Home, Left, WordLeft, WordRight,
        };
        check("ab", &[Left], "axb");
        check("ab", &[Home, Left], "xab");
        check("ab", &[Home, Delete, Delete, Delete], "x");
        check("e\u{301}b", &[Left, Backspace], "xb");
        check("one two  ", &[WordLeft], "one xtwo  ");
        check("one two", &[Home, WordRight], "onex two");
        check("one two", &[CutWord, Home, Key::Yank], "twoxone ");
        check("one\ntwo", &[CutBefore], "one\nx");
        check("one\ntwo", &[Key::Up, CutAfter], "onex\ntwo");
        check("one\ntwo", &[Home, Key::Up], "xone\ntwo");
        check("a\nlong", &[Key::Up, Key::Down], "a\nlxong");
        check("a", &[Key::NewLine], "a\nx");
        check("a\r\nb\u{1b}[c\td", &[], "a\nb[c    dx");
    }

    #[test]
    fn what_was_said_before_comes_back() {
        let mut composer = typed("one", &[]);
        assert_eq!(composer.enter(), "one");
        composer.press(&Key::Char('t'));
        assert_eq!(composer.press(&Key::Up), Did::Change);
        assert_eq!(composer.text(), "one");
        composer.press(&Key::Down);
        assert_eq!(composer.text(), "t");
        assert_eq!(composer.press(&Key::Down), Did::Move);
    }

    #[test]
    fn what_it_was_for_goes_with_its_text() {
        let mut composer = typed("draft", &[]);
        composer.forget_purpose();
        assert_eq!(composer.text(), "draft");
        composer.purpose = Purpose::Edit(Seq(1));
        composer.forget_purpose();
        assert_eq!((composer.text(), composer.purpose), ("", Purpose::Say));
    }

    #[test]
    fn a_text_is_shown_in_rows_with_its_cursor() {
        for (text, keys, rows, cursor) in [
            ("", &[][..], vec![""], (0, 0)),
            ("abc", &[], vec!["abc"], (0, 3)),
            ("abcd", &[], vec!["abcd", ""], (1, 0)),
            ("abcde", &[Key::Home], vec!["abcd", "e"], (0, 0)),
            ("a\nb", &[Key::Up], vec!["a", "b"], (0, 1)),
            ("abcd\nb", &[Key::Up, Key::End], vec!["abcd", "", "b"], (1, 0)),
            ("日本語", &[Key::Left], vec!["日本", "語"], (1, 0)),
            ("a\n", &[], vec!["a", ""], (1, 0)),
        ] {
            let found = typed(text, keys).rows(4);
            assert_eq!(found, (rows.into_iter().map(str::to_owned).collect(), cursor), "{text:?}");
        }
    }

    #[test]
    fn a_text_does_not_grow_for_ever() {
        let mut composer = typed(&"é".repeat(BYTES_MAX / 2), &[]);
        assert_eq!(composer.text().len(), BYTES_MAX);
        for key in [Key::Char('a'), Key::NewLine, Key::Paste("ab".into())] {
            assert_eq!(composer.press(&key), Did::Nothing);
        }
        assert_eq!(composer.text().len(), BYTES_MAX);
        // Nothing of it is cut.
        let mut composer = typed("a", &[]);
        assert_eq!(composer.press(&Key::Paste("é".repeat(BYTES_MAX / 2))), Did::Nothing);
        assert_eq!(composer.text(), "a");
    }

    fn any_key() -> impl Strategy<Value = Key> {
        use Key::{
            Backspace, CutAfter, CutBefore, CutWord, Delete, Down, End, Home, Left, NewLine,
        };
        use Key::{Right, Up, WordLeft, WordRight, Yank};
        prop_oneof![
            any::<char>().prop_map(Key::Char),
            any::<String>().prop_map(Key::Paste),
            prop::sample::select(vec![
                Backspace, CutAfter, CutBefore, CutWord, Delete, Down, End, Home, Left, NewLine,
                Right, Up, WordLeft, WordRight, Yank,
            ]),
        ]
    }

    proptest! {
        #[test]
        fn nothing_panics(keys in prop::collection::vec(any_key(), 0..60), room in 2..9_usize) {
            let mut composer = Composer::default();
            for key in keys {
                composer.press(&key);
                let (rows, (row, column)) = composer.rows(room);
                prop_assert!(row < rows.len() && column < room);
                prop_assert_eq!(composer.boundary(composer.cursor), composer.cursor);
            }
        }
    }
}
