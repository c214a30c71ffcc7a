//! From the bytes of a terminal to keys.

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A character to be put in.
    Char(char),
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Older,
    Newer,
    /// Takes out all before the cursor.
    CutBefore,
    /// Takes out all from the cursor on.
    CutAfter,
    /// Takes out the word before the cursor.
    CutWord,
    /// Ctrl-D: at an empty line the end, else the same as Delete.
    Finish,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Redraw,
}

/// Bytes that came, and are no whole key yet.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pending: Vec<u8>,
}

/// A sequence that is longer is none that we know.
const SEQUENCE_BYTES_MAX: usize = 16;

/// What the front of some bytes is.
enum Front {
    /// A key, of so many bytes.
    Key(Key, usize),
    /// Nothing to us, of so many bytes.
    Nothing(usize),
    /// The begin of something.
    Cut,
}

impl Keys {
    /// Takes what was read in one go, and gives the keys in it. The rest waits for what comes next.
    pub(super) fn take(&mut self, read: &[u8]) -> Vec<Key> {
        self.pending.extend_from_slice(read);
        let mut keys = Vec::new();
        let mut at = 0;
        while at < self.pending.len() {
            match front(&self.pending[at..]) {
                Front::Key(key, length) => {
                    keys.push(key);
                    at += length;
                }
                Front::Nothing(length) => at += length,
                Front::Cut => break,
            }
        }
        self.pending.drain(..at);
        if self.pending == [ESCAPE] || self.pending.len() > SEQUENCE_BYTES_MAX {
            // The key itself, pressed alone: sequences come in one go.
            self.pending.clear();
        }
        keys
    }
}

const ESCAPE: u8 = 0x1b;

fn front(bytes: &[u8]) -> Front {
    let key = match bytes[0] {
        ESCAPE => return escaped(bytes),
        b'\r' | b'\n' => Key::Enter,
        0x08 | 0x7f => Key::Backspace,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::Finish,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x0b => Key::CutAfter,
        0x0c => Key::Redraw,
        0x0e => Key::Newer,
        0x10 => Key::Older,
        0x15 => Key::CutBefore,
        0x17 => Key::CutWord,
        0x1a => Key::Suspend,
        b'\t' => Key::Char('\t'),
        0..0x20 => return Front::Nothing(1),
        _ => return character(bytes),
    };
    Front::Key(key, 1)
}

/// A character of UTF-8.
fn character(bytes: &[u8]) -> Front {
    let window = &bytes[..bytes.len().min(4)];
    let chunk = window.utf8_chunks().next().expect("there are bytes");
    match chunk.valid().chars().next() {
        Some(char) => Front::Key(Key::Char(char), char.len_utf8()),
        None if chunk.invalid().len() == window.len() && window.len() < 4 => {
            // Cut off, or the end of what can be no character.
            if std::str::from_utf8(window).is_err_and(|error| error.error_len().is_none()) {
                Front::Cut
            } else {
                Front::Nothing(window.len())
            }
        }
        None => Front::Nothing(chunk.invalid().len()),
    }
}

/// A sequence: `ESC [ parameters final`, `ESC O final`, or a key with Alt (ECMA-48, xterm).
fn escaped(bytes: &[u8]) -> Front {
    let (start, rest) = match bytes {
        [_] | [_, b'O'] => return Front::Cut,
        [_, b'[', rest @ ..] => (2, rest),
        [_, b'O', last, ..] => return known(&[], *last, 3),
        [_, b'b', ..] => return Front::Key(Key::WordLeft, 2),
        [_, b'f', ..] => return Front::Key(Key::WordRight, 2),
        [_, 0x7f, ..] => return Front::Key(Key::CutWord, 2),
        [_, ESCAPE, ..] => return Front::Nothing(1),
        [..] => return Front::Nothing(2),
    };
    match rest.iter().position(|byte| matches!(byte, 0x40..=0x7e)) {
        Some(at) => known(&rest[..at], rest[at], start + at + 1),
        None => Front::Cut,
    }
}

fn known(parameters: &[u8], last: u8, length: usize) -> Front {
    let has_control = parameters.ends_with(b";5") || parameters.ends_with(b";3");
    let key = match (last, parameters) {
        (b'A', _) => Key::Older,
        (b'B', _) => Key::Newer,
        (b'C', _) if has_control => Key::WordRight,
        (b'D', _) if has_control => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        _ => return Front::Nothing(length),
    };
    Front::Key(key, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_keys() {
        check(b"a\xc3\xa9\xe8\xaa\x9e", &[Key::Char('a'), Key::Char('é'), Key::Char('語')]);
        check(b"\r\x7f\x04\x03", &[Key::Enter, Key::Backspace, Key::Finish, Key::Interrupt]);
        check(b"\x1b[A\x1b[B\x1bOC\x1b[D", &[Key::Older, Key::Newer, Key::Right, Key::Left]);
        check(
            b"\x1b[3~\x1b[1~\x1b[F\x1b[1;5C",
            &[Key::Delete, Key::Home, Key::End, Key::WordRight],
        );
        check(b"\x1b\x1b[A", &[Key::Older]);
    }

    #[test]
    fn what_is_no_key_of_ours_is_nothing() {
        check(b"\x1b[15~a", &[Key::Char('a')]);
        check(b"\x1bxa", &[Key::Char('a')]);
        check(b"\xffa\xc3\x28", &[Key::Char('a'), Key::Char('(')]);
        check(b"\x1b[2004hb", &[Key::Char('b')]);
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: &[Key]) {
        assert_eq!(Keys::default().take(bytes), expect);
    }

    #[test]
    fn a_key_may_come_in_parts_and_escape_alone_is_none() {
        let mut keys = Keys::default();
        assert_eq!(keys.take(b"\xe8\xaa"), []);
        assert_eq!(keys.take(b"\x9e\x1b["), [Key::Char('語')]);
        assert_eq!(keys.take(b"A"), [Key::Older]);
        assert_eq!(keys.take(b"\x1b"), []);
        assert_eq!(keys.take(b"x"), [Key::Char('x')]);
        assert_eq!(keys.take(&[b"\x1b[" as &[u8], &[b'1'; 64]].concat()), []);
        assert_eq!(keys.take(b"x"), [Key::Char('x')]);
    }

    #[test]
    fn nothing_panics() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                let mut keys = Keys::default();
                keys.take(&[first, second]);
                keys.take(&[ESCAPE, b'[', first, second]);
                keys.take(&[ESCAPE, first, 0xf0, second]);
                assert!(keys.pending.len() <= SEQUENCE_BYTES_MAX);
            }
        }
    }
}
