//! What keys mean on the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A character to be put in.
    Char(char),
    /// A text to be put in at once.
    Paste(String),
    Enter,
    /// A line end to be put in.
    NewLine,
    /// Completes the word, or takes the next that it may be.
    Complete,
    Escape,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    CutBefore,
    CutAfter,
    CutWord,
    /// Puts in again what was cut last.
    Yank,
    /// Scrolls.
    PageUp,
    PageDown,
    /// To what was said last.
    Bottom,
    /// Chooses the message before, and the one behind.
    Earlier,
    Later,
    /// Goes to another room.
    RoomBefore,
    NextRoom,
    /// To one in which something is new.
    NextUnread,
    /// To the one of this number, from 1 on.
    RoomAt(usize),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D: the end, where nothing is typed.
    Finish,
    Suspend,
    Redraw,
    Help,
    /// Shows the rooms, or not.
    List,
    /// Shows who is in the room, or not.
    Members,
    /// Shows text bare, to be copied.
    Bare,
    /// Gives the mouse to the terminal, which marks text with it, or takes it.
    Mouse,
}

/// What a key means; `None` for one that means nothing.
pub(super) fn read(event: &KeyEvent) -> Option<Key> {
    let has = |modifier| event.modifiers.contains(modifier);
    if has(KeyModifiers::CONTROL) {
        with_control(event.code)
    } else if has(KeyModifiers::ALT) {
        with_alt(event.code)
    } else {
        alone(event.code)
    }
}

fn with_control(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char('a') => Key::Home,
        KeyCode::Char('b') => Key::Left,
        KeyCode::Char('c') => Key::Interrupt,
        KeyCode::Char('d') => Key::Finish,
        KeyCode::Char('e') => Key::End,
        KeyCode::Char('f') => Key::Right,
        KeyCode::Char('h') => Key::Backspace,
        KeyCode::Char('j') => Key::NewLine,
        KeyCode::Char('k') => Key::CutAfter,
        KeyCode::Char('l') => Key::Redraw,
        KeyCode::Char('n') => Key::NextRoom,
        KeyCode::Char('p') => Key::RoomBefore,
        KeyCode::Char('u') => Key::CutBefore,
        KeyCode::Char('w') | KeyCode::Backspace => Key::CutWord,
        KeyCode::Char('y') => Key::Yank,
        KeyCode::Char('z') => Key::Suspend,
        KeyCode::Left => Key::WordLeft,
        KeyCode::Right => Key::WordRight,
        KeyCode::Up => Key::Earlier,
        KeyCode::Down => Key::Later,
        KeyCode::End => Key::Bottom,
        _ => return None,
    })
}

fn with_alt(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Enter => Key::NewLine,
        KeyCode::Backspace => Key::CutWord,
        KeyCode::Char('a') => Key::NextUnread,
        KeyCode::Char('b') | KeyCode::Left => Key::WordLeft,
        KeyCode::Char('c') => Key::Bare,
        KeyCode::Char('f') | KeyCode::Right => Key::WordRight,
        KeyCode::Char('h') => Key::Help,
        KeyCode::Char('k') => Key::Earlier,
        KeyCode::Char('j') => Key::Later,
        KeyCode::Char('l') => Key::List,
        KeyCode::Char('m') => Key::Members,
        KeyCode::Up => Key::RoomBefore,
        KeyCode::Down => Key::NextRoom,
        KeyCode::Char(digit @ '1'..='9') => Key::RoomAt(usize::from(digit as u8 - b'0')),
        _ => return None,
    })
}

fn alone(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char(char) => Key::Char(char),
        KeyCode::Enter => Key::Enter,
        KeyCode::Tab | KeyCode::BackTab => Key::Complete,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(1) => Key::Help,
        KeyCode::F(2) => Key::List,
        KeyCode::F(3) => Key::Members,
        KeyCode::F(4) => Key::Mouse,
        KeyCode::F(5) => Key::Bare,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_they_mean_in_other_programs() {
        for (code, modifiers, expect) in [
            (KeyCode::Char('a'), KeyModifiers::NONE, Some(Key::Char('a'))),
            (KeyCode::Char('A'), KeyModifiers::SHIFT, Some(Key::Char('A'))),
            (KeyCode::Char('a'), KeyModifiers::CONTROL, Some(Key::Home)),
            (KeyCode::Enter, KeyModifiers::NONE, Some(Key::Enter)),
            (KeyCode::Enter, KeyModifiers::ALT, Some(Key::NewLine)),
            (KeyCode::Char('3'), KeyModifiers::ALT, Some(Key::RoomAt(3))),
            (KeyCode::Up, KeyModifiers::CONTROL, Some(Key::Earlier)),
            (KeyCode::F(9), KeyModifiers::NONE, None),
            (KeyCode::Char('q'), KeyModifiers::CONTROL, None),
        ] {
            assert_eq!(read(&KeyEvent::new(code, modifiers)), expect, "{code:?} {modifiers:?}");
        }
    }
}
