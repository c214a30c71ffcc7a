//! A line being typed: what each key does to it, and how it is drawn in one row.

use super::{
    history::History,
    keys::Key,
    view::{View, width},
};

/// How long a line may get. What is typed past it is dropped.
const CHARS_MAX: usize = 64 << 10;

/// The line. `cursor <= line.len()`.
#[derive(Debug, Default)]
pub(super) struct Editor {
    line: Vec<char>,
    cursor: usize,
    history: History,
}

/// What a key came to, beyond another look of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The line is whole.
    Line(String),
    /// There will be no more.
    End,
    /// Somebody wants the program to end.
    Interrupt,
    /// Somebody wants the program to rest.
    Suspend,
}

impl Editor {
    /// Does what `key` says.
    pub(super) fn press(&mut self, key: Key) -> Option<Pressed> {
        match key {
            Key::Enter => return Some(Pressed::Line(self.enter())),
            Key::Interrupt => return Some(Pressed::Interrupt),
            Key::Suspend => return Some(Pressed::Suspend),
            Key::Finish if self.is_empty() => return Some(Pressed::End),
            Key::Char(char) => self.insert(char),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.line.remove(self.cursor);
            }
            Key::Delete | Key::Finish if self.cursor < self.line.len() => {
                self.line.remove(self.cursor);
            }
            Key::CutBefore => self.cut_from(0),
            Key::CutWord => self.cut_from(self.word_before()),
            Key::CutAfter => self.line.truncate(self.cursor),
            Key::Older | Key::Newer => self.recall(key),
            _ => self.move_to(key),
        }
        None
    }

    /// Whether nothing is typed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    fn enter(&mut self) -> String {
        let line: String = self.line.drain(..).collect();
        self.cursor = 0;
        self.history.remember(&line);
        line
    }

    fn insert(&mut self, char: char) {
        if self.line.len() < CHARS_MAX {
            self.line.insert(self.cursor, char);
            self.cursor += 1;
        }
    }

    fn cut_from(&mut self, start: usize) {
        self.line.drain(start..self.cursor);
        self.cursor = start;
    }

    fn recall(&mut self, key: Key) {
        let recalled = if key == Key::Older {
            self.history.older(self.line.iter().collect())
        } else {
            self.history.newer()
        };
        if let Some(line) = recalled {
            self.line = line.chars().collect();
            self.cursor = self.line.len();
        }
    }

    fn move_to(&mut self, key: Key) {
        self.cursor = match key {
            Key::Left => self.cursor.saturating_sub(1),
            Key::Right => (self.cursor + 1).min(self.line.len()),
            Key::Home => 0,
            Key::End => self.line.len(),
            Key::WordLeft => self.word_before(),
            Key::WordRight => self.word_after(),
            _ => self.cursor,
        };
    }

    /// Where the word before the cursor begins.
    fn word_before(&self) -> usize {
        let before = &self.line[..self.cursor];
        let end = before.iter().rposition(|char| !char.is_whitespace()).map_or(0, |at| at + 1);
        before[..end].iter().rposition(|char| char.is_whitespace()).map_or(0, |at| at + 1)
    }

    /// Where the word after the cursor ends.
    fn word_after(&self) -> usize {
        let rest = self.line[self.cursor..].iter();
        let blanks = rest.clone().take_while(|char| char.is_whitespace()).count();
        let word = rest.skip(blanks).take_while(|char| !char.is_whitespace()).count();
        self.cursor + blanks + word
    }

    /// What is seen of the line in the row where it is, on a terminal of `columns`: of a line that is too
    /// long, the part round the cursor, and `…` where there is more.
    pub(super) fn view(&self, prompt: &str, columns: usize) -> View {
        let prompt_width: usize = prompt.chars().map(width).sum();
        // The last column stays free: a character there makes some terminals begin another row.
        let room = columns.saturating_sub(prompt_width + 1).max(1);
        let Part { start, before, mark } = self.part(room);
        let mut text = prompt.to_owned();
        if start > 0 && mark > 0 {
            text.push('…');
        }
        let mut left = room - if start > 0 { mark } else { 0 };
        let is_cut = self.line[start..].iter().copied().map(width).sum::<usize>() > left;
        left -= if is_cut { mark } else { 0 };
        for &char in &self.line[start..] {
            let Some(rest) = left.checked_sub(width(char)) else { break };
            left = rest;
            text.push(shown(char));
        }
        if is_cut && mark > 0 {
            text.push('…');
        }
        View { text, cursor: prompt_width + before, columns }
    }

    /// Which part of the line is shown where there is `room` for so many columns.
    fn part(&self, room: usize) -> Part {
        let width_of = |chars: &[char]| chars.iter().copied().map(width).sum::<usize>();
        let mut before = width_of(&self.line[..self.cursor]);
        let is_behind = self.cursor == self.line.len();
        let fits = width_of(&self.line) + usize::from(is_behind) <= room;
        // Where there is hardly any room, all of it is for the line.
        let mark = usize::from(!fits && room >= MARKED_ROOM);
        let behind = if is_behind { 0 } else { mark };
        let (mut start, mut ahead) = (0, 0);
        while ahead + before + behind >= room && start < self.cursor && !fits {
            before -= width(self.line[start]);
            start += 1;
            ahead = mark;
        }
        Part { start, before: ahead + before, mark }
    }

    /// All of the line, in as many rows as it takes.
    pub(super) fn whole(&self, prompt: &str) -> String {
        let line: String = self.line.iter().copied().map(shown).collect();
        format!("{prompt}{line}")
    }
}

/// A part of a line.
struct Part {
    /// From this character on.
    start: usize,
    /// In which column the cursor is.
    before: usize,
    /// How wide what says that there is more is.
    mark: usize,
}

/// How much room there has to be to show where there is more.
const MARKED_ROOM: usize = 4;

fn shown(char: char) -> char {
    if char.is_control() { ' ' } else { char }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Key::{Backspace, Delete, Enter, Home, Left, Newer, Older, WordLeft, WordRight};

    /// Types `text`, presses `keys`, puts an `x` at the cursor and shows the line.
    #[track_caller]
    fn check(text: &str, keys: &[Key], expect: &str) {
        let mut editor = Editor::default();
        let typed = text.chars().map(|char| if char == '\n' { Enter } else { Key::Char(char) });
        for key in typed.chain(keys.iter().copied()).chain([Key::Char('x')]) {
            editor.press(key);
        }
        assert_eq!(editor.press(Enter), Some(Pressed::Line(expect.to_owned())));
    }

    #[test]
    fn keys_edit_the_line() {
        check("ab", &[], "abx");
        check("ab", &[Left], "axb");
        check("ab", &[Home, Left], "xab");
        check("ab", &[Home, Key::Right, Key::End, Key::Right], "abx");
        check("ab", &[Backspace, Backspace, Backspace], "x");
        check("ab", &[Home, Delete], "xb");
        check("ab", &[Home, Key::Finish], "xb");
        check("ab", &[Delete], "abx");
        check("one two  ", &[WordLeft], "one xtwo  ");
        check("one two", &[Home, WordRight, WordRight, WordRight], "one twox");
        check("one two", &[Key::CutWord], "one x");
        check("one two", &[Left, Key::CutBefore], "xo");
        check("one two", &[WordLeft, Key::CutAfter], "one x");
        check("日本", &[Left, Backspace], "x本");
    }

    #[test]
    fn lines_typed_before_come_back() {
        check("one\ntwo\nthr", &[Older], "twox");
        check("one\ntwo\nthr", &[Older, Older, Older], "onex");
        check("one\ntwo\nthr", &[Older, Older, Newer, Newer], "thrx");
    }

    #[test]
    fn ctrl_d_ends_at_an_empty_line_only() {
        let mut editor = Editor::default();
        assert_eq!(editor.press(Key::Finish), Some(Pressed::End));
        editor.press(Key::Char('a'));
        assert_eq!(editor.press(Key::Finish), None);
    }

    #[test]
    fn a_line_does_not_grow_for_ever() {
        let mut editor = Editor::default();
        for _ in 0..=CHARS_MAX {
            editor.press(Key::Char('a'));
        }
        assert_eq!(editor.line.len(), CHARS_MAX);
    }

    #[track_caller]
    fn check_drawn(text: &str, keys: &[Key], columns: usize, expect: &str) {
        let mut editor = Editor::default();
        for key in text.chars().map(Key::Char).chain(keys.iter().copied()) {
            editor.press(key);
        }
        assert_eq!(editor.view("> ", columns).whole(), expect);
    }

    #[test]
    fn what_is_left_behind_is_the_whole_line() {
        let mut editor = Editor::default();
        for char in "abcdefghij\tk".chars() {
            editor.press(Key::Char(char));
        }
        assert_eq!(editor.whole("> "), "> abcdefghij k");
    }

    #[test]
    fn the_line_stays_in_its_row() {
        check_drawn("", &[], 10, "\r> \x1b[K\r\x1b[2C");
        check_drawn("abc", &[], 10, "\r> abc\x1b[K\r\x1b[5C");
        check_drawn("abc", &[Home], 10, "\r> abc\x1b[K\r\x1b[2C");
        check_drawn("abcdefghij", &[], 10, "\r> …fghij\x1b[K\r\x1b[8C");
        check_drawn("abcdefghij", &[Home], 10, "\r> abcdef…\x1b[K\r\x1b[2C");
        check_drawn("日本語日本語", &[], 10, "\r> …本語\x1b[K\r\x1b[7C");
        check_drawn("abcdefg", &[Left], 10, "\r> abcdefg\x1b[K\r\x1b[8C");
        check_drawn("abcdefghijkl", &[Left, Left], 10, "\r> …ghijkl\x1b[K\r\x1b[7C");
        check_drawn("abcdefghijklmnop", &[Left; 5], 10, "\r> …hijkl…\x1b[K\r\x1b[7C");
        check_drawn("a\tb", &[], 10, "\r> a b\x1b[K\r\x1b[5C");
        check_drawn("abc", &[], 1, "\r> \x1b[K\r\x1b[2C");
    }
}
